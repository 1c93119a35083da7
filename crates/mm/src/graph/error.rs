//! Why a call of Graph has no answer.

use std::time::Duration;

use session_pool::domain::graph::{EndpointError, HeaderError, QueryError, RedirectError};
use session_pool::sign_in::{DevicePrompt, SignInError};

use super::cursor::CursorError;
use super::files::FileError;
use super::places::PlacesError;
use crate::consent::ConsentError;

/// Why there is no answer, each with what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GraphError {
    #[error("{0}")]
    Places(#[from] PlacesError),
    #[error("{0}")]
    Request(String),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error(transparent)]
    Cursor(#[from] CursorError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{0}")]
    SignIn(#[from] SignInError),
    /// A person has to sign in first.
    #[error("a person must sign in first")]
    SignInNeeded(Box<DevicePrompt>),
    #[error(
        "signing in took longer than a call may last, so the call was given up; check the network and the proxy, then repeat it"
    )]
    SignInLate,
    /// The service said no.
    #[error("{0}")]
    Refused(Box<Refusal>),
    #[error("the service throttles and wants {} s of quiet, longer than this call can wait. Nothing was done. Repeat it then", wait.as_secs())]
    Throttled { wait: Duration },
    #[error(
        "the service at {host} cannot be reached ({reason}), so nothing was sent; check the network and the proxy"
    )]
    Unreachable { host: String, reason: String },
    #[error("the connection to {host} ended before the answer ({reason}). {} ", if *reads { "Repeat the call" } else { "Whether the change was made is not known: read before you repeat it" })]
    Broken {
        host: String,
        reason: String,
        reads: bool,
    },
    #[error("the service redirects the call, but {0}; it was not followed")]
    Redirect(#[from] RedirectError),
    #[error("the service redirected the call more than five times; it was given up")]
    RedirectLoop,
    /// A next or delta link that leads away from the service.
    #[error(
        "the service's next {what} is said to lie on another host ({host}), which is not asked: a token must not go there. What there is of the service's own host is all told; ask whoever runs it, or narrow the call so that it needs one page"
    )]
    LinkElsewhere { what: &'static str, host: String },
    #[error(
        "the service leads back to a page that was read already, so it was not followed; what was read up to there may be all there is. Compare with $count, or repeat the call with another $top or $orderby"
    )]
    Circle,
    #[error(
        "the service asked for more of the sign-in again, though the token was new: a Conditional Access policy of the tenant wants what this sign-in does not show (a device, a place, a stronger method), and the call was not done. Run `mm sign-out` and `mm sign-in` for the connection; if that does not help, ask the tenant's administrator for the policy"
    )]
    Challenged,
    #[error("the service's answer is larger than {} MB: ask for less with $select and $top, or give save_to", .0 >> 20)]
    TooLarge(usize),
    #[error("the service's answer is not what it should be: {0}")]
    Garbled(String),
    #[error(
        "the policy lets this connection only read (read_only), and the call may change something. Nothing was sent. Use GET, or ask whoever keeps the policy file"
    )]
    ReadOnly,
    #[error(
        "the policy refuses calls that send something to people (graph-send). Nothing was sent. Ask whoever keeps the policy file"
    )]
    Blocked,
    #[error(
        "the policy {path} cannot be used: {reason}. Nothing was sent. Correct it; `session-pool policy test` tries it"
    )]
    Policy { path: String, reason: String },
    #[error(
        "a person was asked and did not say yes. Nothing was sent. Do not send the call again unless they ask for it"
    )]
    Declined,
    #[error(
        "what would be sent changed again and again while a person was asked. Nothing was sent. Send the call again when it rests"
    )]
    Unsteady,
    #[error("nothing was sent: {0}")]
    Consent(#[from] ConsentError),
    /// Whoever took the answer as it came takes no more.
    #[error("nobody takes the answer ({0})")]
    NotTaken(std::io::Error),
    #[error("the call was cancelled{}", if *.0 { "" } else { "; whether the change was made is not known: read before you repeat it" })]
    Cancelled(bool),
}

/// The service's refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{}{}{}. What to do: {advice}{}",
    coded(code, *status),
    sentence(message),
    more(detail),
    id(request_id)
)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// The inner error's code.
    pub(crate) detail: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) advice: String,
}

fn coded(code: &str, status: u16) -> String {
    if code == format!("status {status}") {
        return code.to_owned();
    }
    format!("{code} (status {status})")
}

fn sentence(message: &str) -> String {
    match message.trim_end_matches('.') {
        "" => String::new(),
        message => format!(": {message}"),
    }
}

fn more(detail: &Option<String>) -> String {
    detail
        .as_ref()
        .map_or_else(String::new, |detail| format!(" ({detail})"))
}

fn id(request_id: &Option<String>) -> String {
    request_id
        .as_ref()
        .map_or_else(String::new, |id| format!(" (request-id {id})"))
}

impl GraphError {
    /// Whether the call has certainly done nothing.
    pub(crate) const fn did_nothing(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. }
                | Self::Unreachable { .. }
                | Self::SignInNeeded(_)
                | Self::SignInLate
        )
    }

    /// A stable word for it, for programs.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Places(PlacesError::Unknown(_)) => "unknown_connection",
            Self::Places(_) => "bad_configuration",
            Self::Request(_) | Self::Endpoint(_) | Self::Query(_) | Self::Header(_) => {
                "bad_arguments"
            }
            Self::Cursor(_) => "bad_cursor",
            Self::File(_) => "file",
            Self::SignIn(_) => "sign_in_failed",
            Self::SignInNeeded(_) => "auth_required",
            Self::Refused(refusal) => &refusal.code,
            Self::Throttled { .. } => "throttled",
            Self::Unreachable { .. } | Self::Broken { .. } | Self::SignInLate => "unreachable",
            Self::Redirect(_) | Self::RedirectLoop => "redirect",
            Self::LinkElsewhere { .. } => "foreign_link",
            Self::Circle => "page_circle",
            Self::Challenged => "claims_challenge",
            Self::TooLarge(_) => "too_large",
            Self::Garbled(_) => "garbled",
            Self::ReadOnly | Self::Blocked => "blocked",
            Self::Policy { .. } => "bad_configuration",
            Self::Declined => "declined",
            Self::Unsteady | Self::Consent(_) => "confirmation_failed",
            Self::NotTaken(_) => "not_taken",
            Self::Cancelled(_) => "cancelled",
        }
    }
}

impl From<serde_json::Error> for GraphError {
    fn from(error: serde_json::Error) -> Self {
        Self::Garbled(format!("it is called JSON and is not ({error})"))
    }
}
