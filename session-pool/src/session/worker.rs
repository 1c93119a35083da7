//! The task that owns one session: its process, its sign-in, and the order of its commands.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Semaphore;

use crate::domain::caller_state::may_set_state;
use crate::domain::record::Record;
use crate::domain::registry::Connection;
use crate::domain::session_key::SessionKey;
use crate::domain::state::SessionState;
use crate::host::HostEvent;

use super::catalog::Catalog;
use super::connecting::NO_PROCESS;
use super::credentials::{Credential, Credentials};
use super::departure::Departure;
use super::ending::{Ending, Failure, FailureCode};
use super::execution;
use super::guard::{Guard, Passage};
use super::job::Job;
use super::journal::Journal;
use super::launcher::Launcher;
use super::process::{Process, StartError};
use super::queue::QueueReceiver;
use super::sign_in::SignIn;
use super::stop::{StopOrder, StopReceiver};
use super::telemetry::ProcessEnd;
use super::view::ViewSender;

/// One command on its way to its session.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) job: Arc<Job>,
    /// The connection as the registry had it when the command was accepted.
    pub(super) connection: Arc<Connection>,
    pub(super) command: String,
    /// What the policy said to it.
    pub(super) passage: Passage,
}

impl Work {
    /// Tells the caller in the job's output what the policy warns of.
    fn warn(&self, note: Option<String>) {
        let warnings = self.passage.warnings.iter().cloned();
        let records: Vec<_> = warnings
            .chain(note)
            .map(|text| Record::Warning { text })
            .collect();
        // A result without room for this has none for the command's output either, and says so.
        drop(self.job.append(&records));
    }
}

/// What all sessions of a pool share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) guard: Guard,
    pub(super) launcher: Launcher,
    pub(super) credentials: Arc<Credentials>,
    pub(super) catalog: Catalog,
    pub(super) journal: Arc<Journal>,
    /// One permit a process that may run.
    pub(super) processes: Arc<Semaphore>,
    /// How many there are in all.
    pub(super) max_processes: usize,
    /// Between the request to stop a command and the end of its process.
    pub(super) grace: Duration,
}

/// One session. Its task is the only one that touches these.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) key: SessionKey,
    pub(super) shared: Arc<Shared>,
    pub(super) inbox: QueueReceiver,
    pub(super) stop: StopReceiver,
    pub(super) view: ViewSender,
    pub(super) process: Option<Process>,
    pub(super) sign_in: SignIn,
    /// What an app's sign-in was made with.
    pub(super) proved_with: Option<Arc<Credential>>,
    /// What the process was signed in for; another one needs a fresh process.
    pub(super) connection: Option<Arc<Connection>>,
    /// The session that had this key before, and the same home: two at a time would spoil what
    /// modules keep there.
    pub(super) predecessor: Option<Departure>,
    /// The job that is being served.
    pub(super) serving: Option<Arc<Job>>,
}

enum Wake {
    Work(Work),
    Host(HostEvent),
    CodeEnded,
    Stop(StopOrder),
}

impl Worker {
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
                Wake::Host(event) => self.on_idle_event(event).await,
                Wake::CodeEnded => self.on_code_ended().await,
                Wake::Stop(order) => return order,
            }
        }
    }

    async fn next_wake(&mut self) -> Wake {
        let code_end = self.sign_in.code_end();
        tokio::select! {
            biased;
            order = self.stop.requested() => Wake::Stop(order),
            event = next_event(&mut self.process) => Wake::Host(event),
            () = sleep_until(code_end) => Wake::CodeEnded,
            work = self.inbox.next() => Wake::Work(work),
        }
    }

    async fn serve(&mut self, work: Work) {
        self.view.send_modify(|view| {
            view.busy = true;
            view.note_command(&work.command);
        });
        let job = Arc::clone(&work.job);
        self.serving = Some(Arc::clone(&job));
        let ending = match self.prepare(&work).await {
            Ok(()) => {
                self.publish();
                self.execute(work).await
            }
            Err(ending) => ending,
        };
        let failure = match &ending {
            Ending::Failed(failure) => Some(failure.message.clone()),
            _ => None,
        };
        self.view.send_modify(|view| {
            view.busy = false;
            if failure.is_some() {
                view.last_error = failure;
            }
        });
        // Before the job is final: who hears of its end may look at the session's state.
        self.publish();
        self.conclude(&job, ending);
        self.serving = None;
    }

    /// Brings the session to where the command can run, or says why it cannot.
    async fn prepare(&mut self, work: &Work) -> Result<(), Ending> {
        let guard = &self.shared.guard;
        guard.still_passes(&self.key, &work.connection, &work.passage)?;
        if self
            .connection
            .as_ref()
            .is_some_and(|connection| *connection != work.connection)
        {
            tracing::info!(session = %self.key, "the registry's entry changed: starting afresh");
            self.end_process(ProcessEnd::Closed).await;
        }
        self.connection = Some(Arc::clone(&work.connection));
        if let SignIn::Pending(pending) = &self.sign_in {
            return Err(Ending::AuthRequired(pending.shown().clone()));
        }
        self.renew_proof(&work.connection).await;
        let after = self.sign_in.failure();
        self.ensure_process(work).await?;
        self.ensure_signed_in(work, after).await?;
        self.refuse_once_if_replaced()
    }

    async fn ensure_process(&mut self, work: &Work) -> Result<(), Ending> {
        if self.process.is_some() {
            return Ok(());
        }
        self.sign_in = SignIn::Unknown;
        self.publish();
        let mut stop = self.stop.clone();
        let mut interrupted = None;
        let called_off = async {
            interrupted = Some(interruption(&work.job, &mut stop, self.shared.grace).await);
        };
        let started = Process::start(&self.shared, &self.key, called_off).await;
        match started {
            Err(_) if let Some(order) = interrupted => Err(Ending::Cancelled { by: order.by }),
            Ok(process) => {
                self.process = Some(process);
                Ok(())
            }
            Err(error) => {
                tracing::warn!(session = %self.key, %error, "PowerShell did not start");
                self.sign_in = SignIn::Failed {
                    reason: error.to_string(),
                };
                let code = match error {
                    StartError::ProcessLimit { .. } => FailureCode::ProcessLimit,
                    StartError::Users(_) | StartError::Host(_) => FailureCode::SessionLost,
                };
                Err(failed(code, error.to_string()))
            }
        }
    }

    /// A fresh process lacks what callers had set in the one before. A command that counts on it
    /// could act on everything instead of a few: the first one is sent back.
    fn refuse_once_if_replaced(&self) -> Result<(), Ending> {
        let fresh = self.process.as_ref().is_some_and(Process::is_fresh);
        if !fresh || !self.shared.journal.is_stateful(&self.key) {
            return Ok(());
        }
        Err(failed(
            FailureCode::SessionReplaced,
            "the PowerShell process of this session was replaced since variables, functions or \
             aliases were set in it, and they are gone. Nothing was run. Set them again if the \
             command needs them; the same call runs when it is repeated"
                .to_owned(),
        ))
    }

    async fn execute(&mut self, work: Work) -> Ending {
        let Some(process) = self.process.as_mut() else {
            return failed(FailureCode::SessionLost, NO_PROCESS.to_owned());
        };
        let account = match &self.sign_in {
            SignIn::SignedIn(signed_in) => signed_in.account.clone(),
            _ => None,
        };
        if !self.shared.catalog.begin(&work.job, account) {
            return Ending::Cancelled { by: "a caller" };
        }
        work.warn(process.barrier_note(&self.shared, &self.key));
        let mut stop = self.stop.clone();
        let interrupted = interruption(&work.job, &mut stop, self.shared.grace);
        // Before it runs: a pool that is killed under the command must know of it afterwards.
        let journal = &self.shared.journal;
        let held_before = journal.is_stateful(&self.key);
        if may_set_state(&work.command) {
            journal.note_stateful(&self.key, true);
        }
        let (catalog, grace) = (&self.shared.catalog, self.shared.grace);
        let executed = execution::execute(process, &work, catalog, grace, interrupted).await;
        // A process that lives has told what it holds; of one that is gone the worse is assumed.
        let lost = executed.process_over.is_some();
        journal.note_stateful(&self.key, executed.stateful || (lost && held_before));
        if let Some(end) = executed.process_over {
            if end == ProcessEnd::Killed {
                self.view
                    .send_modify(|view| view.last_error = Some(KILLED.to_owned()));
            }
            self.end_process(end).await;
        }
        executed.ending
    }

    /// Ends the process, and with it the sign-in.
    pub(super) async fn end_process(&mut self, how: ProcessEnd) {
        self.sign_in = SignIn::Unknown;
        self.proved_with = None;
        if let Some(process) = self.process.take() {
            process.end(how, self.stop.time_left()).await;
        }
    }

    async fn on_idle_event(&mut self, event: HostEvent) {
        match event {
            HostEvent::Records(records) => self.on_connect_records(&records),
            HostEvent::Finished(finished) => self.on_connect_finished(finished).await,
            HostEvent::Gone(error) => {
                tracing::warn!(session = %self.key, %error, "the PowerShell process ended while idle");
                self.view
                    .send_modify(|view| view.last_error = Some(error.to_string()));
                self.end_process(ProcessEnd::Died).await;
            }
        }
    }

    fn conclude(&self, job: &Job, ending: Ending) {
        let replaced = matches!(&ending, Ending::Failed(failure) if failure.code == FailureCode::SessionReplaced);
        // Only then has somebody been told.
        if self.shared.catalog.conclude(job, ending) && replaced {
            self.shared.journal.note_stateful(&self.key, false);
        }
    }

    /// Tells the outside what the session is doing.
    pub(super) fn publish(&self) {
        let state = match &self.sign_in {
            _ if self.stop.is_requested() => SessionState::Stopped,
            SignIn::Failed { reason } => SessionState::Error {
                reason: reason.clone(),
            },
            _ if self.process.is_none() => SessionState::Initializing,
            SignIn::Unknown | SignIn::SignedOut => SessionState::Ready,
            SignIn::Pending(pending) => SessionState::AuthPending(pending.shown().clone()),
            SignIn::SignedIn(signed_in) => SessionState::Authenticated(signed_in.clone()),
        };
        let pid = self.process.as_ref().map(Process::pid);
        self.view.send_modify(|view| {
            view.state = state;
            view.pid = pid;
        });
    }

    /// Ends what is left: by an order, or because the task has failed.
    async fn close(mut self, order: Option<StopOrder>) {
        let ending = |failure: &str| match order {
            Some(order) => Ending::Cancelled { by: order.by },
            None => failed(FailureCode::SessionLost, failure.to_owned()),
        };
        if order.is_none() {
            tracing::error!(session = %self.key, "a session's task failed: this is an error in session-pool");
        }
        for work in self.inbox.close() {
            self.conclude(&work.job, ending(FAILED_BEFORE));
        }
        self.end_process(ProcessEnd::Closed).await;
        if let Some(job) = self.serving.take() {
            self.conclude(&job, ending(FAILED_UNDER));
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

const KILLED: &str = "the PowerShell process was killed, because a command did not stop when it was \
    asked to; the next command starts a fresh one";

const FAILED_BEFORE: &str = "the pool failed at an earlier command of this session (an error in \
    session-pool; its log has more). Nothing was run: send it again";

const FAILED_UNDER: &str = "the pool failed under this command (an error in session-pool; its log \
    has more). How far the command came is unknown: look first what it has changed. The next command \
    starts a fresh process";

pub(super) fn failed(code: FailureCode, message: String) -> Ending {
    Ending::Failed(Failure { code, message })
}

/// Resolves when the job or its whole session is to end.
pub(super) async fn interruption(job: &Job, stop: &mut StopReceiver, grace: Duration) -> StopOrder {
    tokio::select! {
        order = stop.requested() => order,
        by = job.cancel_requested() => StopOrder { by, grace },
    }
}

async fn next_event(process: &mut Option<Process>) -> HostEvent {
    match process {
        Some(process) => process.next().await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
