//! How long sign-ins and processes live.

use std::time::Duration;

use crate::cli::LifeOptions;
use crate::domain::life::Rules;

/// The rules that these settings make.
pub fn rules(options: &LifeOptions) -> Rules {
    let limit = |span: Duration| (!span.is_zero()).then_some(span);
    Rules {
        keepalive: limit(options.keepalive),
        max_idle: limit(options.max_idle),
        max_resident: Some(options.max_rss.as_u64()).filter(|bytes| *bytes > 0),
        max_age: limit(options.max_age),
        ..Rules::default()
    }
}
