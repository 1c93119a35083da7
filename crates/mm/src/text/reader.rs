//! Who reads a text, and what they can do next: an assistant calls tools, a person types commands.

use serde_json::json;
use session_pool::domain::job::JobId;

use crate::pool::PoolError;
use crate::tools::{ArgumentError, Failure};

/// The reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Over MCP.
    Assistant,
    /// At a shell.
    Shell,
}

impl Reader {
    /// What to do with a job that goes on.
    pub(super) fn follow(self, job: JobId) -> String {
        match self {
            Self::Assistant => format!(
                "call `job` with {} for its end, or with {} to stop it.",
                json!({ "id": job }),
                json!({ "id": job, "cancel": true })
            ),
            Self::Shell => {
                format!("`mm job {job}` follows it to its end, `mm job {job} --cancel` stops it.")
            }
        }
    }

    /// How to get the next page.
    pub(super) fn read_on(self, job: JobId, cursor: &str) -> String {
        match self {
            Self::Assistant => {
                format!("call `job` with {}", json!({ "id": job, "cursor": cursor }))
            }
            Self::Shell => format!("mm job {job} --cursor {cursor}"),
        }
    }

    /// What to do about a sign-in that is needed.
    pub(super) const fn after_sign_in(self) -> &'static str {
        match self {
            Self::Assistant => {
                "show this to the user and wait. When they say they are done, repeat exactly the same call."
            }
            Self::Shell => "sign in, then give the same command again.",
        }
    }

    /// Who has to sign in.
    pub(super) const fn who_signs_in(self) -> &'static str {
        match self {
            Self::Assistant => "For the user",
            Self::Shell => "To sign in",
        }
    }

    /// What to do where somebody unexpected is signed in.
    pub(super) const fn wrong_account(self) -> &'static str {
        match self {
            Self::Assistant => "Tell the user before you go on.",
            Self::Shell => "Make sure that this is meant.",
        }
    }

    /// How to use a connection of the list.
    pub(super) const fn run(self) -> &'static str {
        match self {
            Self::Assistant => "call `run` with connection, module and command",
            Self::Shell => "mm run CONNECTION MODULE COMMAND",
        }
    }

    /// How to use a job of the list.
    pub(super) const fn any_job(self) -> &'static str {
        match self {
            Self::Assistant => "call `job` with the id of one",
            Self::Shell => "mm job ID",
        }
    }

    /// What to do about a failure, where its own words leave it open.
    pub(super) const fn advice(self, failure: &Failure) -> Option<&'static str> {
        match (failure, self) {
            (
                Failure::Pool(PoolError::Silent { .. } | PoolError::BrokenOff { .. }),
                Self::Assistant,
            ) => Some("Call `job` without arguments to see the jobs before you repeat anything."),
            (
                Failure::Pool(PoolError::Silent { .. } | PoolError::BrokenOff { .. }),
                Self::Shell,
            ) => Some("`mm job` lists the jobs: look there before you repeat anything."),
            (Failure::Argument(ArgumentError::JobId(_)), Self::Shell) => {
                Some("`mm job` lists the jobs.")
            }
            _ => None,
        }
    }
}
