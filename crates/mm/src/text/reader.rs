//! Who reads a text, and what they can do next: an assistant calls tools, a person types commands.

use serde_json::json;
use session_pool::domain::job::JobId;

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
    /// What to do about something that waits for a person's yes.
    pub(crate) fn after_confirming(self, id: &str, expires_in: u64) -> String {
        let minutes = expires_in.div_ceil(60);
        match self {
            Self::Assistant => format!(
                "ask the user to run `mm confirm {id}` on the machine where mm runs within {minutes} \
                 minutes: it shows this and asks them. When they have said yes, repeat exactly the same call"
            ),
            Self::Shell => format!(
                "`mm confirm {id}` in a terminal within {minutes} minutes, then exactly the same command again"
            ),
        }
    }

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

    /// What to do about a sign-in that is needed. The answer may have come by way of `job`, which
    /// runs nothing: so the call is named.
    pub(super) fn after_sign_in(self, place: &str) -> String {
        match self {
            Self::Assistant => format!(
                "show this to the user and wait. When they say they are done, repeat exactly the same call of `run` ({place}, the same command)."
            ),
            Self::Shell => "sign in, then give the same command again with `mm run`.".to_owned(),
        }
    }

    /// What to do where the sign-in died in mid-command: what the command had done is done.
    pub(super) fn after_dead_sign_in(self, place: &str) -> String {
        match self {
            Self::Assistant => format!(
                "show the sign-in to the user, and look first how far the command came: its output stands below. When they say they are done, call `run` ({place}) with what is left of it; repeat the whole command only where that does nothing twice."
            ),
            Self::Shell => "sign in, and look first how far the command came; then give `mm run` what is left of it."
                .to_owned(),
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

    /// What to do where it is not known whether a command was run.
    pub(super) const fn look_first(self) -> &'static str {
        match self {
            Self::Assistant => {
                "Call `job` without arguments to see the jobs before you repeat anything"
            }
            Self::Shell => "`mm job` lists the jobs: look there before you repeat anything",
        }
    }

    /// What to do about a job that was started and then lost sight of.
    pub(super) fn started(self, job: JobId) -> String {
        match self {
            Self::Assistant => format!(
                "Do not send the command again: call `job` with {}",
                json!({ "id": job })
            ),
            Self::Shell => {
                format!("Do not give the command again: `mm job {job}` takes the job up")
            }
        }
    }

    /// What to do about a job that could not be looked at.
    pub(super) fn look_again(self, job: JobId) -> String {
        match self {
            Self::Assistant => format!(
                "That changes nothing about the job: then call `job` with {} again",
                json!({ "id": job })
            ),
            Self::Shell => {
                format!("That changes nothing about the job: `mm job {job}` takes it up again")
            }
        }
    }

    /// What to do about a job that could not be cancelled.
    pub(super) fn cancel_again(self, job: JobId) -> String {
        match self {
            Self::Assistant => format!(
                "Then call `job` with {} again: a job that has ended is left as it is",
                json!({ "id": job, "cancel": true })
            ),
            Self::Shell => {
                format!("Then `mm job {job} --cancel` again: a job that has ended is left as it is")
            }
        }
    }

    /// What to do about a failure, where its own words leave it open.
    pub(super) fn advice(self, failure: &Failure) -> Option<String> {
        let advice = match (failure, self) {
            (Failure::Argument(ArgumentError::JobId(_)), Self::Shell) => "`mm job` lists the jobs",
            (Failure::Argument(_) | Failure::Usage(_), _) => return None,
            (Failure::Graph(error), reader) => match (error.code(), reader) {
                ("unknown_connection", Self::Assistant) => {
                    "Call `graph_request` without arguments to see the connections"
                }
                ("unknown_connection", Self::Shell) => "`mm graph` lists the connections",
                _ => return None,
            },
            (failure, reader) => match (failure.code(), reader) {
                ("unknown_connection", Self::Assistant) => {
                    "Call `run` without arguments to see the connections"
                }
                ("unknown_connection", Self::Shell) => "`mm run` lists the connections",
                ("queue_full", Self::Assistant) => "Call `job` without arguments to see the jobs",
                ("queue_full", Self::Shell) => "`mm job` lists the jobs",
                _ => return None,
            },
        };
        Some(advice.to_owned())
    }
}
