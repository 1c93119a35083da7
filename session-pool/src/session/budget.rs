//! What all jobs' results together may take, in memory and on disk.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::spool::Spool;

/// More than a batch of records takes that a session hands over at once.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;

/// How much output is kept, and where.
#[derive(Clone, Debug)]
pub struct ResultLimits {
    /// Bytes of one job's results; past it the job ends with an error.
    pub job_bytes: u64,
    /// Bytes of all results in memory; the rest goes to disk.
    pub memory_bytes: u64,
    /// Bytes of all results, wherever they are; past it the oldest finished jobs' go.
    pub total_bytes: u64,
    /// Directory for the file of what does not fit into memory, which is unlinked as soon as it is
    /// open.
    pub spool: PathBuf,
}

/// The account of what is taken. Everything that takes gives back when it is dropped.
#[derive(Debug)]
pub struct ResultBudget {
    limits: ResultLimits,
    spool: Arc<Spool>,
    memory: AtomicU64,
    total: AtomicU64,
}

impl ResultBudget {
    /// An account with nothing taken.
    pub fn new(limits: ResultLimits) -> Self {
        Self {
            spool: Arc::new(Spool::new(limits.spool.clone())),
            limits,
            memory: AtomicU64::new(0),
            total: AtomicU64::new(0),
        }
    }

    /// The limits.
    pub fn limits(&self) -> &ResultLimits {
        &self.limits
    }

    /// Where results go that do not fit into memory.
    pub(super) fn spool(&self) -> &Arc<Spool> {
        &self.spool
    }

    /// Bytes of results, in memory and on disk.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Bytes of results in memory.
    pub fn in_memory(&self) -> u64 {
        self.memory.load(Ordering::Relaxed)
    }

    /// Whether results have to go before more can be taken.
    pub fn is_exceeded(&self) -> bool {
        self.total() > self.limits.total_bytes
    }

    /// Whether finished results have to go, so that the next batch of records fits as a whole: a
    /// running command must not be stopped in the middle of one while there is something to drop.
    pub fn is_short(&self) -> bool {
        let limit = self.limits.total_bytes;
        self.total() > limit - (limit / 8).min(BATCH_BYTES)
    }

    /// Takes memory where there is some left.
    pub(super) fn try_take_memory(&self, bytes: u64) -> bool {
        self.memory
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
                let after = taken.checked_add(bytes)?;
                (after <= self.limits.memory_bytes).then_some(after)
            })
            .is_ok()
    }

    pub(super) fn give_back_memory(&self, bytes: u64) {
        self.memory.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn take(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn give_back(&self, bytes: u64) {
        self.total.fetch_sub(bytes, Ordering::Relaxed);
    }
}
