//! What a session is to do.

use crate::domain::state::PendingSignIn;

use super::event::Request;
use super::overdue::{Excess, Overdue};

/// One thing to do. Those marked with an arrow bring back one of the events behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Start a process. → `Started`, `StartFailed`, `Interrupted`
    StartProcess,
    /// End the process, with whatever runs in it.
    EndProcess,
    /// End the process, which is over this limit; a fresh one takes its place.
    Retire(Excess),
    /// Ask the fresh process who is signed in. → `Found`, `ProcessGone`, `Interrupted`
    Look,
    /// Run the connect command until it shows a code or ends. → `CodeShown`, `Connected`,
    /// `ConnectFailed`, `Interrupted`
    Connect,
    /// Stop the connect command. → `Left`
    StopConnect,
    /// Stop the connect command if one runs, sign out, and delete what is kept of the sign-in.
    /// → `Left`
    SignOut,
    /// Run the caller's command. → `CommandEnded`
    Run,
    /// Make one cheap call to the service. → `Checked`, `CheckLeft`, `ProcessGone`
    Check,
    /// Look at the process. → `Inspected`
    Inspect,
    /// Say that the process ought to be replaced, and why it is not.
    Warn(Overdue),
    /// Answer a request.
    Answer(Request, Answer),
}

/// What a request is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its command has run; the task knows how it ended.
    Ran,
    /// Somebody is signed in.
    SignedIn,
    /// A person has to sign in first.
    AuthRequired(PendingSignIn),
    /// Nobody is signed in any more.
    SignedOut,
    /// A sign-in from before could not be used without a person.
    NotRestored,
    /// It did not work; nothing was run.
    Failed(Fault),
    /// It was cancelled before anything was run.
    Cancelled,
    /// Another request is being served.
    Busy,
}

/// Why a request came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No further process is allowed.
    ProcessLimit(String),
    /// The process did not start, or ended.
    Process(String),
    /// The sign-in failed.
    SignIn(String),
    /// Somebody else signed in.
    WrongIdentity(String),
}

impl Fault {
    /// The words for a person.
    pub fn reason(&self) -> &str {
        match self {
            Self::ProcessLimit(reason)
            | Self::Process(reason)
            | Self::SignIn(reason)
            | Self::WrongIdentity(reason) => reason,
        }
    }
}
