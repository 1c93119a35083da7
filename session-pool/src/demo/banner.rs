//! What the demo tells its newcomer.

use std::path::Path;

use crate::serve::Started;

/// How the demo answers commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Player {
    /// A real PowerShell runs the demo modules.
    PowerShell,
    /// No PowerShell could be had: recorded answers.
    Recordings,
}

/// Commands that the banner proposes; the recordings know exactly these.
pub(super) const PROPOSED: [&str; 3] = [
    "Get-Mailbox -ResultSize 3",
    "Get-Mailbox -ResultSize Unlimited | Measure-Object",
    "Get-MailboxStatistics alex.archer",
];

/// The lines to paste.
pub(super) fn text(
    started: &Started,
    directory: &Path,
    auto_sign_in: bool,
    player: Player,
) -> String {
    let url = format!("http://{}", started.address);
    let state = directory.join("state");
    let registry = directory.join("connections.json");
    let mut text = String::new();
    let mut line = |words: &str| {
        text.push_str(words);
        text.push('\n');
    };
    line("");
    line(&format!(
        "Microsoft Master demo: the made-up tenants contoso and fabrikam, on {url}"
    ));
    if player == Player::Recordings {
        line("");
        line(
            "RECORDED ANSWERS: there is no PowerShell here, so only the commands below are answered,",
        );
        line(
            "and contoso's exo is the only session. `session-pool install-pwsh` gets the real thing.",
        );
    }
    line("");
    line("Paste into another terminal:");
    line("");
    line(&format!(
        "  export SESSION_POOL_STATE_DIR={} SESSION_POOL_REGISTRY={} MM_GRAPH_TOKENS_DIR={} MM_SESSION_POOL_URL={url}",
        quoted(&state),
        quoted(&registry),
        quoted(&directory.join("graph-tokens"))
    ));
    line(
        "  mm365() { curl -s -H \"Authorization: Bearer $(cat \"$SESSION_POOL_STATE_DIR/pool.token\")\" -H 'Content-Type: application/json' \"$@\"; echo; }",
    );
    line(&format!("  mm365 {url}/connections"));
    for command in PROPOSED {
        let body = format!(r#"{{"connection":"contoso","module":"exo","command":"{command}"}}"#);
        line(&format!("  mm365 {url}/run -d '{body}'"));
    }
    line(&format!("  mm365 {url}/status"));
    line(&format!("  curl -s {url}/metrics"));
    line("  mm graph contoso '/users?$top=3&$select=displayName,mail'");
    line("");
    line("The first /run answers with a device code: nobody is signed in yet.");
    line(if auto_sign_in {
        "The demo enters it by itself in a moment; then send the same line again."
    } else {
        "Press Enter here (or: mm365 URL/demo/sign-in -d '{}') to enter it, then send the line again."
    });
    line("Ctrl-C ends the demo. What it keeps lies in the directory named above.");
    text
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn started() -> Started {
        Started {
            address: "127.0.0.1:5200".parse().unwrap(),
            token_file: None,
        }
    }

    #[test]
    fn every_proposed_command_can_be_pasted() {
        let text = text(
            &started(),
            Path::new("/home/me/.m365-demo"),
            false,
            Player::PowerShell,
        );
        for command in PROPOSED {
            assert!(
                text.contains(&format!("\"command\":\"{command}\"}}'")),
                "{text}"
            );
        }
        assert!(text.contains("SESSION_POOL_STATE_DIR=/home/me/.m365-demo/state "));
    }

    #[test]
    fn recordings_are_labelled() {
        let labelled =
            |player| text(&started(), Path::new("/x"), true, player).contains("RECORDED ANSWERS");
        assert!(labelled(Player::Recordings) && !labelled(Player::PowerShell));
    }

    #[test]
    fn a_path_with_a_quote_is_one_word() {
        assert_eq!(quoted(Path::new("/it's here")), r"'/it'\''s here'");
    }
}
