//! Jobs: every accepted command is one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Name of a job: unguessable, and in order of creation (UUID version 7, RFC 9562).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "server", schema(value_type = String, format = "uuid"))]
#[serde(transparent)]
pub struct JobId(Uuid);

impl JobId {
    /// A fresh id with 74 random bits. (`Uuid::now_v7` would share a counter among the ids of one
    /// millisecond, and so make the next one guessable.)
    pub fn random() -> Self {
        Self(Uuid::new_v7(uuid::Timestamp::now(uuid::NoContext)))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The given text is no job id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a job id: use the \"job\" of an earlier answer, as it is")]
pub struct InvalidJobId(pub String);

impl FromStr for JobId {
    type Err = InvalidJobId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text)
            .map(Self)
            .map_err(|_| InvalidJobId(text.to_owned()))
    }
}

/// Where a job is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for its session.
    Queued,
    /// Its command runs.
    Running,
    /// The command ran to its end; single errors on the way do not change that.
    Succeeded,
    /// An error ended the command, or it could not be run.
    Failed,
    /// A caller cancelled it.
    Cancelled,
    /// It ran longer than its `timeout_seconds` and was stopped.
    TimedOut,
    /// The session was not signed in; the command was not run and never will be.
    AuthRequired,
    /// The pool ended before the job did; how far it came is unknown.
    Lost,
}

impl JobState {
    /// Whether nothing will happen to the job any more.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }

    /// The name in JSON and in labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
            Self::AuthRequired => "auth_required",
            Self::Lost => "lost",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ids_survive_the_wire_and_differ() {
        let id = JobId::random();
        assert_eq!(id.to_string().parse::<JobId>().unwrap(), id);
        assert_ne!(id, JobId::random());
        assert!("job-1".parse::<JobId>().is_err());
    }
}
