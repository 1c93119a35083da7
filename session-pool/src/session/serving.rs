//! What a session does for one caller, from the start of a process to the answer.

use std::sync::Arc;

use crate::domain::aadsts;
use crate::domain::connect;
use crate::domain::life::{Answer, Event, Fate, Fault, Inspection};

use super::ending::{Ending, FailureCode};
use super::execution;
use super::guard::Ask;
use super::job::Job;
use super::process::{Process, StartError};
use super::silence::Silence;
use super::stop::{StopOrder, StopReceiver};
use super::telemetry::ProcessEnd;
use super::worker::{Work, Worker, failed};

impl Worker {
    pub(super) async fn start_process(&mut self) -> Event {
        let interruption = self.interruption();
        let mut interrupted = None;
        let called_off = async {
            interrupted = Some(interruption.await);
        };
        let started = Process::start(&self.shared, &self.key, called_off).await;
        match (started, interrupted) {
            (Err(_), Some(order)) => {
                self.interrupted_by = Some(order.by);
                Event::Interrupted(Fate::Gone)
            }
            (Ok(process), _) => {
                self.process = Some(process);
                Event::Started
            }
            (Err(error), None) => {
                tracing::warn!(session = %self.key, %error, "PowerShell did not start");
                Event::StartFailed(match error {
                    StartError::ProcessLimit { .. } => Fault::ProcessLimit(error.to_string()),
                    StartError::Users(_) | StartError::Host(_) => Fault::Process(error.to_string()),
                })
            }
        }
    }

    /// Runs the command that is being served.
    pub(super) async fn run_command(&mut self) -> Event {
        let mut dead = None;
        if let Some(work) = self.work.clone() {
            self.executed = Some(match self.refused_once(&work) {
                Some(refused) => refused,
                None => self.execute(&work, &mut dead).await,
            });
        }
        if let Some(reason) = &dead {
            tracing::warn!(session = %self.key,
                code = aadsts::code_in(reason).map(|code| tracing::field::display(format!("AADSTS{code}"))),
                "the sign-in is dead: signing in anew");
        }
        Event::CommandEnded {
            dead,
            fate: self.fate(),
        }
    }

    async fn execute(&mut self, work: &Work, dead: &mut Option<String>) -> Ending {
        let who = self.life.state().signed_in();
        let account = who.and_then(|who| who.account.clone());
        let unverified = who.and_then(|who| connect::unverified_warning(who, &work.connection));
        let interrupted = interruption(&self.stop, Some(&work.job), self.shared.grace);
        let Some(process) = self.process.as_mut() else {
            return failed(FailureCode::SessionLost, NO_PROCESS.to_owned());
        };
        let ask = Ask {
            key: &self.key,
            connection: &work.connection,
            command: &work.command,
            code: None,
            confirmed: false,
            account: account.as_deref(),
        };
        // A yes is one to what an account does, and only now is it certain which.
        if let Err(ending) = self.shared.guard.still_meant(ask, &work.passage) {
            return ending;
        }
        if !self.shared.catalog.begin(&work.job, account) {
            return Ending::Cancelled { by: "a caller" };
        }
        work.passage.begin();
        let barrier = process.barrier_note(&self.shared, &self.key);
        work.warn(barrier.into_iter().chain(unverified));
        // Before it runs: a pool that is killed under the command must know of it afterwards, and
        // what the process says then may be a lie. Nothing it says is a no.
        let journal = &self.shared.journal;
        if work.passage.may_set_state() {
            journal.note_held(&self.key);
        }
        let (catalog, grace) = (&self.shared.catalog, self.shared.grace);
        let by_person = !work.connection.authentication.is_app_only();
        let silence = Silence::of(self.key.module(), by_person, self.shared.rules.silence);
        let executed =
            execution::execute(process, work, catalog, grace, &silence, interrupted).await;
        dead.clone_from(&executed.dead);
        if executed.stateful {
            journal.note_held(&self.key);
        }
        if let Some(end) = executed.process_over {
            if end == ProcessEnd::Killed {
                self.view
                    .send_modify(|view| view.last_error = Some(KILLED.to_owned()));
            }
            self.end_process(end).await;
        }
        executed.ending
    }

    /// A process lacks what callers had set in the one before. A command that counts on it could
    /// act on everything instead of a few: it is sent back, unless its caller knew when it sent it.
    fn refused_once(&self, work: &Work) -> Option<Ending> {
        let caller = work.job.order().caller.as_deref();
        let journal = &self.shared.journal;
        journal.is_missed(&self.key, caller, work.asked).then(|| {
            failed(
            FailureCode::SessionReplaced,
            "the PowerShell process of this session was replaced since variables, functions or \
             aliases were set in it, or a location or subscription was chosen, and that is gone. \
             Nothing was run. Set it again if the command needs it; the same call runs when it is \
             repeated"
                .to_owned(),
        )
        })
    }

    /// Answers the command that is being served.
    pub(super) fn answer(&mut self, answer: Answer) {
        let executed = self.executed.take();
        let by = self.interrupted_by.take();
        if self.work.is_none() {
            // A wish, or the session's own doing.
            return self.reply(answer);
        }
        let ending = match (answer, executed) {
            // The command has begun; its sign-in turned out to be dead.
            (Answer::AuthRequired(shown), _) => Ending::AuthRequired(shown),
            // Whatever came of the new sign-in: this is what the command came to.
            (_, Some(ending)) => ending,
            (Answer::Cancelled, _) => Ending::Cancelled {
                by: by.unwrap_or("a caller"),
            },
            (Answer::Failed(fault), _) => refusal(fault),
            (
                Answer::Ran
                | Answer::SignedIn
                | Answer::SignedOut
                | Answer::NotRestored
                | Answer::Busy,
                _,
            ) => failed(FailureCode::SessionLost, NO_PROCESS.to_owned()),
        };
        self.end_work(ending);
    }

    /// Ends the job that is being served.
    pub(super) fn end_work(&mut self, ending: Ending) {
        let Some(work) = self.work.take() else {
            return;
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
        self.conclude(&work.job, ending);
    }

    /// Looks at the process.
    pub(super) async fn inspect(&self) -> Inspection {
        let resident = match &self.process {
            Some(process) => process.resident().await,
            None => None,
        };
        self.view.send_modify(|view| view.resident = resident);
        let module = self.key.module();
        let connection = self.connection.as_ref();
        Inspection {
            resident,
            stateful: self.shared.journal.is_stateful(&self.key),
            restorable: connection.is_some_and(|connection| connect::restores(connection, module)),
        }
    }

    pub(super) const fn fate(&self) -> Fate {
        if self.process.is_some() {
            Fate::Alive
        } else {
            Fate::Gone
        }
    }

    /// Resolves when this job, or the whole session, is to end.
    pub(super) fn interruption_of(
        &self,
        job: &Arc<Job>,
    ) -> impl Future<Output = StopOrder> + use<> {
        interruption(&self.stop, Some(job), self.shared.grace)
    }

    /// Resolves when the job that is being served, or the whole session, is to end.
    pub(super) fn interruption(&self) -> impl Future<Output = StopOrder> + use<> {
        let job = self.work.as_ref().map(|work| &work.job);
        interruption(&self.stop, job, self.shared.grace)
    }
}

fn interruption(
    stop: &StopReceiver,
    job: Option<&Arc<Job>>,
    grace: std::time::Duration,
) -> impl Future<Output = StopOrder> + use<> {
    let mut stop = stop.clone();
    let job = job.map(Arc::clone);
    async move {
        let cancelled = async {
            match job {
                Some(job) => job.cancel_requested().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            order = stop.requested() => order,
            by = cancelled => StopOrder { by, grace },
        }
    }
}

fn refusal(fault: Fault) -> Ending {
    match fault {
        Fault::ProcessLimit(reason) => failed(FailureCode::ProcessLimit, reason),
        Fault::Process(reason) => failed(FailureCode::SessionLost, reason),
        Fault::SignIn(reason) => failed(
            FailureCode::SignInFailed,
            format!("the sign-in failed, and nothing was run: {reason}"),
        ),
        Fault::WrongIdentity(reason) => failed(FailureCode::WrongAccount, reason),
    }
}

const KILLED: &str = "the PowerShell process was killed, because a command did not stop when it was \
    asked to; the next command starts a fresh one";

pub(super) const NO_PROCESS: &str =
    "the session lost its PowerShell process; nothing was run, send the command again";
