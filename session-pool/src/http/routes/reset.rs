use axum::Json;
use axum::extract::State;

use crate::domain::wire::{AnswerStatus, ResetAnswer, ResetRequest};
use crate::http::App;
use crate::http::body::Body;
use crate::http::error::ApiError;
use crate::http::openapi::{AnyCaller, OfConnection, Posted, Unauthorized};
use crate::http::parameters::NoParameters;

/// Ends sessions
///
/// Ends the processes of a connection, or of one of its modules, and cancels their jobs. Cached
/// sign-ins are kept; the next command starts a fresh process.
#[utoipa::path(
    post,
    path = "/reset",
    tag = "pool",
    request_body = ResetRequest,
    responses(
        (status = 200, description = "The sessions have ended.", body = ResetAnswer),
        AnyCaller, Unauthorized, Posted, OfConnection
    )
)]
pub(in crate::http) async fn reset(
    State(app): State<App>,
    _: NoParameters,
    Body(request): Body<ResetRequest>,
) -> Result<Json<ResetAnswer>, ApiError> {
    // A task of its own: a client that hangs up does not leave it half done.
    let pool = app.pool().clone();
    let ResetRequest { connection, module } = request;
    let reset = async move { pool.reset(connection.as_deref(), module.as_deref()).await };
    let reset = tokio::spawn(reset)
        .await
        .map_err(|_| ApiError::Internal)??;
    Ok(Json(ResetAnswer {
        status: AnswerStatus::Success,
        count: reset.len(),
        reset,
    }))
}
