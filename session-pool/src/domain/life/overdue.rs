//! A process that has become too large or too old.

use std::fmt;

/// What of a process is over its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// Its memory: so many resident bytes, its children's included.
    Size(u64),
    /// Its age.
    Age,
}

/// Why a process is not replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Callers have set variables, functions or aliases in it, or chosen where it acts.
    Variables,
    /// Nobody could sign in again without a person.
    SignIn,
    /// The one before was replaced for the same reason, not long ago.
    Again,
}

/// A process that ought to be replaced and is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// What is over its limit.
    pub excess: Excess,
    /// Why it is not replaced.
    pub obstacle: Obstacle,
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(bytes) => write!(f, "takes {} MB, more than --max-rss", bytes / 1_000_000),
            Self::Age => f.write_str("is older than --max-age"),
        }
    }
}

impl fmt::Display for Overdue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.obstacle {
            Obstacle::Variables => {
                "it is not replaced, because callers have set variables, functions or aliases in it, or \
                 chosen a location or subscription; POST /reset replaces it, and that is lost"
            }
            Obstacle::SignIn => {
                "it is not replaced, because its sign-in could not be restored; POST /reset replaces it, \
                 and a person has to sign in again"
            }
            Obstacle::Again => {
                "it is not replaced, because the one before it was, less than an hour ago, and that did \
                 not help; raise --max-rss"
            }
        };
        write!(f, "the PowerShell process {}; {why}", self.excess)
    }
}
