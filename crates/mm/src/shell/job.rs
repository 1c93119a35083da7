//! `mm job`.

use session_pool::domain::job::JobId;

use super::{Exit, Following, Output, interrupt, list, pool, wait};
use crate::cli::Job;
use crate::config::Overrides;
use crate::tools::{ArgumentError, Doing, JobPage, Outcome, Unread};

/// Follows a job, cancels one, or lists them.
pub(crate) async fn job(job: Job, overrides: &Overrides) -> Exit {
    let json = job.follow.json;
    if let Err(failure) = wait(job.follow.wait_seconds) {
        return Output::new(json).failure(&failure).await;
    }
    let pool = match pool(overrides) {
        Ok(pool) => pool,
        Err(failure) => return Output::new(json).failure(&failure).await,
    };
    let Some(id) = job.id else {
        // All of them: a shell has `head` and `less`.
        let jobs = pool.jobs().await.map(JobPage::whole).map(Outcome::Jobs);
        return list(jobs.map_err(Unread::list), json).await;
    };
    let id: JobId = match id.parse() {
        Ok(id) => id,
        Err(error) => {
            let failure = ArgumentError::JobId(error).into();
            return Output::new(json).failure(&failure).await;
        }
    };
    if job.cancel
        && let Err(error) = pool.cancel(id).await
    {
        let failure = Unread::failure(Doing::Cancelling(id), error);
        return Output::new(json).failure(&failure).await;
    }
    let mut output = Output::new(json);
    let interrupted = interrupt();
    let following =
        Following::from(id, job.cursor).follow(&pool, job.follow.wait_seconds, &mut output);
    let exit = tokio::select! {
        biased;
        () = interrupted.cancelled() => None,
        exit = following => Some(exit),
    };
    let Some(exit) = exit else {
        let message = format!("no longer following; job {id} goes on, see `mm job {id}`");
        return output.interrupted(id, &message).await;
    };
    match exit {
        // What was asked for.
        Exit::Cancelled if job.cancel => Exit::Succeeded,
        exit => exit,
    }
}
