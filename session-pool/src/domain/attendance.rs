//! Waiting for people to sign in, as they see it in a shell: what to print, and when it is over.

use super::state::time_left;
use super::wire::{AnswerStatus, SessionSignIn, SessionStatus, SignInAnswer, StatusAnswer};

/// Looks in a row that a session may be neither signed in, nor waiting, nor failed: so long it may
/// take to sign somebody else out who had signed in.
const UNCLEAR: u8 = 30;

/// A connection's sign-ins that were asked for.
#[derive(Clone, Debug)]
pub struct Attendance {
    connection: String,
    waiting: Vec<Waiting>,
    failed: bool,
}

#[derive(Clone, Debug)]
struct Waiting {
    session: SessionSignIn,
    seconds_left: u64,
    unclear: u8,
}

impl Attendance {
    /// What was answered to `POST /sign-in`, and the lines that say it.
    pub fn new(connection: &str, answer: SignInAnswer) -> (Self, Vec<String>) {
        let mut attendance = Self {
            connection: connection.to_owned(),
            waiting: Vec::new(),
            failed: false,
        };
        let mut lines = Vec::new();
        for session in answer.sessions {
            match session.status {
                AnswerStatus::AuthRequired => {
                    lines.push(session.message.clone().unwrap_or_default());
                    attendance.waiting.push(Waiting {
                        seconds_left: session.expires_in.unwrap_or_default(),
                        session,
                        unclear: 0,
                    });
                }
                AnswerStatus::Success => {
                    let account = session.authenticated_as.as_deref();
                    lines.push(attendance.done(&session, account, session.tenant_id.as_deref()));
                }
                _ => {
                    let reason = session.error.as_deref().unwrap_or(UNKNOWN);
                    lines.push(attendance.failure(&session, reason));
                    attendance.failed = true;
                }
            }
        }
        (attendance, lines)
    }

    /// Whether nobody is waited for any more.
    pub const fn is_over(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether everybody has signed in so far.
    pub const fn has_failed(&self) -> bool {
        self.failed
    }

    /// What has changed, by `GET /status` as it is now.
    pub fn look(&mut self, status: &StatusAnswer) -> Vec<String> {
        let mut lines = Vec::new();
        for mut waiting in std::mem::take(&mut self.waiting) {
            let id = &waiting.session.session_id;
            let found = status.sessions.iter().find(|it| it.session_id == *id);
            match found.map(|it| (it, it.state.as_str())) {
                Some((now, "authenticated")) => {
                    let account = now.authenticated_as.as_deref();
                    lines.push(self.done(&waiting.session, account, now.tenant_id.as_deref()));
                }
                Some((now, "auth_pending")) => {
                    lines.extend(waiting.goes_on(&self.connection, now));
                    self.waiting.push(waiting);
                }
                Some((now, "error")) => {
                    let reason = now.last_error.as_deref().unwrap_or(UNKNOWN);
                    lines.push(self.failure(&waiting.session, reason));
                    self.failed = true;
                }
                Some((_, "ready" | "initializing")) if waiting.unclear < UNCLEAR => {
                    waiting.unclear += 1;
                    self.waiting.push(waiting);
                }
                _ => {
                    lines.push(self.failure(&waiting.session, ENDED));
                    self.failed = true;
                }
            }
        }
        lines
    }

    /// Who is waited for, and how long yet.
    pub fn countdown(&self) -> Option<String> {
        let seconds = self.waiting.iter().map(|it| it.seconds_left).min()?;
        let modules: Vec<_> = self
            .waiting
            .iter()
            .map(|it| it.session.module.as_str())
            .collect();
        Some(format!(
            "{}: waiting for {}, {} ({}:{:02})",
            self.connection,
            modules.join(", "),
            time_left(seconds),
            seconds / 60,
            seconds % 60
        ))
    }

    fn place(&self, session: &SessionSignIn) -> String {
        let tenant = session.tenant.as_ref();
        let tenant = tenant.map_or_else(String::new, |tenant| format!(" ({tenant})"));
        format!("{}{tenant}, {}", self.connection, session.module)
    }

    fn done(&self, session: &SessionSignIn, account: Option<&str>, tenant: Option<&str>) -> String {
        format!(
            "{}: signed in as {} in the tenant {}.",
            self.place(session),
            account.unwrap_or("somebody whom the module does not tell"),
            tenant.unwrap_or("that the module does not tell")
        )
    }

    fn failure(&self, session: &SessionSignIn, reason: &str) -> String {
        format!("{}: not signed in: {reason}", self.place(session))
    }
}

impl Waiting {
    /// The code still stands, or the module has begun anew by itself.
    fn goes_on(&mut self, connection: &str, now: &SessionStatus) -> Option<String> {
        self.unclear = 0;
        self.seconds_left = now.expires_in.unwrap_or_default();
        if now.device_code == self.session.device_code {
            return None;
        }
        self.session.device_code.clone_from(&now.device_code);
        let (code, url) = (now.device_code.as_deref()?, now.auth_url.as_deref()?);
        Some(format!(
            "{connection}, {}: the code before is over. Open {url} and enter the code {code}.",
            self.session.module
        ))
    }
}

const UNKNOWN: &str = "the pool does not say why; look at its log";

const ENDED: &str = "the session was ended or signed out meanwhile; sign in again";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::{Value, json};

    use super::*;

    fn asked(sessions: &Value) -> (Attendance, Vec<String>) {
        let answer = json!({"status": "auth_required", "sessions": sessions});
        Attendance::new("contoso", serde_json::from_value(answer).unwrap())
    }

    fn status(state: &str, more: Value) -> StatusAnswer {
        let mut session = json!({
            "session_id": "contoso/exo", "connection": "contoso", "module": "exo", "state": state,
            "authenticated": state == "authenticated", "busy": false, "queued": 0,
        });
        let (Some(fields), Value::Object(more)) = (session.as_object_mut(), more) else {
            unreachable!()
        };
        fields.extend(more);
        serde_json::from_value(json!({"sessions": [session]})).unwrap()
    }

    fn waiting() -> (Attendance, Vec<String>) {
        asked(&json!([
            {"status": "auth_required", "session_id": "contoso/exo", "module": "exo",
             "tenant": "contoso.example", "device_code": "ABC", "expires_in": 125,
             "message": "enter the code ABC"},
        ]))
    }

    #[test]
    fn it_ends_with_who_signed_in_where() {
        let (mut attendance, lines) = waiting();
        assert_eq!(lines, ["enter the code ABC"]);
        assert_eq!(
            attendance.countdown().unwrap(),
            "contoso: waiting for exo, 2 more minutes (2:05)"
        );
        let pending = |code: &str, left: u64| {
            let url = "https://microsoft.com/devicelogin";
            status(
                "auth_pending",
                json!({"device_code": code, "auth_url": url, "expires_in": left}),
            )
        };
        assert_eq!(attendance.look(&pending("ABC", 59)), [""; 0]);
        assert!(attendance.countdown().unwrap().contains("(0:59)"));
        let anew = attendance.look(&pending("DEF", 900));
        assert!(anew.iter().any(|line| line.contains("DEF")), "{anew:?}");
        assert!(!attendance.is_over());
        let signed_in = json!({"authenticated_as": "ada@contoso.example", "tenant_id": "t"});
        assert_eq!(
            attendance.look(&status("authenticated", signed_in)),
            ["contoso (contoso.example), exo: signed in as ada@contoso.example in the tenant t."]
        );
        assert!(attendance.is_over() && !attendance.has_failed());
        assert_eq!(attendance.countdown(), None);
    }

    #[test]
    fn a_failure_says_why() {
        let (mut attendance, _) = waiting();
        let failed = json!({"last_error": "nobody entered the code in time"});
        let lines = attendance.look(&status("error", failed));
        assert!(
            lines.iter().any(|line| line.ends_with("in time")),
            "{lines:?}"
        );
        assert!(attendance.is_over() && attendance.has_failed());

        let (attendance, lines) = asked(&json!([
            {"status": "error", "session_id": "contoso/exo", "module": "exo", "error": "blocked"},
            {"status": "success", "session_id": "contoso/pnp", "module": "pnp"},
        ]));
        assert!(
            lines
                .iter()
                .any(|line| line.ends_with("not signed in: blocked"))
        );
        assert!(attendance.is_over() && attendance.has_failed());
    }

    #[test]
    fn a_session_that_goes_away_is_not_waited_for() {
        let (mut attendance, _) = waiting();
        assert!(!attendance.look(&StatusAnswer::default()).is_empty());
        assert!(attendance.is_over() && attendance.has_failed());

        let (mut attendance, _) = waiting();
        let looks = (0..100).take_while(|_| {
            attendance.look(&status("ready", json!({})));
            !attendance.is_over()
        });
        assert_eq!(looks.count(), usize::from(UNCLEAR));
    }
}
