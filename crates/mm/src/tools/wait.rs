//! Waiting for a job, up to a moment, with word of its progress.

use std::time::Duration;

use session_pool::domain::wire::{AnswerStatus, JobAnswer};
use tokio::time::Instant;

use crate::pool::{Pauses, Pool, PoolError, Wanted};
use crate::progress::Reporter;
use session_pool::domain::job::JobId;

/// Seconds between two words of progress: soon at first, then seldom.
const INTERVALS: [u64; 4] = [1, 2, 3, 5];

/// The smallest page the pool gives: enough to see whether a job has ended.
const PEEK: u64 = 200;

/// How soon a running job is asked for again at most, whatever the pool makes of the wait.
const SOONEST: Duration = Duration::from_millis(500);

/// One wait for a job.
#[derive(Debug)]
pub(super) struct Wait {
    id: JobId,
    until: Instant,
    /// Where the page begins that is wanted.
    pub(super) cursor: Option<String>,
    /// Whether the pool has answered for this job: then it is asked again when it is gone for a
    /// moment.
    pub(super) is_known: bool,
}

impl Wait {
    /// For this job, until then, and for its first page.
    pub(super) fn of(id: JobId, until: Instant) -> Self {
        Self {
            id,
            until,
            cursor: None,
            is_known: false,
        }
    }

    /// The page as it is now.
    pub(super) fn page(&self) -> Wanted {
        Wanted {
            cursor: self.cursor.clone(),
            ..Wanted::default()
        }
    }

    /// Waits until the job has ended or the moment is there, and answers with this page of it.
    ///
    /// # Errors
    /// When the pool cannot be asked.
    pub(super) async fn for_job(
        &mut self,
        pool: &Pool,
        reporter: &mut Reporter,
    ) -> Result<JobAnswer, PoolError> {
        let mut intervals = INTERVALS.into_iter().chain(std::iter::repeat(5));
        loop {
            let asked = Instant::now();
            let left = whole_seconds(self.until.saturating_duration_since(asked));
            let slice = if reporter.is_heard() {
                intervals.next().unwrap_or(5).min(left)
            } else {
                left
            };
            // The last look takes the whole page; those before only ask whether the job has ended.
            // With a cursor each takes it: there is an answer as soon as there is more.
            let last = slice == left;
            let wanted = Wanted {
                wait_seconds: slice,
                max_characters: (!last && self.cursor.is_none()).then_some(PEEK),
                ..self.page()
            };
            let answer = self.ask(pool, &wanted, reporter).await?;
            self.is_known = true;
            let is_running = answer.status == AnswerStatus::Running;
            if self.cursor.is_some() && (!is_running || answer.cursor != self.cursor) {
                return Ok(answer);
            }
            if last {
                let waited_too_short =
                    asked.elapsed() + Duration::from_secs(1) < Duration::from_secs(slice);
                if !is_running || self.cursor.is_some() || !waited_too_short {
                    return Ok(answer);
                }
            } else if !is_running {
                return self.ask(pool, &self.page(), reporter).await;
            }
            reporter.report(&answer).await;
            tokio::time::sleep_until(asked + SOONEST).await;
        }
    }

    /// Asks once, or as often as it takes where the pool is gone for a moment.
    async fn ask(
        &self,
        pool: &Pool,
        wanted: &Wanted,
        reporter: &mut Reporter,
    ) -> Result<JobAnswer, PoolError> {
        let mut pauses = Pauses::default();
        loop {
            let left = whole_seconds(self.until.saturating_duration_since(Instant::now()));
            let wanted = Wanted {
                wait_seconds: wanted.wait_seconds.min(left),
                ..wanted.clone()
            };
            let error = match pool.job(self.id, &wanted).await {
                Err(error) if self.is_known && error.is_transient() => error,
                answer => return answer,
            };
            let again = pauses
                .next()
                .map(|pause| Instant::now() + pause)
                .filter(|again| *again < self.until);
            let Some(again) = again else {
                return Err(error);
            };
            reporter
                .note("the session pool does not answer; asking again".to_owned())
                .await;
            tokio::time::sleep_until(again).await;
        }
    }
}

/// The nearest number of whole seconds: the pool knows no smaller ones.
fn whole_seconds(duration: Duration) -> u64 {
    (duration + Duration::from_millis(500)).as_secs()
}
