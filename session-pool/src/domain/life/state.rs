//! Where a session is. Each state holds only what belongs to it.

use crate::domain::state::{PendingSignIn, SessionState, SignedIn};

use super::Moment;
use super::event::{Fate, Request};

/// The state of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// No process. `after`: why the last sign-in ended, for the next code.
    Cold {
        /// Why.
        after: Option<String>,
    },
    /// A process is starting.
    Starting(Serving),
    /// The fresh process is asked who is signed in from before.
    Looking(Serving),
    /// The connect command runs, and has not shown a code yet.
    Connecting(Serving),
    /// The connect command runs, and a person has to enter its code.
    Pending {
        /// What callers are told.
        shown: PendingSignIn,
        /// Since when the code is shown.
        since: Moment,
    },
    /// A process, and nobody signed in.
    Ready {
        /// Why the last sign-in ended.
        after: Option<String>,
    },
    /// Signed in, and nothing runs.
    SignedIn {
        /// Who.
        who: SignedIn,
        /// Checks that failed since the last one that did not.
        misses: u8,
    },
    /// A caller's command runs.
    Running {
        /// Whose.
        request: Request,
        /// Who is signed in.
        who: SignedIn,
    },
    /// The sign-in is being checked.
    Checking {
        /// Who is signed in.
        who: SignedIn,
        /// As in `SignedIn`.
        misses: u8,
    },
    /// A sign-in or a sign-in attempt is being ended.
    Leaving(Leaving),
    /// The last start or sign-in failed.
    Failed {
        /// What failed, and what to do.
        reason: String,
        /// Whether there is a process.
        process: Fate,
    },
    /// It has ended.
    Stopped,
}

/// A request on its way to a sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serving {
    /// The request.
    pub request: Request,
    /// Why the sign-in before this one came to nothing, where there was one.
    pub after: Option<String>,
}

/// What comes after the end of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// A new one.
    Reconnect(Serving),
    /// Nothing: somebody else had signed in.
    Refuse {
        /// Who is to be told.
        request: Option<Request>,
        /// What.
        reason: String,
    },
    /// Nothing: nobody had entered the code.
    Expire {
        /// What the next caller is told.
        reason: String,
    },
    /// Nothing, until somebody asks.
    Rest {
        /// Who is to be told, and what.
        request: Option<(Request, super::Answer)>,
        /// What the next caller is told.
        after: Option<String>,
    },
}

impl State {
    /// Whether the session can take the next request up now.
    pub const fn takes_requests(&self) -> bool {
        matches!(
            self,
            Self::Cold { .. }
                | Self::Pending { .. }
                | Self::Ready { .. }
                | Self::SignedIn { .. }
                | Self::Failed { .. }
        )
    }

    /// Whether there is a process that takes commands.
    pub const fn has_process(&self) -> bool {
        match self {
            Self::Cold { .. } | Self::Starting(_) | Self::Stopped => false,
            Self::Failed { process, .. } => matches!(process, Fate::Alive),
            _ => true,
        }
    }

    /// Who is signed in.
    pub const fn signed_in(&self) -> Option<&SignedIn> {
        match self {
            Self::SignedIn { who, .. } | Self::Running { who, .. } | Self::Checking { who, .. } => {
                Some(who)
            }
            _ => None,
        }
    }

    /// Why nobody is signed in any more.
    pub fn after(&self) -> Option<&str> {
        match self {
            Self::Cold { after }
            | Self::Ready { after }
            | Self::Leaving(Leaving::Rest { after, .. })
            | Self::Starting(Serving { after, .. })
            | Self::Looking(Serving { after, .. })
            | Self::Connecting(Serving { after, .. })
            | Self::Leaving(Leaving::Reconnect(Serving { after, .. }))
            | Self::Pending {
                shown: PendingSignIn { after, .. },
                ..
            } => after.as_deref(),
            _ => None,
        }
    }

    /// The state as the outside knows it.
    pub fn shown(&self) -> SessionState {
        match self {
            Self::Cold { .. } | Self::Starting(_) => SessionState::Initializing,
            Self::Looking(_) | Self::Connecting(_) | Self::Ready { .. } | Self::Leaving(_) => {
                SessionState::Ready
            }
            Self::Pending { shown, .. } => SessionState::AuthPending(shown.clone()),
            Self::SignedIn { who, .. } | Self::Running { who, .. } | Self::Checking { who, .. } => {
                SessionState::Authenticated(who.clone())
            }
            Self::Failed { reason, .. } => SessionState::Error {
                reason: reason.clone(),
            },
            Self::Stopped => SessionState::Stopped,
        }
    }

    /// The name in `docs/sign-in.md`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Cold { .. } => "cold",
            Self::Starting(_) => "starting",
            Self::Looking(_) => "looking",
            Self::Connecting(_) => "connecting",
            Self::Pending { .. } => "pending",
            Self::Ready { .. } => "ready",
            Self::SignedIn { .. } => "signed in",
            Self::Running { .. } => "running",
            Self::Checking { .. } => "checking",
            Self::Leaving(_) => "leaving",
            Self::Failed { .. } => "failed",
            Self::Stopped => "stopped",
        }
    }

    /// The request that is being served, taken out.
    pub(super) fn into_request(self) -> Option<Request> {
        match self {
            Self::Starting(serving)
            | Self::Looking(serving)
            | Self::Connecting(serving)
            | Self::Leaving(Leaving::Reconnect(serving)) => Some(serving.request),
            Self::Running { request, .. } => Some(request),
            Self::Leaving(Leaving::Refuse { request, .. }) => request,
            Self::Leaving(Leaving::Rest { request, .. }) => request.map(|(request, _)| request),
            _ => None,
        }
    }
}
