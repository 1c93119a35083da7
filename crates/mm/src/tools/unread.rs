//! What could not be read of the pool, beside a command that it did not take.

use session_pool::domain::job::JobId;
use session_pool::domain::wire::JobAnswer;

use super::Failure;
use crate::pool::PoolError;

/// The pool could not be asked about what is there.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(crate) struct Unread {
    /// What was wanted.
    pub(crate) doing: Doing,
    /// Why it failed.
    pub(crate) error: PoolError,
}

/// What the pool was asked for.
#[derive(Debug)]
pub(crate) enum Doing {
    /// A list.
    Listing,
    /// What became of the job that this call has started; what was known of it last.
    Started(Box<JobAnswer>),
    /// What became of a job.
    Looking(JobId),
    /// The end of a job.
    Cancelling(JobId),
}

impl Unread {
    /// The failure of asking for this. Where the pool has answered and refuses, that is all there is
    /// to say, except of a job that this call has started.
    pub(crate) fn failure(doing: Doing, error: PoolError) -> Failure {
        match doing {
            Doing::Started(_) => Self { doing, error }.into(),
            _ if error.is_refusal() => error.into(),
            _ => Self { doing, error }.into(),
        }
    }

    /// A list that could not be read.
    pub(crate) fn list(error: PoolError) -> Failure {
        Self::failure(Doing::Listing, error)
    }

    /// The job that it is about.
    pub(crate) fn job(&self) -> Option<JobId> {
        match &self.doing {
            Doing::Listing => None,
            Doing::Started(answer) => Some(answer.job),
            Doing::Looking(job) | Doing::Cancelling(job) => Some(*job),
        }
    }
}
