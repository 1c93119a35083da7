//! Limits and defaults of a pool.

use std::num::{NonZeroU8, NonZeroU16};
use std::time::Duration;

use crate::domain::life::Rules;

use super::budget::ResultLimits;

/// Limits and defaults of sessions and jobs.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Of results.
    pub results: ResultLimits,
    /// How long results are kept after their job has ended.
    pub keep_results: Duration,
    /// Jobs that may wait for one session.
    pub queue_length: usize,
    /// PowerShell processes at a time.
    pub max_processes: usize,
    /// How long a command may run where the request does not say.
    pub command_timeout: Duration,
    /// Between the request to stop a command and the end of its process.
    pub cancel_grace: Duration,
    /// The times and sizes that sessions live by.
    pub rules: Rules,
    /// Columns where the request does not say.
    pub width: NonZeroU16,
    /// Levels of JSON where the request does not say.
    pub depth: NonZeroU8,
}
