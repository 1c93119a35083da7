//! What goes wrong on purpose.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

/// Faults that are set from outside.
#[derive(Debug)]
pub struct Faults {
    /// Seconds that an access token lives.
    pub token_life: i64,
    /// Seconds between two polls of a device code.
    pub poll_interval: u32,
    /// Every call is answered with 429 this many times before it succeeds.
    pub throttle: u32,
    /// The `Retry-After` of those answers, in seconds.
    pub retry_after: u32,
    /// How many answers of 503 are still to be given.
    pub unavailable: u32,
    /// Whether a refresh is refused because a consent is missing.
    pub unconsented: bool,
    /// So many parts of uploads are taken by half and answered with 502.
    pub lost_parts: u32,
    /// What every call takes.
    pub slowness: Duration,
    /// Every page of a collection takes one of these, and waits until there is one.
    pub pages: Option<Arc<Semaphore>>,
    /// Calls that were throttled, by what tells them apart.
    pub(super) storm: HashMap<String, (u32, Instant)>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            token_life: 3600,
            poll_interval: 5,
            throttle: 0,
            retry_after: 1,
            unavailable: 0,
            unconsented: false,
            lost_parts: 0,
            slowness: Duration::ZERO,
            pages: None,
            storm: HashMap::new(),
        }
    }
}

/// What a call meets first.
pub(super) enum Met {
    Nothing,
    /// Seconds to wait; and whether the call came before an earlier wait was over.
    Throttled {
        seconds: u32,
        early: bool,
    },
    Unavailable,
}

impl Faults {
    /// What the call with this key (method and path) meets now.
    pub(super) fn meet(&mut self, key: &str) -> Met {
        if self.unavailable > 0 {
            self.unavailable -= 1;
            return Met::Unavailable;
        }
        let (times, seconds) = (self.throttle, self.retry_after);
        self.throttled(key, times, seconds)
    }

    /// Whether the next part of an upload is lost.
    pub(super) fn loses_part(&mut self) -> bool {
        let lost = self.lost_parts > 0;
        self.lost_parts = self.lost_parts.saturating_sub(1);
        lost
    }

    /// Answers the call with 429 so many times, and lets it pass then.
    pub(super) fn throttled(&mut self, key: &str, times: u32, seconds: u32) -> Met {
        if times == 0 {
            return Met::Nothing;
        }
        let now = Instant::now();
        let (count, until) = self.storm.get(key).copied().unwrap_or((0, now));
        let early = now < until;
        if count >= times && !early {
            self.storm.remove(key);
            return Met::Nothing;
        }
        let until = now + Duration::from_secs(seconds.into());
        self.storm
            .insert(key.to_owned(), (count.saturating_add(1), until));
        Met::Throttled { seconds, early }
    }
}
