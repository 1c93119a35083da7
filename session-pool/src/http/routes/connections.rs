use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;

use crate::domain::wire::{ConnectionInfo, ConnectionList};
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::openapi::{AnyCaller, Parameterized, Unauthorized};
use crate::http::parameters::NoParameters;

/// The connections of the registry
///
/// What each is for and with which modules it can be used; never application ids or secrets.
#[utoipa::path(
    get,
    path = "/connections",
    tag = "pool",
    responses(
        (status = 200, description = "The connections, by name.", body = ConnectionList),
        AnyCaller, Unauthorized, Parameterized
    )
)]
pub(in crate::http) async fn connections(
    State(app): State<App>,
    _: NoParameters,
) -> Result<Json<ConnectionList>, ApiError> {
    let connections: BTreeMap<_, _> = app
        .pool()
        .connections()
        .into_iter()
        .map(|connection| {
            let info = ConnectionInfo {
                description: connection.description.clone(),
                tenant: connection.tenant.clone(),
                modules: connection.modules(),
            };
            (connection.name.to_string(), info)
        })
        .collect();
    Ok(Json(ConnectionList { connections }))
}
