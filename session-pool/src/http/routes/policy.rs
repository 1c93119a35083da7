use axum::Json;
use axum::extract::State;

use crate::domain::policy::{CheckAnswer, CheckRequest};
use crate::http::App;
use crate::http::body::Body;
use crate::http::error::ApiError;
use crate::http::openapi::{AnyCaller, OfConnection, Posted, Unauthorized, Usable};
use crate::http::parameters::NoParameters;

/// Explains what the policy says to a command
///
/// Nothing is run, also where the session is busy. `POST /run` decides by the same rules.
#[utoipa::path(
    post,
    path = "/policy/check",
    tag = "policy",
    request_body = CheckRequest,
    responses(
        (status = 200, description = "The decision, with every rule that was met.", body = CheckAnswer),
        AnyCaller, Unauthorized, Posted, OfConnection, Usable
    )
)]
pub(in crate::http) async fn check(
    State(app): State<App>,
    _: NoParameters,
    Body(request): Body<CheckRequest>,
) -> Result<Json<CheckAnswer>, ApiError> {
    Ok(Json(app.pool().check(request).await?.into()))
}
