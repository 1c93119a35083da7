//! Whether a call may be sent: the one place that decides it.

use serde_json::Value;
use session_pool::domain::graph::{Method, fully_decoded};
use session_pool::domain::registry::Connection;

use super::batch::Batch;

/// What is to be decided on.
#[derive(Debug)]
pub(crate) struct Proposed<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) method: Method,
    /// Path behind the base.
    pub(crate) path: &'a str,
    pub(crate) body: Option<&'a Value>,
    pub(crate) batch: Option<&'a Batch>,
    pub(crate) confirmed: bool,
    /// `MM_SEND_GUARDS`.
    pub(crate) guarded: bool,
}

/// What becomes of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is sent.
    Send,
    /// It is shown, and not sent.
    Preview(String),
}

/// Decides: what sends messages to people is shown first.
pub(crate) fn decide(proposed: &Proposed<'_>) -> Decision {
    if proposed.confirmed || !proposed.guarded || proposed.connection.skip_send_guards {
        return Decision::Send;
    }
    let mut previews = Vec::new();
    if let Some(batch) = proposed.batch {
        for request in batch.requests() {
            if let Some(what) = sends(request.method, &request.path) {
                previews.push(preview(what, &request.path, request.body.as_ref()));
            }
        }
    } else if let Some(what) = sends(proposed.method, proposed.path) {
        previews.push(preview(what, proposed.path, proposed.body));
    }
    if previews.is_empty() {
        Decision::Send
    } else {
        Decision::Preview(previews.join("\n"))
    }
}

/// What the call would send, if it sends anything.
fn sends(method: Method, path: &str) -> Option<&'static str> {
    if method != Method::Post {
        return None;
    }
    // A service may undo any encoding: `send%4Dail` is `sendMail` to it.
    let path = fully_decoded(path).to_ascii_lowercase();
    let segments: Vec<&str> = path
        .split('/')
        .map(str::trim)
        .filter(|segment| !segment.is_empty())
        .map(|segment| segment.trim_start_matches("microsoft.graph."))
        .map(|segment| segment.split('(').next().unwrap_or(segment))
        .collect();
    let (last, front) = segments.split_last()?;
    match *last {
        "sendmail" | "send" => Some("mail"),
        "reply" | "replyall" => Some("a reply by mail"),
        "forward" => Some("mail on to others"),
        "messages" | "replies" if front.iter().any(|s| matches!(*s, "chats" | "channels")) => {
            Some("a message in Teams")
        }
        _ => None,
    }
}

fn preview(what: &str, path: &str, body: Option<&Value>) -> String {
    let mut text = format!("This would send {what} (POST {path}):\n");
    let Some(body) = body else {
        text.push_str("  with what the draft holds\n");
        return text;
    };
    let message = field(body, "message").unwrap_or(body);
    for (name, key) in [
        ("To", "toRecipients"),
        ("Cc", "ccRecipients"),
        ("Bcc", "bccRecipients"),
    ] {
        let list = field(message, key).or_else(|| field(body, key));
        let addresses = list.map(addresses).unwrap_or_default();
        if !addresses.is_empty() {
            text.push_str(&format!("  {name}: {}\n", addresses.join(", ")));
        }
    }
    if let Some(subject) = field(message, "subject").and_then(Value::as_str) {
        text.push_str(&format!("  Subject: {subject}\n"));
    }
    let content = field(body, "comment")
        .and_then(Value::as_str)
        .or_else(|| field(field(message, "body")?, "content")?.as_str());
    if let Some(content) = content {
        text.push_str("  Text:\n");
        for line in content.lines() {
            text.push_str(&format!("    {line}\n"));
        }
    }
    let attachments = field(message, "attachments").and_then(Value::as_array);
    for attachment in attachments.into_iter().flatten() {
        let name = field(attachment, "name").and_then(Value::as_str);
        text.push_str(&format!(
            "  Attachment: {}\n",
            name.unwrap_or("without a name")
        ));
    }
    text
}

fn addresses(list: &Value) -> Vec<String> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| field(field(item, "emailAddress")?, "address")?.as_str())
        .map(str::to_owned)
        .collect()
}

/// A property, whatever the case of its name: Graph takes `Message` and `message`.
fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value
        .as_object()?
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_way_of_sending_is_known() {
        for (method, path, known) in [
            (Method::Post, "/v1.0/me/sendMail", true),
            (
                Method::Post,
                "/beta/users/ada@contoso.com/microsoft.graph.sendMail",
                true,
            ),
            (Method::Post, "/v1.0/me/SENDMAIL/", true),
            (Method::Post, "/v1.0/me/messages/AAA=/reply", true),
            (Method::Post, "/v1.0/me/messages/AAA=/replyAll", true),
            (Method::Post, "/v1.0/me/messages/AAA=/forward", true),
            (Method::Post, "/v1.0/me/messages/AAA=/send", true),
            (Method::Post, "/v1.0/chats/19:x@thread.v2/messages", true),
            (Method::Post, "/v1.0/teams/t/channels/c/messages", true),
            (
                Method::Post,
                "/v1.0/teams/t/channels/c/messages/m/replies",
                true,
            ),
            (Method::Post, "/v1.0/me/send%4Dail", true),
            (Method::Post, "/v1.0/me/%2573endMail", true),
            (Method::Post, "/v1.0/me%2FsendMail", true),
            (Method::Post, "/v1.0/me/sendMail%20", true),
            (Method::Post, "/v1.0/chats/1/messages%2F", true),
            (Method::Post, "/v1.0/me/messages", false),
            (Method::Post, "/v1.0/me/messages/AAA=/createReply", false),
            (Method::Get, "/v1.0/chats/19:x@thread.v2/messages", false),
            (Method::Post, "/v1.0/groups", false),
        ] {
            assert_eq!(sends(method, path).is_some(), known, "{path}");
        }
    }

    #[test]
    fn a_preview_shows_what_people_need_to_see() {
        let body = json!({"message": {
            "subject": "Hello", "body": {"content": "Line 1\nLine 2"},
            "toRecipients": [{"emailAddress": {"address": "a@b.c"}}],
            "bccRecipients": [{"emailAddress": {"address": "x@y.z"}}],
            "attachments": [{"name": "plan.pdf"}],
        }});
        let text = preview("mail", "/v1.0/me/sendMail", Some(&body));
        for part in [
            "To: a@b.c",
            "Bcc: x@y.z",
            "Subject: Hello",
            "    Line 2",
            "plan.pdf",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
