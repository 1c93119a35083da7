//! Waiting for a job, up to a moment, with word of its progress.

use std::time::Duration;

use session_pool::domain::wire::{AnswerStatus, JobAnswer};
use tokio::time::Instant;

use crate::pool::{Pool, PoolError, Wanted};
use crate::progress::Reporter;
use session_pool::domain::job::JobId;

/// Seconds between two words of progress: soon at first, then seldom.
const INTERVALS: [u64; 4] = [1, 2, 3, 5];

/// The smallest page the pool gives: enough to see whether a job has ended.
const PEEK: u64 = 200;

/// How soon a running job is asked for again at most, whatever the pool makes of the wait.
const SOONEST: Duration = Duration::from_millis(500);

/// Waits until the job has ended or the moment is there, and answers with this page of it.
///
/// # Errors
/// When the pool cannot be asked.
pub(crate) async fn for_job(
    pool: &Pool,
    id: JobId,
    cursor: Option<String>,
    until: Instant,
    reporter: &mut Reporter,
) -> Result<JobAnswer, PoolError> {
    let mut intervals = INTERVALS.into_iter().chain(std::iter::repeat(5));
    loop {
        let asked = Instant::now();
        let left = whole_seconds(until.saturating_duration_since(asked));
        let slice = if reporter.is_heard() {
            intervals.next().unwrap_or(5).min(left)
        } else {
            left
        };
        // The last look takes the whole page; those before only ask whether the job has ended. With a
        // cursor each takes it: there is an answer as soon as there is more.
        let last = slice == left;
        let wanted = Wanted {
            cursor: cursor.clone(),
            wait_seconds: slice,
            max_characters: (!last && cursor.is_none()).then_some(PEEK),
        };
        let answer = pool.job(id, &wanted).await?;
        if cursor.is_some() && (answer.status != AnswerStatus::Running || answer.cursor != cursor) {
            return Ok(answer);
        }
        if last {
            let waited_too_short =
                asked.elapsed() + Duration::from_secs(1) < Duration::from_secs(slice);
            if answer.status != AnswerStatus::Running || cursor.is_some() || !waited_too_short {
                return Ok(answer);
            }
        } else if answer.status != AnswerStatus::Running {
            let wanted = Wanted {
                cursor,
                ..Wanted::default()
            };
            return pool.job(id, &wanted).await;
        }
        reporter.report(&answer).await;
        tokio::time::sleep_until(asked + SOONEST).await;
    }
}

/// The nearest number of whole seconds: the pool knows no smaller ones.
fn whole_seconds(duration: Duration) -> u64 {
    (duration + Duration::from_millis(500)).as_secs()
}
