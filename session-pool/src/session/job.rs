//! A job: one accepted command, where it is, and what it has put out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::domain::audit::AuditEntry;
use crate::domain::format::FormatName;
use crate::domain::job::{JobId, JobState};
use crate::domain::paging::{Cursor, PageBudget, Pager, Room, rest_of, weight};
use crate::domain::record::{Progress, Record};
use crate::domain::trace::TraceParent;
use crate::domain::wire::{JobAnswer, JobSummary};

use super::answer;
use super::audit_log::{self, Asked};
use super::budget::ResultBudget;
use super::ending::Ending;
use super::journal::JobEntry;
use super::order::Order;
use super::phase::Phase;
use super::results::{Results, ResultsError, read};
use super::transcript::{AppendError, Records, Transcript};

/// One accepted command.
#[derive(Debug)]
pub struct Job {
    id: JobId,
    order: Order,
    created_at: Timestamp,
    /// What the audit says of it beside its order.
    asked: Mutex<Asked>,
    /// Who wants the job to end.
    cancel: watch::Sender<Option<&'static str>>,
    inner: Mutex<Inner>,
    /// Sent to whenever there is more to see.
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Inner {
    phase: Phase,
    results: Results,
    progress: Option<Progress>,
    errors: u64,
    warnings: u64,
    signed_in_as: Option<String>,
}

/// What is written down of a step of a job.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) entry: JobEntry,
    /// The audit's line, where it was the last step.
    pub(super) audit: Option<AuditEntry>,
}

/// What an answer says of a job beside a page of its output.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) phase: Phase,
    pub(super) progress: Option<Progress>,
    pub(super) errors: u64,
    pub(super) warnings: u64,
    pub(super) signed_in_as: Option<String>,
}

impl Job {
    pub(super) fn new(order: Order, budget: Arc<ResultBudget>) -> Self {
        let transcript = Transcript::new(order.format.name(), budget);
        let now = Timestamp::now();
        Self {
            id: JobId::random(now),
            order,
            created_at: now,
            asked: Mutex::default(),
            cancel: watch::Sender::new(None),
            inner: Mutex::new(Inner {
                phase: Phase::Queued,
                results: Results::Kept(transcript),
                progress: None,
                errors: 0,
                warnings: 0,
                signed_in_as: None,
            }),
            changed: watch::Sender::new(()),
        }
    }

    /// A job of an earlier life of the pool, as the journal knows it.
    pub(super) fn remembered(entry: &JobEntry, budget: &Arc<ResultBudget>) -> Self {
        let job = Self::new(entry.order(), Arc::clone(budget));
        job.note_asked(entry.asked.as_deref().cloned().unwrap_or_default());
        {
            let mut inner = job.lock();
            inner.results = Results::LostByRestart;
            inner.phase = Phase::Finished {
                started_at: entry.started_at,
                finished_at: entry.finished_at.unwrap_or(entry.created_at),
                ending: Ending::BeforeRestart(if entry.state.is_final() {
                    entry.state
                } else {
                    JobState::Lost
                }),
            };
        }
        Self {
            id: entry.job,
            created_at: entry.created_at,
            ..job
        }
    }

    /// The job's id.
    pub const fn id(&self) -> JobId {
        self.id
    }

    /// What was asked for.
    pub const fn order(&self) -> &Order {
        &self.order
    }

    /// When it was made.
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Form of its output.
    pub const fn format(&self) -> FormatName {
        self.order.format.name()
    }

    /// Where it is.
    pub fn state(&self) -> JobState {
        self.lock().phase.state()
    }

    /// Whether nothing will happen to it any more.
    pub fn is_final(&self) -> bool {
        self.state().is_final()
    }

    /// Resolves when the job is final.
    pub async fn finished(&self) {
        self.wait_until(|inner| inner.phase.is_final()).await;
    }

    /// Resolves when there are records behind this place, or the job is final.
    pub async fn more_than(&self, from: Cursor) {
        self.wait_until(|inner| {
            let end = inner.results.kept().map(Transcript::end);
            inner.phase.is_final() || end.is_none_or(|end| end > from)
        })
        .await;
    }

    /// The job without its output.
    pub fn summary(&self) -> JobSummary {
        let inner = self.lock();
        JobSummary {
            job: self.id,
            state: inner.phase.state(),
            connection: self.order.key.connection().to_string(),
            module: self.order.key.module(),
            session_id: self.order.key.to_string(),
            tenant: self.order.tenant.clone(),
            caller_id: self.order.caller.clone(),
            created_at: self.created_at,
            started_at: inner.phase.started_at(),
            finished_at: inner.phase.finished_at(),
            trace_id: self.order.trace.map(TraceParent::trace_id),
            characters: inner.results.kept().map_or(0, Transcript::characters),
        }
    }

    /// The job with one page of its output.
    ///
    /// # Errors
    /// When the results were dropped, the cursor lies behind their end, or the spool fails.
    pub async fn answer(
        &self,
        from: Cursor,
        budget: PageBudget,
    ) -> Result<JobAnswer, ResultsError> {
        // The snapshot is taken first: a job that is final in it has all its records.
        let snapshot = self.snapshot();
        let mut pager = Pager::new(self.format(), from, budget);
        let mut place = from;
        let mut left = None;
        'page: while let Some(batch) = self.read(place).await? {
            let mut characters = batch.characters_left;
            for next in &batch.records {
                if pager.push(next) == Room::Full {
                    left = Some(characters);
                    break 'page;
                }
                characters = characters.saturating_sub(weight(self.format(), next));
                place = Cursor::at(place.record + 1);
            }
        }
        let page = pager.finish();
        Ok(answer::assemble(self, &snapshot, page, left))
    }

    /// The job without its output, which cannot be had any more.
    pub fn answer_without_output(&self) -> JobAnswer {
        answer::assemble_without_output(self, &self.snapshot())
    }

    /// The next records from a place on, each with the place behind it; empty where there are none
    /// yet.
    ///
    /// # Errors
    /// As for [`Job::answer`].
    pub async fn records(&self, from: Cursor) -> Result<Vec<(Cursor, Record)>, ResultsError> {
        let batch = self.read(from).await?;
        let mut records = batch.map_or_else(Vec::new, |batch| batch.records);
        if let Some(first) = records.first_mut() {
            let whole = std::mem::replace(
                first,
                Record::Output {
                    text: String::new(),
                },
            );
            *first = rest_of(whole, from.offset);
        }
        Ok((from.record..)
            .zip(records)
            .map(|(number, record)| (Cursor::at(number + 1), record))
            .collect())
    }

    async fn read(&self, from: Cursor) -> Result<Option<Records>, ResultsError> {
        let section = self.lock().results.section(from)?;
        match section {
            Some(section) => read(section).await.map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let inner = self.lock();
        Snapshot {
            phase: inner.phase.clone(),
            progress: inner.progress.clone(),
            errors: inner.errors,
            warnings: inner.warnings,
            signed_in_as: inner.signed_in_as.clone(),
        }
    }

    /// Asks for the end of the job: it is final when its session has stopped it.
    pub(super) fn request_cancel(&self, by: &'static str) {
        self.cancel.send_replace(Some(by));
    }

    /// Resolves when somebody asked for the end of the job, and tells who.
    pub(super) async fn cancel_requested(&self) -> &'static str {
        let mut cancel = self.cancel.subscribe();
        // The sender lives in this very job, so the wait cannot fail.
        let by = cancel.wait_for(Option::is_some).await;
        by.ok().and_then(|by| *by).unwrap_or("a caller")
    }

    /// Marks the command as running. False where the job was cancelled before.
    pub(super) fn begin(&self, signed_in_as: Option<String>, note: impl FnOnce(Note)) -> bool {
        let running = |_: &Phase| Phase::Running {
            started_at: Timestamp::now(),
        };
        self.advance(Phase::is_queued, running, note, |inner| {
            inner.signed_in_as = signed_in_as;
        })
    }

    /// Keeps what the command said.
    pub(super) fn append(&self, records: &[Record]) -> Result<(), AppendError> {
        let mut inner = self.lock();
        let result = records.iter().try_for_each(|record| inner.append(record));
        drop(inner);
        self.changed.send_replace(());
        result
    }

    /// Ends the job, unless it has ended before. True where this call ended it.
    pub(super) fn finish(&self, ending: Ending, note: impl FnOnce(Note)) -> bool {
        self.finish_where(|phase| !phase.is_final(), ending, note)
    }

    /// Ends the job if its command has not begun. True where this call ended it.
    pub(super) fn finish_if_queued(&self, ending: Ending, note: impl FnOnce(Note)) -> bool {
        self.finish_where(Phase::is_queued, ending, note)
    }

    fn finish_where(
        &self,
        from: impl FnOnce(&Phase) -> bool,
        ending: Ending,
        note: impl FnOnce(Note),
    ) -> bool {
        let finished = |phase: &Phase| Phase::Finished {
            started_at: phase.started_at(),
            finished_at: Timestamp::now(),
            ending,
        };
        self.advance(from, finished, note, Inner::close)
    }

    /// Moves the job on. `note` hears of it first, under the lock: who can see the new phase, or is
    /// woken by it, may count on its being written down.
    fn advance(
        &self,
        from: impl FnOnce(&Phase) -> bool,
        to: impl FnOnce(&Phase) -> Phase,
        note: impl FnOnce(Note),
        then: impl FnOnce(&mut Inner),
    ) -> bool {
        let mut inner = self.lock();
        if !from(&inner.phase) {
            return false;
        }
        let phase = to(&inner.phase);
        note(Note {
            entry: JobEntry::of(self, &phase),
            audit: phase.is_final().then(|| self.audit(&inner, &phase)),
        });
        inner.phase = phase;
        then(&mut inner);
        drop(inner);
        self.changed.send_replace(());
        true
    }

    /// The line of a job of an earlier life, which its pool did not live to write.
    pub(super) fn audit_of_lost(&self) -> AuditEntry {
        let inner = self.lock();
        self.audit(&inner, &inner.phase)
    }

    fn audit(&self, inner: &Inner, phase: &Phase) -> AuditEntry {
        let result = audit_log::Result {
            account: inner.signed_in_as.clone(),
            characters: inner.results.kept().map_or(0, Transcript::characters),
        };
        let id = self.id.to_string();
        self.asked().entry(&id, &self.order, phase, result)
    }

    /// What is known of it before it runs, for the audit.
    pub(super) fn asked(&self) -> Asked {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn note_asked(&self, asked: Asked) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = asked;
    }

    /// Forgets the results of a final job.
    pub(super) fn drop_results(&self) {
        let mut inner = self.lock();
        inner.results.drop_kept();
    }

    async fn wait_until(&self, reached: impl Fn(&Inner) -> bool) {
        let mut changes = self.changed.subscribe();
        loop {
            changes.mark_unchanged();
            if reached(&self.lock()) || changes.changed().await.is_err() {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics half-way; a poisoned lock still guards whole values.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn append(&mut self, record: &Record) -> Result<(), AppendError> {
        match record {
            Record::Error(_) => self.errors += 1,
            Record::Warning { .. } => self.warnings += 1,
            Record::Progress(progress) => {
                self.progress = (!progress.completed).then(|| progress.clone());
            }
            _ => {}
        }
        self.results.append(record)
    }

    /// Nothing is added any more.
    fn close(&mut self) {
        self.progress = None;
        self.results.seal();
    }
}

#[cfg(test)]
mod tests;
