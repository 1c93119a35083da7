//! What can go wrong between `mm` and the pool, each with what to do about it.

use session_pool::domain::cause::deepest;
use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use super::transport::SendError;
use crate::config::PoolUrl;
use crate::token::{TokenError, TokenSource};

/// How a pool is started, for whoever finds none.
const START: &str = "Start one with `session-pool serve` (or `session-pool demo` to try it \
                     without a Microsoft account), or set MM_SESSION_POOL_URL to the address of \
                     the one that runs";

/// Why there is no answer from the pool. What that means depends on what was asked, so it is said
/// elsewhere (`text/failure.rs`).
#[derive(Debug, thiserror::Error)]
pub(crate) enum PoolError {
    #[error("no session pool answers at {url} ({reason})")]
    Unreachable { url: String, reason: String },
    #[error("the session pool at {url} did not answer within {seconds} s")]
    Silent { url: String, seconds: u64 },
    #[error("the connection to the session pool at {url} broke off ({reason})")]
    BrokenOff { url: String, reason: String },
    #[error("what answers at {url} is not a session pool of this version ({reason})")]
    NotAPool { url: String, reason: String },
    #[error("the session pool at {url} wants its access token")]
    Unauthorized { url: String, advice: String },
    #[error("{error}")]
    Refused {
        status: u16,
        error: String,
        code: String,
    },
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("the request to the session pool at {url} could not be written: {reason}")]
    Request { url: String, reason: String },
}

impl PoolError {
    pub(super) fn request(url: &PoolUrl, reason: impl Display) -> Self {
        Self::Request {
            url: url.to_string(),
            reason: reason.to_string(),
        }
    }

    pub(super) fn sending(url: &PoolUrl, error: SendError) -> Self {
        match error {
            SendError::Connect(cause) => Self::Unreachable {
                url: url.to_string(),
                reason: deepest(&*cause),
            },
            SendError::Exchange(cause) => Self::broken_off(url, &cause),
        }
    }

    pub(super) fn broken_off(url: &PoolUrl, cause: &(dyn Error + 'static)) -> Self {
        Self::BrokenOff {
            url: url.to_string(),
            reason: deepest(cause),
        }
    }

    pub(super) fn silent(url: &PoolUrl, patience: Duration) -> Self {
        Self::Silent {
            url: url.to_string(),
            seconds: patience.as_secs(),
        }
    }

    pub(super) fn not_a_pool(url: &PoolUrl, reason: impl Display) -> Self {
        Self::NotAPool {
            url: url.to_string(),
            reason: reason.to_string(),
        }
    }

    pub(super) fn unauthorized(url: &PoolUrl, token: &TokenSource, may_send: bool) -> Self {
        let place = token.describe();
        let advice = if !may_send {
            "It was not sent, because others could read it on the way over plain HTTP: use an \
             https:// address, or set MM_TOKEN_OVER_HTTP=true where the network is your own"
                .to_owned()
        } else if matches!(token.read(), Ok(None)) {
            format!(
                "There is none: {place} does not exist. Set SESSION_POOL_STATE_DIR to the state \
                 directory of that pool (it keeps `pool.token` there), or SESSION_POOL_TOKEN_FILE \
                 to a copy of that file"
            )
        } else if matches!(token, TokenSource::Given(_)) {
            format!(
                "The one from {place} is not its token, and goes before every other: unset it, so \
                 that `pool.token` in SESSION_POOL_STATE_DIR is read, or correct it"
            )
        } else {
            format!(
                "The one from {place} is not its token, perhaps that of another pool. Set \
                 SESSION_POOL_STATE_DIR to the state directory of the pool at this address (for \
                 the demo ~/.m365-demo/state, see the lines it prints), or SESSION_POOL_TOKEN_FILE \
                 to a copy of its `pool.token`"
            )
        };
        Self::Unauthorized {
            url: url.to_string(),
            advice,
        }
    }

    /// A stable word for it, for programs.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Unreachable { .. } => "pool_unreachable",
            Self::Silent { .. } => "pool_silent",
            Self::BrokenOff { .. } => "connection_lost",
            Self::NotAPool { .. } => "not_a_pool",
            Self::Unauthorized { .. } => "unauthorized",
            Self::Refused { code, .. } => code,
            Self::Token(_) => "token_unreadable",
            Self::Request { .. } => "bad_request",
        }
    }

    /// What to do about it, in sentences without the last mark.
    pub(crate) fn remedy(&self) -> Option<String> {
        match self {
            Self::Unreachable { .. } => Some(START.to_owned()),
            Self::Silent { .. } => {
                Some("It may be overloaded or stopped: look at its log".to_owned())
            }
            Self::NotAPool { .. } => Some(format!(
                "{START}; `mm` and `session-pool` are to be of the same version"
            )),
            Self::Unauthorized { advice, .. } => Some(advice.clone()),
            Self::BrokenOff { .. }
            | Self::Refused { .. }
            | Self::Token(_)
            | Self::Request { .. } => None,
        }
    }

    /// Whether the pool may have done what was asked.
    pub(crate) const fn may_have_acted(&self) -> bool {
        matches!(
            self,
            Self::Silent { .. } | Self::BrokenOff { .. } | Self::NotAPool { .. }
        )
    }

    /// Whether the pool may answer when it is asked again: it restarts, or the way to it is cut.
    pub(crate) const fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Silent { .. }
                | Self::BrokenOff { .. }
                | Self::Refused { status: 503, .. }
        )
    }

    /// Whether the pool answers, and will answer the same again.
    pub(crate) const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { status: ..500, .. })
    }

    /// Whether the pool has no such job (any more).
    pub(crate) fn is_missing_job(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: 404 | 410,
                ..
            }
        )
    }
}
