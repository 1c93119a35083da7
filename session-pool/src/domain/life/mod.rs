//! The life of a session as a state machine: what happened goes in, the next state and what is to
//! be done come out. It has no clock and does nothing itself; the session's task
//! (`session/worker.rs`) carries out the effects and brings back what became of them.
//!
//! `docs/sign-in.md` has the table of states and transitions.
//!
//! What holds for every sequence of events (`tests.rs`): whoever asked is answered exactly once; a
//! command runs at most once, and only while an identity that the registry allows is signed in; at
//! most one connect command runs, and nothing else beside it.

mod effect;
mod event;
mod overdue;
mod rules;
mod state;
#[cfg(test)]
mod tests;
mod transition;

pub use effect::{Answer, Effect, Fault};
pub use event::{Check, Due, Event, Fate, Inspection, Prompt, Request, Wants};
pub use overdue::{Excess, Obstacle, Overdue};
pub use rules::Rules;
pub use state::{Leaving, Serving, State};

use std::time::Duration;

/// A point in the life of a session: the time since it began. A value, because the domain has no
/// clock.
pub type Moment = Duration;

/// One session's life.
#[derive(Clone, Debug)]
pub struct Life {
    rules: Rules,
    /// Makes this session's beats differ from those of its neighbours.
    seed: u64,
    state: State,
    times: Times,
}

/// When things happened last.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    /// The state began.
    entered: Moment,
    /// The process began.
    born: Moment,
    /// A caller last used the sign-in.
    used: Moment,
    /// The next check of the sign-in.
    beat: Moment,
    /// Checks so far.
    beats: u64,
    /// The process was last looked at.
    inspected: Moment,
    /// A process was last replaced for its size.
    replaced: Option<Moment>,
    /// Why this process ought to be replaced and is not.
    overdue: Option<Overdue>,
}

impl Life {
    /// A session without a process.
    pub fn new(rules: Rules, seed: u64) -> Self {
        Self {
            rules,
            seed,
            state: State::Cold { after: None },
            times: Times::default(),
        }
    }

    /// One that begins where an earlier life has ended: the next caller who gets a code hears this
    /// reason with it.
    #[must_use]
    pub fn after(mut self, reason: String) -> Self {
        self.state = State::Cold {
            after: Some(reason),
        };
        self
    }

    /// Where it is.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Why its process ought to be replaced and is not.
    pub fn overdue(&self) -> Option<Overdue> {
        self.times.overdue.filter(|_| self.state.has_process())
    }

    /// When a caller last used it.
    pub const fn last_used(&self) -> Moment {
        self.times.used
    }

    /// Takes an event in, and answers what is to be done, in this order. At most the last effect
    /// brings an event back. An event that does not belong to the state changes nothing.
    pub fn on(&mut self, event: Event, now: Moment) -> Vec<Effect> {
        let state = std::mem::replace(&mut self.state, State::Stopped);
        let before = std::mem::discriminant(&state);
        let (state, effects) = self.step(state, event, now);
        if std::mem::discriminant(&state) != before {
            self.times.entered = now;
        }
        self.state = state;
        effects
    }

    /// When the session wants to be woken next, and for what.
    pub fn deadline(&self) -> Option<(Moment, Due)> {
        rules::deadline(&self.rules, &self.state, &self.times)
    }
}
