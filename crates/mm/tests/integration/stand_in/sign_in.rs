//! Its sign-ins: Contoso's exo has just got a code, and by the next look somebody has entered it.

use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::StandIn;

pub fn routes() -> Router<StandIn> {
    Router::new()
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
}

async fn sign_in(Json(request): Json<Value>) -> Json<Value> {
    let exo = json!({
        "status": "auth_required", "session_id": "Contoso/exo", "module": "exo",
        "tenant": "contoso.example", "device_code": "ABCD-1234", "expires_in": 899,
        "auth_url": "https://microsoft.com/devicelogin", "message": "enter the code ABCD-1234",
    });
    let pnp = json!({
        "status": "error", "session_id": "Contoso/pnp", "module": "pnp",
        "error": "AADSTS53003: blocked", "code": "sign_in_failed",
    });
    let modules: Vec<_> = [exo, pnp]
        .into_iter()
        .filter(|session| match request["modules"].as_array() {
            Some(modules) => modules.contains(&session["module"]),
            None => true,
        })
        .collect();
    Json(json!({"status": "auth_required", "sessions": modules}))
}

async fn sign_out() -> Json<Value> {
    Json(
        json!({"status": "success", "signed_out": ["Contoso/exo"], "caches_deleted": ["exo", "pnp"]}),
    )
}
