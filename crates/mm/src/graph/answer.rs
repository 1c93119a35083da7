//! What a call of Graph answers.

use session_pool::domain::graph::Method;
use session_pool::domain::policy::ConfirmBy;
use session_pool::sign_in::DevicePrompt;

use super::accepted::Accepted;
use super::body::Blob;
use super::error::GraphError;

/// An answer, and who it is about.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The connection.
    pub(crate) connection: String,
    /// The tenant, as the registry names it.
    pub(crate) tenant: Option<String>,
    /// The account that is signed in; an app has none.
    pub(crate) account: Option<String>,
    /// The account that is expected to sign in.
    pub(crate) expected: Option<String>,
    /// Whether the app itself is signed in.
    pub(crate) app_only: bool,
    /// `Microsoft Graph` or `Power Automate`.
    pub(crate) service: &'static str,
    /// How it was called.
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) call: String,
    /// What came of it.
    pub(crate) content: Content,
}

/// What came of a call.
#[derive(Debug)]
pub(crate) enum Content {
    /// JSON or text.
    Shown(Shown),
    /// Success without a body.
    Nothing(u16),
    /// A body that is not text.
    Blob(u16, Blob),
    /// A body in a file.
    Saved {
        path: String,
        blob: Blob,
        /// Items, where it is a collection.
        items: Option<usize>,
        /// Where a collection goes on, that was not fetched to its end.
        cursor: Option<String>,
    },
    /// An answer to a call that the service goes on with.
    Ongoing {
        answer: Box<Content>,
        accepted: Accepted,
    },
    /// A person must sign in first.
    SignIn(DevicePrompt),
    /// The call would send something, and was not sent: somebody has to say yes.
    Confirm(Box<Asked>),
    /// The same, where the client asks a person and sends the call again.
    Question(Box<Question>),
    /// It went wrong.
    Failed(GraphError),
    /// A collection broke off: what was read of it, and why there is no more.
    BrokeOff {
        read: Box<Content>,
        error: GraphError,
    },
}

impl Content {
    /// What there is, and the error that ended it, where one did after something was read.
    pub(crate) fn parts(&self) -> (&Self, Option<&GraphError>) {
        match self {
            Self::BrokeOff { read, error } => (read, Some(error)),
            Self::Ongoing { answer, .. } => (answer, None),
            whole => (whole, None),
        }
    }

    /// What the service goes on with.
    pub(crate) fn accepted(&self) -> Option<&Accepted> {
        match self {
            Self::Ongoing { accepted, .. } => Some(accepted),
            _ => None,
        }
    }

    /// The error, where there is one.
    pub(crate) fn error(&self) -> Option<&GraphError> {
        match self {
            Self::Failed(error) | Self::BrokeOff { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// A yes that a call waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// What would be sent, for people.
    pub(crate) preview: String,
    /// Who may say yes.
    pub(crate) by: ConfirmBy,
    /// What a person names: `mm confirm ID`.
    pub(crate) id: Option<String>,
    /// What the caller sends as `confirmation` where it may say yes itself.
    pub(crate) code: Option<String>,
    /// Seconds until it is too late.
    pub(crate) expires_in: u64,
}

/// What a client is to ask a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// What would be done.
    pub(crate) message: String,
    /// What the client sends back with the answer.
    pub(crate) state: String,
}

/// A page of JSON or text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub(crate) status: u16,
    /// JSON (an array for a collection), or the text; `None` where it was taken as it came.
    pub(crate) output: Option<String>,
    /// `json`, `text`, `csv` or `html`.
    pub(crate) format: &'static str,
    /// Items on this page, where it is a collection.
    pub(crate) items: Option<usize>,
    /// Items delivered so far, this page included.
    pub(crate) delivered: usize,
    /// Items there are, where the service says so.
    pub(crate) total: Option<u64>,
    /// Where it goes on.
    pub(crate) cursor: Option<String>,
    /// Why it stops here.
    pub(crate) stopped: Option<&'static str>,
    /// Whether it begins or ends inside an item.
    pub(crate) partial: bool,
    /// The endpoint that tells of changes from now on.
    pub(crate) delta: Option<String>,
    /// What else a collection said beside its items, as JSON.
    pub(crate) beside: Option<String>,
}
