//! `GET /metrics` in its JSON form: what the original counted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
#[cfg(feature = "server")]
use utoipa::ToSchema;

/// Answer of `GET /metrics` in its JSON form, as the original's clients read it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct PoolTotals {
    /// Seconds since the pool started.
    pub uptime_seconds: u64,
    /// The same for people: `1h 2m 3s`.
    pub uptime_human: String,
    /// Requests to `/run` that were answered.
    pub total_requests: u64,
    /// Those that were refused or whose job ended in an error.
    pub total_errors: u64,
    /// The part of the requests that were errors, 0 to 1.
    pub error_rate: f64,
    /// Sign-ins that were completed, or found done from before.
    pub total_auths: u64,
    /// Mean time to an answer of `/run` in milliseconds.
    pub avg_response_ms: f64,
    /// Sessions.
    pub sessions: usize,
    /// Sessions that are signed in.
    pub active_sessions: usize,
    /// Health checks of idle sessions.
    pub keepalive: KeepaliveTotals,
}

/// What is known of the health checks that keep sign-ins alive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct KeepaliveTotals {
    /// Seconds between two checks of a session; 0 where none are made.
    pub interval_seconds: u64,
    /// Checks so far.
    pub total_pings: u64,
    /// Those that found the sign-in dead, or had no answer.
    pub failures: u64,
    /// The last check of each session, by its id.
    #[cfg_attr(feature = "server", schema(value_type = BTreeMap<String, String>))]
    pub last_pings: BTreeMap<String, Timestamp>,
}
