//! Answers as text that stands alone.

use std::fmt::Write;

use serde_json::json;
use session_pool::sign_in::{Audience, DevicePrompt};

use super::accepted::{Accepted, ELSEWHERE};
use super::answer::{Answer, Asked, Content, Shown};
use super::body::Blob;
use super::error::GraphError;
use crate::text::Reader;

/// The answer: connection and tenant first. Writing to a string cannot fail.
pub(crate) fn text(answer: &Answer, reader: Reader) -> String {
    let mut text = head(answer);
    let (content, broke) = answer.content.parts();
    match content {
        Content::Shown(shown) => self::shown(&mut text, answer, shown, reader),
        Content::Nothing(status) => {
            let _ = writeln!(text, "\nOK (no content, status {status})");
        }
        Content::Blob(status, blob) => {
            let _ = writeln!(
                text,
                "\nStatus {status}: {}. It is not shown; repeat the call with save_to to keep it.",
                described(blob)
            );
        }
        Content::Saved {
            path,
            blob,
            items,
            cursor,
        } => {
            let count = items.map_or_else(String::new, |items| format!("{items} items, "));
            let _ = writeln!(text, "\nSaved to {path}: {count}{}.", described(blob));
            if let Some(cursor) = cursor {
                let _ = writeln!(
                    text,
                    "The collection goes on. What follows: {} with another save_to.",
                    next(reader, answer, cursor)
                );
            }
        }
        Content::SignIn(prompt) => sign_in(&mut text, answer, prompt),
        Content::Confirm(asked) => confirm(&mut text, asked, reader),
        Content::Question(question) => {
            let _ = writeln!(
                text,
                "Status: not sent; a person is asked.\n\n{}",
                question.message
            );
        }
        Content::Failed(error) => {
            let _ = writeln!(text, "Error: {}", ended(&error.to_string()));
        }
        // What was read or answered stands apart from what became of it.
        Content::BrokeOff { .. } | Content::Ongoing { .. } => {}
    }
    match answer.content.accepted() {
        Some(Accepted::Endpoint(endpoint)) => {
            let _ = writeln!(
                text,
                "\nThe service goes on with it. How far it is: {}.",
                asks(reader, answer, endpoint)
            );
        }
        Some(Accepted::Elsewhere) => {
            let _ = writeln!(text, "\n{ELSEWHERE}");
        }
        None => {}
    }
    match broke {
        Some(GraphError::SignInNeeded(prompt)) => {
            text.push_str("\nA person must sign in again before it goes on.\n");
            sign_in(&mut text, answer, prompt);
        }
        Some(error) => {
            let _ = writeln!(text, "\nError: {}", ended(&error.to_string()));
        }
        None => {}
    }
    text
}

fn head(answer: &Answer) -> String {
    let tenant = answer
        .tenant
        .as_deref()
        .unwrap_or("not named in the registry");
    let mut text = format!("Connection: {} | tenant: {tenant}", answer.connection);
    if let Some(account) = &answer.account {
        let _ = write!(text, " | signed in as: {account}");
    } else if answer.app_only {
        text.push_str(" | signed in as: the app itself");
    }
    let _ = writeln!(text, " | {} {}", answer.method, answer.call);
    text
}

fn shown(text: &mut String, answer: &Answer, shown: &Shown, reader: Reader) {
    text.push('\n');
    if shown.format == "html" {
        text.push_str("The answer is a web page:\n");
    }
    if let Some(output) = &shown.output {
        text.push_str(output);
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    if let Some(items) = shown.items {
        let _ = write!(text, "\n{items} item{}", if items == 1 { "" } else { "s" });
        if shown.delivered > items {
            let _ = write!(text, ", {} so far", shown.delivered);
        }
        if let Some(total) = shown.total {
            let _ = write!(text, ", {total} in all");
        }
        text.push_str(".\n");
    }
    if let Some(beside) = &shown.beside {
        let _ = writeln!(text, "Beside the items: {beside}");
    }
    if let Some(cursor) = &shown.cursor {
        let why = shown
            .stopped
            .map_or_else(String::new, |why| format!(" ({why})"));
        let partial = if shown.partial {
            " It begins or ends inside an item: put the fragments together."
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "\nThis is not all{why}.{partial} Next page: {}.",
            next(reader, answer, cursor)
        );
    }
    if let Some(delta) = &shown.delta {
        let _ = writeln!(
            text,
            "\nChanges from now on: {}.",
            asks(reader, answer, delta)
        );
    }
}

fn next(reader: Reader, answer: &Answer, cursor: &str) -> String {
    let connection = &answer.connection;
    match reader {
        Reader::Assistant => calls(json!({"connection": connection, "cursor": cursor})),
        Reader::Shell => format!("mm graph {} --cursor {cursor}", quoted(connection)),
    }
}

/// A call of the same service's.
fn asks(reader: Reader, answer: &Answer, endpoint: &str) -> String {
    let connection = &answer.connection;
    let flow = answer.service == Audience::Flow.name();
    match (reader, flow) {
        (Reader::Assistant, false) => {
            calls(json!({"connection": connection, "endpoint": endpoint}))
        }
        (Reader::Assistant, true) => {
            calls(json!({"connection": connection, "endpoint": endpoint, "resource": "flow"}))
        }
        (Reader::Shell, _) => format!(
            "mm graph {} {}{}",
            quoted(connection),
            quoted(endpoint),
            if flow { " --resource flow" } else { "" }
        ),
    }
}

fn confirm(text: &mut String, asked: &Asked, reader: Reader) {
    let minutes = asked.expires_in.div_ceil(60);
    let preview = &asked.preview;
    let _ = match (&asked.code, &asked.id, reader) {
        (Some(code), _, Reader::Assistant) => writeln!(
            text,
            "Status: not sent; it must be confirmed first.\n\n{preview}\nNext: show this to the user. \
             Only when they agree to exactly this, repeat exactly the same call with \
             \"confirmation\": \"{code}\" within {minutes} minutes. Whatever changes needs a new code.",
        ),
        (Some(code), _, Reader::Shell) => writeln!(
            text,
            "Status: not sent; it must be confirmed first.\n\n{preview}\nNext: when it is right, repeat \
             exactly the same command with --confirmation {code} within {minutes} minutes.",
        ),
        (None, id, reader) => {
            let id = id.as_deref().unwrap_or_default();
            let next = reader.after_confirming(id, asked.expires_in);
            writeln!(
                text,
                "Status: not sent; waiting for a person (id {id}).\n\n{preview}\nNext: {next}."
            )
        }
    };
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn calls(arguments: serde_json::Value) -> String {
    format!("call `graph_request` with {arguments}")
}

fn sign_in(text: &mut String, answer: &Answer, prompt: &DevicePrompt) {
    text.push_str("Status: sign-in needed. Nothing was sent and nothing will be sent by itself.\n");
    if let Some(reason) = &prompt.reason {
        let _ = writeln!(text, "Why: {}", ended(reason));
    }
    let account = answer
        .expected
        .as_ref()
        .map_or_else(String::new, |account| format!(" as {account}"));
    let _ = write!(
        text,
        "\nFor the user:\n1. Open {}\n2. Enter the code {}\n3. Sign in{account} (connection {}, {}). The code is valid for {}.\n",
        prompt.url,
        prompt.code,
        answer.connection,
        answer.service,
        left(prompt.seconds_left)
    );
    text.push_str(
        "\nNext: show this to the user and wait. When they say they are done, repeat exactly the same call.\n",
    );
}

/// Whole minutes that are certainly left, or seconds below one.
fn left(seconds: u32) -> String {
    let (number, noun) = match seconds {
        0..60 => (seconds, "second"),
        _ => (seconds / 60, "minute"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} more {noun}{plural} ({seconds} s)")
}

fn described(blob: &Blob) -> String {
    format!(
        "{} bytes of {}, SHA-256 {}",
        blob.bytes, blob.content_type, blob.sha256
    )
}

fn ended(sentence: &str) -> String {
    let sentence = sentence.trim_end();
    if sentence.ends_with(['.', '!', '?', ')']) {
        sentence.to_owned()
    } else {
        format!("{sentence}.")
    }
}
