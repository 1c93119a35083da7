//! `mm run`, `mm job`, `mm graph` and the sign-in: the same from a shell.

pub(crate) mod confirm;
pub(crate) mod doctor;
mod follow;
pub(crate) mod graph;
pub(crate) mod job;
mod output;
mod pool_sign_in;
pub(crate) mod run;
mod screen;
pub(crate) mod sign_in;

use std::io::Write;
use std::process::ExitCode;

use serde_json::json;
use session_pool::domain::job::JobState;
use session_pool::domain::wire::{AnswerStatus, JobAnswer};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Overrides};
use crate::pool::{Pool, PoolError};
use crate::text::{self, Reader};
use crate::tools;
use crate::tools::{Doing, Failure, Outcome};

use self::follow::Following;
pub(crate) use self::output::{Output, OutputError};

/// How the process ends. The numbers are in `--help` and in docs/mcp.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Succeeded = 0,
    Failed = 1,
    Usage = 2,
    SignInNeeded = 3,
    TimedOut = 4,
    Cancelled = 5,
    Lost = 6,
    StillRunning = 7,
    NotConfirmed = 8,
    Blocked = 9,
    /// EX_USAGE of sysexits.h, as `session-pool` has it.
    Configuration = 64,
    /// EX_UNAVAILABLE.
    NoPool = 69,
    /// EX_NOPERM.
    Refused = 77,
    /// 128 + SIGINT.
    Interrupted = 130,
    /// 128 + SIGPIPE.
    NobodyReads = 141,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// For what became of a job.
    fn of(answer: &JobAnswer) -> Self {
        match (answer.status, answer.state) {
            (AnswerStatus::Success, _) if answer.output_lost => Self::Lost,
            (AnswerStatus::Success, _) => Self::Succeeded,
            (AnswerStatus::Running, _) => Self::StillRunning,
            (AnswerStatus::AuthRequired, _) => Self::SignInNeeded,
            (AnswerStatus::Blocked, _) => Self::Blocked,
            (AnswerStatus::ConfirmationRequired, _) => Self::NotConfirmed,
            (AnswerStatus::Error, JobState::TimedOut) => Self::TimedOut,
            (AnswerStatus::Error, JobState::Cancelled) => Self::Cancelled,
            (AnswerStatus::Error, JobState::Lost) => Self::Lost,
            (AnswerStatus::Error, _) => Self::Failed,
        }
    }

    /// For an answer that did not come.
    fn without_answer(failure: &Failure) -> Self {
        match failure {
            Failure::Argument(_) | Failure::Usage(_) => Self::Usage,
            Failure::Graph(error) => match error.code() {
                "bad_arguments" | "bad_cursor" | "unknown_connection" => Self::Usage,
                "bad_configuration" => Self::Configuration,
                _ => Self::Failed,
            },
            Failure::Config(_) => Self::Configuration,
            Failure::Declined => Self::NotConfirmed,
            Failure::Consent(_) => Self::Failed,
            Failure::Pool(error) => Self::without_pool(error),
            Failure::Unread(unread) => match (&unread.doing, &unread.error) {
                // The job that was there a moment ago.
                (Doing::Started(_), PoolError::Refused { status: 404, .. }) => Self::Lost,
                (_, error) if error.code() == "spool_failed" => Self::Lost,
                (_, error) => Self::without_pool(error),
            },
        }
    }

    fn without_pool(error: &PoolError) -> Self {
        match error {
            PoolError::Unauthorized { .. } | PoolError::Token(_) => Self::Refused,
            // Of a job that has ended.
            PoolError::Refused { status: 410, .. } => Self::Lost,
            // It takes nothing at the moment.
            PoolError::Refused { status: 500.., .. } => Self::NoPool,
            PoolError::Refused { .. } => Self::Usage,
            _ => Self::NoPool,
        }
    }
}

/// Says something on standard error, if it is open, and ends with this.
pub(crate) fn complain<T: From<Exit>>(message: &str, exit: Exit) -> T {
    let _ = writeln!(std::io::stderr(), "mm: {message}");
    exit.into()
}

/// Says what is wrong with the command line, to programs too where they asked for JSON; or shows the
/// help that was asked for.
pub(crate) fn not_understood(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let rendered = error.render().to_string();
        let said = rendered.lines().next().unwrap_or_default();
        let end = json!({
            "type": "end",
            "status": "error",
            "error": said.trim_start_matches("error: "),
            "code": "bad_arguments",
        });
        let _ = writeln!(std::io::stdout(), "{end}");
    }
    let _ = error.print();
    match error.use_stderr() {
        true => Exit::Usage.into(),
        false => Exit::Succeeded.into(),
    }
}

/// Fires when the person at the keyboard ends this (SIGINT). From the next await on, that no longer
/// ends the process by itself.
fn interrupt() -> CancellationToken {
    let interrupted = CancellationToken::new();
    let heard = interrupted.clone();
    tokio::spawn(async move {
        // Where signals cannot be heard, they end the process.
        if tokio::signal::ctrl_c().await.is_ok() {
            heard.cancel();
        }
    });
    interrupted
}

/// The pool of the environment.
fn pool(overrides: &Overrides) -> Result<Pool, Failure> {
    Ok(Pool::new(&Config::from_environment(overrides)?))
}

/// Prints a list.
async fn list(outcome: Result<Outcome, Failure>, json: bool) -> Exit {
    let mut output = Output::new(json);
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(failure) => return output.failure(&failure).await,
    };
    let printed = if json {
        text::structured(&outcome).to_string()
    } else {
        text::outcome(&outcome, Reader::Shell).trim_end().to_owned()
    };
    match output.finish_with(&printed).await {
        Ok(()) => Exit::Succeeded,
        Err(error) => error.exit(),
    }
}

/// The longest wait that the command line takes, checked as the tools check it.
fn wait(seconds: Option<u32>) -> Result<(), Failure> {
    match seconds {
        Some(seconds) if seconds > tools::LONGEST_WAIT => Err(Failure::Usage(format!(
            "--wait-seconds is {seconds}, but must be 0 to {}",
            tools::LONGEST_WAIT
        ))),
        _ => Ok(()),
    }
}
