//! How long to wait before a helper that does not live is started again.

use std::time::Duration;

/// Before the third start in a row; the second is made at once.
const FIRST: Duration = Duration::from_millis(100);

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(30);

/// A helper that lived so long had a chance: what ended it is no reason to wait.
const HEALTHY: Duration = Duration::from_secs(10);

/// Doubles the wait with each start that came to nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The helper ended after it had lived so long, zero where it did not start: how long to wait.
    pub fn after(&mut self, lived: Duration) -> Duration {
        if lived >= HEALTHY {
            self.failures = 0;
            return Duration::ZERO;
        }
        let wait = match self.failures.checked_sub(1) {
            None => Duration::ZERO,
            Some(doubled) => FIRST.saturating_mul(2_u32.saturating_pow(doubled)),
        };
        self.failures = self.failures.saturating_add(1);
        wait.min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_in_vain_doubles_the_wait_up_to_a_bound() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..4).map(|_| backoff.after(Duration::ZERO)).collect();
        assert_eq!(waits, [0, 100, 200, 400].map(Duration::from_millis));
        for _ in 0..100 {
            assert!(backoff.after(Duration::from_secs(1)) <= LONGEST);
        }
        assert_eq!(backoff.after(Duration::ZERO), LONGEST);
    }

    #[test]
    fn one_that_lived_is_replaced_at_once() {
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.after(Duration::ZERO);
        }
        assert_eq!(backoff.after(Duration::from_secs(60)), Duration::ZERO);
        assert_eq!(backoff.after(Duration::ZERO), Duration::ZERO);
        assert_eq!(backoff.after(Duration::ZERO), FIRST);
    }
}
