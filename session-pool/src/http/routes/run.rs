use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::{Extension, Json};
use tokio::time::{Instant, timeout_at};

use crate::domain::paging::{Cursor, PageBudget};
use crate::domain::wire::{AnswerStatus, JobAnswer, RunRequest};
use crate::http::App;
use crate::http::body::Body;
use crate::http::error::ApiError;
use crate::http::observe::Arrival;
use crate::http::openapi::{AnyCaller, OfConnection, Posted, Queued, Unauthorized};
use crate::http::parameters::{NoParameters, in_range};
use crate::session::{Caller, telemetry};

/// Characters of a client's name that are kept.
const LONGEST_CLIENT: usize = 256;

/// The longest wait in seconds.
pub(in crate::http) const LONGEST_WAIT: u64 = 3600;

/// Runs PowerShell on a connection
///
/// Every accepted request becomes a job, whose answer has status 200 whatever became of it. The
/// request waits until the job is done or `wait_seconds` are over, and then says `running`; go on
/// with `GET /jobs/{id}`. A client that hangs up does not cancel its job.
#[utoipa::path(
    post,
    path = "/run",
    tag = "jobs",
    params((
        "traceparent" = Option<String>, Header, nullable = false,
        description = "The caller's trace (W3C Trace Context); ignored where it is not valid."
    )),
    request_body = RunRequest,
    responses(
        (
            status = 200, description = "A job was made, and this became of it so far.",
            body = JobAnswer,
            links(
                ("more" = (
                    operation_id = "show", parameters(("id" = "$response.body#/job"))
                )),
                ("events" = (
                    operation_id = "events", parameters(("id" = "$response.body#/job"))
                )),
                ("cancel" = (
                    operation_id = "cancel", parameters(("id" = "$response.body#/job"))
                ))
            )
        ),
        AnyCaller, Unauthorized, Posted, OfConnection, Queued
    )
)]
pub(in crate::http) async fn run(
    State(app): State<App>,
    Extension(arrival): Extension<Arrival>,
    headers: HeaderMap,
    _: NoParameters,
    Body(request): Body<RunRequest>,
) -> Result<Json<JobAnswer>, ApiError> {
    let answer = submit_and_wait(&app, request, arrival, client(&headers)).await;
    if let Err(error) = &answer {
        telemetry::job_refused(error.code());
    }
    let failed = !matches!(&answer, Ok(answer) if answer.status != AnswerStatus::Error);
    app.metrics().run_answered(failed, arrival.at.elapsed());
    answer.map(Json)
}

async fn submit_and_wait(
    app: &App,
    request: RunRequest,
    arrival: Arrival,
    client: Option<String>,
) -> Result<JobAnswer, ApiError> {
    let budget = budget(app, request.max_characters)?;
    let wait = wait(request.wait_seconds)?;
    let until = wait.map(|wait| Instant::from_std(arrival.at) + wait);
    let caller = Caller {
        trace: arrival.trace,
        client,
    };
    let job = app.pool().submit_until(request, caller, until).await?;
    match until {
        None => job.finished().await,
        // Past it the job goes on, and the answer says so.
        Some(until) => drop(timeout_at(until, job.finished()).await),
    }
    // A job was made: whoever hears of an error instead may send its command again.
    Ok(job
        .answer(Cursor::default(), budget)
        .await
        .unwrap_or_else(|error| {
            tracing::warn!(job = %job.id(), %error, "the output of a job is gone");
            job.answer_without_output()
        }))
}

/// The program that calls, as it names itself.
fn client(headers: &HeaderMap) -> Option<String> {
    let name = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(name.chars().take(LONGEST_CLIENT).collect())
}

fn wait(seconds: Option<u32>) -> Result<Option<Duration>, ApiError> {
    seconds
        .map(|seconds| in_range("wait_seconds", seconds.into(), 0..=LONGEST_WAIT))
        .transpose()
        .map(|seconds| seconds.map(Duration::from_secs))
}

/// The size of a page that was asked for.
pub(in crate::http) fn budget(app: &App, characters: Option<u64>) -> Result<PageBudget, ApiError> {
    let Some(characters) = characters else {
        return Ok(app.page());
    };
    PageBudget::new(characters).map_err(|_| ApiError::OutOfRange {
        field: "max_characters",
        value: characters,
        min: PageBudget::MIN,
        max: PageBudget::MAX,
    })
}
