//! What can happen to a session.

use crate::domain::connect::WrongIdentity;
use crate::domain::state::SignedIn;

/// Somebody who is owed an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who it is, as far as it named itself.
    pub by: Option<String>,
    /// What it wants.
    pub wants: Wants,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// Its command run.
    Command,
    /// Somebody signed in, ahead of need.
    SignIn,
    /// A sign-in from before used again, if that takes no person.
    Restore,
    /// A new code: its command has run, and met a dead sign-in.
    Renewal,
    /// Nobody signed in.
    SignOut,
}

/// Whether the PowerShell process is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It can be used.
    Alive,
    /// It has ended and was awaited.
    Gone,
}

/// A device code that a connect command has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// The code.
    pub code: String,
    /// Where to enter it.
    pub url: String,
    /// When it ends.
    pub expires_at: jiff::Timestamp,
}

/// What a check of the sign-in came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// The service answered.
    Alive,
    /// It answered, or could not be reached, in a way that says nothing about the sign-in.
    Unclear,
    /// The sign-in is dead, and why.
    Dead(String),
    /// There was no answer in time. So shows a module that waits for a code nobody sees.
    Silent,
}

/// What the process looked like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Resident memory in bytes, where the system tells.
    pub resident: Option<u64>,
    /// Whether callers have set variables, functions or aliases in it.
    pub stateful: bool,
    /// Whether a fresh process would be signed in again without a person.
    pub restorable: bool,
}

/// A deadline of the session's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nobody entered the code in time.
    CodeOver,
    /// The error has stood long enough.
    Reap,
    /// The sign-in wants to be kept alive.
    Keepalive,
    /// Nobody has used the sign-in for long.
    Idle,
    /// The process wants to be looked at.
    Inspect,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody asks for something.
    Asked(Request),
    /// The registry's entry is another one.
    RegistryChanged,
    /// What an app signs in with is another one.
    ProofReplaced,
    /// The process takes commands.
    Started,
    /// There is no process, and why.
    StartFailed(super::Fault),
    /// Who is signed in from before.
    Found(Option<Result<SignedIn, WrongIdentity>>),
    /// The connect command has shown a code, and runs on.
    CodeShown(Prompt),
    /// The connect command has ended well.
    Connected(Result<SignedIn, WrongIdentity>),
    /// The connect command has ended otherwise.
    ConnectFailed {
        /// Why, for callers.
        reason: String,
        /// What became of the process.
        fate: Fate,
    },
    /// Whoever is being served has given up, or the session is to end.
    Interrupted(Fate),
    /// The command has ended, whatever became of it.
    CommandEnded {
        /// Why the sign-in is dead, where its error records say so.
        dead: Option<String>,
        /// What became of the process.
        fate: Fate,
    },
    /// The check has ended.
    Checked(Check),
    /// The check was left, for a command.
    CheckLeft,
    /// The sign-out or the end of the connect command is through.
    Left(Fate),
    /// The process has ended by itself, and why.
    ProcessGone(String),
    /// The process was looked at.
    Inspected(Inspection),
    /// A deadline has come.
    Due(Due),
    /// The session is to end.
    Stop,
}
