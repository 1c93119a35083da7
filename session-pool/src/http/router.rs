//! Every route on one page.

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::access::{Access, require_own_host, require_token};
use super::error::ApiError;
use super::observe::observe;
use super::routes::{
    confirmations, connections, events, health, jobs, metrics, policy, reset, run, sign_in, status,
};
use super::{App, body, openapi};

/// The pool's API as one service, with the routes of one kind of server for callers with the
/// token.
pub fn router(app: App, more: Router) -> Router {
    let access = Access::from_ref(&app);
    let for_token = || from_fn_with_state(access.clone(), require_token);
    let (open, _) = open().split_for_parts();
    let (closed, _) = closed().split_for_parts();
    let closed = closed
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(for_token());
    let description = openapi::finish(pool_description(), app.pool().only());
    let routes = open
        .merge(closed)
        .route("/openapi.json", get(move || openapi::answer(description)))
        .merge(more.layer(for_token()).with_state(()));
    guarded(routes.with_state(app), access)
}

/// The description of the pool's routes, for who passes them on.
pub(crate) fn pool_description() -> OpenApi {
    let (_, description) = open().merge(closed()).split_for_parts();
    description
}

/// What stands around the routes of every server: hosts, limits, request ids, the log.
pub(crate) fn guarded(routes: Router, access: Access) -> Router {
    routes
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(body::LIMIT))
        .layer(from_fn_with_state(access, require_own_host))
        .layer(CatchPanicLayer::custom(|_| {
            ApiError::Internal.into_response()
        }))
        .layer(from_fn(observe))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
}

/// Routes that anyone may ask; `/openapi.json` is the fourth.
fn open() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(health::health)) //         GET /health
        .routes(routes!(metrics::metrics)) //       GET /metrics
        .routes(routes!(status::status)) //         GET /status (without the token: less of it)
}

/// Routes for callers with the token. What is not a route is told to them only.
fn closed() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(connections::connections)) // GET /connections
        .routes(routes!(run::run)) //               POST /run
        .routes(routes!(jobs::list)) //              GET /jobs
        .routes(routes!(jobs::show, jobs::cancel)) // GET, DELETE /jobs/{id}
        .routes(routes!(events::events)) //          GET /jobs/{id}/events
        .routes(routes!(reset::reset)) //           POST /reset
        .routes(routes!(sign_in::sign_in)) //       POST /sign-in
        .routes(routes!(sign_in::sign_out)) //      POST /sign-out
        .routes(routes!(policy::check)) //          POST /policy/check
        .routes(routes!(confirmations::show, confirmations::confirm)) // GET, POST /confirmations/{id}
}

pub(crate) async fn not_found(request: Request) -> ApiError {
    ApiError::NotFound {
        path: request.uri().path().to_owned(),
    }
}

async fn method_not_allowed(request: Request) -> Response {
    ApiError::MethodNotAllowed {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
    }
    .into_response()
}
