//! The tool `job`: what became of a command that went on, the rest of its output, and its end.

use std::time::Duration;

use session_pool::domain::job::JobId;
use tokio::time::Instant;

use super::run::wait_seconds;
use super::{
    ArgumentError, Arguments, Caller, DEFAULT_WAIT, Doing, Failure, JobPage, Outcome, Unread, Wait,
    page,
};
use crate::pool::Pool;

/// The arguments, in the order in which they are explained.
pub(crate) const ARGUMENTS: [&str; 4] = ["id", "cursor", "wait_seconds", "cancel"];

/// What `job` was called with.
#[derive(Debug)]
pub(crate) enum Job {
    /// No id: which jobs are there?
    List {
        /// The last job of the page before.
        after: Option<JobId>,
    },
    /// One job.
    Show {
        /// Its id.
        id: JobId,
        /// Where the page begins.
        cursor: Option<String>,
        /// Seconds the call waits.
        wait_seconds: u32,
    },
    /// Its end.
    Cancel {
        /// Its id.
        id: JobId,
    },
}

impl Job {
    /// Reads the arguments.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub(crate) fn parse(mut arguments: Arguments) -> Result<Self, ArgumentError> {
        if arguments.is_empty() {
            return Ok(Self::List { after: None });
        }
        let id = arguments.text("id")?;
        let cursor = arguments.text("cursor")?;
        let wait_seconds = wait_seconds(&mut arguments)?;
        let cancel = arguments.flag("cancel")?;
        arguments.finish(&ARGUMENTS)?;
        let id = match (id, &cursor) {
            (Some(id), _) => id.trim().parse()?,
            (None, Some(cursor)) if cancel != Some(true) && wait_seconds.is_none() => {
                let after = Some(page::read(cursor)?);
                return Ok(Self::List { after });
            }
            (None, _) => {
                return Err(ArgumentError::Missing {
                    names: vec!["id"],
                    hint: "give the job id of an earlier answer, or no arguments at all to list the jobs",
                });
            }
        };
        match (cancel, cursor) {
            (Some(true), Some(_)) => Err(ArgumentError::CursorAndCancel),
            (Some(true), None) => Ok(Self::Cancel { id }),
            (_, cursor) => Ok(Self::Show {
                id,
                cursor,
                wait_seconds: wait_seconds.unwrap_or(DEFAULT_WAIT),
            }),
        }
    }

    /// Does it. A call that is cancelled stops waiting; the job goes on.
    ///
    /// # Errors
    /// When the pool refuses or cannot be asked.
    pub(crate) async fn call(self, pool: &Pool, mut caller: Caller) -> Result<Outcome, Failure> {
        match self {
            Self::List { after } => {
                let jobs = pool.jobs().await.map_err(Unread::list)?;
                Ok(Outcome::Jobs(JobPage::of(jobs, after)))
            }
            Self::Cancel { id } => match pool.cancel(id).await {
                Ok(answer) => Ok(Outcome::Cancelled(Box::new(answer))),
                Err(error) => Err(Unread::failure(Doing::Cancelling(id), error)),
            },
            Self::Show {
                id,
                cursor,
                wait_seconds,
            } => {
                let until = Instant::now() + Duration::from_secs(wait_seconds.into());
                let mut wait = Wait::of(id, until);
                wait.cursor = cursor;
                let answer = tokio::select! {
                    answer = wait.for_job(pool, &mut caller.reporter) => Some(answer),
                    () = caller.cancelled.cancelled() => None,
                };
                let answer = match answer {
                    Some(answer) => answer,
                    // Nobody hears it, but it is logged how the job is.
                    None => pool.job(id, &wait.page()).await,
                };
                match answer {
                    Ok(answer) => Ok(Outcome::Job(Box::new(answer))),
                    Err(error) => Err(Unread::failure(Doing::Looking(id), error)),
                }
            }
        }
    }
}
