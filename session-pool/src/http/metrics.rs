//! What the pool counts, and its two forms: Prometheus text, and the original's JSON.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::{MissedTickBehavior, interval};

use crate::domain::module::Module;
use crate::domain::wire::{KeepaliveTotals, PoolTotals, SessionStatus};
use crate::session::telemetry;

const REQUESTS: &str = "session_pool_http_requests_total";
const REQUEST_SECONDS: &str = "session_pool_http_request_duration_seconds";
const IN_FLIGHT: &str = "session_pool_http_requests_in_flight";
const QUEUED: &str = "session_pool_jobs_queued";
const RUNNING: &str = "session_pool_jobs_running";
const LAST_PING: &str = "session_pool_keepalive_last_ping_timestamp_seconds";
const RESIDENT: &str = "session_pool_powershell_resident_bytes";
const OVERDUE: &str = "session_pool_powershell_overdue";

/// One gauge a state, because there is no label for it. The states are those of a session.
const SESSIONS: [(&str, &str); 6] = [
    ("initializing", "session_pool_sessions_initializing"),
    ("ready", "session_pool_sessions_ready"),
    ("auth_pending", "session_pool_sessions_auth_pending"),
    ("authenticated", "session_pool_sessions_authenticated"),
    ("error", "session_pool_sessions_error"),
    ("stopped", "session_pool_sessions_stopped"),
];

/// Upper bounds in seconds, from a status request to a command of an hour.
const REQUEST_BUCKETS: [f64; 13] = [
    0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0,
];

/// How often the exporter takes over what its histograms collected; between scrapes nobody else
/// does, and they would grow.
const UPKEEP: Duration = Duration::from_secs(5);

/// Counts, and says what was counted.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    recorder: PrometheusHandle,
    process: metrics_process::Collector,
    started: Instant,
    runs: AtomicU64,
    failed_runs: AtomicU64,
    run_microseconds: AtomicU64,
    /// Sessions that have gauges: these stay when a session goes, and are then set to 0.
    seen: Mutex<BTreeSet<(String, Module)>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Installs the recorder of this process, unless that has been done.
    ///
    /// # Errors
    /// When another recorder was installed before.
    pub fn install() -> Result<Self, BuildError> {
        static RECORDER: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
        // Locked over the installation: of two at a time the second would fail.
        let mut installed = RECORDER.lock().unwrap_or_else(PoisonError::into_inner);
        let recorder = match &*installed {
            Some(recorder) => recorder.clone(),
            None => installed.insert(install_recorder()?).clone(),
        };
        drop(installed);
        Ok(Self(Arc::new(Inner {
            recorder,
            process: metrics_process::Collector::new("session_pool_"),
            started: Instant::now(),
            runs: AtomicU64::new(0),
            failed_runs: AtomicU64::new(0),
            run_microseconds: AtomicU64::new(0),
            seen: Mutex::new(BTreeSet::new()),
        })))
    }

    /// Keeps the recorder small. Runs until it is dropped.
    pub(super) async fn upkeep(self) {
        let mut ticks = interval(UPKEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.0.recorder.run_upkeep();
        }
    }

    /// A request began; it is in flight until the guard is dropped.
    pub(super) fn request_began() -> InFlight {
        gauge!(IN_FLIGHT).increment(1);
        InFlight
    }

    /// A request was answered, or given up by its client. `route`: the matched one.
    pub(super) fn request_ended(route: &str, outcome: &'static str, took: Duration) {
        counter!(REQUESTS, "route" => route.to_owned(), "outcome" => outcome).increment(1);
        histogram!(REQUEST_SECONDS, "route" => route.to_owned()).record(took);
    }

    /// A `/run` was answered.
    pub(super) fn run_answered(&self, failed: bool, took: Duration) {
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.0.runs.fetch_add(1, Ordering::Relaxed);
        self.0
            .failed_runs
            .fetch_add(failed.into(), Ordering::Relaxed);
        self.0
            .run_microseconds
            .fetch_add(microseconds, Ordering::Relaxed);
    }

    /// Everything, as Prometheus reads it.
    pub(super) fn prometheus(&self, sessions: &[SessionStatus], result_bytes: u64) -> String {
        self.set_sessions(sessions);
        telemetry::result_bytes(result_bytes);
        self.exposition()
    }

    /// What was counted in this process, as Prometheus reads it.
    pub(crate) fn exposition(&self) -> String {
        self.0.process.collect();
        self.0.recorder.render()
    }

    /// What the original counted, as it said it.
    #[expect(clippy::cast_precision_loss, reason = "rates and means, for people")]
    pub(super) fn totals(
        &self,
        sessions: &[SessionStatus],
        keepalive: Option<Duration>,
    ) -> PoolTotals {
        let runs = self.0.runs.load(Ordering::Relaxed);
        let failed = self.0.failed_runs.load(Ordering::Relaxed);
        let milliseconds = self.0.run_microseconds.load(Ordering::Relaxed) as f64 / 1000.0;
        let runs_or_one = runs.max(1) as f64;
        PoolTotals {
            total_requests: runs,
            total_errors: failed,
            error_rate: failed as f64 / runs_or_one,
            total_auths: telemetry::completed_sign_ins(),
            avg_response_ms: milliseconds / runs_or_one,
            sessions: sessions.len(),
            active_sessions: sessions
                .iter()
                .filter(|session| session.authenticated)
                .count(),
            keepalive: keepalive_totals(sessions, keepalive),
            ..self.uptime()
        }
    }

    /// Only how long this process has been up.
    pub(crate) fn uptime(&self) -> PoolTotals {
        let seconds = self.0.started.elapsed().as_secs();
        PoolTotals {
            uptime_seconds: seconds,
            uptime_human: humantime::format_duration(Duration::from_secs(seconds)).to_string(),
            ..PoolTotals::default()
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a handful of jobs")]
    fn set_sessions(&self, sessions: &[SessionStatus]) {
        let mut seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend(
            sessions
                .iter()
                .map(|session| (session.connection.clone(), session.module)),
        );
        for (connection, module) in seen.iter() {
            let own = || {
                sessions.iter().filter(|session| {
                    session.connection == *connection && session.module == *module
                })
            };
            let labels = [
                ("connection", connection.clone()),
                ("module", module.as_str().to_owned()),
            ];
            for (state, name) in SESSIONS {
                let count = own().filter(|session| session.state == state).count();
                gauge!(name, &labels).set(count as f64);
            }
            let queued: usize = own().map(|session| session.queued).sum();
            gauge!(QUEUED, &labels).set(queued as f64);
            let running = own().filter(|session| session.busy).count();
            gauge!(RUNNING, &labels).set(running as f64);
            let ping = own().filter_map(|session| session.last_ping_at).max();
            gauge!(LAST_PING, &labels).set(ping.map_or(0, Timestamp::as_second) as f64);
            let resident: u64 = own().filter_map(|session| session.resident_bytes).sum();
            gauge!(RESIDENT, &labels).set(resident as f64);
            let overdue = own().filter(|session| session.overdue.is_some()).count();
            gauge!(OVERDUE, &labels).set(overdue as f64);
        }
    }
}

fn keepalive_totals(sessions: &[SessionStatus], interval: Option<Duration>) -> KeepaliveTotals {
    let (total_pings, failures) = telemetry::pings();
    let last = |session: &SessionStatus| Some((session.session_id.clone(), session.last_ping_at?));
    KeepaliveTotals {
        interval_seconds: interval.unwrap_or_default().as_secs(),
        total_pings,
        failures,
        last_pings: sessions.iter().filter_map(last).collect(),
    }
}

/// A request in flight.
#[must_use]
#[derive(Debug)]
pub(super) struct InFlight;

impl Drop for InFlight {
    fn drop(&mut self) {
        gauge!(IN_FLIGHT).decrement(1);
    }
}

fn install_recorder() -> Result<PrometheusHandle, BuildError> {
    let mut builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(REQUEST_SECONDS.to_owned()), &REQUEST_BUCKETS)?;
    for (name, buckets) in telemetry::BUCKETS {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), buckets)?;
    }
    let recorder = builder.install_recorder()?;
    telemetry::describe();
    describe();
    Ok(recorder)
}

fn describe() {
    metrics_process::Collector::new("session_pool_").describe();
    describe_counter!(
        REQUESTS,
        "HTTP requests by matched route and outcome: ok, refused (4xx), failed (5xx), hung_up."
    );
    describe_histogram!(
        REQUEST_SECONDS,
        metrics::Unit::Seconds,
        "Time from an HTTP request's head to the head of its answer."
    );
    describe_gauge!(IN_FLIGHT, "HTTP requests that have no answer yet.");
    gauge!(IN_FLIGHT).set(0);
    describe_gauge!(QUEUED, "Jobs that wait for their session.");
    describe_gauge!(RUNNING, "Jobs whose command runs.");
    describe_gauge!(
        LAST_PING,
        metrics::Unit::Seconds,
        "When an idle sign-in was last checked, in Unix time; 0 where none has been."
    );
    describe_gauge!(
        RESIDENT,
        metrics::Unit::Bytes,
        "Resident memory of sessions' PowerShell with all that it has started, when last looked at."
    );
    describe_gauge!(
        OVERDUE,
        "PowerShell processes over --max-rss or --max-age that are not replaced."
    );
    for (state, name) in SESSIONS {
        describe_gauge!(name, format!("Sessions in the state {state}."));
    }
}
