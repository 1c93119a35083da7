//! The states of a session. Each holds only what belongs to it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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

/// A part of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum IdentityPart {
    /// The account.
    Account,
    /// The tenant.
    Tenant,
}

impl SignedIn {
    /// The parts that cannot be known, and so were compared with nothing.
    pub fn unverified(&self) -> Vec<IdentityPart> {
        let parts = [
            (IdentityPart::Account, &self.account),
            (IdentityPart::Tenant, &self.tenant_id),
        ];
        parts
            .into_iter()
            .filter_map(|(part, known)| known.is_none().then_some(part))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_unverified() {
        use IdentityPart::{Account, Tenant};
        for (account, tenant_id, unverified) in [
            (Some("a@contoso.com"), Some("t"), vec![]),
            (None, Some("t"), vec![Account]),
            (Some("a@contoso.com"), None, vec![Tenant]),
            (None, None, vec![Account, Tenant]),
        ] {
            let who = SignedIn {
                account: account.map(str::to_owned),
                tenant_id: tenant_id.map(str::to_owned),
                since: Timestamp::UNIX_EPOCH,
            };
            assert_eq!(who.unverified(), unverified, "{who:?}");
        }
    }

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
