//! A stand-in for PowerShell in the tests of this layer. It plays the fake host's scenarios without
//! a process, so that it can live in time that only these tests let pass.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::domain::record::{ErrorRecord, Record};
use crate::host::fake::{Answer, FakeOutcome, Scenario, Step};
use crate::host::{Finished, HostError, HostEvent, Outcome, Submission};

/// What the stand-ins of one test share.
#[derive(Debug)]
pub(super) struct World {
    scenario: Mutex<Scenario>,
    /// The files that `wait_for` waits for: none of them is on a disk.
    files: watch::Sender<BTreeSet<PathBuf>>,
    log: Mutex<Log>,
    started: AtomicU32,
    running: AtomicU32,
    /// Resident bytes of each.
    pub(super) resident: AtomicU64,
}

/// What was run in them.
#[derive(Debug)]
enum Log {
    /// Everything: when, in which one, and its text.
    All(Vec<(Instant, u32, String)>),
    /// Only how often and how long apart, for tests that count the pool's memory.
    Beats(BTreeMap<u32, Beats>),
}

/// The rhythm of one stand-in's scripts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beats {
    pub(super) count: u32,
    /// The longest time between two.
    pub(super) longest: Duration,
    last: Instant,
}

/// One of them.
#[derive(Debug)]
pub(super) struct StandIn {
    world: Arc<World>,
    pid: u32,
    steps: Option<VecDeque<Step>>,
    /// The end of the pause that it is in.
    wakes: Option<Instant>,
    cancelled: bool,
    /// The last one of what it plays.
    error: Option<ErrorRecord>,
}

impl World {
    pub(super) fn new(scenario: Scenario) -> Arc<Self> {
        Arc::new(Self {
            scenario: Mutex::new(scenario),
            files: watch::channel(BTreeSet::new()).0,
            log: Mutex::new(Log::All(Vec::new())),
            started: AtomicU32::new(0),
            running: AtomicU32::new(0),
            resident: AtomicU64::new(1),
        })
    }

    /// From now on only the rhythm is noted.
    pub(super) fn watch_beats(&self) {
        *self.log.lock().unwrap() = Log::Beats(BTreeMap::new());
    }

    /// The rhythm of each.
    pub(super) fn beats(&self) -> BTreeMap<u32, Beats> {
        match &*self.log.lock().unwrap() {
            Log::All(_) => BTreeMap::new(),
            Log::Beats(beats) => beats.clone(),
        }
    }

    /// From now on this answer comes before all others.
    pub(super) fn answer(&self, answer: Answer) {
        self.scenario.lock().unwrap().commands.insert(0, answer);
    }

    /// What waits for this file goes on.
    pub(super) fn make(&self, file: &str) {
        self.files.send_modify(|files| {
            files.insert(file.into());
        });
    }

    /// When scripts with this in them were begun.
    pub(super) fn runs(&self, part: &str) -> Vec<Instant> {
        match &*self.log.lock().unwrap() {
            Log::Beats(_) => Vec::new(),
            Log::All(all) => all
                .iter()
                .filter(|(_, _, script)| script.contains(part))
                .map(|(at, _, _)| *at)
                .collect(),
        }
    }

    /// How many were started so far.
    pub(super) fn started(&self) -> u32 {
        self.started.load(Ordering::Relaxed)
    }

    /// How many there are.
    pub(super) fn running(&self) -> u32 {
        self.running.load(Ordering::Relaxed)
    }

    pub(super) fn start(self: &Arc<Self>) -> StandIn {
        self.running.fetch_add(1, Ordering::Relaxed);
        StandIn {
            pid: self.started.fetch_add(1, Ordering::Relaxed) + 1,
            world: Arc::clone(self),
            steps: None,
            wakes: None,
            cancelled: false,
            error: None,
        }
    }

    fn note(&self, pid: u32, what: &str) {
        let now = Instant::now();
        match &mut *self.log.lock().unwrap() {
            Log::All(all) => all.push((now, pid, what.to_owned())),
            Log::Beats(beats) => {
                let beats = beats.entry(pid).or_insert(Beats {
                    count: 0,
                    longest: Duration::ZERO,
                    last: now,
                });
                beats.count += 1;
                beats.longest = beats.longest.max(now - beats.last);
                beats.last = now;
            }
        }
    }

    fn steps(&self, script: &str) -> VecDeque<Step> {
        let scenario = self.scenario.lock().unwrap();
        let fits = |answer: &&Answer| answer.command.fits(script);
        let answer = scenario.commands.iter().find(fits);
        let steps = answer.map_or(&scenario.otherwise, |answer| &answer.steps);
        steps.iter().cloned().collect()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.world.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl StandIn {
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn resident(&self) -> Option<u64> {
        Some(self.world.resident.load(Ordering::Relaxed))
    }

    pub(super) fn submit(&mut self, submission: &Submission) -> Result<(), HostError> {
        if self.steps.is_some() {
            return Err(HostError::Busy);
        }
        self.world.note(self.pid, &submission.script);
        self.steps = Some(self.world.steps(&submission.script));
        (self.wakes, self.cancelled) = (None, false);
        Ok(())
    }

    pub(super) fn cancel(&mut self) -> Result<(), HostError> {
        if self.steps.is_some() {
            self.world.note(self.pid, "cancelled");
            self.cancelled = true;
        }
        Ok(())
    }

    pub(super) async fn next(&mut self) -> HostEvent {
        loop {
            let Some(steps) = &mut self.steps else {
                return std::future::pending().await;
            };
            let Some(step) = steps.front().cloned() else {
                return self.finish(FakeOutcome::Completed, false);
            };
            match step {
                Step::Stuck => return std::future::pending().await,
                _ if self.cancelled => return self.finish(FakeOutcome::Stopped, false),
                Step::Hang => return std::future::pending().await,
                Step::Pause(milliseconds) => {
                    let end = Instant::now() + Duration::from_millis(milliseconds);
                    tokio::time::sleep_until(*self.wakes.get_or_insert(end)).await;
                    self.wakes = None;
                }
                Step::WaitFor { file } => self.exists(&file).await,
                Step::Record { record } => {
                    self.pass();
                    if let Record::Error(error) = &record {
                        self.error = Some(error.clone());
                    }
                    return HostEvent::Records(vec![record]);
                }
                Step::Finish { outcome, stateful } => return self.finish(outcome, stateful),
                Step::Die { .. } => {
                    self.steps = None;
                    return HostEvent::Gone(HostError::Died { status: None });
                }
                Step::WriteFile { .. }
                | Step::RemoveFile { .. }
                | Step::Garbage { .. }
                | Step::CloseSocket => unreachable!("only in a process"),
            }
            self.pass();
        }
    }

    async fn exists(&self, file: &Path) {
        let mut files = self.world.files.subscribe();
        let there = files.wait_for(|files| files.contains(file)).await;
        drop(there.unwrap());
    }

    fn pass(&mut self) {
        if let Some(steps) = &mut self.steps {
            steps.pop_front();
        }
    }

    fn finish(&mut self, outcome: FakeOutcome, stateful: bool) -> HostEvent {
        self.steps = None;
        let outcome = match outcome {
            FakeOutcome::Completed => Outcome::Completed,
            FakeOutcome::Stopped => Outcome::Stopped,
            FakeOutcome::Failed => Outcome::Failed(self.error.take().unwrap_or_default()),
        };
        HostEvent::Finished(Finished { outcome, stateful })
    }
}
