//! What the journal's lines add up to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::job::{JobId, JobState};
use crate::domain::loss::{Loss, Tellings};
use crate::domain::session_key::SessionKey;

use super::entry::JobEntry;

/// Expired ids that are remembered, so that asking for one is answered `expired`, not `unknown`.
pub(super) const MOST_EXPIRED: usize = 10_000;

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Line {
    Job(JobEntry),
    /// A job whose results are gone for good.
    Expired {
        job: JobId,
    },
    /// What a session holds or has lost of its callers'.
    Session {
        session: SessionKey,
        /// Its process holds something.
        stateful: bool,
        /// A process that held something is gone, and these callers know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lost: Option<Vec<String>>,
    },
}

/// What a session holds of its callers', and what it has lost.
#[derive(Debug, Default, PartialEq, Eq)]
struct Held {
    stateful: bool,
    lost: Option<Loss>,
}

impl Held {
    /// A fresh process holds nothing. What was lost before is lost all the same.
    fn lose(&mut self) -> bool {
        let lost = std::mem::take(&mut self.stateful);
        if lost {
            self.lost = Some(Loss::default());
        }
        lost
    }

    fn line(&self, session: SessionKey) -> Line {
        let told = |loss: &Loss| loss.told().map(str::to_owned).collect();
        Line::Session {
            session,
            stateful: self.stateful,
            lost: self.lost.as_ref().map(told),
        }
    }
}

/// What the lines add up to.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) jobs: BTreeMap<JobId, JobEntry>,
    /// The newest: ids are in the order of their creation.
    pub(super) expired: BTreeSet<JobId>,
    sessions: BTreeMap<SessionKey, Held>,
    tellings: Tellings,
    /// The jobs that were lost with the pool that had them. Not in the file.
    pub(super) lost: Vec<JobId>,
}

impl Memory {
    pub(super) fn replay(text: &str) -> Self {
        let mut memory = Self::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match serde_json::from_str(line) {
                Ok(line) => drop(memory.take(line)),
                Err(_) => tracing::warn!("skipped a torn line of the job journal"),
            }
        }
        memory
    }

    /// Takes a line in; returns whether it says anything new.
    pub(super) fn take(&mut self, line: Line) -> bool {
        match line {
            Line::Job(entry) => {
                self.jobs.insert(entry.job, entry);
                true
            }
            Line::Expired { job } => {
                self.jobs.remove(&job);
                let is_new = self.expired.insert(job);
                if self.expired.len() > MOST_EXPIRED {
                    self.expired.pop_first();
                }
                is_new
            }
            Line::Session {
                session,
                stateful,
                lost,
            } => {
                let held = Held {
                    stateful,
                    lost: lost.map(Loss::told_to),
                };
                if held == Held::default() {
                    self.sessions.remove(&session);
                } else {
                    self.sessions.insert(session, held);
                }
                true
            }
        }
    }

    /// Whoever wrote the lines has ended before these jobs did.
    pub(super) fn lose_unfinished(&mut self, now: Timestamp) {
        for entry in self.jobs.values_mut() {
            if !entry.state.is_final() {
                entry.state = JobState::Lost;
                entry.finished_at = Some(now);
                self.lost.push(entry.job);
            }
        }
    }

    /// Every process of an earlier life is gone.
    pub(super) fn lose_processes(&mut self) {
        for held in self.sessions.values_mut() {
            held.lose();
        }
    }

    /// The process of this session may hold something of its callers' from now on.
    pub(super) fn hold(&mut self, session: &SessionKey) -> Option<Line> {
        self.change(session, |held| !std::mem::replace(&mut held.stateful, true))
    }

    /// The process of this session is gone, and what it held.
    pub(super) fn lose(&mut self, session: &SessionKey) -> Option<Line> {
        self.change(session, Held::lose)
    }

    /// This caller hears that something was lost.
    pub(super) fn tell(&mut self, session: &SessionKey, caller: Option<&str>) -> Option<Line> {
        self.tellings = self.tellings.next();
        let now = self.tellings;
        self.change(session, |held| {
            let Some(loss) = &mut held.lost else {
                return false;
            };
            loss.tell(caller, now);
            if loss.is_known_to_all() {
                held.lost = None;
            }
            true
        })
    }

    /// How often somebody was told until now.
    pub(super) const fn tellings(&self) -> Tellings {
        self.tellings
    }

    /// Whether the process of this session may hold something.
    pub(super) fn is_held(&self, session: &SessionKey) -> bool {
        self.sessions.get(session).is_some_and(|held| held.stateful)
    }

    /// Whether this session has lost something of which the caller did not know when it asked.
    pub(super) fn is_missed(
        &self,
        session: &SessionKey,
        caller: Option<&str>,
        asked: Tellings,
    ) -> bool {
        let loss = self
            .sessions
            .get(session)
            .and_then(|held| held.lost.as_ref());
        loss.is_some_and(|loss| !loss.was_known_to(caller, asked))
    }

    /// Changes what is known of a session; the line that says so, where it did.
    fn change(
        &mut self,
        session: &SessionKey,
        change: impl FnOnce(&mut Held) -> bool,
    ) -> Option<Line> {
        let held = self.sessions.entry(session.clone()).or_default();
        let line = change(held).then(|| held.line(session.clone()));
        if *held == Held::default() {
            self.sessions.remove(session);
        }
        line
    }

    /// Jobs that ended longer than `keep` ago have expired while no pool ran.
    pub(super) fn expire_older(&mut self, now: Timestamp, keep: Duration) {
        let is_old = |entry: &&JobEntry| {
            entry
                .finished_at
                .is_some_and(|ended| now.duration_since(ended).unsigned_abs() > keep)
        };
        let old: Vec<_> = self
            .jobs
            .values()
            .filter(is_old)
            .map(|entry| entry.job)
            .collect();
        for job in old {
            self.take(Line::Expired { job });
        }
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = Line> {
        let expired = self.expired.iter().map(|job| Line::Expired { job: *job });
        let sessions = self
            .sessions
            .iter()
            .map(|(session, held)| held.line(session.clone()));
        self.jobs
            .values()
            .cloned()
            .map(Line::Job)
            .chain(expired)
            .chain(sessions)
    }
}
