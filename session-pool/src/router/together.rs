//! Routes that all backends answer together.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::domain::exposition::Exposition;
use crate::domain::wire::router::{
    BackendState, BackendStatus, RouterConnections, RouterJobs, RouterStatus, RouterTotals,
};
use crate::domain::wire::{ConnectionInfo, PoolTotals};
use crate::http::access::Caller;
use crate::http::error::ApiError;
use crate::http::openapi::{AnyCaller, Parameterized, Unauthorized};
use crate::http::parameters::{NoParameters, Parameters};
use crate::http::routes::metrics::{EXPOSITION, Form, accepted};

use super::App;
use super::gather;

/// The sessions of every backend, and the backends
///
/// Without the token: without identities, device codes, commands and errors.
#[utoipa::path(
    get,
    path = "/status",
    tag = "pool",
    responses(
        (status = 200, description = "Every session and every backend.", body = RouterStatus),
        AnyCaller, Unauthorized, Parameterized
    ),
    security((), ("token" = []))
)]
pub(super) async fn status(
    State(app): State<App>,
    caller: Caller,
    _: NoParameters,
) -> Json<RouterStatus> {
    let gathered = gather::json(app.backends(), "/status", caller).await;
    let up = gathered
        .answers
        .iter()
        .map(|(connection, _)| BackendStatus {
            connection: connection.clone(),
            state: BackendState::Up,
            reason: None,
        });
    let down = gathered
        .unreachable
        .iter()
        .map(|(connection, reason)| BackendStatus {
            connection: connection.clone(),
            state: BackendState::Down,
            reason: (caller == Caller::Trusted).then(|| reason.clone()),
        });
    let mut backends: Vec<_> = up.chain(down).collect();
    backends.sort_by(|a, b| a.connection.cmp(&b.connection));
    let sessions = lists(gathered.answers, "sessions");
    Json(RouterStatus { sessions, backends })
}

/// The jobs of every backend
#[utoipa::path(
    get,
    path = "/jobs",
    tag = "jobs",
    responses(
        (status = 200, description = "The jobs without their output, newest first.", body = RouterJobs),
        AnyCaller, Unauthorized, Parameterized
    )
)]
pub(super) async fn jobs(State(app): State<App>, _: NoParameters) -> Json<RouterJobs> {
    let gathered = gather::json(app.backends(), "/jobs", Caller::Trusted).await;
    let mut jobs = lists(gathered.answers, "jobs");
    // Ids are in order of creation.
    jobs.sort_by(|a, b| text(b, "job").cmp(text(a, "job")));
    Json(RouterJobs {
        jobs,
        unreachable: gathered.unreachable,
    })
}

/// The connections
///
/// As their backends know them; those whose backend is down as the router reads them in the
/// registry.
#[utoipa::path(
    get,
    path = "/connections",
    tag = "pool",
    responses(
        (status = 200, description = "The connections, by name.", body = RouterConnections),
        AnyCaller, Unauthorized, Parameterized
    )
)]
pub(super) async fn connections(
    State(app): State<App>,
    _: NoParameters,
) -> Json<RouterConnections> {
    let gathered =
        gather::json::<Map<String, Value>>(app.backends(), "/connections", Caller::Trusted).await;
    let mut connections: BTreeMap<String, Value> = BTreeMap::new();
    let registry = app.registry().registry();
    for connection in registry.connections() {
        let name = connection.name.as_str();
        if gathered.unreachable.contains_key(name) {
            let info = ConnectionInfo {
                description: connection.description.clone(),
                tenant: connection.tenant.clone(),
                modules: connection.modules(),
            };
            connections.insert(name.to_owned(), json!(info));
        }
    }
    for (_, mut answer) in gathered.answers {
        if let Some(Value::Object(its)) = answer.remove("connections") {
            connections.extend(its);
        }
    }
    Json(RouterConnections {
        connections,
        unreachable: gathered.unreachable,
    })
}

/// What the backends count, and the router
///
/// Each sample of a backend has the label `connection`; the router's own names begin with
/// `session_pool_router_`. An `Accept` header that names text/plain or OpenMetrics gets Prometheus
/// text; anything else JSON.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "pool",
    params((
        "format" = inline(Option<Form>), Query,
        description = "Decides the form whatever `Accept` says."
    )),
    responses(
        (status = 200, description = "The counts.", content(
            (RouterTotals = "application/json"),
            (String = "text/plain")
        )),
        AnyCaller, Parameterized
    ),
    security(())
)]
pub(super) async fn metrics(
    State(app): State<App>,
    headers: HeaderMap,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let format = parameters.take::<Form>("format")?;
    parameters.finish(&["format"])?;
    Ok(match format.unwrap_or_else(|| accepted(&headers)) {
        Form::Prometheus => {
            let text = exposition(&app).await;
            ([(header::CONTENT_TYPE, EXPOSITION)], text).into_response()
        }
        Form::Json => Json(totals(&app).await).into_response(),
    })
}

async fn exposition(app: &App) -> String {
    let mut all = Exposition::default();
    all.add_renamed(
        &app.metrics().exposition(),
        "session_pool_",
        "session_pool_router_",
    );
    for (connection, text) in gather::text(app.backends(), "/metrics").await.answers {
        all.add(&text, &connection);
    }
    all.render()
}

async fn totals(app: &App) -> RouterTotals {
    let gathered = gather::json::<PoolTotals>(app.backends(), "/metrics", Caller::Anonymous).await;
    let mut total = app.metrics().uptime();
    for (_, one) in &gathered.answers {
        total.add(one);
    }
    RouterTotals {
        total,
        connections: gathered.answers.into_iter().collect(),
        // Reasons name addresses and files, and this route asks for no token.
        unreachable: gathered
            .unreachable
            .into_keys()
            .map(|connection| (connection, "down".to_owned()))
            .collect(),
    }
}

/// The lists of that name, one behind the other.
fn lists(answers: Vec<(String, Map<String, Value>)>, name: &str) -> Vec<Value> {
    answers
        .into_iter()
        .filter_map(|(_, mut answer)| match answer.remove(name) {
            Some(Value::Array(list)) => Some(list),
            _ => None,
        })
        .flatten()
        .collect()
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}
