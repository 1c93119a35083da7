//! How a session comes to be signed in, and out again.
//!
//! Prompts are looked for only while a connect command of the pool itself runs: what a caller's
//! command prints is never one (a mail could carry an attacker's code).

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::aadsts;
use crate::domain::connect::{self, Identity, WrongIdentity};
use crate::domain::format::OutputFormat;
use crate::domain::life::{Event, Fate, Prompt};
use crate::domain::record::Record;
use crate::domain::registry::Connection;
use crate::domain::state::SignedIn;
use crate::host::{Finished, Outcome, Submission};

use super::process::{Driven, End, Flow, OwnError, StopCause};
use super::serving::NO_PROCESS;
use super::sign_in::Attempt;
use super::telemetry::{self, ProcessEnd, SignInOutcome};
use super::wish::delete_caches;
use super::worker::Worker;

/// How long a module takes at most to load and to answer, or to show a code.
const QUESTION: Duration = Duration::from_secs(120);

impl Worker {
    /// Asks the process who is signed in from before, in the connection's home.
    pub(super) async fn look(&mut self) -> Event {
        let Some(connection) = self.connection.clone() else {
            return Event::Found(None);
        };
        let Some(script) = connect::probe(&connection, self.key.module()) else {
            return Event::Found(None);
        };
        let records = match self.ask(script).await {
            Ok(records) => records,
            Err(event) => return event,
        };
        let found = Identity::find(&records).map(|identity| self.verdict(&connection, identity));
        if matches!(found, Some(Ok(_))) {
            self.count(SignInOutcome::Cached);
        }
        Event::Found(found)
    }

    /// Runs a question of the pool's own. `Err` is what happened instead of an answer.
    async fn ask(&mut self, script: String) -> Result<Vec<Record>, Event> {
        let interrupted = self.interruption();
        let Some(process) = self.process.as_mut() else {
            return Err(Event::ProcessGone(NO_PROCESS.to_owned()));
        };
        let asked = process
            .ask(script, QUESTION, self.shared.grace, interrupted)
            .await;
        match asked {
            Ok(answer) => Ok(answer.records),
            Err(OwnError::Interrupted { order, stuck }) => {
                self.interrupted_by = Some(order.by);
                if stuck {
                    self.end_process(ProcessEnd::Killed).await;
                }
                Err(Event::Interrupted(self.fate()))
            }
            Err(error @ (OwnError::Gone(_) | OwnError::Late { .. })) => {
                self.end_process(ProcessEnd::Killed).await;
                Err(Event::ProcessGone(format!(
                    "the session could not be made ready: {error}. Nothing was run; the next \
                     command starts a fresh process"
                )))
            }
        }
    }

    /// Runs the connect command until it shows a code or ends.
    pub(super) async fn connect(&mut self) -> Event {
        let Some(connection) = self.connection.clone() else {
            return Event::ProcessGone(NO_PROCESS.to_owned());
        };
        let script = match self.connect_script(&connection).await {
            Ok(script) => script,
            Err(reason) => {
                self.count_failure();
                return Event::ConnectFailed {
                    reason,
                    fate: Fate::Alive,
                };
            }
        };
        let interrupted = self.interruption();
        let Some(process) = self.process.as_mut() else {
            return Event::ProcessGone(NO_PROCESS.to_owned());
        };
        let mut attempt = Attempt::new(&connection.cloud);
        let submission = Submission::own(script, OutputFormat::JSON_DEFAULT);
        let driven = match process.submit(submission).await {
            Err(error) => Driven::Ended {
                cause: None,
                end: End::Gone(error),
            },
            Ok(()) => {
                let deadline = tokio::time::Instant::now() + QUESTION;
                process
                    .drive(deadline, self.shared.grace, interrupted, |records| {
                        attempt.note(&records).map_or(Flow::Continue, Flow::Leave)
                    })
                    .await
            }
        };
        match driven {
            Driven::Left(prompt) => {
                self.count(SignInOutcome::Prompted);
                tracing::info!(session = %self.key, "waiting for a person to sign in");
                self.attempt = Some(attempt);
                Event::CodeShown(prompt)
            }
            Driven::Ended { cause, end } => {
                self.connect_ended(&connection, cause, end, &attempt).await
            }
        }
    }

    /// A connect command that ended before it showed a code.
    async fn connect_ended(
        &mut self,
        connection: &Connection,
        cause: Option<StopCause<Prompt>>,
        end: End,
        attempt: &Attempt,
    ) -> Event {
        match end {
            End::Stuck => self.end_process(ProcessEnd::Killed).await,
            End::Gone(error) => {
                self.end_process(ProcessEnd::Died).await;
                self.count_failure();
                return Event::ProcessGone(error.to_string());
            }
            End::Finished(finished) if cause.is_none() => {
                return self.concluded(connection, &finished, attempt);
            }
            End::Finished(_) => {}
        }
        if let Some(StopCause::Interrupted(order)) = cause {
            self.interrupted_by = Some(order.by);
            return Event::Interrupted(self.fate());
        }
        self.count_failure();
        Event::ConnectFailed {
            reason: format!(
                "{} neither signed in nor showed a device code within {} s. Check that the pool \
                 reaches Microsoft's sign-in service",
                self.key.module().powershell_name(),
                QUESTION.as_secs()
            ),
            fate: self.fate(),
        }
    }

    /// What a connect command that has ended by itself came to.
    fn concluded(&self, connection: &Connection, finished: &Finished, attempt: &Attempt) -> Event {
        let identity = attempt.identity().filter(|_| completed(finished));
        let Some(identity) = identity.cloned() else {
            let reason = attempt.reason();
            if let Some(code) = aadsts::code_in(&reason) {
                tracing::warn!(session = %self.key, code = %format_args!("AADSTS{code}"), "Entra refused the sign-in");
            }
            self.count_failure();
            return Event::ConnectFailed {
                reason,
                fate: Fate::Alive,
            };
        };
        let verdict = self.verdict(connection, identity);
        match &verdict {
            Ok(_) => self.count(SignInOutcome::Completed),
            Err(_) => self.count_failure(),
        }
        Event::Connected(verdict)
    }

    /// What the waiting connect command says.
    pub(super) async fn on_connect_records(&mut self, records: &[Record]) {
        let prompt = self
            .attempt
            .as_mut()
            .and_then(|attempt| attempt.note(records));
        if let Some(prompt) = prompt {
            self.advance(Event::CodeShown(prompt)).await;
        }
    }

    /// The waiting connect command has ended. Its caller has gone with the code; the next one sees
    /// what became of it.
    pub(super) async fn on_connect_finished(&mut self, finished: Finished) {
        if let (Some(attempt), Some(connection)) = (self.attempt.take(), self.connection.clone()) {
            let event = self.concluded(&connection, &finished, &attempt);
            self.advance(event).await;
        }
    }

    /// Whether the registry allows this identity.
    fn verdict(
        &self,
        connection: &Connection,
        identity: Identity,
    ) -> Result<SignedIn, WrongIdentity> {
        identity.check(connection).inspect_err(|_| {
            tracing::warn!(session = %self.key, "signed out: not the account or tenant of the registry");
        })?;
        let who = SignedIn {
            account: identity.account,
            tenant_id: identity.tenant_id,
            since: Timestamp::now(),
        };
        if connect::unverified_warning(&who, connection).is_some() {
            tracing::warn!(session = %self.key, unverified = ?who.unverified(), "the module does not tell who is signed in");
        }
        Ok(who)
    }

    /// Stops the connect command that runs on, if need be with its process.
    pub(super) async fn stop_connect(&mut self) -> Fate {
        if self.attempt.take().is_some()
            && let Some(process) = self.process.as_mut()
        {
            match process.stop(self.shared.grace).await {
                End::Finished(_) => {}
                End::Gone(_) => self.end_process(ProcessEnd::Died).await,
                End::Stuck => self.end_process(ProcessEnd::Killed).await,
            }
        }
        self.fate()
    }

    /// Ends the sign-in and what is kept of it, if need be with its process.
    pub(super) async fn sign_out(&mut self) -> Fate {
        self.stop_connect().await;
        let mut stop = self.stop.clone();
        if let Some(process) = self.process.as_mut() {
            let script = connect::disconnect(self.key.module());
            let asked = process.ask(script, QUESTION, self.shared.grace, stop.requested());
            if !asked.await.is_ok_and(|answer| completed(&answer.finished)) {
                self.end_process(ProcessEnd::Killed).await;
            }
        }
        // What the module has not deleted itself.
        if let Err(error) = delete_caches(&self.shared, &self.key).await {
            tracing::error!(session = %self.key, %error, "what the module keeps of the sign-in is still there");
        }
        self.fate()
    }

    /// The reason goes to callers, not into the log: it may name accounts.
    fn count_failure(&self) {
        self.count(SignInOutcome::Failed);
        tracing::warn!(session = %self.key, "the sign-in failed");
    }

    fn count(&self, outcome: SignInOutcome) {
        telemetry::sign_in(self.key.connection().as_str(), self.key.module(), outcome);
    }
}

const fn completed(finished: &Finished) -> bool {
    matches!(finished.outcome, Outcome::Completed)
}
