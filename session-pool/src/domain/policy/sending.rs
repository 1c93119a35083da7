//! What a command of a text would send to people, for their eyes.

use serde_json::Value;

use super::facts::{ANYTHING, Command};
use crate::domain::graph::{Method, Sends};
use crate::domain::mail::Letter;
use crate::domain::visible::visible_line;

/// What stands where only running the command would tell.
const UNKNOWN: &str = "(known only when it runs)";

/// What mail and messages consist of, by the names that cmdlets have for it.
const PARTS: [(&str, &[&str]); 9] = [
    ("From", &["From", "UserId"]),
    (
        "To",
        &["To", "RecipientTo", "ChatId", "TeamId", "Team", "User"],
    ),
    ("Channel", &["ChannelId", "Channel"]),
    ("Cc", &["Cc"]),
    ("Bcc", &["Bcc"]),
    ("Reply to", &["ReplyTo"]),
    ("Subject", &["Subject"]),
    ("Attachment", &["Attachments", "Attachment", "Files"]),
    ("Text", &["Body", "Message", "Content", "Comment"]),
];

/// Parameters that hold a whole mail or message.
const WHOLE: [&str; 5] = ["BodyParameter", "Body", "Message", "Content", "Payload"];

/// The cmdlets that call Graph, or any service, by method and URL.
const BY_URL: [&str; 9] = [
    "Invoke-MgGraphRequest",
    "Invoke-MgRestMethod",
    "Invoke-GraphRequest",
    "Invoke-PnPGraphMethod",
    "Invoke-PnPSPRestMethod",
    "Invoke-AzRestMethod",
    "Invoke-AzRest",
    "Invoke-RestMethod",
    "Invoke-WebRequest",
];

/// Parts of a batch that are shown; the service takes no more.
const MOST_PARTS: usize = 20;

/// The lines of what a command would send; nothing where it sends nothing.
pub(super) fn of(command: &Command) -> String {
    let Some(name) = command.name.as_deref() else {
        return String::new();
    };
    if BY_URL.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return by_url(command);
    }
    let name = name.to_lowercase();
    if name.starts_with("send-") || name.contains("message") || name.contains("mail") {
        by_cmdlet(command)
    } else {
        String::new()
    }
}

/// A cmdlet that has parameters for the parts, or one for the whole.
fn by_cmdlet(command: &Command) -> String {
    let mut text = String::new();
    for parameter in &command.parameters {
        let whole = is_one_of(&parameter.name, &WHOLE);
        let Some(json) = parameter.json.as_deref().filter(|_| whole) else {
            continue;
        };
        let mut body = read(json);
        if parameter.name.eq_ignore_ascii_case("Message") {
            body = serde_json::json!({ "message": body });
        }
        text.push_str(&known(&Letter::of_graph(&body).shown()));
    }
    for (label, names) in PARTS {
        let given: Vec<&str> = command
            .parameters
            .iter()
            .filter(|parameter| parameter.json.is_none() && is_one_of(&parameter.name, names))
            .flat_map(|parameter| parameter.values.iter().map(String::as_str))
            .collect();
        if !given.is_empty() {
            text.push_str(&known(&format!(
                "  {label}: {}\n",
                visible_line(&given.join(", "))
            )));
        }
    }
    text
}

/// A call by method and URL: what it does, and what its body holds.
fn by_url(command: &Command) -> String {
    let value = |names: &[&str]| {
        command
            .parameters
            .iter()
            .find(|parameter| is_one_of(&parameter.name, names))
            .and_then(|parameter| parameter.values.first())
            .map(String::as_str)
    };
    let positional = |fits: &dyn Fn(&str) -> bool| {
        command
            .arguments
            .iter()
            .flat_map(|argument| &argument.values)
            .map(String::as_str)
            .find(|value| fits(value))
    };
    let method = value(&["Method", "CustomMethod"])
        .or_else(|| positional(&|value| method(value).is_some()))
        .unwrap_or("GET");
    let url = value(&["Uri", "Url", "Path"])
        .or_else(|| positional(&|value| value.contains('/')))
        .unwrap_or(UNKNOWN);
    let body = command
        .parameters
        .iter()
        .find(|parameter| is_one_of(&parameter.name, &WHOLE));
    let body = body.map(|parameter| match &parameter.json {
        Some(json) => read(json),
        None => read(&parameter.values.join("\n")),
    });
    let mut text = call(method, url, body.as_ref());
    if let Some(Value::Array(parts)) = body.as_ref().and_then(|body| body.get("requests")) {
        for part in parts.iter().take(MOST_PARTS) {
            let field = |name: &str| part.get(name).and_then(Value::as_str).unwrap_or(UNKNOWN);
            text.push_str(&call(field("method"), field("url"), part.get("body")));
        }
        if parts.len() > MOST_PARTS {
            text.push_str("  … and more parts, which are not shown\n");
        }
    }
    known(&text)
}

fn call(by: &str, url: &str, body: Option<&Value>) -> String {
    let path = url.split_once("://").map_or(url, |(_, behind)| behind);
    let sends = method(by).and_then(|method| Sends::of(method, path));
    let words = sends.map_or(String::new(), |sends| {
        format!(", which sends {}", sends.words())
    });
    let mut text = format!(
        "  Call: {} {}{words}\n",
        visible_line(&by.to_uppercase()),
        visible_line(url)
    );
    match body {
        Some(Value::String(body)) if body.contains(ANYTHING) => {
            text.push_str(&format!("  Body: {UNKNOWN}\n"));
        }
        Some(body) if body.get("requests").is_none() => {
            text.push_str(&Letter::of_graph(body).shown());
        }
        _ => {}
    }
    text
}

fn method(name: &str) -> Option<Method> {
    name.to_ascii_uppercase().parse().ok()
}

/// PowerShell takes the beginning of a parameter's name for the name.
fn is_one_of(written: &str, names: &[&str]) -> bool {
    names.iter().any(|name| {
        name.get(..written.len())
            .is_some_and(|beginning| beginning.eq_ignore_ascii_case(written))
    })
}

/// JSON where it is such, else the text.
fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn known(text: &str) -> String {
    text.replace(ANYTHING, UNKNOWN)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(command: Value) -> String {
        let mut command = command;
        if let Some(fields) = command.as_object_mut() {
            fields.extend([
                ("kind".to_owned(), json!("unknown")),
                ("text".to_owned(), json!("t")),
                ("line".to_owned(), json!(1)),
                ("column".to_owned(), json!(1)),
            ]);
        }
        serde_json::from_value::<Command>(command)
            .map_or_else(|error| error.to_string(), |command| of(&command))
    }

    #[test]
    fn a_send_is_shown_with_its_people_and_its_text() {
        let text = shown(json!({"name": "Send-MailMessage", "parameters": [
            {"name": "To", "values": ["a@x", "b@x"]},
            {"name": "Cc", "values": ["\u{FFFC}"]},
            {"name": "Bcc", "values": ["c@x"]},
            {"name": "Subject", "values": ["Hello\u{202E}"]},
            {"name": "Body", "values": ["Text"]},
            {"name": "Attachments", "values": ["./a.pdf"]},
            {"name": "SmtpServer", "values": ["s"]},
        ]}));
        for line in [
            "  To: a@x, b@x\n",
            "  Cc: (known only when it runs)\n",
            "  Bcc: c@x\n",
            "  Subject: Hello⟦U+202E⟧\n",
            "  Text: Text\n",
            "  Attachment: ./a.pdf\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert!(!text.contains("SmtpServer"));
    }

    #[test]
    fn a_mail_in_a_table_is_shown_like_one_in_json() {
        let mail = r#"{"subject": "Hi", "toRecipients": [{"emailAddress": {"address": "a@x"}}], "body": {"content": "￼"}}"#;
        let whole = format!(r#"{{"message": {mail}}}"#);
        for text in [
            shown(json!({"name": "Send-MgUserMail", "parameters": [
                {"name": "UserId", "values": ["j@x"]}, {"name": "BodyParameter", "json": whole}
            ]})),
            shown(
                json!({"name": "Send-MgUserMail", "parameters": [{"name": "Message", "json": mail}]}),
            ),
            shown(json!({"name": "Invoke-MgGraphRequest", "parameters": [
                {"name": "Meth", "values": ["post"]}, {"name": "Uri", "values": ["https://graph.microsoft.com/v1.0/me/send%4Dail"]},
                {"name": "Body", "values": [whole]}
            ]})),
            shown(
                json!({"name": "Invoke-MgGraphRequest", "arguments": [["POST"], ["/v1.0/me/sendMail"]],
                "parameters": [{"name": "Body", "values": ["\u{FFFC}"], "json": whole}]}),
            ),
        ] {
            assert!(
                text.contains("  To: a@x\n") && text.contains("  Subject: Hi\n"),
                "{text}"
            );
            assert!(text.contains(UNKNOWN), "{text}");
        }
    }

    #[test]
    fn a_call_says_what_it_sends_and_so_does_each_part_of_a_batch() {
        let batch = json!({"requests": [
            {"id": "1", "method": "GET", "url": "/me"},
            {"id": "2", "method": "POST", "url": "/chats/1/messages", "body": {"body": {"content": "Hi all"}}}
        ]});
        let text = shown(json!({"name": "Invoke-MgGraphRequest", "parameters": [
            {"name": "Method", "values": ["POST"]}, {"name": "Uri", "values": ["v1.0/$batch"]},
            {"name": "Body", "values": [batch.to_string()]}
        ]}));
        assert!(text.contains("  Call: POST v1.0/$batch\n"), "{text}");
        assert!(text.contains("  Call: GET /me\n"), "{text}");
        assert!(
            text.contains("  Call: POST /chats/1/messages, which sends a message in Teams\n"),
            "{text}"
        );
        assert!(text.contains("Hi all"), "{text}");
        let unknown = shown(json!({"name": "Invoke-MgGraphRequest", "parameters": [
            {"name": "Method", "values": ["POST"]}, {"name": "Uri", "values": ["\u{FFFC}"]},
            {"name": "Body", "values": ["\u{FFFC}"]}
        ]}));
        assert!(
            unknown.contains("  Body: (known only when it runs)\n"),
            "{unknown}"
        );
    }

    #[test]
    fn other_commands_have_nothing_to_show() {
        assert_eq!(shown(json!({"name": "Get-Date"})), "");
        assert_eq!(shown(json!({"name": null})), "");
    }
}
