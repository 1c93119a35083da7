//! Why the pool makes no job of a request.

use std::time::Duration;

use crate::domain::module::UnknownModule;
use crate::domain::registry::{UnknownConnection, UnusableModule};
use crate::domain::session_key::SessionKey;
use crate::domain::site::InvalidSite;

/// A request that became no job. Nothing was run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A field that is needed was not given.
    #[error("missing {0:?}: a request names connection, module and command")]
    MissingField(&'static str),
    /// The registry has no such connection.
    #[error(transparent)]
    UnknownConnection(#[from] UnknownConnection),
    /// This pool serves one connection, and not that one.
    #[error(
        "this pool serves only the connection {served:?}, not {asked:?}: ask the pool of that \
         connection, or the router"
    )]
    WrongConnection {
        /// The connection of this pool.
        served: String,
        /// The connection that was asked for.
        asked: String,
    },
    /// There is no such module.
    #[error(transparent)]
    UnknownModule(#[from] UnknownModule),
    /// The connection lacks what the module needs.
    #[error(transparent)]
    UnusableModule(#[from] UnusableModule),
    /// The site is not one of the tenant's, or the module has none.
    #[error(transparent)]
    InvalidSite(#[from] InvalidSite),
    /// A `site` was given to a module that has none.
    #[error("\"site\" is for the module pnp only: leave it out")]
    SiteWithoutPnp,
    /// A number is outside its range.
    #[error("{field:?} is {value}, but must be {min} to {max}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// What it was.
        value: u64,
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// The session has as many jobs waiting as it takes.
    #[error(
        "{waiting} commands already wait for {session}: try again in {} s, or see in the list of jobs what they are",
        retry_after.as_secs()
    )]
    QueueFull {
        /// The session.
        session: String,
        /// How many wait.
        waiting: usize,
        /// When to try again.
        retry_after: Duration,
    },
    /// No further PowerShell process is allowed.
    #[error(
        "{limit} PowerShell processes run, and no more are allowed: reset a session that is not \
         needed (POST /reset), or raise --max-processes"
    )]
    ProcessLimit {
        /// The limit.
        limit: usize,
    },
    /// The pool is ending.
    #[error("the pool is shutting down and takes no more work: send it again when it is back")]
    ShuttingDown,
}

/// When a caller who met a full queue should come back.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl Refused {
    /// So many wait for this session already.
    pub(super) fn queue_full(session: &SessionKey, waiting: usize) -> Self {
        Self::QueueFull {
            session: session.to_string(),
            waiting,
            retry_after: RETRY_AFTER,
        }
    }

    /// A stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MissingField(_) => "missing_field",
            Self::UnknownConnection(_) => "unknown_connection",
            Self::WrongConnection { .. } => "wrong_connection",
            Self::UnknownModule(_) => "unknown_module",
            Self::UnusableModule(_) => "unusable_module",
            Self::InvalidSite(_) | Self::SiteWithoutPnp => "invalid_site",
            Self::OutOfRange { .. } => "out_of_range",
            Self::QueueFull { .. } => "queue_full",
            Self::ProcessLimit { .. } => "process_limit",
            Self::ShuttingDown => "shutting_down",
        }
    }
}
