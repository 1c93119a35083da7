use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use crate::domain::job::JobId;
use crate::domain::paging::Cursor;
use crate::domain::wire::JobEvent;
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::events::stream;
use crate::http::openapi::{AnyCaller, OfJob, Paged, Parameterized, Unauthorized};
use crate::http::parameters::Parameters;

use super::JobPath;

/// A job's records as they come (server-sent events)
///
/// An event's name is the record's `type`, its data the record as JSON, its id the cursor behind
/// it. The last event is `end` with the job's answer without output, or `broken_off` with a refusal.
/// A client that was cut off goes on with `Last-Event-ID`.
#[utoipa::path(
    get,
    path = "/jobs/{id}/events",
    tag = "jobs",
    params(
        ("id" = JobId, Path, description = "The job's id."),
        (
            "cursor" = Option<String>, Query, nullable = false,
            pattern = "^r[0-9a-f]{1,16}(-[0-9a-f]{1,16})?$",
            description = "Where to begin, for clients that cannot send Last-Event-ID."
        ),
        (
            "Last-Event-ID" = Option<String>, Header, nullable = false,
            pattern = "^(r[0-9a-f]{1,16}(-[0-9a-f]{1,16})?)?$",
            description = "Id of the last event that arrived; goes before `cursor`."
        )
    ),
    responses(
        (
            status = 200, description = "The records, until the job has ended.",
            body = JobEvent, content_type = "text/event-stream"
        ),
        AnyCaller, Unauthorized, Parameterized, OfJob, Paged
    )
)]
pub(in crate::http) async fn events(
    State(app): State<App>,
    JobPath(id): JobPath,
    mut parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let cursor = parameters.take::<Cursor>("cursor")?;
    parameters.finish(&["cursor"])?;
    let from = last_event_id(&headers)?.or(cursor).unwrap_or_default();
    let job = app.pool().job(id)?;
    Ok(stream(job, from).await?.into_response())
}

/// Where the client was cut off. An empty id is as none (HTML, section 9.2.4).
fn last_event_id(headers: &HeaderMap) -> Result<Option<Cursor>, ApiError> {
    const NAME: &str = "Last-Event-ID";
    let Some(value) = headers.get(NAME).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    String::from_utf8_lossy(value.as_bytes())
        .parse()
        .map(Some)
        .map_err(
            |error: crate::domain::paging::InvalidCursor| ApiError::BadHeader {
                name: NAME,
                problem: error.to_string(),
            },
        )
}
