//! Answers as text that stands alone: many gateways show nothing else.

mod failure;
mod lists;
mod reader;

use std::fmt::Write;

use serde_json::Value;
use session_pool::domain::format::FormatName;
use session_pool::domain::record::ErrorRecord;
use session_pool::domain::state::time_left;
use session_pool::domain::visible::visible;
use session_pool::domain::wire::{AnswerStatus, JobAnswer};

use self::failure::sentence;
pub(crate) use self::failure::{failure, reason};
pub(crate) use self::reader::Reader;
use crate::progress::describe;
use crate::tools::Outcome;
use crate::tools::graph::GraphOutcome;
use crate::{graph, tools};

/// Where the registry does not name a connection's tenant.
const NO_TENANT: &str = "not named in the registry";

/// What a call answers, in words. Writing to a string cannot fail.
pub(crate) fn outcome(outcome: &Outcome, reader: Reader) -> String {
    match outcome {
        Outcome::Connections(connections, status) => {
            lists::connections(connections, status, reader)
        }
        Outcome::Jobs(jobs) => lists::jobs(jobs, reader),
        Outcome::Job(answer) | Outcome::Cancelled(answer) => self::answer(answer, reader),
        Outcome::Graph(GraphOutcome::Connections(list)) => tools::graph::text(list, reader),
        Outcome::Graph(GraphOutcome::Answer(answer)) => graph::text(answer, reader),
        Outcome::Question(question) => question.message.clone(),
    }
}

/// A job's answer: connection and tenant first, then what became of it, then the output.
pub(crate) fn answer(answer: &JobAnswer, reader: Reader) -> String {
    let mut text = head(answer, reader);
    match answer.status {
        AnswerStatus::Success => success(&mut text, answer, reader),
        AnswerStatus::Running => running(&mut text, answer, reader),
        AnswerStatus::AuthRequired => sign_in(&mut text, answer, reader),
        AnswerStatus::ConfirmationRequired => confirm(&mut text, answer, reader),
        AnswerStatus::Blocked | AnswerStatus::Error => error(&mut text, answer, reader),
    }
    text
}

/// The first line, and a warning where somebody unexpected is signed in.
fn head(answer: &JobAnswer, reader: Reader) -> String {
    let tenant = answer.tenant.as_deref().unwrap_or(NO_TENANT);
    let mut text = format!(
        "Connection: {} | tenant: {tenant} | module: {}",
        answer.connection, answer.module
    );
    if let Some(site) = site(answer) {
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
            "WARNING: {account} is signed in, but the connection expects {expected}. {}",
            reader.wrong_account()
        );
    }
    text
}

/// The site, where the session has one of its own.
fn site(answer: &JobAnswer) -> Option<&str> {
    answer.session_id.split_once('@').map(|(_, site)| site)
}

/// A code is the pool's to explain; what waits for a person is told as `mm` has it.
fn confirm(text: &mut String, answer: &JobAnswer, reader: Reader) {
    let _ = match &answer.confirmation {
        Some(asked) if asked.code.is_none() => writeln!(
            text,
            "Status: not run; waiting for a person (id {}).\n\n{}\nNext: {}.",
            asked.id,
            visible(&asked.preview),
            reader.after_confirming(&asked.id, asked.expires_in)
        ),
        _ => writeln!(text, "\n{}", answer.message.as_deref().unwrap_or_default()),
    };
}

fn success(text: &mut String, answer: &JobAnswer, reader: Reader) {
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
    more(text, answer, reader);
}

fn running(text: &mut String, answer: &JobAnswer, reader: Reader) {
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
    let _ = writeln!(text, "Next: {}", reader.follow(answer.job));
    if !is_empty(answer) {
        text.push_str("\nOutput so far:\n");
        output(text, answer, "");
        if let Some(cursor) = &answer.cursor {
            let next = reader.read_on(answer.job, cursor);
            let _ = writeln!(text, "\nWhat follows: {next}.");
        }
    }
}

fn sign_in(text: &mut String, answer: &JobAnswer, reader: Reader) {
    let connection = &answer.connection;
    text.push_str(if answer.started_at.is_none() {
        "Status: sign-in needed. The command has not run and will not run by itself.\n"
    } else {
        "Status: sign-in needed. The command had begun when it met a dead sign-in, and it will not run \
         again by itself.\n"
    });
    if let Some(reason) = &answer.reason {
        let _ = writeln!(text, "Why: {}", sentence(reason.clone()));
    }
    if let (Some(code), Some(url)) = (&answer.device_code, &answer.auth_url) {
        let account = answer
            .expected_account
            .as_ref()
            .map_or_else(String::new, |account| format!(" as {account}"));
        let left = answer.expires_in.map_or_else(String::new, |seconds| {
            format!(" The code is valid for {}.", time_left(seconds))
        });
        let _ = write!(
            text,
            "\n{}:\n1. Open {url}\n2. Enter the code {code}\n3. Sign in{account} (connection {connection}, module {}).{left}\n",
            reader.who_signs_in(),
            answer.module
        );
    } else if let Some(message) = answer.message.as_ref().or(answer.error.as_ref()) {
        let _ = writeln!(text, "\n{}: {message}", reader.who_signs_in());
    }
    let mut place = format!("connection {connection}, module {}", answer.module);
    if let Some(site) = site(answer) {
        let _ = write!(place, ", site {site}");
    }
    if answer.started_at.is_none() {
        let _ = writeln!(text, "\nNext: {}", reader.after_sign_in(&place));
        return;
    }
    if let Some(caller) = &answer.asked_by {
        let _ = writeln!(text, "The code was asked for by {}.", visible(caller));
    }
    if let (Some(_), Some(message)) = (&answer.device_code, &answer.message) {
        let _ = writeln!(text, "The pool says: {message}");
    }
    let _ = writeln!(text, "\nNext: {}", reader.after_dead_sign_in(&place));
    // At a shell it stands on standard output already.
    if reader == Reader::Assistant || !is_empty(answer) {
        text.push_str("\nOutput up to there:\n");
        output(text, answer, "(no output)");
    }
    more(text, answer, reader);
}

fn error(text: &mut String, answer: &JobAnswer, reader: Reader) {
    let code = answer
        .code
        .as_ref()
        .filter(|code| **code != answer.state.as_str())
        .map_or_else(String::new, |code| format!(" [{code}]"));
    let what = answer
        .error
        .clone()
        .or_else(|| answer.errors.last().map(|error| error.message.clone()))
        .unwrap_or_else(|| "the command did not succeed".to_owned());
    let _ = writeln!(text, "Status: {}{code}. {}", answer.state, sentence(what));
    if !is_empty(answer) {
        text.push_str("\nOutput up to there:\n");
        output(text, answer, "");
    }
    more(text, answer, reader);
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
fn more(text: &mut String, answer: &JobAnswer, reader: Reader) {
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
        "\nThis is not all{rest}.{partial} Next page: {}.",
        reader.read_on(answer.job, cursor)
    );
}

fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// What a call answers, for programs: the same as the text.
pub(crate) fn structured(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Job(answer) | Outcome::Cancelled(answer) => {
            serde_json::to_value(answer).unwrap_or_default()
        }
        Outcome::Jobs(page) => lists::structured_jobs(page),
        Outcome::Graph(GraphOutcome::Connections(list)) => tools::graph::structured(list),
        Outcome::Graph(GraphOutcome::Answer(answer)) => graph::structured(answer),
        Outcome::Question(question) => {
            serde_json::json!({"status": "input_required", "message": question.message})
        }
        Outcome::Connections(list, status) => lists::structured_connections(list, status),
    }
}
