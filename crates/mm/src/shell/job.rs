//! `mm job`.

use session_pool::domain::job::JobId;

use super::{Exit, Output, complain, follow, list, pool, wait};
use crate::cli::Job;
use crate::config::Overrides;
use crate::tools::Outcome;

/// Follows a job, cancels one, or lists them.
pub(crate) async fn job(job: Job, overrides: &Overrides) -> Exit {
    if let Err(exit) = wait(job.follow.wait_seconds) {
        return exit;
    }
    let json = job.follow.json;
    let pool = match pool(overrides) {
        Ok(pool) => pool,
        Err(failure) => return Output::new(json).failure(&failure).await,
    };
    let Some(id) = job.id else {
        let jobs = pool.jobs().await.map(Outcome::Jobs);
        return list(jobs.map_err(Into::into), json).await;
    };
    let id: JobId = match id.parse() {
        Ok(id) => id,
        Err(error) => return complain(&format!("{error}"), Exit::Usage),
    };
    if job.cancel
        && let Err(error) = pool.cancel(id).await
    {
        return Output::new(json).failure(&error.into()).await;
    }
    tokio::select! {
        exit = follow::follow(&pool, id, job.cursor, &job.follow) => exit,
        _ = tokio::signal::ctrl_c() => {
            complain(&format!("no longer following; job {id} goes on"), Exit::Interrupted)
        }
    }
}
