//! Where a job is, with what belongs to that.

use jiff::Timestamp;

use crate::domain::job::JobState;

use super::ending::Ending;

/// Where a job is. It goes forward only.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    Queued,
    Running {
        started_at: Timestamp,
    },
    Finished {
        started_at: Option<Timestamp>,
        finished_at: Timestamp,
        ending: Ending,
    },
}

impl Phase {
    pub(super) const fn state(&self) -> JobState {
        match self {
            Self::Queued => JobState::Queued,
            Self::Running { .. } => JobState::Running,
            Self::Finished { ending, .. } => ending.state(),
        }
    }

    pub(super) const fn is_queued(&self) -> bool {
        matches!(self, Self::Queued)
    }

    pub(super) const fn is_final(&self) -> bool {
        self.state().is_final()
    }

    pub(super) const fn started_at(&self) -> Option<Timestamp> {
        match self {
            Self::Queued => None,
            Self::Running { started_at } => Some(*started_at),
            Self::Finished { started_at, .. } => *started_at,
        }
    }

    pub(super) const fn finished_at(&self) -> Option<Timestamp> {
        match self {
            Self::Finished { finished_at, .. } => Some(*finished_at),
            Self::Queued | Self::Running { .. } => None,
        }
    }
}
