//! How long to wait before the pool is asked again, where it was cut off from its client.

use std::time::Duration;

/// Milliseconds before each new attempt: a pool that restarts is back within that time.
const PAUSES: [u64; 5] = [100, 500, 1_000, 3_000, 5_000];

/// The pauses between attempts. When they are over, it is given up.
#[derive(Debug)]
pub(crate) struct Pauses(std::array::IntoIter<u64, { PAUSES.len() }>);

impl Default for Pauses {
    fn default() -> Self {
        Self(PAUSES.into_iter())
    }
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0.next().map(Duration::from_millis)
    }
}
