//! The task that owns one session: it brings events to the session's life (`domain/life`), and
//! carries out what that says.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::domain::aadsts;
use crate::domain::life::{
    Answer, Due, Effect, Event, Leaving, Life, Moment, Request, Rules, State, Wants,
};
use crate::domain::loss::Tellings;
use crate::domain::record::Record;
use crate::domain::registry::Connection;
use crate::domain::session_key::SessionKey;
use crate::domain::state::{SessionState, SignedIn};
use crate::host::HostEvent;

use super::catalog::Catalog;
use super::credentials::{Credential, Credentials};
use super::departure::Departure;
use super::ending::{Ending, Failure, FailureCode};
use super::engine::Engines;
use super::guard::{Guard, Passage};
use super::job::Job;
use super::journal::Journal;
use super::launcher::Launcher;
use super::process::Process;
use super::queue::QueueReceiver;
use super::registry_watch::RegistryHandle;
use super::remembered::Remembered;
use super::sign_in::Attempt;
use super::stop::{StopOrder, StopReceiver};
use super::telemetry::ProcessEnd;
use super::trial::Trial;
use super::view::ViewSender;
use super::wish::Wish;

/// One command on its way to its session.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) job: Arc<Job>,
    /// The connection as the registry had it when the command was accepted.
    pub(super) connection: Arc<Connection>,
    pub(super) command: String,
    /// What the policy said to it.
    pub(super) passage: Passage,
    /// What its caller could know of lost variables when it was sent.
    pub(super) asked: Tellings,
    /// It is not run: it says what it would do, and its job ends.
    pub(super) trial: Option<Box<Trial>>,
}

impl Work {
    /// Tells the caller in the job's output what the policy warns of, and these notes.
    pub(super) fn warn(&self, notes: impl IntoIterator<Item = String>) {
        let warnings = self.passage.warnings.iter().cloned();
        let records: Vec<_> = warnings
            .chain(notes)
            .map(|text| Record::Warning { text })
            .collect();
        // A result without room for this has none for the command's output either, and says so.
        drop(self.job.append(&records));
    }
}

/// What all sessions of a pool share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) registry: RegistryHandle,
    pub(super) guard: Guard,
    pub(super) launcher: Launcher,
    pub(super) engines: Engines,
    pub(super) credentials: Arc<Credentials>,
    pub(super) catalog: Catalog,
    pub(super) journal: Arc<Journal>,
    pub(super) remembered: Remembered,
    /// One permit a process that may run.
    pub(super) processes: Arc<Semaphore>,
    /// How many there are in all.
    pub(super) max_processes: usize,
    /// Between the request to stop a command and the end of its process.
    pub(super) grace: Duration,
    /// The times and sizes that sessions live by.
    pub(super) rules: Rules,
}

/// One session. Its task is the only one that touches these.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) key: SessionKey,
    pub(super) shared: Arc<Shared>,
    pub(super) inbox: QueueReceiver,
    pub(super) wishes: mpsc::Receiver<Wish>,
    pub(super) stop: StopReceiver,
    pub(super) view: ViewSender,
    /// Where the session is; everything below is what it needs to act.
    pub(super) life: Life,
    /// The beginning of its time.
    pub(super) began: tokio::time::Instant,
    pub(super) process: Option<Process>,
    /// What an app's sign-in was made with.
    pub(super) proved_with: Option<Arc<Credential>>,
    /// What the process was signed in for; another one needs a fresh process.
    pub(super) connection: Option<Arc<Connection>>,
    /// The session that had this key before, and the same home: two at a time would spoil what
    /// modules keep there.
    pub(super) predecessor: Option<Departure>,
    /// The connect command that runs on, and what it has said.
    pub(super) attempt: Option<Attempt>,
    /// The command that is being served.
    pub(super) work: Option<Arc<Work>>,
    /// What became of it, until it is answered.
    pub(super) executed: Option<Ending>,
    /// Who had the last thing that was done interrupted.
    pub(super) interrupted_by: Option<&'static str>,
    /// Who waits for the wish that is being granted.
    pub(super) wish: Option<oneshot::Sender<Answer>>,
    /// Who is signed in as far as that is written down.
    pub(super) noted: Option<SignedIn>,
}

/// What a session's task hears from others.
#[derive(Debug)]
pub(super) struct Ears {
    pub(super) inbox: QueueReceiver,
    pub(super) wishes: mpsc::Receiver<Wish>,
    pub(super) stop: StopReceiver,
    /// The session that had its key before.
    pub(super) predecessor: Option<Departure>,
}

enum Wake {
    Work(Work),
    Wish(Wish),
    Registry(Arc<Connection>),
    Host(HostEvent),
    Due(Due),
    Stop(StopOrder),
}

impl Worker {
    /// A session without a process. `after`: why the sign-in of the pool's last life has ended.
    pub(super) fn new(
        key: SessionKey,
        shared: Arc<Shared>,
        ears: Ears,
        view: ViewSender,
        after: Option<String>,
    ) -> Self {
        let mut seed = [0; 8];
        if let Err(error) = getrandom::fill(&mut seed) {
            tracing::warn!(%error, "no randomness: the checks of sessions beat together");
        }
        let life = Life::new(shared.rules.clone(), u64::from_le_bytes(seed));
        let Ears {
            inbox,
            wishes,
            stop,
            predecessor,
        } = ears;
        Self {
            life: match after {
                Some(reason) => life.after(reason),
                None => life,
            },
            key,
            shared,
            inbox,
            wishes,
            stop,
            view,
            began: tokio::time::Instant::now(),
            process: None,
            proved_with: None,
            connection: None,
            predecessor,
            attempt: None,
            work: None,
            executed: None,
            interrupted_by: None,
            wish: None,
            noted: None,
        }
    }

    /// Serves the session until it is stopped; then ends its process and its waiting jobs.
    pub(super) async fn run(mut self) {
        let mut stop = self.stop.clone();
        let stopped = tokio::select! {
            // A bug of the pool's must not leave jobs that never end, nor a process. Nothing that
            // the worker holds is used afterwards but to end it.
            order = AssertUnwindSafe(self.serve_until_stopped()).catch_unwind() => order.ok(),
            // Whatever it does takes too long: it is dropped where it is.
            order = stop.overdue() => Some(order),
        };
        self.close(stopped).await;
    }

    async fn serve_until_stopped(&mut self) -> StopOrder {
        if let Some(predecessor) = &mut self.predecessor {
            tokio::select! {
                order = self.stop.requested() => return order,
                () = predecessor.done() => {}
            }
        }
        loop {
            self.publish();
            match self.next_wake().await {
                Wake::Work(work) => self.serve(work).await,
                Wake::Wish(wish) => self.grant(wish).await,
                Wake::Registry(entry) => self.turn_to(&entry).await,
                Wake::Host(event) => self.on_idle_event(event).await,
                Wake::Due(due) => self.advance(Event::Due(due)).await,
                Wake::Stop(order) => return order,
            }
        }
    }

    async fn next_wake(&mut self) -> Wake {
        let deadline = self.life.deadline();
        // A code that is over is not shown any more; all other deadlines wait for the callers.
        let code_over = deadline.filter(|(_, due)| *due == Due::CodeOver);
        tokio::select! {
            biased;
            order = self.stop.requested() => Wake::Stop(order),
            event = next_event(&mut self.process) => Wake::Host(event),
            due = come(self.began, code_over) => Wake::Due(due),
            Some(wish) = self.wishes.recv() => Wake::Wish(wish),
            work = self.inbox.next() => Wake::Work(work),
            entry = other_entry(&self.shared, &self.key, self.connection.as_ref()) => {
                Wake::Registry(entry)
            }
            due = come(self.began, deadline) => Wake::Due(due),
        }
    }

    /// Takes an event in, and does what it leads to, until nothing is left to do.
    pub(super) async fn advance(&mut self, event: Event) {
        let mut next = Some(event);
        while let Some(event) = next.take() {
            let effects = self.life.on(event, self.now());
            // Before anybody hears of it: who was told that somebody is signed in finds that after a
            // restart.
            self.remember().await;
            // Before a job is final: who hears of its end may look at the session's state.
            self.publish();
            for effect in effects {
                next = self.carry_out(effect).await;
            }
        }
    }

    async fn carry_out(&mut self, effect: Effect) -> Option<Event> {
        Some(match effect {
            Effect::StartProcess => self.start_process().await,
            Effect::Look => self.look().await,
            Effect::Connect => self.connect().await,
            Effect::StopConnect => Event::Left(self.stop_connect().await),
            Effect::SignOut => {
                // Other reasons may name accounts.
                if let State::Leaving(Leaving::Rest {
                    after: Some(why), ..
                }) = self.life.state()
                {
                    match aadsts::code_in(why) {
                        Some(_) => tracing::warn!(session = %self.key, why, "signing out"),
                        None => tracing::info!(session = %self.key, why, "signing out"),
                    }
                }
                Event::Left(self.sign_out().await)
            }
            Effect::Run => self.run_command().await,
            Effect::Check => self.check().await,
            // Only the process of a session that has nothing to do is replaced.
            Effect::Inspect if self.inbox.some_wait() => return None,
            Effect::Inspect => Event::Inspected(self.inspect().await),
            Effect::EndProcess => {
                self.end_process(ProcessEnd::Closed).await;
                return None;
            }
            Effect::Retire(excess) => {
                tracing::info!(session = %self.key, "replacing the PowerShell process, which {excess}");
                self.end_process(ProcessEnd::Replaced).await;
                return None;
            }
            Effect::Warn(overdue) => {
                tracing::warn!(session = %self.key, "{overdue}");
                return None;
            }
            Effect::Answer(_, answer) => {
                self.answer(answer);
                return None;
            }
        })
    }

    async fn serve(&mut self, mut work: Work) {
        if let Some(trial) = work.trial.take() {
            return self.try_out(&work.job, *trial).await;
        }
        self.view.send_modify(|view| {
            view.busy = true;
            view.note_command(&work.command);
        });
        let request = Request {
            by: work.job.order().caller.clone(),
            wants: Wants::Command,
        };
        let work = Arc::new(work);
        self.work = Some(Arc::clone(&work));
        // The policy may have changed while it waited.
        let guard = &self.shared.guard;
        if let Err(ending) = guard.still_passes(&self.key, &work.connection, &work.passage) {
            return self.end_work(ending);
        }
        self.turn_to(&work.connection).await;
        self.renew_proof(&work.connection).await;
        self.advance(Event::Asked(request)).await;
    }

    /// From now on the session is one of this entry of the registry.
    pub(super) async fn turn_to(&mut self, connection: &Arc<Connection>) {
        let before = self.connection.replace(Arc::clone(connection));
        if before.is_some_and(|before| before != *connection) {
            tracing::info!(session = %self.key, "the registry's entry changed: starting afresh");
            self.advance(Event::RegistryChanged).await;
        }
    }

    async fn on_idle_event(&mut self, event: HostEvent) {
        match event {
            HostEvent::Records(records) => self.on_connect_records(&records).await,
            HostEvent::Finished(finished) => self.on_connect_finished(finished).await,
            HostEvent::Gone(error) => {
                tracing::warn!(session = %self.key, %error, "the PowerShell process ended while idle");
                self.view
                    .send_modify(|view| view.last_error = Some(error.to_string()));
                self.end_process(ProcessEnd::Died).await;
                self.advance(Event::ProcessGone(error.to_string())).await;
            }
        }
    }

    /// Ends the process, and with it the sign-in.
    pub(super) async fn end_process(&mut self, how: ProcessEnd) {
        self.attempt = None;
        self.proved_with = None;
        if let Some(process) = self.process.take() {
            self.shared.journal.note_lost(&self.key);
            process.end(how, self.stop.time_left()).await;
        }
    }

    pub(super) fn conclude(&self, job: &Job, ending: Ending) {
        self.shared.catalog.conclude(job, ending);
    }

    /// Tells the outside what the session is doing.
    pub(super) fn publish(&self) {
        let state = if self.stop.is_requested() {
            SessionState::Stopped
        } else {
            self.life.state().shown()
        };
        let pid = self.process.as_ref().map(Process::pid);
        let overdue = self.life.overdue().map(|overdue| overdue.to_string());
        let signed_out = self.life.state().after().map(str::to_owned);
        let cold = matches!(self.life.state(), State::Cold { .. });
        self.view.send_modify(|view| {
            view.signed_out_by_restart &= !matches!(state, SessionState::Authenticated(_));
            view.state = state;
            view.cold = cold;
            view.pid = pid;
            view.overdue = overdue;
            view.signed_out = signed_out;
        });
    }

    fn now(&self) -> Moment {
        self.began.elapsed()
    }

    /// Ends what is left: by an order, or because the task has failed.
    async fn close(mut self, order: Option<StopOrder>) {
        let ending = |failure: &str| match order {
            Some(order) => Ending::Cancelled { by: order.by },
            None => failed(FailureCode::SessionLost, failure.to_owned()),
        };
        for work in self.inbox.close() {
            self.conclude(&work.job, ending(FAILED_BEFORE));
        }
        if let Some(order) = order {
            self.interrupted_by = Some(order.by);
            self.advance(Event::Stop).await;
        } else {
            tracing::error!(session = %self.key, "a session's task failed: this is an error in session-pool");
        }
        self.end_process(ProcessEnd::Closed).await;
        self.write_down(None).await;
        if let Some(work) = self.work.take() {
            self.conclude(&work.job, ending(FAILED_UNDER));
        }
        if let Some(mut predecessor) = self.predecessor.take() {
            predecessor.done().await;
        }
        self.view.send_modify(|view| {
            view.state = SessionState::Stopped;
            view.busy = false;
            view.pid = None;
        });
    }
}

const FAILED_BEFORE: &str = "the pool failed at an earlier command of this session (an error in \
    session-pool; its log has more). Nothing was run: send it again";

const FAILED_UNDER: &str = "the pool failed under this command (an error in session-pool; its log \
    has more). How far the command came is unknown: look first what it has changed. The next command \
    starts a fresh process";

pub(super) fn failed(code: FailureCode, message: String) -> Ending {
    Ending::Failed(Failure::new(code, message))
}

async fn next_event(process: &mut Option<Process>) -> HostEvent {
    match process {
        Some(process) => process.next().await,
        None => std::future::pending().await,
    }
}

/// Resolves where the registry has another entry of the connection than the session is one of.
async fn other_entry(
    shared: &Shared,
    key: &SessionKey,
    before: Option<&Arc<Connection>>,
) -> Arc<Connection> {
    match before {
        Some(before) => shared.registry.other_entry(key.connection(), before).await,
        None => std::future::pending().await,
    }
}

/// Resolves at the deadline of a session that began at `began`.
async fn come(began: tokio::time::Instant, deadline: Option<(Moment, Due)>) -> Due {
    let at = deadline.and_then(|(moment, due)| Some((began.checked_add(moment)?, due)));
    match at {
        Some((at, due)) => {
            tokio::time::sleep_until(at).await;
            due
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
