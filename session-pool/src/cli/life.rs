//! What the command line says about how long sign-ins and processes live.

use std::time::Duration;

use bytesize::ByteSize;
use clap::Args;

/// How long sign-ins and processes live.
#[derive(Args, Debug)]
#[command(next_help_heading = "Life of sign-ins")]
pub struct LifeOptions {
    /// Between two calls that keep an idle sign-in alive, a tenth more or less; 0 makes none
    #[arg(long, value_name = "DURATION", env = "SESSION_POOL_KEEPALIVE", default_value = "300s",
          value_parser = span)]
    pub keepalive: Duration,
    /// Sign a session out that nobody has used for so long; 0 never
    #[arg(long, value_name = "DURATION", env = "SESSION_POOL_MAX_IDLE", default_value = "0",
          value_parser = span)]
    pub max_idle: Duration,
    /// Replace an idle PowerShell that takes more memory, if nothing is lost by it; 0 never
    #[arg(long, value_name = "SIZE", env = "SESSION_POOL_MAX_RSS", default_value = "1GB",
          value_parser = super::options::size)]
    pub max_rss: ByteSize,
    /// Replace an idle PowerShell that is older, if nothing is lost by it; 0 never
    #[arg(long, value_name = "DURATION", env = "SESSION_POOL_MAX_AGE", default_value = "0",
          value_parser = span)]
    pub max_age: Duration,
}

/// A time with its unit, or a number of seconds.
fn span(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let seconds = text.parse().ok().map(Duration::from_secs);
    seconds
        .or_else(|| humantime::parse_duration(text).ok())
        .filter(|span| span.is_zero() || (LEAST..=MOST).contains(span))
        .ok_or_else(|| {
            "it must be a time, such as 300 (seconds), 90s, 30m or 8h, from 1s to 365d, or 0"
                .to_owned()
        })
}

const LEAST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(365 * 24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_seconds_or_has_a_unit() {
        for (text, seconds) in [
            ("0", Some(0)),
            ("0s", Some(0)),
            ("300", Some(300)),
            ("5m", Some(300)),
            ("1h 30m", Some(5_400)),
            ("", None),
            ("-1", None),
            ("500ms", None),
            ("often", None),
            ("400d", None),
        ] {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(span(text).ok(), expected, "{text:?}");
        }
    }
}
