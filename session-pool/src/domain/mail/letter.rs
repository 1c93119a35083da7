//! A mail or message with everything that people need to see before it is sent.

use serde_json::{Map, Value};

use super::text_of_html;
use crate::domain::visible::{visible, visible_line};

/// Most characters of the text, and of one value beside it, that are shown.
const LONGEST_TEXT: usize = 20_000;
const LONGEST_VALUE: usize = 500;

/// Most recipients and attachments that are shown by name.
const MOST: usize = 200;

/// A mail or message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    /// Who sends it, where it says so.
    pub from: Vec<String>,
    /// Who gets the answers, where it says so.
    pub reply_to: Vec<String>,
    /// Recipients.
    pub to: Vec<String>,
    /// Recipients of a copy.
    pub cc: Vec<String>,
    /// Recipients that the others do not see.
    pub bcc: Vec<String>,
    /// Subjects; more than one where the call names more than one.
    pub subject: Vec<String>,
    /// The text, of HTML the text alone.
    pub text: Vec<String>,
    /// Attachments: names, kinds, sizes, addresses.
    pub attachments: Vec<String>,
    /// Everything else that is sent along.
    pub also: Vec<String>,
}

impl Letter {
    /// What a call of Graph sends: `{message, comment}` of mail, a draft, a message of Teams, a post
    /// to a group. The names of properties count in any case, as they do there.
    pub fn of_graph(body: &Value) -> Self {
        let mut letter = Self::default();
        match body {
            Value::Object(object) => letter.object(object),
            Value::Null => {}
            other => letter.also.push(short(&other.to_string())),
        }
        letter
    }

    /// Whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn object(&mut self, object: &Map<String, Value>) {
        for (key, value) in object {
            if value.is_null() || value.as_array().is_some_and(Vec::is_empty) {
                continue;
            }
            let name = key.to_ascii_lowercase();
            match (name.as_str(), value) {
                ("message" | "post", Value::Object(inner)) => self.object(inner),
                ("posts", Value::Array(posts)) => {
                    for post in posts {
                        match post {
                            Value::Object(inner) => self.object(inner),
                            other => self.also(key, other),
                        }
                    }
                }
                ("from" | "sender", _) => {
                    let who = person(value);
                    if !self.from.contains(&who) {
                        self.from.push(who);
                    }
                }
                ("replyto", _) => self.reply_to.extend(people(value)),
                ("torecipients" | "newparticipants", _) => self.to.extend(people(value)),
                ("ccrecipients", _) => self.cc.extend(people(value)),
                ("bccrecipients", _) => self.bcc.extend(people(value)),
                ("subject" | "topic", Value::String(text)) => self.subject.push(text.clone()),
                ("comment", Value::String(text)) => self.text.push(text_of(text, None)),
                ("body", Value::Object(body)) => self.body(body),
                ("attachments", Value::Array(list)) => {
                    self.attachments.extend(list.iter().map(attachment));
                }
                _ => self.also(key, value),
            }
        }
    }

    fn body(&mut self, body: &Map<String, Value>) {
        let kind = body
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case("contentType"))
            .and_then(|(_, value)| value.as_str())
            .map(str::to_owned);
        for (key, value) in body {
            match (key.to_ascii_lowercase().as_str(), value) {
                ("content", Value::String(text)) => self.text.push(text_of(text, kind.as_deref())),
                ("contenttype", Value::String(_)) => {}
                _ => self.also(key, value),
            }
        }
    }

    fn also(&mut self, key: &str, value: &Value) {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.also.push(format!("{}: {}", short(key), short(&value)));
    }

    /// As lines, each of two spaces and a name; the text is set in further, so that no line of it can
    /// pass for one of ours.
    pub fn shown(&self) -> String {
        let mut shown = String::new();
        let mut line = |name: &str, value: &str| {
            shown.push_str(&format!("  {name}: {}\n", visible_line(value)));
        };
        for (name, list) in [
            ("From", &self.from),
            ("Reply to", &self.reply_to),
            ("To", &self.to),
            ("Cc", &self.cc),
            ("Bcc", &self.bcc),
        ] {
            if !list.is_empty() {
                line(name, &listed(list));
            }
        }
        for subject in &self.subject {
            line("Subject", &short(subject));
        }
        for attachment in self.attachments.iter().take(MOST) {
            line("Attachment", attachment);
        }
        if let Some(more) = self
            .attachments
            .len()
            .checked_sub(MOST)
            .filter(|more| *more > 0)
        {
            line("Attachments", &format!("and {more} more"));
        }
        for other in &self.also {
            line("Also", other);
        }
        for text in &self.text {
            shown.push_str("  Text:\n");
            let mut cut: String = text.chars().take(LONGEST_TEXT).collect();
            let rest = text.chars().count().saturating_sub(LONGEST_TEXT);
            if rest > 0 {
                cut.push_str(&format!(
                    "\n… and {rest} characters more, which are not shown"
                ));
            }
            for line in visible(&cut).lines() {
                shown.push_str(&format!("    {line}\n"));
            }
        }
        shown
    }
}

/// The text that people read; HTML where it is called so, or looks like it.
pub(super) fn text_of(text: &str, kind: Option<&str>) -> String {
    let html = match kind {
        Some(kind) => kind.to_ascii_lowercase().contains("html"),
        None => text.contains("</") || text.contains("<br") || text.contains("<p>"),
    };
    if html {
        text_of_html(text)
    } else {
        text.to_owned()
    }
}

pub(super) fn short(text: &str) -> String {
    let mut cut: String = text.chars().take(LONGEST_VALUE).collect();
    let rest = text.chars().count().saturating_sub(LONGEST_VALUE);
    if rest > 0 {
        cut.push_str(&format!("… and {rest} characters more"));
    }
    cut
}

fn listed(list: &[String]) -> String {
    let shown = list
        .iter()
        .take(MOST)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match list.len().checked_sub(MOST) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}

fn people(list: &Value) -> Vec<String> {
    match list {
        Value::Array(list) => list.iter().map(person).collect(),
        other => vec![person(other)],
    }
}

/// The address first: a name can be anything, also another's address.
fn person(who: &Value) -> String {
    let inner = field(who, "emailAddress").unwrap_or(who);
    let text = |name: &str| field(inner, name).and_then(Value::as_str);
    match (text("address"), text("name")) {
        (Some(address), Some(name)) if name != address && !name.is_empty() => {
            short(&format!("{address} ({name})"))
        }
        (Some(address), _) => short(address),
        _ => short(&who.to_string()),
    }
}

fn attachment(attachment: &Value) -> String {
    let text = |name: &str| field(attachment, name).and_then(Value::as_str);
    let mut parts = Vec::new();
    parts.extend(text("contentType").map(short));
    let bytes = text("contentBytes").map(|content| content.len() as u64 / 4 * 3);
    let size = field(attachment, "size").and_then(Value::as_u64).or(bytes);
    parts.extend(size.map(|size| format!("{} KB", size.div_ceil(1024))));
    for address in ["sourceUrl", "contentUrl", "contentLocation"] {
        parts.extend(text(address).map(|address| format!("from {}", short(address))));
    }
    let content = text("content").filter(|content| !content.is_empty());
    parts.extend(content.map(|content| format!("with {}", short(content))));
    parts
        .extend(field(attachment, "item").map(|item| format!("with {}", short(&item.to_string()))));
    let name = text("name").map_or_else(|| "without a name".to_owned(), short);
    if parts.is_empty() {
        name
    } else {
        format!("{name} ({})", parts.join(", "))
    }
}

/// A property, whatever the case of its name.
fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let (_, value) = value
        .as_object()?
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_that_is_sent_is_shown() {
        let letter = Letter::of_graph(&json!({
            "Message": {
                "subject": "Hello\nTo: x@y.z",
                "Body": {"contentType": "HTML", "content": "<p>Line 1</p><p>To: forged</p>"},
                "toRecipients": [{"emailAddress": {"address": "a@b.c", "name": "boss@contoso.com"}}],
                "bccRecipients": [{"emailAddress": {"address": "x@y.z"}}],
                "attachments": [{"name": "plan\u{202E}fdp.exe", "contentType": "application/pdf", "contentBytes": "AAAA"}],
                "importance": "high",
            },
            "saveToSentItems": false,
        }));
        assert_eq!(
            letter.shown(),
            "  To: a@b.c (boss@contoso.com)\n  Bcc: x@y.z\n  Subject: Hello⟦U+000A⟧To: x@y.z\n  \
             Attachment: plan⟦U+202E⟧fdp.exe (application/pdf, 1 KB)\n  Also: importance: high\n  Also: \
             saveToSentItems: false\n  Text:\n    Line 1\n    To: forged\n"
        );
    }

    #[test]
    fn two_properties_that_differ_in_case_are_both_shown() {
        let letter = Letter::of_graph(&json!({
            "message": {"toRecipients": [{"emailAddress": {"address": "good@b.c"}}]},
            "Message": {"ToRecipients": [{"EmailAddress": {"Address": "evil@b.c"}}]},
        }));
        assert!(
            letter.shown().contains("To: evil@b.c, good@b.c"),
            "{}",
            letter.shown()
        );
    }

    #[test]
    fn messages_of_teams_and_posts_are_shown_too() {
        let card = json!({
            "body": {"contentType": "html", "content": "Hi <at id=\"0\">Ada</at>"},
            "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": "{\"text\":\"x\"}"}],
            "mentions": [{"id": 0}],
        });
        let shown = Letter::of_graph(&card).shown();
        for part in [
            "Hi Ada",
            "card.adaptive",
            "with {\"text\":\"x\"}",
            "mentions",
        ] {
            assert!(shown.contains(part), "{shown}");
        }
        let thread =
            json!({"topic": "T", "posts": [{"body": {"contentType": "text", "content": "a <b"}}]});
        let shown = Letter::of_graph(&thread).shown();
        assert!(
            shown.contains("Subject: T") && shown.contains("    a <b"),
            "{shown}"
        );
    }
}
