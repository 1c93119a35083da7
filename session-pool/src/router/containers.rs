//! Routes that look at containers and start, stop and restart them.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::domain::wire::router::{ContainerDone, Containers};
use crate::http::error::ApiError;
use crate::http::openapi::{AnyCaller, Parameterized, Unauthorized};
use crate::http::parameters::{NoParameters, Parameters};

use super::App;
use super::docker::{self, Container, Deed, DockerAddress};
use super::error::RouterError;

/// Lines of a container's log that are shown unless the caller wants others.
const LINES: u64 = 200;

/// The most that there are at once.
const MOST_LINES: u64 = 10_000;

/// The containers of this project
#[utoipa::path(
    get,
    path = "/containers",
    tag = "containers",
    responses(
        (status = 200, description = "The containers, by name.", body = Containers),
        (status = 501, description = "The router has no access to Docker."),
        AnyCaller, Unauthorized, Parameterized
    )
)]
pub(super) async fn list(
    State(app): State<App>,
    _: NoParameters,
) -> Result<Json<Containers>, RouterError> {
    let containers = docker::list(address(&app)?).await?;
    Ok(Json(Containers { containers }))
}

/// Restarts, starts or stops the container of a connection
#[utoipa::path(
    post,
    path = "/container/{connection}/{deed}",
    tag = "containers",
    params(
        ("connection" = String, Path, description = "The connection's name."),
        ("deed" = String, Path, description = "restart, start or stop.")
    ),
    responses(
        (status = 200, description = "It is done.", body = ContainerDone),
        (status = 404, description = "There is no such container of this project."),
        (status = 501, description = "The router has no access to Docker."),
        AnyCaller, Unauthorized, Parameterized
    )
)]
pub(super) async fn apply(
    State(app): State<App>,
    _: NoParameters,
    Path((connection, word)): Path<(String, String)>,
) -> Result<Json<ContainerDone>, RouterError> {
    let Some(deed) = Deed::of(&word) else {
        return Err(ApiError::NotFound {
            path: format!("/container/{connection}/{word}"),
        }
        .into());
    };
    container(&app, &connection).await?.apply(deed).await?;
    tracing::info!(connection, deed = word, "container");
    Ok(Json(ContainerDone {
        connection,
        done: word,
    }))
}

/// The last lines of a container's log
#[utoipa::path(
    get,
    path = "/container/{connection}/logs",
    tag = "containers",
    params(
        ("connection" = String, Path, description = "The connection's name."),
        ("lines" = Option<u64>, Query, description = "1 to 10,000; 200 unless given.")
    ),
    responses(
        (status = 200, description = "The lines.", body = String, content_type = "text/plain"),
        (status = 404, description = "There is no such container of this project."),
        (status = 501, description = "The router has no access to Docker."),
        AnyCaller, Unauthorized, Parameterized
    )
)]
pub(super) async fn logs(
    State(app): State<App>,
    Path(connection): Path<String>,
    mut parameters: Parameters,
) -> Result<Response, RouterError> {
    let lines = parameters.take_number("lines", 1..=MOST_LINES)?;
    parameters.finish(&["lines"])?;
    let container = container(&app, &connection).await?;
    let body = Body::from_stream(container.logs(lines.unwrap_or(LINES)));
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response())
}

async fn container(app: &App, connection: &str) -> Result<Container, RouterError> {
    docker::find(address(app)?, connection)
        .await?
        .ok_or_else(|| RouterError::UnknownContainer {
            connection: connection.to_owned(),
        })
}

fn address(app: &App) -> Result<&DockerAddress, RouterError> {
    app.docker().ok_or(RouterError::NoDocker)
}
