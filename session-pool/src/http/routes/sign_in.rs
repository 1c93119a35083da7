use axum::Json;
use axum::extract::State;

use crate::domain::wire::{SignInAnswer, SignInRequest, SignOutAnswer, SignOutRequest};
use crate::http::App;
use crate::http::body::Body;
use crate::http::error::ApiError;
use crate::http::openapi::{AnyCaller, OfConnection, Posted, Unauthorized, Usable};
use crate::http::parameters::NoParameters;

/// Signs in ahead of need
///
/// Begins the sign-ins of a connection's modules, each in its session, and answers when each of them is
/// signed in, waits for a person, or has failed. Whoever asks gets the same code until somebody has
/// entered it; `GET /status` then says who has signed in. A client that hangs up stops nothing.
#[utoipa::path(
    post,
    path = "/sign-in",
    tag = "sign-ins",
    request_body = SignInRequest,
    responses(
        (status = 200, description = "What became of each sign-in so far.", body = SignInAnswer),
        AnyCaller, Unauthorized, Posted, OfConnection, Usable
    )
)]
pub(in crate::http) async fn sign_in(
    State(app): State<App>,
    _: NoParameters,
    Body(request): Body<SignInRequest>,
) -> Result<Json<SignInAnswer>, ApiError> {
    let pool = app.pool().clone();
    let signing_in = tokio::spawn(async move { pool.sign_in(request).await });
    let answer = signing_in.await.map_err(|_| ApiError::Internal)??;
    Ok(Json(answer))
}

/// Signs out
///
/// Ends the sign-ins of a connection, or of some of its modules, and deletes what they keep in the
/// connection's home, also where no session is open. Jobs that run or wait there are cancelled.
#[utoipa::path(
    post,
    path = "/sign-out",
    tag = "sign-ins",
    request_body = SignOutRequest,
    responses(
        (status = 200, description = "Nobody is signed in any more; or `failed` says what is left.",
         body = SignOutAnswer),
        AnyCaller, Unauthorized, Posted, OfConnection
    )
)]
pub(in crate::http) async fn sign_out(
    State(app): State<App>,
    _: NoParameters,
    Body(request): Body<SignOutRequest>,
) -> Result<Json<SignOutAnswer>, ApiError> {
    // A task of its own: a client that hangs up does not leave it half done.
    let pool = app.pool().clone();
    let signing_out = tokio::spawn(async move { pool.sign_out(request).await });
    let answer = signing_out.await.map_err(|_| ApiError::Internal)??;
    Ok(Json(answer))
}
