use axum::Json;
use axum::extract::{Path, State};

use crate::domain::policy::{ConfirmationRequest, Confirmed};
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::openapi::{AnyCaller, OfConfirmation, Unauthorized};
use crate::http::parameters::NoParameters;

/// Shows what waits for a yes
#[utoipa::path(
    get,
    path = "/confirmations/{id}",
    tag = "policy",
    params(("id" = String, Path, description = "The id of an answer with status `confirmation_required`.")),
    responses(
        (status = 200, description = "What would be done.", body = ConfirmationRequest),
        AnyCaller, Unauthorized, OfConfirmation
    )
)]
pub(in crate::http) async fn show(
    State(app): State<App>,
    _: NoParameters,
    Path(id): Path<String>,
) -> Result<Json<ConfirmationRequest>, ApiError> {
    Ok(Json(app.pool().guard().pending(&id)?))
}

/// Says yes, for a person who has seen the preview
///
/// The same command then runs when it is sent again, once. `session-pool confirm ID` calls this.
#[utoipa::path(
    post,
    path = "/confirmations/{id}",
    tag = "policy",
    params(("id" = String, Path, description = "The id of an answer with status `confirmation_required`.")),
    responses(
        (status = 200, description = "The command may be sent again.", body = Confirmed),
        AnyCaller, Unauthorized, OfConfirmation
    )
)]
pub(in crate::http) async fn confirm(
    State(app): State<App>,
    _: NoParameters,
    Path(id): Path<String>,
) -> Result<Json<Confirmed>, ApiError> {
    app.pool().guard().approve(&id)?;
    tracing::warn!("a person has confirmed a command");
    Ok(Json(Confirmed { confirmed: id }))
}
