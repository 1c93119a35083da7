//! What the pool counts of its sessions and jobs, for Prometheus.
//!
//! Names begin with `session_pool_`, units are base units (seconds, bytes), and the only labels are
//! `connection`, `module`, `outcome` and `route`. They are a contract: later ones are added, none
//! is renamed. `session_pool_process_…` is the pool's own process, `session_pool_powershell_…` those of
//! its sessions. What can be counted when it is asked for (sessions by state, queued jobs) is not
//! counted here but set from the pool's status on every scrape, so that it cannot drift.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::domain::job::JobState;
use crate::domain::module::Module;

const JOBS: &str = "session_pool_jobs_total";
const JOB_SECONDS: &str = "session_pool_job_duration_seconds";
const QUEUE_SECONDS: &str = "session_pool_job_queue_wait_seconds";
const REFUSED: &str = "session_pool_jobs_refused_total";
const SIGN_INS: &str = "session_pool_sign_ins_total";
const STARTS: &str = "session_pool_powershell_starts_total";
const ENDS: &str = "session_pool_powershell_ends_total";
const START_SECONDS: &str = "session_pool_powershell_start_duration_seconds";
const PROCESSES: &str = "session_pool_powershell_processes";
const RESULT_BYTES: &str = "session_pool_result_bytes";
const REGISTRY_OK: &str = "session_pool_registry_ok";
const PINGS: &str = "session_pool_keepalive_pings_total";
const INTERVAL: &str = "session_pool_keepalive_interval_seconds";
const CERTIFICATE_END: &str = "session_pool_certificate_end_timestamp_seconds";

/// Histograms and the upper bounds of their buckets in seconds. One without buckets would be
/// exposed as a summary, which cannot be added up over several pools.
pub const BUCKETS: [(&str, &[f64]); 3] = [
    (
        JOB_SECONDS,
        &[
            0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0,
            3600.0,
        ],
    ),
    (
        QUEUE_SECONDS,
        &[0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0],
    ),
    (
        START_SECONDS,
        &[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0],
    ),
];

/// Why a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessEnd {
    /// The pool closed it: a reset, the end of the pool, a session no longer wanted.
    Closed,
    /// It was too large or too old, and a fresh one took its place.
    Replaced,
    /// The pool killed it, because a command did not stop within its grace period.
    Killed,
    /// It ended by itself or was killed from outside.
    Died,
}

impl ProcessEnd {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Replaced => "replaced",
            Self::Killed => "killed",
            Self::Died => "died",
        }
    }
}

/// What became of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInOutcome {
    /// Found signed in from before, without a code.
    Cached,
    /// A code was shown.
    Prompted,
    /// A person signed in.
    Completed,
    /// It failed or its code ended.
    Failed,
}

impl SignInOutcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Cached => "cached",
            Self::Prompted => "prompted",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

/// What became of a check of an idle sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ping {
    /// The service answered.
    Alive,
    /// It answered, or could not be reached, in a way that says nothing about the sign-in.
    Unclear,
    /// The sign-in is dead, or there was no answer in time.
    Failed,
    /// A command came meanwhile and went first.
    Left,
}

impl Ping {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Unclear => "unclear",
            Self::Failed => "failed",
            Self::Left => "left",
        }
    }
}

/// The recorder cannot be read back, and the original's JSON form wants these sums; like the recorder
/// they are one a process.
static COMPLETED_SIGN_INS: AtomicU64 = AtomicU64::new(0);
static MADE_PINGS: AtomicU64 = AtomicU64::new(0);
static FAILED_PINGS: AtomicU64 = AtomicU64::new(0);

/// Sign-ins that were completed or found, since the process began.
pub fn completed_sign_ins() -> u64 {
    COMPLETED_SIGN_INS.load(Ordering::Relaxed)
}

/// Checks of idle sign-ins since the process began, and how many of them have failed.
pub fn pings() -> (u64, u64) {
    let of = |sum: &AtomicU64| sum.load(Ordering::Relaxed);
    (of(&MADE_PINGS), of(&FAILED_PINGS))
}

/// Tells the recorder what each name means. Called once, right after it was installed.
pub fn describe() {
    describe_counter!(JOBS, "Jobs that ended, by their final state.");
    describe_histogram!(
        JOB_SECONDS,
        Unit::Seconds,
        "Time from the start of a job's command to its end."
    );
    describe_histogram!(
        QUEUE_SECONDS,
        Unit::Seconds,
        "Time that a job waited for its session, sign-in included."
    );
    describe_counter!(
        REFUSED,
        "Requests that made no job, by the code of their error."
    );
    describe_counter!(
        SIGN_INS,
        "Steps of sign-ins: cached, prompted, completed, failed."
    );
    describe_counter!(STARTS, "PowerShell processes that were started.");
    describe_counter!(
        ENDS,
        "PowerShell processes that ended: closed, replaced, killed, died."
    );
    describe_histogram!(
        START_SECONDS,
        Unit::Seconds,
        "Time from the start of a PowerShell process until it takes commands."
    );
    describe_gauge!(PROCESSES, "PowerShell processes that run.");
    describe_gauge!(
        RESULT_BYTES,
        Unit::Bytes,
        "Results of jobs that are kept, in memory and in the spool."
    );
    describe_gauge!(
        REGISTRY_OK,
        "1 while the registry file is as it was last read; 0 while it is broken and an earlier one is used."
    );
    describe_counter!(
        PINGS,
        "Checks of idle sign-ins: alive, unclear (the answer says nothing about the sign-in), failed, \
         left (for a command)."
    );
    describe_gauge!(
        INTERVAL,
        Unit::Seconds,
        "Time between two checks of an idle sign-in; 0 where none are made."
    );
    describe_gauge!(
        CERTIFICATE_END,
        Unit::Seconds,
        "When the connection's certificate ends, in Unix time; 0 where it cannot be read."
    );
    gauge!(PROCESSES).set(0);
    gauge!(RESULT_BYTES).set(0);
    gauge!(REGISTRY_OK).set(1);
}

/// A job is final. `ran`: how long its command ran, where it was begun.
pub fn job_finished(connection: &str, module: Module, state: JobState, ran: Option<Duration>) {
    let labels = [
        ("connection", connection.to_owned()),
        ("module", module.as_str().to_owned()),
        ("outcome", state.as_str().to_owned()),
    ];
    if let Some(ran) = ran {
        histogram!(JOB_SECONDS, &labels).record(ran);
    }
    counter!(JOBS, &labels).increment(1);
}

/// A job's command began after it had waited so long.
pub fn job_began(connection: &str, module: Module, waited: Duration) {
    histogram!(QUEUE_SECONDS, "connection" => connection.to_owned(), "module" => module.as_str())
        .record(waited);
}

/// A request made no job.
pub fn job_refused(code: &'static str) {
    counter!(REFUSED, "outcome" => code).increment(1);
}

/// A step of a sign-in.
pub fn sign_in(connection: &str, module: Module, outcome: SignInOutcome) {
    if matches!(outcome, SignInOutcome::Cached | SignInOutcome::Completed) {
        COMPLETED_SIGN_INS.fetch_add(1, Ordering::Relaxed);
    }
    let labels = [
        ("connection", connection.to_owned()),
        ("module", module.as_str().to_owned()),
        ("outcome", outcome.as_str().to_owned()),
    ];
    counter!(SIGN_INS, &labels).increment(1);
}

/// A check of an idle sign-in.
pub fn ping(connection: &str, module: Module, ping: Ping) {
    if ping != Ping::Left {
        MADE_PINGS.fetch_add(1, Ordering::Relaxed);
    }
    if ping == Ping::Failed {
        FAILED_PINGS.fetch_add(1, Ordering::Relaxed);
    }
    let labels = [
        ("connection", connection.to_owned()),
        ("module", module.as_str().to_owned()),
        ("outcome", ping.as_str().to_owned()),
    ];
    counter!(PINGS, &labels).increment(1);
}

/// How often idle sign-ins are checked, if they are.
pub fn keepalive_interval(interval: Option<Duration>) {
    gauge!(INTERVAL).set(interval.unwrap_or_default().as_secs_f64());
}

/// A process that runs. Counts it until it is dropped; say how it ended before.
#[derive(Debug)]
#[must_use = "the process counts as running while this lives"]
pub struct RunningProcess {
    connection: String,
    module: Module,
    end: ProcessEnd,
}

/// A process was started.
pub fn process_started(connection: &str, module: Module) -> RunningProcess {
    counter!(STARTS, "connection" => connection.to_owned(), "module" => module.as_str())
        .increment(1);
    gauge!(PROCESSES).increment(1);
    RunningProcess {
        connection: connection.to_owned(),
        module,
        end: ProcessEnd::Died,
    }
}

impl RunningProcess {
    /// It takes commands since now.
    pub fn is_ready(&self, took: Duration) {
        histogram!(START_SECONDS, "module" => self.module.as_str()).record(took);
    }

    /// The process ended.
    pub fn ended(mut self, end: ProcessEnd) {
        self.end = end;
    }
}

impl Drop for RunningProcess {
    fn drop(&mut self) {
        gauge!(PROCESSES).decrement(1);
        let labels = [
            ("connection", self.connection.clone()),
            ("module", self.module.as_str().to_owned()),
            ("outcome", self.end.as_str().to_owned()),
        ];
        counter!(ENDS, &labels).increment(1);
    }
}

/// Bytes of results that are kept now.
#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floating point; 2^53 bytes are not kept"
)]
pub fn result_bytes(bytes: u64) {
    gauge!(RESULT_BYTES).set(bytes as f64);
}

/// When a connection's certificate ends; `None` where it cannot be read.
#[expect(
    clippy::cast_precision_loss,
    reason = "gauges are floating point; seconds since 1970 are exact"
)]
pub fn certificate_end(connection: &str, end: Option<Timestamp>) {
    let end = end.map_or(0, Timestamp::as_second);
    gauge!(CERTIFICATE_END, "connection" => connection.to_owned()).set(end as f64);
}

/// Whether the registry file could be read as it is.
pub fn registry_ok(ok: bool) {
    gauge!(REGISTRY_OK).set(if ok { 1 } else { 0 });
}
