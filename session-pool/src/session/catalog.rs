//! All the jobs that are still known, and which results go when room is needed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::job::JobId;
use crate::domain::wire::JobSummary;

use super::budget::ResultBudget;
use super::job::Job;
use super::journal::Journal;

/// Final jobs that are kept at most, so that a flood of small ones does not fill the memory.
const MOST_ENDED: usize = 10_000;

/// Expired ids that are remembered, so that asking for one is answered `expired`, not `unknown`.
const TOMBSTONES: usize = 10_000;

/// Why there is no job to be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobMissing {
    /// The pool has no memory of it.
    #[error(
        "there is no job {0}: it is another pool's, or it ended longer ago than results are kept"
    )]
    Unknown(JobId),
    /// It was dropped for its age, or to make room.
    #[error(
        "the results of job {0} were dropped (they are kept for a limited time and size); if its \
         command only reads, run it again"
    )]
    Expired(JobId),
}

/// The jobs of this pool.
#[derive(Debug)]
pub(super) struct Catalog {
    keep: Duration,
    budget: Arc<ResultBudget>,
    journal: Arc<Journal>,
    jobs: Mutex<Jobs>,
}

#[derive(Debug, Default)]
struct Jobs {
    known: BTreeMap<JobId, Arc<Job>>,
    /// Final jobs in the order in which they ended.
    ended: VecDeque<(Timestamp, JobId)>,
    expired: VecDeque<JobId>,
}

impl Catalog {
    /// The jobs that the journal knows.
    pub(super) fn new(keep: Duration, budget: Arc<ResultBudget>, journal: Arc<Journal>) -> Self {
        let mut jobs = Jobs::default();
        let mut entries = journal.jobs();
        entries.sort_by_key(|entry| entry.finished_at);
        for entry in entries {
            let job = Arc::new(Job::remembered(&entry, &budget));
            jobs.ended
                .push_back((entry.finished_at.unwrap_or(entry.created_at), job.id()));
            jobs.known.insert(job.id(), job);
        }
        Self {
            keep,
            budget,
            journal,
            jobs: Mutex::new(jobs),
        }
    }

    pub(super) fn budget(&self) -> &Arc<ResultBudget> {
        &self.budget
    }

    /// Takes in a new job.
    pub(super) fn add(&self, job: &Arc<Job>) {
        self.journal.note_job(job);
        self.lock().known.insert(job.id(), Arc::clone(job));
    }

    /// Writes down that a job's command begins.
    pub(super) fn note_begun(&self, job: &Job) {
        self.journal.note_job(job);
    }

    /// Writes down that a job has ended, and makes room where results exceed their limit.
    pub(super) fn note_ended(&self, job: &Job) {
        self.journal.note_job(job);
        self.lock().ended.push_back((Timestamp::now(), job.id()));
        self.make_room();
    }

    /// Drops the oldest finished results until the limits hold.
    pub(super) fn make_room(&self) {
        if !self.budget.is_exceeded() && self.lock().ended.len() <= MOST_ENDED {
            return;
        }
        let mut jobs = self.lock();
        while self.budget.is_exceeded() || jobs.ended.len() > MOST_ENDED {
            let Some((_, oldest)) = jobs.ended.pop_front() else {
                return;
            };
            self.expire(&mut jobs, oldest);
        }
    }

    /// Drops what has been kept long enough; returns how long until there is more to drop.
    pub(super) fn expire_old(&self) -> Duration {
        let mut jobs = self.lock();
        let now = Timestamp::now();
        while let Some((ended, id)) = jobs.ended.front().copied() {
            let age = now.duration_since(ended).unsigned_abs();
            if age < self.keep {
                return self.keep.saturating_sub(age);
            }
            jobs.ended.pop_front();
            self.expire(&mut jobs, id);
        }
        self.keep
    }

    pub(super) fn get(&self, id: JobId) -> Result<Arc<Job>, JobMissing> {
        let jobs = self.lock();
        if let Some(job) = jobs.known.get(&id) {
            return Ok(Arc::clone(job));
        }
        Err(if jobs.expired.contains(&id) {
            JobMissing::Expired(id)
        } else {
            JobMissing::Unknown(id)
        })
    }

    /// Newest first.
    pub(super) fn summaries(&self) -> Vec<JobSummary> {
        let jobs: Vec<_> = self.lock().known.values().rev().cloned().collect();
        jobs.iter().map(|job| job.summary()).collect()
    }

    fn expire(&self, jobs: &mut Jobs, id: JobId) {
        // A reader that holds the job sees `expired` on its next page.
        if let Some(job) = jobs.known.remove(&id) {
            job.drop_results();
        }
        self.journal.forget(id);
        jobs.expired.push_back(id);
        if jobs.expired.len() > TOMBSTONES {
            jobs.expired.pop_front();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
