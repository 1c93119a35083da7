//! `GET /status`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::is_false;
use crate::domain::module::Module;
use crate::domain::state::IdentityPart;

#[cfg(feature = "server")]
use utoipa::ToSchema;

/// One session in `GET /status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct SessionStatus {
    /// `connection/module`, for pnp with `@site` where it is not the root.
    pub session_id: String,
    /// The connection.
    pub connection: String,
    /// The module.
    pub module: Module,
    /// initializing, ready, auth_pending, authenticated, error or stopped.
    pub state: String,
    /// Whether somebody is signed in.
    pub authenticated: bool,
    /// Whether a command runs.
    pub busy: bool,
    /// Jobs that wait.
    pub queued: usize,
    /// The pool was restarted since somebody signed in here, and the sign-in could not be restored.
    #[serde(default, skip_serializing_if = "is_false")]
    pub signed_out_by_restart: bool,
    /// Who is signed in. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated_as: Option<String>,
    /// Tenant id of the sign-in. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// What of the sign-in cannot be known, and so was compared with nothing. Only with the token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unverified: Vec<IdentityPart>,
    /// Since when. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub authenticated_since: Option<Timestamp>,
    /// The code that waits for a person. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_code: Option<String>,
    /// Where to enter it. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_url: Option<String>,
    /// Seconds until it ends. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// Who asked for it. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// When the certificate ends that it signs in with. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub certificate_ends_at: Option<Timestamp>,
    /// Why nobody is signed in any more, where somebody was or should have been. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_out: Option<String>,
    /// When keepalive last checked the sign-in. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub last_ping_at: Option<Timestamp>,
    /// Resident memory of its PowerShell and all that this has started, when last looked at. Only
    /// with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident_bytes: Option<u64>,
    /// Why its PowerShell ought to be replaced and is not, and what to do. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdue: Option<String>,
    /// The user that it runs as. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<u32>,
    /// Process id of its PowerShell. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The last command's text. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_command: Option<String>,
    /// When it was given, which is when the session was last used. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub last_command_at: Option<Timestamp>,
    /// The last failure. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// Answer of `GET /status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct StatusAnswer {
    /// Every session, by id.
    pub sessions: Vec<SessionStatus>,
    /// User ids under which sessions of several connections run, each of which can read what the
    /// others keep of their sign-ins; none with `--user-ids`. Only with the token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_user_ids: Vec<SharedUserId>,
}

/// A user id that several connections share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct SharedUserId {
    /// The id.
    pub user_id: u32,
    /// The sessions that run under it, by id.
    pub sessions: Vec<String>,
}
