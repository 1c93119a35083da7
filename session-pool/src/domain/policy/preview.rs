//! What a person is shown before something is done.

use std::fmt;

use super::decision::{Decision, Verdict};
use super::facts::{Facts, Via};
use super::sending;
use crate::domain::visible::{visible, visible_line};

/// Most characters of the command itself.
const LONGEST: usize = 4_000;

/// Where a command would run, and as whom.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The session.
    pub session: &'a str,
    /// The tenant as the registry names it.
    pub tenant: Option<&'a str>,
    /// Who is signed in, or expected to be.
    pub account: Option<&'a str>,
    /// Which of both.
    pub signed_in: bool,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "In {}", self.session)?;
        if let Some(tenant) = self.tenant {
            write!(f, " (tenant {tenant})")?;
        }
        match (self.account, self.signed_in) {
            (Some(account), true) => write!(f, " as {account}"),
            (Some(account), false) => write!(f, " as {account} (nobody is signed in yet)"),
            (None, _) => f.write_str(", and it is not known as whom"),
        }
    }
}

/// Where the command would run, the command, what it resolves to, what it would send to whom, and
/// why somebody is asked.
pub fn text(place: Place<'_>, command: &str, facts: &Facts, verdict: &Verdict) -> String {
    let mut text = format!("{place}:\n\n");
    let shown: String = command.trim().chars().take(LONGEST).collect();
    text.push_str(&visible(&shown));
    if command.trim().chars().count() > LONGEST {
        text.push_str("\n… (cut: it is longer)");
    }
    text.push('\n');
    let calls = facts
        .commands
        .iter()
        .filter(|found| found.via != Via::Definition);
    let mut names: Vec<&str> = Vec::new();
    for name in calls.clone().filter_map(|found| found.name.as_deref()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if !names.is_empty() {
        text.push_str(&format!(
            "\nIt calls: {}\n",
            visible_line(&names.join(", "))
        ));
    }
    for call in calls {
        text.push_str(&sending::of(call));
    }
    text.push_str("\nBecause:\n");
    for sentence in verdict.sentences(Decision::Confirm) {
        text.push_str(&format!("- {}\n", visible_line(&sentence)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_where_and_as_whom_and_hides_nothing() {
        let facts: Facts = serde_json::from_value(serde_json::json!({"commands": [
            {"name": "Remove-It", "kind": "unknown", "text": "t", "line": 1, "column": 1},
            {"name": "Remove-It", "kind": "unknown", "text": "t", "line": 1, "column": 9}
        ]}))
        .unwrap_or_default();
        let mut place = Place {
            session: "contoso:exo",
            tenant: Some("contoso.example"),
            account: Some("a@contoso.example"),
            signed_in: true,
        };
        let shown = text(place, "Remove-It \u{202E}x", &facts, &Verdict::default());
        for part in [
            "In contoso:exo (tenant contoso.example) as a@contoso.example:\n",
            "Remove-It ⟦U+202E⟧x\n",
            "It calls: Remove-It\n",
        ] {
            assert!(shown.contains(part), "{shown}");
        }
        place.signed_in = false;
        assert!(place.to_string().contains("nobody is signed in yet"));
        place.account = None;
        assert!(place.to_string().contains("not known as whom"));
    }
}
