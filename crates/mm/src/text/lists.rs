//! Lists: of connections, and of jobs.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value, json};
use session_pool::domain::state::time_left;
use session_pool::domain::wire::{ConnectionList, SessionStatus, StatusAnswer};

use super::{NO_TENANT, Reader, counted};
use crate::tools::JobPage;

/// The connections, each with who is signed in.
pub(super) fn connections(list: &ConnectionList, status: &StatusAnswer, reader: Reader) -> String {
    if list.connections.is_empty() {
        return "Connection: none | tenant: none\n\
                There are no connections. Add one to the pool's registry \
                (~/.m365-connections.json), for example {\"connections\": {\"NAME\": {\"tenant\": \
                \"contoso.com\", \"appId\": \"…\", \"description\": \"…\"}}}; the pool reads it \
                again by itself.\n"
            .to_owned();
    }
    let mut text = String::new();
    for (name, info) in &list.connections {
        let tenant = info.tenant.as_deref().unwrap_or(NO_TENANT);
        let modules: Vec<&str> = info.modules.iter().map(|module| module.as_str()).collect();
        let _ = write!(
            text,
            "Connection: {name} | tenant: {tenant} | modules: {}",
            modules.join(", ")
        );
        if let Some(description) = &info.description {
            let _ = write!(text, "\n  {description}");
        }
        let sessions: Vec<String> = status
            .sessions
            .iter()
            .filter(|session| session.connection == *name)
            .map(sign_in_state)
            .collect();
        if sessions.is_empty() {
            text.push_str("\n  Nobody is signed in yet; the first command asks for it.");
        }
        for session in sessions {
            let _ = write!(text, "\n  {session}");
        }
        text.push_str("\n\n");
    }
    let _ = writeln!(
        text,
        "{} in all. Next: {}.",
        counted(list.connections.len() as u64, "connection"),
        reader.run()
    );
    text
}

fn sign_in_state(session: &SessionStatus) -> String {
    let site = session
        .session_id
        .split_once('@')
        .map_or_else(String::new, |(_, site)| format!(" ({site})"));
    let module = session.module;
    let state = match session.state.as_str() {
        "authenticated" => match &session.authenticated_as {
            Some(account) => format!("signed in as {account}"),
            None => "signed in".to_owned(),
        },
        "auth_pending" => match (&session.device_code, &session.auth_url) {
            (Some(code), Some(url)) => format!(
                "waits for a sign-in: code {code} at {url}{}",
                session
                    .expires_in
                    .map_or_else(String::new, |seconds| format!(
                        ", valid for {}",
                        time_left(seconds)
                    ))
            ),
            _ => "waits for a sign-in".to_owned(),
        },
        "error" => format!(
            "failed: {}",
            session
                .last_error
                .as_deref()
                .unwrap_or("see the pool's log")
        ),
        "ready" => "not signed in".to_owned(),
        other => other.to_owned(),
    };
    let busy = if session.busy { ", busy" } else { "" };
    format!("{module}{site}: {state}{busy}")
}

/// A page of the jobs.
pub(super) fn jobs(page: &JobPage, reader: Reader) -> String {
    if page.jobs.is_empty() {
        return match page.all {
            0 => "Connection: none | tenant: none\nThere are no jobs. Results are kept for an hour.\n"
                .to_owned(),
            _ => "Connection: none | tenant: none\nThere are no more jobs.\n".to_owned(),
        };
    }
    let mut text = String::new();
    for job in &page.jobs {
        let tenant = job.tenant.as_deref().unwrap_or(NO_TENANT);
        let caller = job
            .caller_id
            .as_ref()
            .map_or_else(String::new, |caller| format!(", asked for by {caller}"));
        let _ = writeln!(
            text,
            "Connection: {} | tenant: {tenant} | module: {} | job: {} | {} (made {}{caller}, {})",
            job.connection,
            job.module,
            job.job,
            job.state,
            seconds(job.created_at),
            counted(job.characters, "character")
        );
    }
    if let Some(cursor) = page.cursor() {
        let _ = writeln!(
            text,
            "\nThis is not all, {} left: call `job` with {} for the next ones.",
            match page.left {
                1 => "1 older job is".to_owned(),
                left => format!("{left} older jobs are"),
            },
            json!({ "cursor": cursor })
        );
    }
    let _ = writeln!(
        text,
        "\n{} in all, newest first. Next: {}.",
        counted(page.all as u64, "job"),
        reader.any_job()
    );
    text
}

/// A moment for people: to the second.
fn seconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

/// The connections, for programs.
pub(super) fn structured_connections(list: &ConnectionList, status: &StatusAnswer) -> Value {
    let connections: Vec<Value> = list
        .connections
        .iter()
        .map(|(name, info)| {
            let sessions: Vec<Value> = status
                .sessions
                .iter()
                .filter(|session| session.connection == *name)
                .map(structured_session)
                .collect();
            let mut connection = serde_json::to_value(info).unwrap_or_default();
            if let Value::Object(fields) = &mut connection {
                fields.insert("name".to_owned(), json!(name));
                fields.insert("sessions".to_owned(), json!(sessions));
            }
            connection
        })
        .collect();
    json!({"status": "success", "connections": connections})
}

/// A page of the jobs, for programs.
pub(super) fn structured_jobs(page: &JobPage) -> Value {
    let mut list = json!({"status": "success", "jobs": page.jobs, "job_count": page.all});
    if let (Value::Object(fields), Some(cursor)) = (&mut list, page.cursor()) {
        fields.insert("cursor".to_owned(), json!(cursor));
        fields.insert("remaining_jobs".to_owned(), json!(page.left));
    }
    list
}

/// The sign-in state of a session, without what others ran in it.
fn structured_session(session: &SessionStatus) -> Value {
    let mut fields = json!({
        "session_id": session.session_id,
        "module": session.module,
        "state": session.state,
        "authenticated": session.authenticated,
        "busy": session.busy,
        "authenticated_as": session.authenticated_as,
        "device_code": session.device_code,
        "auth_url": session.auth_url,
        "expires_in": session.expires_in,
    });
    if let Value::Object(fields) = &mut fields {
        fields.retain(|_, value| !value.is_null());
    }
    fields
}
