//! Jobs: every accepted command is one.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Name of a job: unguessable, and in order of creation (UUID version 7, RFC 9562).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "server", schema(value_type = String, format = "uuid"))]
#[serde(transparent)]
pub struct JobId(Uuid);

impl JobId {
    /// A fresh id of this moment, with 74 random bits. (`Uuid::now_v7` would share a counter among the ids of one
    /// millisecond, and so make the next one guessable.)
    pub fn random(now: Timestamp) -> Self {
        // Before 1970 there are no jobs.
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
        let now = uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds);
        Self(Uuid::new_v7(now))
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
    /// The policy refused the command; it was not run.
    Blocked,
    /// The command waits for somebody's yes; it was not run, and runs when it is sent again with it.
    ConfirmationRequired,
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
            Self::Blocked => "blocked",
            Self::ConfirmationRequired => "confirmation_required",
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
        let now: Timestamp = "2026-11-23T22:09:02.438Z".parse().unwrap();
        let id = JobId::random(now);
        assert_eq!(id.to_string().parse::<JobId>().unwrap(), id);
        assert_ne!(id, JobId::random(now), "of one millisecond");
        let later = JobId::random(now + jiff::SignedDuration::from_millis(1));
        assert!(id < later, "ids are in the order of their creation");
        assert!(id.to_string().starts_with("01"), "{id}");
        assert!("job-1".parse::<JobId>().is_err());
    }
}
