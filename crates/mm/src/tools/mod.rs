//! The tools: what they are called with, and what they do.

mod arguments;
mod asked;
pub(crate) mod definition;
pub(crate) mod graph;
mod graph_definition;
pub(crate) mod job;
mod page;
mod place;
pub(crate) mod run;
mod unread;
mod wait;

use session_pool::domain::trace::TraceParent;
use session_pool::domain::wire::{ConnectionList, JobAnswer, StatusAnswer};
use tokio_util::sync::CancellationToken;

pub(crate) use self::arguments::{ArgumentError, Arguments};
pub(crate) use self::page::JobPage;
pub(crate) use self::place::Place;
pub(crate) use self::unread::{Doing, Unread};
use self::wait::Wait;
use crate::config::ConfigError;
use crate::consent::{Asking, ConsentError, Consents};
use crate::graph::{GraphError, Question};
use crate::pool::PoolError;
use crate::progress::Reporter;

/// Seconds a call waits for its job where it does not say: many clients give up at 60.
pub(crate) const DEFAULT_WAIT: u32 = 45;

/// The longest wait in seconds; the pool's own limit.
pub(crate) const LONGEST_WAIT: u32 = 3600;

/// What a tool call answers.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The connections there are, and who is signed in.
    Connections(ConnectionList, StatusAnswer),
    /// The jobs there are.
    Jobs(JobPage),
    /// What became of a job.
    Job(Box<JobAnswer>),
    /// What became of a job that was to be cancelled.
    Cancelled(Box<JobAnswer>),
    /// What came of a call of Graph.
    Graph(graph::GraphOutcome),
    /// What the client is to ask a person, before the call is sent again.
    Question(Box<Question>),
}

/// Why a tool call has no such answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It was called wrongly.
    #[error(transparent)]
    Argument(#[from] ArgumentError),
    /// The same, from a shell.
    #[error("{0}")]
    Usage(String),
    /// The pool refused it, or could not be asked.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The pool could not be asked about what is there.
    #[error(transparent)]
    Unread(#[from] Unread),
    /// The call of Graph is wrong, or its connection is not known.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A person was asked about a command, and did not say yes.
    #[error(
        "a person was asked and did not say yes. Nothing was run. Do not send the command again unless they ask for it"
    )]
    Declined,
    /// A yes cannot be kept.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// `mm` itself is configured wrongly.
    #[error("mm is not configured: {0}")]
    Config(#[from] ConfigError),
}

impl Failure {
    /// A stable word for it, for programs.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Argument(_) | Self::Usage(_) => "bad_arguments",
            Self::Pool(error) | Self::Unread(Unread { error, .. }) => error.code(),
            Self::Graph(error) => error.code(),
            Self::Declined => "declined",
            Self::Consent(_) => "confirmation_failed",
            Self::Config(_) => "bad_configuration",
        }
    }
}

/// Who calls, and how they are kept informed.
pub(crate) struct Caller {
    /// The client's name for itself.
    pub(crate) name: Option<String>,
    /// The caller's trace.
    pub(crate) trace: Option<TraceParent>,
    /// Whom the call can ask for a yes.
    pub(crate) asking: Asking,
    /// Where a yes is kept; none where there is no home for it.
    pub(crate) consents: Option<Consents>,
    /// Hears of progress.
    pub(crate) reporter: Reporter,
    /// Fires when the client cancels the call. The end of the client does not fire it.
    pub(crate) cancelled: CancellationToken,
}
