//! All the jobs that are still known, and which results go when room is needed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::domain::job::{JobId, JobState};
use crate::domain::session_key::SessionKey;
use crate::domain::wire::JobSummary;

use super::audit_log::Audit;
use super::budget::ResultBudget;
use super::ending::{Ending, FailureCode};
use super::job::{Job, Note};
use super::journal::{JobEntry, Journal};
use super::phase::Phase;
use super::telemetry;

/// Final jobs that are kept at most, so that a flood of small ones does not fill the memory.
const MOST_ENDED: usize = 10_000;

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
    audit: Audit,
    jobs: Mutex<Jobs>,
}

#[derive(Debug, Default)]
struct Jobs {
    known: BTreeMap<JobId, Arc<Job>>,
    /// Final jobs in the order in which they ended, and when their results go.
    ended: VecDeque<(Instant, JobId)>,
}

impl Catalog {
    /// The jobs that the journal knows.
    pub(super) fn new(
        keep: Duration,
        budget: Arc<ResultBudget>,
        journal: Arc<Journal>,
        audit: Audit,
    ) -> Self {
        for lost in journal.take_lost() {
            audit.write(Job::remembered(&lost, &budget).audit_of_lost());
        }
        let mut jobs = Jobs::default();
        let mut entries = journal.jobs();
        entries.sort_by_key(|entry| entry.finished_at);
        let (now, today) = (Instant::now(), Timestamp::now());
        for entry in entries {
            let ended = entry.finished_at.unwrap_or(entry.created_at);
            let age = Duration::try_from(today.duration_since(ended)).unwrap_or_default();
            let job = Arc::new(Job::remembered(&entry, &budget));
            jobs.ended
                .push_back((now + keep.saturating_sub(age), job.id()));
            jobs.known.insert(job.id(), job);
        }
        Self {
            keep,
            budget,
            journal,
            audit,
            jobs: Mutex::new(jobs),
        }
    }

    pub(super) fn budget(&self) -> &Arc<ResultBudget> {
        &self.budget
    }

    /// Takes in a new job; one that is known stays as it is.
    pub(super) fn add(&self, job: &Arc<Job>) {
        let mut jobs = self.lock();
        // Its caller may have been told of it before it had a place in a queue.
        if jobs.known.contains_key(&job.id()) {
            return;
        }
        self.journal.note_job(JobEntry::of(job, &Phase::Queued));
        jobs.known.insert(job.id(), Arc::clone(job));
    }

    /// The jobs of these sessions whose command has not begun.
    pub(super) fn queued_where(&self, wanted: impl Fn(&SessionKey) -> bool) -> Vec<Arc<Job>> {
        let known: Vec<_> = self.lock().known.values().cloned().collect();
        let is_wanted =
            |job: &Arc<Job>| wanted(&job.order().key) && job.state() == JobState::Queued;
        known.into_iter().filter(is_wanted).collect()
    }

    /// A job's command begins. False where the job was cancelled before.
    pub(super) fn begin(&self, job: &Job, signed_in_as: Option<String>) -> bool {
        let begun = job.begin(signed_in_as, |note| self.note(note));
        if begun {
            let waited = Timestamp::now().duration_since(job.created_at());
            let key = &job.order().key;
            telemetry::job_began(
                key.connection().as_str(),
                key.module(),
                waited.unsigned_abs(),
            );
        }
        begun
    }

    /// Ends a job, whatever it was doing: every job ends here or in
    /// [`Catalog::cancel_if_queued`]. True where this call ended it.
    pub(super) fn conclude(&self, job: &Job, ending: Ending) -> bool {
        let replaced = matches!(&ending, Ending::Failed(failure) if failure.code == FailureCode::SessionReplaced);
        let ended = job.finish(ending, |note| {
            // Before its caller hears of it: what is sent then is sent in knowledge of the loss.
            if replaced {
                let order = job.order();
                self.journal.note_told(&order.key, order.caller.as_deref());
            }
            self.note(note);
        });
        if ended {
            self.note_ended(job);
        }
        ended
    }

    /// Ends a job whose command has not begun. True where this call ended it.
    pub(super) fn cancel_if_queued(&self, job: &Job, by: &'static str) -> bool {
        let ending = Ending::Cancelled { by };
        let ended = job.finish_if_queued(ending, |note| self.note(note));
        if ended {
            self.note_ended(job);
        }
        ended
    }

    /// Writes down what a job does, before anybody can see it.
    fn note(&self, note: Note) {
        self.journal.note_job(note.entry);
        if let Some(entry) = note.audit {
            self.audit.write(entry);
        }
    }

    pub(super) const fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Counts and logs a job that has ended, and makes room where results exceed their limit.
    fn note_ended(&self, job: &Job) {
        self.lock()
            .ended
            .push_back((Instant::now() + self.keep, job.id()));
        self.make_room();
        let summary = job.summary();
        let key = &job.order().key;
        let ran = summary
            .started_at
            .zip(summary.finished_at)
            .map(|(started, finished)| finished.duration_since(started).unsigned_abs());
        telemetry::job_finished(key.connection().as_str(), key.module(), summary.state, ran);
        tracing::info!(session = %key, job = %job.id(), state = %summary.state,
            trace = job.order().trace.map(tracing::field::display),
            elapsed_ms = ran.map(|ran| ran.as_millis()), "job ended");
    }

    /// Drops the oldest finished results until the limits hold.
    pub(super) fn make_room(&self) {
        if !self.budget.is_short() && self.lock().ended.len() <= MOST_ENDED {
            return;
        }
        let mut jobs = self.lock();
        while self.budget.is_short() || jobs.ended.len() > MOST_ENDED {
            let Some((_, oldest)) = jobs.ended.pop_front() else {
                return;
            };
            self.expire(&mut jobs, oldest);
        }
    }

    /// Drops what has been kept long enough; returns how long until there is more to drop.
    pub(super) fn expire_old(&self, now: Instant) -> Duration {
        let mut jobs = self.lock();
        while let Some((goes, id)) = jobs.ended.front().copied() {
            if now < goes {
                return goes - now;
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
        Err(if self.journal.has_expired(id) {
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
        self.journal.note_expired(id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
