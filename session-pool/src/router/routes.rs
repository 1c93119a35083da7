//! Every route of the router on one page.

use axum::Router;
use axum::extract::FromRef as _;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::access::require_token;
use crate::http::routes::health;
use crate::http::{Access, guarded, openapi, pool_description};

use super::{App, containers, one, together};

/// The router's API as one service, behind the same rules of access as the pool's.
pub(super) fn routes(app: App) -> Router {
    let access = Access::from_ref(&app);
    let (open, mut description) = open().split_for_parts();
    let (closed, more) = closed().split_for_parts();
    description.merge(more);
    // The rest is as the backends have it.
    description.merge(pool_description());
    let description = openapi::finish(description, None);
    let passed_on = Router::new()
        .route("/jobs/{id}", any(one::of_job)) //        GET, DELETE
        .route("/jobs/{id}/events", any(one::of_job)) // GET
        .route("/confirmations/{id}", any(one::of_confirmation)) // GET, POST
        .fallback(one::of_connection); //                POST /run, /reset and all others
    let closed = closed
        .merge(passed_on)
        .layer(from_fn_with_state(access.clone(), require_token));
    let routes = open
        .route("/openapi.json", get(move || openapi::answer(description)))
        .merge(closed);
    guarded(routes.with_state(app), access)
}

/// Routes that anyone may ask; `/openapi.json` is the fourth.
fn open() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(health::health)) //   GET /health: the router's own
        .routes(routes!(together::metrics)) // GET /metrics
        .routes(routes!(together::status)) //  GET /status (without the token: less of it)
}

/// Routes for callers with the token, beside those that are passed on.
fn closed() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(together::connections)) // GET /connections
        .routes(routes!(together::jobs)) //        GET /jobs
        .routes(routes!(containers::list)) //      GET /containers
        .routes(routes!(containers::apply)) //     POST /container/{connection}/{deed}
        .routes(routes!(containers::logs)) //      GET /container/{connection}/logs
}
