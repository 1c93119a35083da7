//! Routes that one backend answers: found by the connection in the body, or by the job in the path.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::uri::PathAndQuery;
use axum::response::Response;

use crate::http::body::{json_bytes, named_connection};
use crate::http::error::ApiError;
use crate::http::routes::JobPath;
use crate::session::Refused;

use super::error::RouterError;
use super::forward::pass_on;
use super::{App, jobs};

/// `/jobs/{id}` and what lies below it.
pub(super) async fn of_job(
    State(app): State<App>,
    JobPath(id): JobPath,
    request: Request,
) -> Result<Response, RouterError> {
    let backend = app.owners().find(app.backends(), id).await?;
    pass_on(&backend, request).await
}

/// `/confirmations/{id}`.
pub(super) async fn of_confirmation(
    State(app): State<App>,
    request: Request,
) -> Result<Response, RouterError> {
    let path: PathAndQuery = request
        .uri()
        .path()
        .parse()
        .map_err(|_| ApiError::Internal)?;
    let backend = jobs::of_confirmation(app.backends(), &path).await?;
    pass_on(&backend, request).await
}

/// Every other request with a body, `/run` first of all: the body names the connection, and has to
/// be read for that (2 MB at most). Whether there is such a route, the backend knows.
pub(super) async fn of_connection(
    State(app): State<App>,
    request: Request,
) -> Result<Response, RouterError> {
    if request.method() != Method::POST {
        return Err(ApiError::NotFound {
            path: request.uri().path().to_owned(),
        }
        .into());
    }
    let (head, body) = request.into_parts();
    let whole = Request::from_parts(head.clone(), body);
    let body = json_bytes(whole, &app).await?;
    let backend = match named_connection(&body)? {
        Some(name) => app.backends().get(&name).map_err(refused)?,
        // As in a pool of one connection, which needs no name.
        None => match app.backends().all().values().next() {
            Some(only) if app.backends().all().len() == 1 => only.clone(),
            _ => return Err(refused(Refused::MissingField("connection"))),
        },
    };
    pass_on(&backend, Request::from_parts(head, Body::from(body))).await
}

fn refused(why: impl Into<Refused>) -> RouterError {
    ApiError::Refused(why.into()).into()
}
