//! The times and sizes that a session lives by, and its next deadline.

use std::time::Duration;

use super::event::Due;
use super::state::State;
use super::{Moment, Times};

/// The times and sizes that sessions live by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Between two checks of an idle sign-in; none where there is none.
    pub keepalive: Option<Duration>,
    /// How long a sign-in may be unused until it is signed out.
    pub max_idle: Option<Duration>,
    /// How long a code is shown: its life of 900 s (all four modules; RFC 8628 leaves it to the
    /// server) and a little, because a code that was entered in its last second still counts and
    /// the modules ask for it every 5 s.
    pub code_shown: Duration,
    /// How long an error stands, or nobody is signed in, until the process is ended.
    pub reap_after: Duration,
    /// Resident memory in bytes at which a process is replaced.
    pub max_resident: Option<u64>,
    /// Age at which a process is replaced.
    pub max_age: Option<Duration>,
    /// Between two replacements for size: where it comes back at once, replacing does not help.
    pub replace_again: Duration,
    /// How long pnp may be silent in a command until its caller is told what that can mean.
    pub silence: Duration,
}

/// Checks that fail one after the other until the sign-in counts as lost.
pub(super) const MISSES: u8 = 2;

/// Between two looks at a process where the checks do not bring one.
const INSPECT_EVERY: Duration = Duration::from_secs(300);

/// Between two looks where commands bring them: a look costs some milliseconds.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(30);

impl Default for Rules {
    fn default() -> Self {
        Self {
            keepalive: Some(Duration::from_secs(300)),
            max_idle: None,
            code_shown: Duration::from_secs(930),
            reap_after: Duration::from_secs(900),
            max_resident: Some(1_000_000_000),
            max_age: None,
            replace_again: Duration::from_secs(3_600),
            silence: Duration::from_secs(60),
        }
    }
}

impl Rules {
    /// When the `number`th check comes after `now`: up to a tenth of the interval earlier or
    /// later, so that sessions that began together do not stay together.
    pub(super) fn next_beat(&self, now: Moment, seed: u64, number: u64) -> Moment {
        let Some(interval) = self.keepalive else {
            return Moment::MAX;
        };
        let tenth = u64::try_from(interval.as_millis() / 10).unwrap_or(u64::MAX);
        let spread = mix(seed ^ mix(number)) % (2 * tenth + 1);
        now + (interval - Duration::from_millis(tenth)) + Duration::from_millis(spread)
    }
}

/// The finishing step of SplitMix64 (Steele, Lea, Flood 2014): spreads neighbouring numbers.
const fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The next deadline of a session in this state.
pub(super) fn deadline(rules: &Rules, state: &State, times: &Times) -> Option<(Moment, Due)> {
    match state {
        State::Pending { since, .. } => Some((*since + rules.code_shown, Due::CodeOver)),
        State::Failed { .. } | State::Ready { .. } => {
            Some((times.entered + rules.reap_after, Due::Reap))
        }
        State::SignedIn { .. } => [
            rules.keepalive.map(|_| (times.beat, Due::Keepalive)),
            rules.max_idle.map(|idle| (times.used + idle, Due::Idle)),
            inspection(rules, times).map(|at| (at, Due::Inspect)),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|(at, _)| *at),
        _ => None,
    }
}

/// When the process has to be looked at; a check looks at it as well.
fn inspection(rules: &Rules, times: &Times) -> Option<Moment> {
    let by_size = rules
        .max_resident
        .filter(|_| rules.keepalive.is_none())
        .map(|_| times.inspected + INSPECT_EVERY);
    let by_age = rules.max_age.map(|age| times.born + age);
    // Said once; it may still come below a size, but no younger.
    let by_age = by_age.filter(|_| times.overdue.is_none());
    by_size.into_iter().chain(by_age).min()
}
