//! How jobs end.

use crate::domain::job::JobState;
use crate::domain::policy::{ConfirmationRequest, Verdict};
use crate::domain::state::PendingSignIn;

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The command ran to its end.
    Succeeded,
    /// It failed.
    Failed(Failure),
    /// A caller, a reset or the end of the pool cancelled it.
    Cancelled {
        /// Who or what.
        by: &'static str,
    },
    /// It was stopped at its time limit.
    TimedOut {
        /// Whether the process had to be killed, and the sign-in with it.
        session_lost: bool,
    },
    /// A person has to sign in first.
    AuthRequired(PendingSignIn),
    /// The policy refused it.
    Blocked(Verdict),
    /// Somebody has to say yes first.
    ConfirmationRequired {
        /// The rules that ask for it.
        verdict: Verdict,
        /// What is asked, of whom.
        request: ConfirmationRequest,
    },
    /// It belongs to an earlier life of the pool; only its state is known.
    BeforeRestart(JobState),
}

/// Most characters of a failure's message: it stands beside the page of output in an answer, and in
/// the session's status. The error itself is among the job's records, whole.
const LONGEST_MESSAGE: usize = 2_000;

/// Why a job failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A stable word for it.
    pub code: FailureCode,
    /// What happened and what to do; a long one is cut.
    pub message: String,
}

impl Failure {
    /// A failure, its message cut where it is long.
    pub fn new(code: FailureCode, mut message: String) -> Self {
        if let Some((end, _)) = message.char_indices().nth(LONGEST_MESSAGE) {
            message.truncate(end);
            message.push('…');
        }
        Self { code, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        let failure = Failure::new(FailureCode::CommandFailed, "ä".repeat(1_000_000));
        assert_eq!(failure.message.chars().count(), LONGEST_MESSAGE + 1);
        let short = Failure::new(FailureCode::CommandFailed, "short".to_owned());
        assert_eq!(short.message, "short");
    }
}

/// Stable words for failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureCode {
    /// An error ended the command.
    CommandFailed,
    /// The command is not PowerShell; nothing ran.
    ParseError,
    /// The command put out more than is kept.
    OutputLimit,
    /// The process of the session ended under the command, or could not be started.
    SessionLost,
    /// Variables of earlier commands are gone; the same call runs when repeated.
    SessionReplaced,
    /// No further process was allowed.
    ProcessLimit,
    /// The sign-in failed.
    SignInFailed,
    /// Somebody else is signed in than the registry expects.
    WrongAccount,
    /// The process that checks commands cannot be had.
    NotChecked,
    /// The job was made before it was known that it has no place: the word of that refusal.
    Refused(&'static str),
}

impl FailureCode {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CommandFailed => "command_failed",
            Self::ParseError => "parse_error",
            Self::OutputLimit => "output_limit",
            Self::SessionLost => "session_lost",
            Self::SessionReplaced => "session_replaced",
            Self::ProcessLimit => "process_limit",
            Self::SignInFailed => "sign_in_failed",
            Self::WrongAccount => "wrong_account",
            Self::NotChecked => "not_checked",
            Self::Refused(code) => code,
        }
    }
}

impl Ending {
    /// The state of a job that ended so.
    pub const fn state(&self) -> JobState {
        match self {
            Self::Succeeded => JobState::Succeeded,
            Self::Failed(_) => JobState::Failed,
            Self::Cancelled { .. } => JobState::Cancelled,
            Self::TimedOut { .. } => JobState::TimedOut,
            Self::AuthRequired(_) => JobState::AuthRequired,
            Self::Blocked(_) => JobState::Blocked,
            Self::ConfirmationRequired { .. } => JobState::ConfirmationRequired,
            Self::BeforeRestart(state) => *state,
        }
    }
}
