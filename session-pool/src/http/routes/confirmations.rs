use axum::Json;
use axum::extract::{Path, State};

use crate::domain::audit::ConfirmedHow;
use crate::domain::policy::{ConfirmRequest, ConfirmationRequest, Confirmed};
use crate::http::App;
use crate::http::body::Body;
use crate::http::error::ApiError;
use crate::http::openapi::{AnyCaller, OfConfirmation, Posted, Unauthorized};
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
    request_body = ConfirmRequest,
    responses(
        (status = 200, description = "The command may be sent again.", body = Confirmed),
        AnyCaller, Unauthorized, Posted, OfConfirmation
    )
)]
pub(in crate::http) async fn confirm(
    State(app): State<App>,
    _: NoParameters,
    Path(id): Path<String>,
    Body(request): Body<ConfirmRequest>,
) -> Result<Json<Confirmed>, ApiError> {
    let how = request.how.unwrap_or(ConfirmedHow::Request);
    app.pool().guard().approve(&id, how)?;
    tracing::warn!(how = how.as_str(), "a person has confirmed a command");
    Ok(Json(Confirmed { confirmed: id }))
}
