//! What the router adds to the pool's answers: which backends did not take part in one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::PoolTotals;
#[cfg(feature = "server")]
use super::{ConnectionInfo, JobSummary, SessionStatus};

#[cfg(feature = "server")]
use utoipa::ToSchema;

/// Whether a backend answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum BackendState {
    /// It answers, and takes the router's requests.
    Up,
    /// It does not.
    Down,
}

/// One backend in the router's `GET /status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct BackendStatus {
    /// The connection it serves.
    pub connection: String,
    /// Whether it answers.
    pub state: BackendState,
    /// Why it does not. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The router's answer of `GET /status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct RouterStatus {
    /// Every session of every backend that answers, by id.
    #[cfg_attr(feature = "server", schema(value_type = Vec<SessionStatus>))]
    pub sessions: Vec<Value>,
    /// Every backend, by connection.
    pub backends: Vec<BackendStatus>,
}

/// The router's answer of `GET /jobs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct RouterJobs {
    /// The jobs that backends still know, newest first.
    #[cfg_attr(feature = "server", schema(value_type = Vec<JobSummary>))]
    pub jobs: Vec<Value>,
    /// Connections whose jobs are missing here, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreachable: BTreeMap<String, String>,
}

/// The router's answer of `GET /connections`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct RouterConnections {
    /// By name; those whose backend is down as the registry has them.
    #[cfg_attr(feature = "server", schema(value_type = BTreeMap<String, ConnectionInfo>))]
    pub connections: BTreeMap<String, Value>,
    /// Connections whose backend is down, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreachable: BTreeMap<String, String>,
}

/// The router's answer of `GET /metrics` in its JSON form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct RouterTotals {
    /// All backends together; the uptime is the router's own.
    #[serde(flatten)]
    pub total: PoolTotals,
    /// Each backend that answers, by connection.
    pub connections: BTreeMap<String, PoolTotals>,
    /// Connections whose backend is down, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unreachable: BTreeMap<String, String>,
}

/// One container in the router's `GET /containers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct ContainerInfo {
    /// Its name.
    pub name: String,
    /// The connection it serves; the router's own has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Docker's word for what it does: `running`, `exited` and so on.
    pub state: String,
    /// The same in Docker's own sentence: `Up 2 hours (healthy)`.
    pub status: String,
}

/// The router's answer of `GET /containers`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct Containers {
    /// The containers of this project, by name.
    pub containers: Vec<ContainerInfo>,
}

/// The router's answer when something was done to a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct ContainerDone {
    /// The connection it serves.
    pub connection: String,
    /// `restart`, `start` or `stop`.
    pub done: String,
}

impl PoolTotals {
    /// Adds what another pool counted. The uptime stays.
    #[expect(clippy::cast_precision_loss, reason = "rates and means, for people")]
    pub fn add(&mut self, other: &Self) {
        let (before, after) = (
            self.total_requests,
            self.total_requests + other.total_requests,
        );
        let milliseconds = self.avg_response_ms * before as f64
            + other.avg_response_ms * other.total_requests as f64;
        self.total_requests = after;
        self.total_errors += other.total_errors;
        self.total_auths += other.total_auths;
        self.error_rate = self.total_errors as f64 / after.max(1) as f64;
        self.avg_response_ms = milliseconds / after.max(1) as f64;
        self.sessions += other.sessions;
        self.active_sessions += other.active_sessions;
        let (own, more) = (&mut self.keepalive, &other.keepalive);
        own.interval_seconds = own.interval_seconds.max(more.interval_seconds);
        own.total_pings += more.total_pings;
        own.failures += more.failures;
        own.last_pings
            .extend(more.last_pings.iter().map(|(id, at)| (id.clone(), *at)));
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    fn totals(requests: u64, errors: u64, mean: f64) -> PoolTotals {
        PoolTotals {
            total_requests: requests,
            total_errors: errors,
            error_rate: errors as f64 / requests.max(1) as f64,
            avg_response_ms: mean,
            sessions: 2,
            active_sessions: 1,
            ..PoolTotals::default()
        }
    }

    #[test]
    fn totals_add_up_and_means_are_weighted() {
        let mut all = PoolTotals::default();
        all.add(&totals(10, 1, 100.0));
        all.add(&totals(30, 3, 20.0));
        all.add(&totals(0, 0, 0.0));
        assert_eq!((all.total_requests, all.total_errors), (40, 4));
        assert!((all.error_rate - 0.1).abs() < 1e-9);
        assert!((all.avg_response_ms - 40.0).abs() < 1e-9);
        assert_eq!((all.sessions, all.active_sessions), (6, 3));
    }
}
