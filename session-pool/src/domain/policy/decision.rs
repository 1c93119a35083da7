//! What a policy says to a command.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a policy says; the strictest of several holds, and they are in that order.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It runs.
    #[default]
    Allow,
    /// It runs, and the answer says what to mind.
    Warn,
    /// It runs once somebody has said yes to exactly this.
    Confirm,
    /// It does not run.
    Block,
}

impl Decision {
    /// The word in JSON and in the policy file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Confirm => "confirm",
            Self::Block => "block",
        }
    }

    /// Whether the command does not run as it was sent.
    pub const fn stops(self) -> bool {
        matches!(self, Self::Confirm | Self::Block)
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who may say yes to what has to be confirmed; the strictest of several holds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConfirmBy {
    /// The caller itself, by a second call with the code of the first answer.
    Assistant,
    /// A person, outside the caller's reach.
    #[default]
    Person,
}

/// One rule that a command met.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct RuleHit {
    /// The rule's id.
    pub id: String,
    /// What this rule alone says.
    pub decision: Decision,
    /// Why.
    pub reason: String,
    /// The part of the command that met it, cut where it is long.
    pub text: String,
    /// Line of that part, from 1.
    pub line: u32,
    /// Column of that part, from 1.
    pub column: u32,
    /// What to do instead; empty where there is nothing to advise.
    pub instead: String,
}

impl fmt::Display for RuleHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at line {}, column {} ({}): {}",
            self.id, self.line, self.column, self.text, self.reason
        )?;
        if !self.instead.is_empty() {
            write!(f, ". Instead: {}", self.instead)?;
        }
        Ok(())
    }
}

/// What a policy says to one command, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The strictest of the rules' decisions.
    pub decision: Decision,
    /// Who may say yes, where the decision is to confirm.
    pub confirm_by: ConfirmBy,
    /// Every rule that was met and says more than `allow`, strictest first.
    pub rules: Vec<RuleHit>,
}

impl Verdict {
    /// A refusal for a reason that no rule of a file states.
    pub fn blocked(id: &str, reason: &str, instead: &str) -> Self {
        Self {
            decision: Decision::Block,
            confirm_by: ConfirmBy::Person,
            rules: vec![RuleHit {
                id: id.to_owned(),
                decision: Decision::Block,
                reason: reason.to_owned(),
                text: String::new(),
                line: 1,
                column: 1,
                instead: instead.to_owned(),
            }],
        }
    }

    /// The rules of one decision, as sentences.
    pub fn sentences(&self, decision: Decision) -> impl Iterator<Item = String> + '_ {
        self.rules
            .iter()
            .filter(move |hit| hit.decision == decision)
            .map(RuleHit::to_string)
    }
}
