//! What a person is shown before something is done.

use super::decision::{Decision, Verdict};
use super::facts::{ANYTHING, Command, Facts, Via};

/// What mail and messages consist of, by the names that cmdlets have for it.
const PARTS: [(&str, &[&str]); 7] = [
    ("From", &["From", "UserId"]),
    ("To", &["To", "RecipientTo", "ChatId", "TeamId", "Team"]),
    ("Channel", &["ChannelId", "Channel"]),
    ("Cc", &["Cc"]),
    ("Bcc", &["Bcc"]),
    ("Subject", &["Subject"]),
    ("Text", &["Body", "BodyParameter", "Message", "Content"]),
];

/// Most characters of the command itself.
const LONGEST: usize = 4_000;

/// The command, what it resolves to, what it would send to whom, and why somebody is asked.
pub fn preview(command: &str, facts: &Facts, verdict: &Verdict) -> String {
    let mut text = String::from("Command:\n");
    text.extend(command.trim().chars().take(LONGEST));
    if command.trim().chars().count() > LONGEST {
        text.push_str("\n… (cut: it is longer)");
    }
    text.push('\n');
    let calls = facts
        .commands
        .iter()
        .filter(|found| found.via != Via::Definition);
    let mut names: Vec<&str> = calls
        .clone()
        .filter_map(|found| found.name.as_deref())
        .collect();
    names.dedup();
    if !names.is_empty() {
        text.push_str(&format!("\nIt calls: {}\n", names.join(", ")));
    }
    for call in calls {
        for part in parts(call) {
            text.push_str(&part);
            text.push('\n');
        }
    }
    text.push_str("\nBecause:\n");
    for sentence in verdict.sentences(Decision::Confirm) {
        text.push_str(&format!("- {sentence}\n"));
    }
    text
}

/// The lines of what a send consists of; of other commands none.
fn parts(command: &Command) -> Vec<String> {
    let sends = command.name.as_deref().is_some_and(|name| {
        let name = name.to_lowercase();
        name.starts_with("send-") || name.contains("message") || name.contains("mail")
    });
    if !sends {
        return Vec::new();
    }
    PARTS
        .iter()
        .filter_map(|(label, names)| {
            let given: Vec<String> = command
                .parameters
                .iter()
                .filter(|parameter| {
                    names
                        .iter()
                        .any(|name| name.eq_ignore_ascii_case(&parameter.name))
                })
                .flat_map(|parameter| &parameter.values)
                .map(|value| value.replace(ANYTHING, "(known only when it runs)"))
                .collect();
            (!given.is_empty()).then(|| format!("{label}: {}", given.join(", ")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_is_shown_with_its_people_and_its_text() {
        let facts: Facts = serde_json::from_value(serde_json::json!({"commands": [{
            "name": "Send-MailMessage", "kind": "cmdlet", "text": "t", "line": 1, "column": 1,
            "parameters": [
                {"name": "To", "values": ["a@x", "b@x"]},
                {"name": "Cc", "values": ["\u{FFFC}"]},
                {"name": "Subject", "values": ["Hello"]},
                {"name": "Body", "values": ["Text"]},
                {"name": "SmtpServer", "values": ["s"]},
            ]
        }]}))
        .unwrap_or_default();
        let text = preview("Send-MailMessage …", &facts, &Verdict::default());
        for line in [
            "To: a@x, b@x\n",
            "Cc: (known only when it runs)\n",
            "Subject: Hello\n",
            "Text: Text\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert!(!text.contains("SmtpServer"));
    }
}
