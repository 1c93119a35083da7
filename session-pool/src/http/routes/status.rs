use axum::Json;
use axum::extract::State;

use crate::domain::wire::{SessionStatus, StatusAnswer};
use crate::http::App;
use crate::http::access::Caller;
use crate::http::error::ApiError;
use crate::http::openapi::{AnyCaller, Parameterized, Unauthorized};
use crate::http::parameters::NoParameters;
use crate::session::Pool;

/// The sessions and their states
///
/// Without the token: without identities, device codes, commands and errors.
#[utoipa::path(
    get,
    path = "/status",
    tag = "pool",
    responses(
        (status = 200, description = "Every session, by id.", body = StatusAnswer),
        AnyCaller, Unauthorized, Parameterized
    ),
    security((), ("token" = []))
)]
pub(in crate::http) async fn status(
    State(app): State<App>,
    caller: Caller,
    _: NoParameters,
) -> Result<Json<StatusAnswer>, ApiError> {
    let sessions = app.pool().status();
    Ok(Json(match caller {
        Caller::Trusted => StatusAnswer {
            shared_user_ids: Pool::shared_user_ids(&sessions),
            sessions,
        },
        Caller::Anonymous => StatusAnswer {
            sessions: sessions.into_iter().map(reduced).collect(),
            shared_user_ids: Vec::new(),
        },
    }))
}

/// What a caller without the token may know of a session. Written out, so that a field that is
/// added later has to be decided on here.
fn reduced(session: SessionStatus) -> SessionStatus {
    SessionStatus {
        session_id: session.session_id,
        connection: session.connection,
        module: session.module,
        state: session.state,
        authenticated: session.authenticated,
        busy: session.busy,
        queued: session.queued,
        signed_out_by_restart: session.signed_out_by_restart,
        authenticated_as: None,
        tenant_id: None,
        unverified: Vec::new(),
        authenticated_since: None,
        device_code: None,
        auth_url: None,
        expires_in: None,
        asked_by: None,
        certificate_ends_at: None,
        signed_out: None,
        last_ping_at: None,
        resident_bytes: None,
        overdue: None,
        user_id: None,
        pid: None,
        last_command: None,
        last_command_at: None,
        last_error: None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_stranger_sees_neither_people_nor_codes_nor_commands() {
        let time = "2026-11-24T02:00:00Z";
        let public = json!({
            "session_id": "contoso/exo", "connection": "contoso", "module": "exo",
            "state": "authenticated", "authenticated": true, "busy": true, "queued": 3,
            "signed_out_by_restart": true,
        });
        let mut whole = public.clone();
        let secret = json!({
            "authenticated_as": "a@contoso.com", "tenant_id": "t", "unverified": ["account"],
            "authenticated_since": time, "device_code": "ABC", "auth_url": "https://x",
            "expires_in": 7, "asked_by": "somebody", "certificate_ends_at": time, "user_id": 7, "pid": 7,
            "signed_out": "a reset", "last_ping_at": time, "resident_bytes": 7, "overdue": "old",
            "last_command": "Get-Mailbox", "last_command_at": time, "last_error": "for a@contoso.com",
        });
        for (key, value) in secret.as_object().unwrap() {
            whole[key] = value.clone();
        }
        let status: SessionStatus = serde_json::from_value(whole.clone()).unwrap();
        assert_eq!(json!(status), whole, "every key is one of the answer's");
        assert_eq!(json!(reduced(status)), public);
    }
}
