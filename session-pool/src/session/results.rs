//! What a job has put out, for as long as it is kept.

use crate::domain::paging::Cursor;
use crate::domain::record::Record;

use super::transcript::{AppendError, Records, Section, Transcript};

/// Why results cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// They were dropped to make room, or were too old.
    #[error(
        "the results of this job were dropped (they are kept for a limited time and size); if the \
         command only reads, run it again"
    )]
    Expired,
    /// The cursor points behind the end of what the job has put out.
    #[error(
        "the cursor {0} is behind the end of this job's output: use the cursor of its last answer"
    )]
    BeyondEnd(Cursor),
    /// The spool could not be read.
    #[error("the pool could not read the job's output from its spool: {0}")]
    Spool(#[from] std::io::Error),
    /// The pool is shutting down.
    #[error("the pool is shutting down")]
    ShuttingDown,
}

/// A job's results, or what became of them.
#[derive(Debug)]
pub(super) enum Results {
    Kept(Transcript),
    /// Dropped for their age or size.
    Dropped,
    /// Gone with an earlier life of the pool.
    LostByRestart,
}

impl Results {
    pub(super) fn kept(&self) -> Option<&Transcript> {
        match self {
            Self::Kept(transcript) => Some(transcript),
            Self::Dropped | Self::LostByRestart => None,
        }
    }

    /// Those at a place, to be [`read`] without any lock; `None` where there are none yet.
    pub(super) fn section(&self, from: Cursor) -> Result<Option<Section>, ResultsError> {
        match self {
            Self::Kept(transcript) if from > transcript.end() => Err(ResultsError::BeyondEnd(from)),
            Self::Kept(transcript) => Ok(transcript.section(from.record)),
            Self::Dropped => Err(ResultsError::Expired),
            Self::LostByRestart => Ok(None),
        }
    }

    pub(super) fn append(&mut self, record: &Record) -> Result<(), AppendError> {
        match self {
            Self::Kept(transcript) => transcript.append(record),
            Self::Dropped | Self::LostByRestart => Ok(()),
        }
    }

    /// Nothing is added any more.
    pub(super) fn seal(&mut self) {
        if let Self::Kept(transcript) = self
            // Only the spool can fail here, and the records stay readable from memory then.
            && let Err(error) = transcript.seal()
        {
            tracing::warn!(%error, "could not move results out of memory");
        }
    }

    /// Forgets them.
    pub(super) fn drop_kept(&mut self) {
        if matches!(self, Self::Kept(_)) {
            *self = Self::Dropped;
        }
    }
}

/// The records of a section; from the disk on a thread that may wait.
pub(super) async fn read(section: Section) -> Result<Records, ResultsError> {
    if !section.is_on_disk() {
        return Ok(section.read()?);
    }
    tokio::task::spawn_blocking(move || section.read())
        .await
        .map_err(|_| ResultsError::ShuttingDown)?
        .map_err(ResultsError::from)
}
