//! Answers as text that stands alone.

use std::fmt::Write;

use serde_json::json;
use session_pool::sign_in::DevicePrompt;

use super::answer::{Answer, Content, Shown};
use super::body::Blob;

/// The answer: connection and tenant first. Writing to a string cannot fail.
pub(crate) fn text(answer: &Answer) -> String {
    let mut text = head(answer);
    match &answer.content {
        Content::Shown(shown) => self::shown(&mut text, answer, shown),
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
                    next(answer, cursor)
                );
            }
        }
        Content::SignIn(prompt) => sign_in(&mut text, answer, prompt),
        Content::Preview(preview) => {
            let _ = write!(
                text,
                "Status: not sent. {preview}\nNext: show this to the user. When they agree, repeat exactly the same call with \"confirmed\": true.\n"
            );
        }
        Content::Failed(error) => {
            let _ = writeln!(text, "Error: {}", ended(&error.to_string()));
        }
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

fn shown(text: &mut String, answer: &Answer, shown: &Shown) {
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
            next(answer, cursor)
        );
    }
    if let Some(delta) = &shown.delta {
        let _ = writeln!(
            text,
            "\nChanges from now on: call `graph_request` with {}.",
            json!({"connection": answer.connection, "endpoint": delta})
        );
    }
}

fn next(answer: &Answer, cursor: &str) -> String {
    format!(
        "call `graph_request` with {}",
        json!({"connection": answer.connection, "cursor": cursor})
    )
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
