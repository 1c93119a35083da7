//! How a session comes to be signed in.
//!
//! Prompts are looked for only while a connect command of the pool itself runs: what a caller's
//! command prints is never one (a mail could carry an attacker's code).

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::connect::{self, Identity, WrongIdentity};
use crate::domain::format::OutputFormat;
use crate::domain::prompt::DeviceCode;
use crate::domain::record::Record;
use crate::domain::registry::Connection;
use crate::domain::state::SignedIn;
use crate::host::{Finished, Outcome, Submission};

use super::ending::{Ending, FailureCode};
use super::process::{Driven, End, Flow, OwnError, StopCause};
use super::sign_in::{Attempt, PendingConnect, SignIn};
use super::telemetry::{self, ProcessEnd, SignInOutcome};
use super::worker::{Work, Worker, failed, interruption};

/// How long a module takes at most to load and to answer, or to show a code.
const QUESTION: Duration = Duration::from_secs(120);

impl Worker {
    /// Looks for a sign-in from before, else starts one. `Err` is what becomes of the job. `after`:
    /// why the try before this one failed.
    pub(super) async fn ensure_signed_in(
        &mut self,
        work: &Work,
        after: Option<String>,
    ) -> Result<(), Ending> {
        if matches!(self.sign_in, SignIn::SignedIn(_)) {
            return Ok(());
        }
        if matches!(self.sign_in, SignIn::Unknown) && self.find_cached(work).await? {
            return Ok(());
        }
        self.connect(work, after).await
    }

    /// Whether the process can use a sign-in that an earlier one has left in the connection's home.
    async fn find_cached(&mut self, work: &Work) -> Result<bool, Ending> {
        let Some(script) = connect::probe(&work.connection, self.key.module()) else {
            self.sign_in = SignIn::SignedOut;
            return Ok(false);
        };
        let records = self.ask(work, script).await?;
        let Some(identity) = Identity::find(&records) else {
            self.sign_in = SignIn::SignedOut;
            return Ok(false);
        };
        // Somebody else's cache is no reason to fail: the right person can still sign in.
        let found = self.accept(&work.connection, identity).await.is_ok();
        if found {
            self.count(SignInOutcome::Cached);
        }
        Ok(found)
    }

    /// Runs a question of the pool's own for a job.
    async fn ask(&mut self, work: &Work, script: String) -> Result<Vec<Record>, Ending> {
        let Some(process) = self.process.as_mut() else {
            return Err(failed(FailureCode::SessionLost, NO_PROCESS.to_owned()));
        };
        let mut stop = self.stop.clone();
        let interrupted = interruption(&work.job, &mut stop, self.shared.grace);
        let asked = process
            .ask(script, QUESTION, self.shared.grace, interrupted)
            .await;
        match asked {
            Ok(answer) => Ok(answer.records),
            Err(error) => {
                self.end_process(ProcessEnd::Killed).await;
                Err(match error {
                    OwnError::Interrupted(order) => Ending::Cancelled { by: order.by },
                    error @ (OwnError::Gone(_) | OwnError::Late(_)) => failed(
                        FailureCode::SessionLost,
                        format!(
                            "the session could not be made ready: {error}. Nothing was run; the \
                             next command starts a fresh process"
                        ),
                    ),
                })
            }
        }
    }

    /// Runs the connect command until it shows a code or ends.
    async fn connect(&mut self, work: &Work, after: Option<String>) -> Result<(), Ending> {
        let script = self.connect_script(&work.connection).await?;
        let Some(process) = self.process.as_mut() else {
            return Err(failed(FailureCode::SessionLost, NO_PROCESS.to_owned()));
        };
        let mut attempt = Attempt::new(&work.connection.cloud);
        let submission = Submission::own(script, OutputFormat::JSON_DEFAULT);
        let driven = match process.submit(submission).await {
            Err(error) => Driven::Ended {
                cause: None,
                end: End::Gone(error),
            },
            Ok(()) => {
                let deadline = tokio::time::Instant::now() + QUESTION;
                let mut stop = self.stop.clone();
                let interrupted = interruption(&work.job, &mut stop, self.shared.grace);
                process
                    .drive(deadline, self.shared.grace, interrupted, |records| {
                        attempt.note(&records).map_or(Flow::Continue, Flow::Leave)
                    })
                    .await
            }
        };
        match driven {
            Driven::Left(code) => {
                self.count(SignInOutcome::Prompted);
                tracing::info!(session = %self.key, "waiting for a person to sign in");
                let asked_by = work.job.order().caller.clone();
                let pending = PendingConnect::new(code, attempt, asked_by, after);
                let shown = pending.shown().clone();
                self.sign_in = SignIn::Pending(Box::new(pending));
                Err(Ending::AuthRequired(shown))
            }
            Driven::Ended { cause, end } => self.connect_ended(work, cause, end, &attempt).await,
        }
    }

    /// A connect command that ended before it showed a code.
    async fn connect_ended(
        &mut self,
        work: &Work,
        cause: Option<StopCause<DeviceCode>>,
        end: End,
        attempt: &Attempt,
    ) -> Result<(), Ending> {
        if matches!(end, End::Stuck) {
            self.end_process(ProcessEnd::Killed).await;
        }
        let reason = match (cause, end) {
            (_, End::Gone(error)) => {
                self.end_process(ProcessEnd::Died).await;
                let ending = failed(FailureCode::SessionLost, error.to_string());
                self.sign_in_failed(error.to_string());
                return Err(ending);
            }
            (Some(StopCause::Interrupted(order)), _) => {
                self.sign_in = SignIn::SignedOut;
                return Err(Ending::Cancelled { by: order.by });
            }
            (None, End::Finished(finished)) if completed(&finished) => {
                return self.settle(&work.connection, attempt.identity()).await;
            }
            (None, _) => attempt.reason(),
            (Some(StopCause::Deadline | StopCause::Records(_)), _) => format!(
                "{} neither signed in nor showed a device code within {} s. Check that the pool \
                 reaches Microsoft's sign-in service",
                self.key.module().powershell_name(),
                QUESTION.as_secs()
            ),
        };
        self.sign_in_failed(reason.clone());
        Err(failed(
            FailureCode::SignInFailed,
            format!("the sign-in failed, and nothing was run: {reason}"),
        ))
    }

    /// What the waiting connect command says.
    pub(super) fn on_connect_records(&mut self, records: &[Record]) {
        if let SignIn::Pending(pending) = &mut self.sign_in {
            pending.note(records);
        }
    }

    /// The waiting connect command has ended. Its caller has gone with the code; the next one sees
    /// what became of it.
    pub(super) async fn on_connect_finished(&mut self, finished: Finished) {
        let sign_in = std::mem::replace(&mut self.sign_in, SignIn::SignedOut);
        let (SignIn::Pending(pending), Some(connection)) = (sign_in, self.connection.clone())
        else {
            return;
        };
        if completed(&finished) {
            let settled = self.settle(&connection, pending.attempt().identity()).await;
            drop(settled);
        } else {
            self.sign_in_failed(pending.attempt().reason());
        }
    }

    /// The connect command outlived its code.
    pub(super) async fn on_code_ended(&mut self) {
        self.end_process(ProcessEnd::Killed).await;
        self.sign_in_failed("nobody entered the code in time".to_owned());
    }

    async fn settle(&mut self, connection: &Connection, identity: Identity) -> Result<(), Ending> {
        match self.accept(connection, identity).await {
            Ok(()) => {
                self.count(SignInOutcome::Completed);
                Ok(())
            }
            Err(wrong) => {
                self.sign_in_failed(wrong.to_string());
                Err(failed(FailureCode::WrongAccount, wrong.to_string()))
            }
        }
    }

    /// Takes the identity as signed in, or signs it out where it is known to be another one than
    /// the registry expects.
    async fn accept(
        &mut self,
        connection: &Connection,
        identity: Identity,
    ) -> Result<(), WrongIdentity> {
        if let Err(wrong) = identity.check(connection) {
            tracing::warn!(session = %self.key, "signed out: not the account or tenant of the registry");
            self.sign_out().await;
            return Err(wrong);
        }
        self.sign_in = SignIn::SignedIn(SignedIn {
            account: identity.account,
            tenant_id: identity.tenant_id,
            since: Timestamp::now(),
        });
        Ok(())
    }

    /// Ends the sign-in, if need be with its process.
    async fn sign_out(&mut self) {
        self.sign_in = SignIn::SignedOut;
        let Some(process) = self.process.as_mut() else {
            return;
        };
        let mut stop = self.stop.clone();
        let asked = process
            .ask(
                connect::disconnect(self.key.module()),
                QUESTION,
                self.shared.grace,
                stop.requested(),
            )
            .await;
        if !asked.is_ok_and(|answer| completed(&answer.finished)) {
            self.end_process(ProcessEnd::Killed).await;
        }
    }

    /// The reason goes to callers, not into the log: it may name accounts.
    fn sign_in_failed(&mut self, reason: String) {
        self.count(SignInOutcome::Failed);
        tracing::warn!(session = %self.key, "the sign-in failed");
        self.sign_in = SignIn::Failed { reason };
    }

    fn count(&self, outcome: SignInOutcome) {
        telemetry::sign_in(self.key.connection().as_str(), self.key.module(), outcome);
    }
}

pub(super) const NO_PROCESS: &str =
    "the session lost its PowerShell process; nothing was run, send the command again";

const fn completed(finished: &Finished) -> bool {
    matches!(finished.outcome, Outcome::Completed)
}
