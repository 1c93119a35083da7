//! The states of a session. Each holds only what belongs to it.

use jiff::Timestamp;

/// What a session is doing about its sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Its PowerShell process is starting, or has not been needed yet.
    Initializing,
    /// The process runs; nobody is signed in.
    Ready,
    /// A person has to enter a device code.
    AuthPending(PendingSignIn),
    /// Signed in.
    Authenticated(SignedIn),
    /// The last start or sign-in failed; the next command tries again.
    Error {
        /// What failed, and what to do.
        reason: String,
    },
    /// It has ended and takes no commands.
    Stopped,
}

impl SessionState {
    /// The name in JSON and in labels.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Initializing => "initializing",
            Self::Ready => "ready",
            Self::AuthPending(_) => "auth_pending",
            Self::Authenticated(_) => "authenticated",
            Self::Error { .. } => "error",
            Self::Stopped => "stopped",
        }
    }
}

/// A device code that waits for a person (RFC 8628).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingSignIn {
    /// The user code.
    pub code: String,
    /// Where to enter it; one of the cloud's own pages.
    pub url: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The caller whose command asked for it, where it named itself.
    pub asked_by: Option<String>,
    /// Why the sign-in before this one came to nothing, where there was one.
    pub after: Option<String>,
}

impl PendingSignIn {
    /// Whole seconds until the code ends, never negative.
    pub fn seconds_left(&self, now: Timestamp) -> u64 {
        u64::try_from(self.expires_at.duration_since(now).as_secs()).unwrap_or(0)
    }
}

/// A time that is left, in words for a person: whole minutes that are certainly left, below one the
/// seconds.
pub fn time_left(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..60 => (seconds, "second"),
        _ => (seconds / 60, "minute"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} more {unit}{plural}")
}

/// Who is signed in, as far as the module tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// User principal name or application id; `None` where it cannot be known.
    pub account: Option<String>,
    /// The tenant's id; `None` where it cannot be known.
    pub tenant_id: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_left_is_never_longer_than_it_is() {
        for (seconds, words) in [
            (0, "0 more seconds"),
            (1, "1 more second"),
            (59, "59 more seconds"),
            (60, "1 more minute"),
            (119, "1 more minute"),
            (899, "14 more minutes"),
            (900, "15 more minutes"),
        ] {
            assert_eq!(time_left(seconds), words);
        }
    }
}
