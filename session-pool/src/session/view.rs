//! What the outside may know of a session while its task owns the rest.

use jiff::Timestamp;
use tokio::sync::watch;

use crate::domain::session_key::SessionKey;
use crate::domain::state::{SessionState, SignedIn};
use crate::domain::wire::SessionStatus;

/// A session as it is now.
#[derive(Clone, Debug)]
pub(super) struct SessionView {
    pub(super) state: SessionState,
    pub(super) busy: bool,
    /// It has no process, and none is starting.
    pub(super) cold: bool,
    /// See [`SessionStatus::signed_out_by_restart`].
    pub(super) signed_out_by_restart: bool,
    pub(super) pid: Option<u32>,
    pub(super) last_command: Option<(Timestamp, String)>,
    pub(super) last_error: Option<String>,
    /// The end of the certificate that it signs in with.
    pub(super) certificate_ends: Option<Timestamp>,
    /// Its sign-in was last checked.
    pub(super) last_ping: Option<Timestamp>,
    /// Resident bytes of its process and all that it has started, when that was last looked at.
    pub(super) resident: Option<u64>,
    /// Why its process ought to be replaced and is not.
    pub(super) overdue: Option<String>,
    /// Why nobody is signed in any more.
    pub(super) signed_out: Option<String>,
}

impl Default for SessionView {
    fn default() -> Self {
        Self {
            state: SessionState::Initializing,
            busy: false,
            cold: true,
            signed_out_by_restart: false,
            pid: None,
            last_command: None,
            last_error: None,
            certificate_ends: None,
            last_ping: None,
            resident: None,
            overdue: None,
            signed_out: None,
        }
    }
}

/// Longest command text that a status shows.
const SHOWN_COMMAND: usize = 200;

impl SessionView {
    /// A session of the pool's last life whose sign-in is lost; or of a fresh one.
    pub(super) fn lost(reason: Option<&str>) -> Self {
        Self {
            signed_out_by_restart: reason.is_some(),
            last_error: reason.map(str::to_owned),
            ..Self::default()
        }
    }

    /// Remembers the beginning of a command.
    pub(super) fn note_command(&mut self, command: &str) {
        let mut shown: String = command.chars().take(SHOWN_COMMAND).collect();
        if shown.len() < command.len() {
            shown.push('…');
        }
        self.last_command = Some((Timestamp::now(), shown));
    }

    /// A session that lost its process, and that nobody has needed since, does not initialize: it
    /// shows why it has none.
    fn shown_state(&self) -> SessionState {
        match (&self.state, &self.last_error) {
            (SessionState::Initializing, Some(reason)) if self.cold && !self.busy => {
                SessionState::Error {
                    reason: reason.clone(),
                }
            }
            (state, _) => state.clone(),
        }
    }

    /// The view in the words of the API.
    pub(super) fn status(&self, key: &SessionKey, queued: usize) -> SessionStatus {
        let signed_in = match &self.state {
            SessionState::Authenticated(signed_in) => Some(signed_in),
            _ => None,
        };
        let pending = match &self.state {
            SessionState::AuthPending(pending) => Some(pending),
            _ => None,
        };
        SessionStatus {
            session_id: key.to_string(),
            connection: key.connection().to_string(),
            module: key.module(),
            state: self.shown_state().as_str().to_owned(),
            authenticated: signed_in.is_some(),
            busy: self.busy,
            queued,
            signed_out_by_restart: self.signed_out_by_restart,
            authenticated_as: signed_in.and_then(|signed_in| signed_in.account.clone()),
            tenant_id: signed_in.and_then(|signed_in| signed_in.tenant_id.clone()),
            unverified: signed_in.map_or_else(Vec::new, SignedIn::unverified),
            authenticated_since: signed_in.map(|signed_in| signed_in.since),
            device_code: pending.map(|pending| pending.code.clone()),
            auth_url: pending.map(|pending| pending.url.clone()),
            expires_in: pending.map(|pending| pending.seconds_left(Timestamp::now())),
            asked_by: pending.and_then(|pending| pending.asked_by.clone()),
            certificate_ends_at: self.certificate_ends,
            signed_out: self.signed_out.clone(),
            last_ping_at: self.last_ping,
            resident_bytes: self.resident,
            overdue: self.overdue.clone(),
            user_id: None,
            pid: self.pid,
            last_command: self.last_command.as_ref().map(|(_, text)| text.clone()),
            last_command_at: self.last_command.as_ref().map(|(at, _)| *at),
            last_error: match self.shown_state() {
                SessionState::Error { reason } => Some(reason),
                _ => self.last_error.clone(),
            },
        }
    }
}

/// Where a session's task publishes its view.
pub(super) type ViewSender = watch::Sender<SessionView>;
