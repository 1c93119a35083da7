//! Running one caller's command in a session that is ready for it.

use std::future::Future;
use std::time::Duration;

use crate::domain::dead_sign_in;
use crate::domain::missing_command::MissingCommands;
use crate::domain::module::Module;
use crate::domain::record::{ErrorRecord, Record};
use crate::host::{Finished, HostError, Outcome, Submission};

use super::catalog::Catalog;
use super::ending::{Ending, FailureCode};
use super::process::{Driven, End, Flow, Process, StopCause};
use super::silence::Silence;
use super::stop::StopOrder;
use super::telemetry::ProcessEnd;
use super::transcript::AppendError;
use super::worker::{Work, failed};

/// What became of a command and its process.
#[derive(Debug)]
pub(super) struct Executed {
    pub(super) ending: Ending,
    /// Whether the session says that it holds something of its callers'.
    pub(super) stateful: bool,
    /// Why the sign-in is dead, where an error record says so.
    pub(super) dead: Option<String>,
    /// Set where the process cannot be used any more.
    pub(super) process_over: Option<ProcessEnd>,
}

/// Runs the command to its end, whatever that is. `interrupted` asks it to stop before.
pub(super) async fn execute(
    process: &mut Process,
    work: &Work,
    catalog: &Catalog,
    grace: Duration,
    silence: &Silence,
    interrupted: impl Future<Output = StopOrder>,
) -> Executed {
    let order = work.job.order();
    let submission = Submission::callers(work.command.clone(), order.format);
    if let Err(error) = process.submit(submission).await {
        return lost(&error);
    }
    let mut dead = None;
    let mut missing = MissingCommands::default();
    let deadline = tokio::time::Instant::now() + order.timeout;
    let interrupted = async {
        tokio::select! {
            order = interrupted => order,
            never = silence.watch(&work.job) => match never {},
        }
    };
    let driven = process
        .drive(deadline, grace, interrupted, |records| {
            silence.broken();
            // Finished jobs' results go first; only then is a running one stopped.
            catalog.make_room();
            let mut errors = records.iter().filter_map(|record| match record {
                Record::Error(error) => dead_sign_in::reason(error),
                _ => None,
            });
            dead = errors.next_back().or(dead.take());
            let hints = if work.job.order().key.module() == Module::Azure {
                missing.hints(&records)
            } else {
                Vec::new()
            };
            match work
                .job
                .append(&records)
                .and_then(|()| work.job.append(&hints))
            {
                Ok(()) => Flow::Continue,
                Err(error) => Flow::Stop(error),
            }
        })
        .await;
    let executed = match driven {
        Driven::Left(error) => Executed {
            ending: failed(FailureCode::OutputLimit, error.to_string()),
            stateful: false,
            dead: None,
            process_over: Some(ProcessEnd::Killed),
        },
        Driven::Ended { cause, end } => conclude(cause, end),
    };
    Executed { dead, ..executed }
}

fn conclude(cause: Option<StopCause<AppendError>>, end: End) -> Executed {
    match end {
        End::Gone(error) => lost(&error),
        End::Stuck => Executed {
            ending: stopped(cause, true),
            stateful: false,
            dead: None,
            process_over: Some(ProcessEnd::Killed),
        },
        End::Finished(Finished { outcome, stateful }) => Executed {
            ending: match (outcome, cause) {
                // It came to its own end before the request to stop reached it.
                (
                    Outcome::Completed,
                    None | Some(StopCause::Deadline | StopCause::Interrupted(_)),
                ) => Ending::Succeeded,
                (Outcome::Failed(error), None) => failed(FailureCode::CommandFailed, error.message),
                (Outcome::ParseFailed(errors), None) => {
                    failed(FailureCode::ParseError, parse_message(&errors))
                }
                (_, cause) => stopped(cause, false),
            },
            stateful,
            dead: None,
            process_over: None,
        },
    }
}

/// The ending of a command that was asked to stop.
fn stopped(cause: Option<StopCause<AppendError>>, session_lost: bool) -> Ending {
    match cause {
        Some(StopCause::Deadline) => Ending::TimedOut { session_lost },
        Some(StopCause::Interrupted(order)) => Ending::Cancelled { by: order.by },
        Some(StopCause::Records(error)) => failed(FailureCode::OutputLimit, error.to_string()),
        None => failed(
            FailureCode::CommandFailed,
            "the command stopped its own pipeline; what it had put out until then is kept"
                .to_owned(),
        ),
    }
}

fn lost(error: &HostError) -> Executed {
    Executed {
        ending: failed(
            FailureCode::SessionLost,
            format!(
                "the PowerShell process of this session ended under the command: {error}. How far \
                 the command came is unknown: look first what it has changed. The next command \
                 starts a fresh process and may have to sign in again"
            ),
        ),
        stateful: false,
        dead: None,
        process_over: Some(ProcessEnd::Died),
    }
}

/// Parse errors that are named beside the answer's `errors`, which has all.
const NAMED: usize = 5;

fn parse_message(errors: &[ErrorRecord]) -> String {
    let mut message = String::from("the command is not valid PowerShell, and nothing was run");
    for error in errors.iter().take(NAMED) {
        let (line, column) = (error.line.unwrap_or(1), error.column.unwrap_or(1));
        message.push_str(&format!(
            "; line {line}, column {column}: {}",
            error.message.chars().take(300).collect::<String>()
        ));
    }
    if errors.len() > NAMED {
        message.push_str("; the others are in \"errors\"");
    }
    message
}
