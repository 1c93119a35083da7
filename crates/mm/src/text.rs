//! Answers as text that stands alone: many gateways show nothing else.

use std::fmt::Write;

use serde_json::{Value, json};
use session_pool::domain::format::FormatName;
use session_pool::domain::record::ErrorRecord;
use session_pool::domain::wire::{
    AnswerStatus, ConnectionList, JobAnswer, JobList, SessionStatus, StatusAnswer,
};

use crate::progress::describe;
use crate::tools::graph::GraphOutcome;
use crate::tools::{Failure, Outcome};
use crate::{graph, tools};

/// What a call answers, in words. Writing to a string cannot fail.
pub(crate) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Connections(connections, status) => list_connections(connections, status),
        Outcome::Jobs(jobs) => list_jobs(jobs),
        Outcome::Job(answer) => self::answer(answer),
        Outcome::Graph(GraphOutcome::Connections(list)) => tools::graph::text(list),
        Outcome::Graph(GraphOutcome::Answer(answer)) => graph::text(answer),
    }
}

/// Why a call has no answer, in words.
pub(crate) fn failure(connection: Option<&str>, failure: &Failure) -> String {
    let head = connection
        .map(|name| format!("Connection: {name} | tenant: not known\n"))
        .unwrap_or_default();
    format!("{head}Error: {failure}.")
}

/// A job's answer: connection and tenant first, then what became of it, then the output.
pub(crate) fn answer(answer: &JobAnswer) -> String {
    let mut text = head(answer);
    match answer.status {
        AnswerStatus::Success => success(&mut text, answer),
        AnswerStatus::Running => running(&mut text, answer),
        AnswerStatus::AuthRequired => sign_in(&mut text, answer),
        AnswerStatus::Error => error(&mut text, answer),
    }
    text
}

/// The first line, and a warning where somebody unexpected is signed in.
fn head(answer: &JobAnswer) -> String {
    let tenant = answer
        .tenant
        .as_deref()
        .unwrap_or("not named in the registry");
    let mut text = format!(
        "Connection: {} | tenant: {tenant} | module: {}",
        answer.connection, answer.module
    );
    if let Some((_, site)) = answer.session_id.split_once('@') {
        let _ = write!(text, " | site: {site}");
    }
    if let Some(account) = &answer.authenticated_as {
        let _ = write!(text, " | signed in as: {account}");
    }
    let _ = writeln!(text, " | job: {}", answer.job);
    if let (Some(account), Some(expected)) = (&answer.authenticated_as, &answer.expected_account)
        && account.contains('@')
        && !account.eq_ignore_ascii_case(expected)
    {
        let _ = writeln!(
            text,
            "WARNING: {account} is signed in, but the connection expects {expected}. Tell the user before you go on."
        );
    }
    text
}

fn success(text: &mut String, answer: &JobAnswer) {
    text.push('\n');
    if answer.output_lost {
        let _ = writeln!(
            text,
            "The command ran to its end, but its output is lost: {} Do not repeat it blindly: what it changed is changed.",
            answer
                .error
                .as_deref()
                .unwrap_or("the pool was restarted since.")
        );
        return;
    }
    output(text, answer, "(no output)");
    more(text, answer);
}

fn running(text: &mut String, answer: &JobAnswer) {
    let id = answer.job.to_string();
    let state = match answer.started_at {
        None => "it waits for its turn in the session".to_owned(),
        Some(_) => "it goes on".to_owned(),
    };
    let _ = writeln!(
        text,
        "Status: still running ({state}). Nothing is lost; do not send the command again."
    );
    if let Some(progress) = &answer.progress {
        let _ = writeln!(text, "Progress: {}", describe(progress));
    }
    let _ = writeln!(
        text,
        "Next: call `job` with {} for its end, or with {} to stop it.",
        json!({ "id": id }),
        json!({ "id": id, "cancel": true })
    );
    if !is_empty(answer) {
        text.push_str("\nOutput so far:\n");
        output(text, answer, "");
        if let Some(cursor) = &answer.cursor {
            let _ = writeln!(
                text,
                "\nWhat follows: call `job` with {}.",
                json!({ "id": id, "cursor": cursor })
            );
        }
    }
}

fn sign_in(text: &mut String, answer: &JobAnswer) {
    let connection = &answer.connection;
    text.push_str("Status: sign-in needed. The command has not run and will not run by itself.\n");
    if let (Some(code), Some(url)) = (&answer.device_code, &answer.auth_url) {
        let account = answer
            .expected_account
            .as_ref()
            .map_or_else(String::new, |account| format!(" as {account}"));
        let left = answer.expires_in.map_or_else(String::new, |seconds| {
            format!(" The code is valid for {}.", minutes(seconds))
        });
        let _ = write!(
            text,
            "\nFor the user:\n1. Open {url}\n2. Enter the code {code}\n3. Sign in{account} (connection {connection}, module {}).{left}\n",
            answer.module
        );
    } else if let Some(message) = answer.message.as_ref().or(answer.error.as_ref()) {
        let _ = writeln!(text, "\nFor the user: {message}");
    }
    text.push_str(
        "\nNext: show this to the user and wait. When they say they are done, repeat exactly the same call.\n",
    );
}

fn error(text: &mut String, answer: &JobAnswer) {
    let code = answer
        .code
        .as_ref()
        .map_or_else(String::new, |code| format!(" [{code}]"));
    let what = answer
        .error
        .clone()
        .or_else(|| answer.errors.last().map(|error| error.message.clone()))
        .unwrap_or_else(|| "the command did not succeed".to_owned());
    let _ = writeln!(text, "Status: {}{code}. {what}", answer.state);
    if !is_empty(answer) {
        text.push_str("\nOutput up to there:\n");
        output(text, answer, "");
    }
    more(text, answer);
}

fn is_empty(answer: &JobAnswer) -> bool {
    matches!(answer.output.as_str(), "" | "[]")
        && answer.errors.is_empty()
        && answer.warnings.is_empty()
        && answer.messages.is_empty()
}

/// The output, and in JSON what stands beside it. In text, errors and warnings stand in it.
fn output(text: &mut String, answer: &JobAnswer, nothing: &str) {
    if answer.output.is_empty() {
        text.push_str(nothing);
    } else {
        text.push_str(&answer.output);
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    if answer.format == FormatName::Text {
        return;
    }
    for record in &answer.errors {
        let _ = writeln!(text, "Error: {}", describe_error(record));
    }
    for warning in &answer.warnings {
        let _ = writeln!(text, "Warning: {warning}");
    }
    for message in &answer.messages {
        let _ = writeln!(text, "{}: {}", message.stream, message.text);
    }
}

fn describe_error(record: &ErrorRecord) -> String {
    let place = match (record.line, record.column) {
        (Some(line), Some(column)) => format!(" at line {line}, column {column}"),
        _ => String::new(),
    };
    format!(
        "{}{place} ({}, {})",
        record.message, record.category, record.id
    )
}

/// Errors that did not end the command, and where the answer goes on.
fn more(text: &mut String, answer: &JobAnswer) {
    if answer.status == AnswerStatus::Success && answer.error_count > 0 {
        let _ = writeln!(
            text,
            "\nThe command ran to its end, with {} on the way.",
            counted(answer.error_count, "error")
        );
    }
    let Some(cursor) = &answer.cursor else {
        return;
    };
    let rest = answer
        .remaining_characters
        .map_or_else(String::new, |left| format!(", {left} characters are left"));
    let partial = if answer.partial {
        " It ends inside a line or element, which goes on there."
    } else {
        ""
    };
    let _ = writeln!(
        text,
        "\nThis is not all{rest}.{partial} Next page: call `job` with {}.",
        json!({ "id": answer.job.to_string(), "cursor": cursor })
    );
}

fn list_connections(list: &ConnectionList, status: &StatusAnswer) -> String {
    if list.connections.is_empty() {
        return "There are no connections. Add one to the pool's registry \
                (~/.m365-connections.json), for example {\"connections\": {\"NAME\": {\"tenant\": \
                \"contoso.com\", \"appId\": \"…\", \"description\": \"…\"}}}; the pool reads it \
                again by itself.\n"
            .to_owned();
    }
    let mut text = format!(
        "{}:\n",
        counted(list.connections.len() as u64, "connection")
    );
    for (name, info) in &list.connections {
        let tenant = info
            .tenant
            .as_deref()
            .unwrap_or("not named in the registry");
        let modules: Vec<&str> = info.modules.iter().map(|module| module.as_str()).collect();
        let _ = write!(
            text,
            "\nConnection: {name} | tenant: {tenant} | modules: {}",
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
        text.push('\n');
    }
    text.push_str("\nNext: call `run` with connection, module and command.\n");
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
                        minutes(seconds)
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

fn list_jobs(list: &JobList) -> String {
    if list.jobs.is_empty() {
        return "There are no jobs. Results are kept for an hour.\n".to_owned();
    }
    let mut text = format!(
        "{}, newest first:\n",
        counted(list.jobs.len() as u64, "job")
    );
    for job in &list.jobs {
        let caller = job
            .caller_id
            .as_ref()
            .map_or_else(String::new, |caller| format!(", asked for by {caller}"));
        let _ = writeln!(
            text,
            "- Connection: {} | module: {} | job: {} | {} (made {}{caller}, {} characters)",
            job.connection, job.module, job.job, job.state, job.created_at, job.characters
        );
    }
    text.push_str("\nNext: call `job` with the id of one.\n");
    text
}

fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Whole minutes that are certainly left, or seconds below one.
fn minutes(seconds: u64) -> String {
    match seconds {
        0..60 => counted(seconds, "more second"),
        _ => counted(seconds / 60, "more minute"),
    }
}

/// What a call answers, for programs: the same as the text.
pub(crate) fn structured(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Job(answer) => serde_json::to_value(answer).unwrap_or_default(),
        Outcome::Jobs(list) => json!({"status": "success", "jobs": list.jobs}),
        Outcome::Graph(GraphOutcome::Connections(list)) => tools::graph::structured(list),
        Outcome::Graph(GraphOutcome::Answer(answer)) => graph::structured(answer),
        Outcome::Connections(list, status) => {
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
    }
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
