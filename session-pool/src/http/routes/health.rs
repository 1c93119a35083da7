use axum::Json;
use jiff::Timestamp;

use crate::domain::wire::Health;
use crate::http::openapi::AnyCaller;

/// Whether the pool answers
///
/// For probes; needs no token, and no PowerShell is asked.
#[utoipa::path(
    get,
    path = "/health",
    tag = "pool",
    responses((status = 200, description = "It does.", body = Health), AnyCaller),
    security(())
)]
pub(crate) async fn health() -> Json<Health> {
    Json(Health {
        status: "healthy".to_owned(),
        timestamp: Timestamp::now(),
    })
}
