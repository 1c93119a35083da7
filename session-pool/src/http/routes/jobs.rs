use std::time::Duration;

use axum::extract::State;
use axum::{Extension, Json};
use tokio::time::{Instant, timeout_at};

use crate::domain::job::JobId;
use crate::domain::paging::Cursor;
use crate::domain::wire::{JobAnswer, JobList};
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::observe::Arrival;
use crate::http::openapi::{AnyCaller, OfJob, Paged, Parameterized, Unauthorized};
use crate::http::parameters::{NoParameters, Parameters};

use super::JobPath;
use super::run::{LONGEST_WAIT, budget};

/// How long a request for the rest of a running job waits for more, in seconds, where it does not
/// say: long enough to be no busy loop, short enough for every proxy.
const WAIT_FOR_MORE: u64 = 30;

/// The jobs that are still known
#[utoipa::path(
    get,
    path = "/jobs",
    tag = "jobs",
    responses(
        (status = 200, description = "The jobs without their output, newest first.", body = JobList),
        AnyCaller, Unauthorized, Parameterized
    )
)]
pub(in crate::http) async fn list(
    State(app): State<App>,
    _: NoParameters,
) -> Result<Json<JobList>, ApiError> {
    Ok(Json(JobList {
        jobs: app.pool().jobs(),
    }))
}

/// How a job is asked for.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct JobQuery {
    /// Where to go on: the `cursor` of an earlier answer, as it is. From the beginning where left
    /// out.
    #[param(value_type = Option<String>, pattern = "^r[0-9a-f]{1,16}(-[0-9a-f]{1,16})?$")]
    cursor: Option<Cursor>,
    /// Seconds to wait, 0 to 3,600. Without a cursor: until the job is done (default 0). With one:
    /// until there is more than it (default 30).
    #[param(minimum = 0, maximum = 3600)]
    wait_seconds: Option<u64>,
    /// Most characters of the answer (default 40,000).
    #[param(minimum = 200, maximum = 10_000_000)]
    max_characters: Option<u64>,
}

impl JobQuery {
    fn take(mut parameters: Parameters) -> Result<Self, ApiError> {
        let query = Self {
            cursor: parameters.take("cursor")?,
            wait_seconds: parameters.take_number("wait_seconds", 0..=LONGEST_WAIT)?,
            max_characters: parameters.take("max_characters")?,
        };
        parameters.finish(&["cursor", "wait_seconds", "max_characters"])?;
        Ok(query)
    }
}

/// What became of a job, and a page of its output
#[utoipa::path(
    get,
    path = "/jobs/{id}",
    tag = "jobs",
    params(("id" = JobId, Path, description = "The job's id."), JobQuery),
    responses(
        (status = 200, description = "The job and the page.", body = JobAnswer),
        AnyCaller, Unauthorized, Parameterized, OfJob, Paged
    )
)]
pub(in crate::http) async fn show(
    State(app): State<App>,
    JobPath(id): JobPath,
    Extension(arrival): Extension<Arrival>,
    parameters: Parameters,
) -> Result<Json<JobAnswer>, ApiError> {
    let query = JobQuery::take(parameters)?;
    let budget = budget(&app, query.max_characters)?;
    let job = app.pool().job(id)?;
    let until = |default| {
        let wait = Duration::from_secs(query.wait_seconds.unwrap_or(default));
        Instant::from_std(arrival.at) + wait
    };
    // Whether the time was over or not: the answer says where the job is.
    match query.cursor {
        None => drop(timeout_at(until(0), job.finished()).await),
        // Asked for the records first, so that a cursor that cannot be is refused at once.
        Some(cursor) if job.records(cursor).await?.is_empty() => {
            drop(timeout_at(until(WAIT_FOR_MORE), job.more_than(cursor)).await);
        }
        Some(_) => {}
    }
    let answer = job.answer(query.cursor.unwrap_or_default(), budget).await?;
    Ok(Json(answer))
}

/// Cancels a job
///
/// Answers when it has ended. One that has ended before stays as it is.
#[utoipa::path(
    delete,
    path = "/jobs/{id}",
    tag = "jobs",
    params(("id" = JobId, Path, description = "The job's id.")),
    responses(
        (status = 200, description = "The job, which has ended, and its first page.", body = JobAnswer),
        AnyCaller, Unauthorized, Parameterized, OfJob
    )
)]
pub(in crate::http) async fn cancel(
    State(app): State<App>,
    JobPath(id): JobPath,
    _: NoParameters,
) -> Result<Json<JobAnswer>, ApiError> {
    // A task of its own: a client that hangs up does not leave it half done.
    let pool = app.pool().clone();
    let job = tokio::spawn(async move { pool.cancel(id).await })
        .await
        .map_err(|_| ApiError::Internal)??;
    let answer = job.answer(Cursor::default(), app.page()).await?;
    Ok(Json(answer))
}
