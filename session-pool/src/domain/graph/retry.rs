//! When a call that failed is sent again, and after which wait.

use std::time::Duration;

use jiff::Timestamp;

use super::method::Method;

/// Sends of one request at most; a storm of 429 is waited out by its own `Retry-After`.
const MOST: u32 = 12;

/// The longest wait where the server names none.
const LONGEST_GUESS: Duration = Duration::from_secs(20);

/// How a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// With a status.
    Status(u16),
    /// Without a connection: the request was certainly not seen.
    NotSent,
    /// After it was sent: nobody knows whether it was seen.
    Broken,
}

/// What is known about a request that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The request's method.
    pub method: Method,
    /// How it failed.
    pub failed: Failed,
    /// The server's `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Which send it was, from 1.
    pub number: u32,
}

impl Attempt {
    /// How long to wait before the next send; `None` where there must be none.
    ///
    /// A GET may be repeated freely. Anything else only where it was certainly not done: 429, which
    /// Graph answers in front of all work, and no connection. A 503 or 504 may come after the work;
    /// only a 503 with `Retry-After` is Graph's own word that it did not begin.
    pub fn wait(&self) -> Option<Duration> {
        let reads = self.method == Method::Get;
        let allowed = match self.failed {
            Failed::Status(429) | Failed::NotSent => true,
            Failed::Status(503) => reads || self.retry_after.is_some(),
            Failed::Status(502 | 504) | Failed::Broken => reads,
            Failed::Status(_) => false,
        };
        // Throttling may take long, and its end is named; anything else that fails three times
        // fails.
        let most = match (self.failed, self.retry_after) {
            (Failed::Status(429), Some(_)) => MOST,
            _ => 4,
        };
        if !allowed || self.number >= most {
            return None;
        }
        Some(self.retry_after.unwrap_or_else(|| {
            let doubled = 1_u64 << self.number.min(6).saturating_sub(1);
            Duration::from_millis(500 * doubled).min(LONGEST_GUESS)
        }))
    }
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(value)
        .ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_write_is_repeated_only_where_it_was_not_done() {
        let wait = Some(Duration::from_secs(2));
        for (method, failed, retry_after, repeated) in [
            (Method::Get, Failed::Status(429), wait, true),
            (Method::Get, Failed::Status(503), None, true),
            (Method::Get, Failed::Status(504), None, true),
            (Method::Get, Failed::Broken, None, true),
            (Method::Get, Failed::Status(500), None, false),
            (Method::Get, Failed::Status(404), wait, false),
            (Method::Post, Failed::Status(429), wait, true),
            (Method::Post, Failed::Status(429), None, true),
            (Method::Post, Failed::Status(503), wait, true),
            (Method::Post, Failed::Status(503), None, false),
            (Method::Post, Failed::Status(504), wait, false),
            (Method::Patch, Failed::Broken, None, false),
            (Method::Delete, Failed::NotSent, None, true),
        ] {
            let attempt = Attempt {
                method,
                failed,
                retry_after,
                number: 1,
            };
            assert_eq!(attempt.wait().is_some(), repeated, "{attempt:?}");
        }
    }

    #[test]
    fn waits_are_the_servers_or_grow() {
        let attempt = |number, retry_after| Attempt {
            method: Method::Get,
            failed: Failed::Status(429),
            retry_after,
            number,
        };
        let named = Some(Duration::from_secs(30));
        assert_eq!(attempt(1, named).wait(), named);
        assert_eq!(attempt(1, None).wait(), Some(Duration::from_millis(500)));
        assert_eq!(attempt(3, None).wait(), Some(Duration::from_secs(2)));
        assert_eq!(attempt(4, None).wait(), None);
        assert_eq!(attempt(12, named).wait(), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("10", Some(10)),
            (" 0 ", Some(0)),
            ("Mon, 23 Nov 2026 10:00:07 GMT", Some(7)),
            ("Mon, 23 Nov 2026 09:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let wanted = seconds.map(Duration::from_secs);
            assert_eq!(retry_after(text, now), wanted, "{text:?}");
        }
    }
}
