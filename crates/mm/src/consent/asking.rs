//! Whom a call can ask, and what they have said.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use rmcp::model::{ElicitRequestParams, ElicitationAction};
use rmcp::{Peer, RoleServer};
use serde_json::json;

use super::{Reply, VALID, form};

/// How a person can be asked while a call is answered.
#[derive(Clone, Debug, Default)]
pub(crate) enum Way {
    /// Not at all.
    #[default]
    Nobody,
    /// By an answer that asks; the client sends the call again with what was said (2026-07-28).
    Form,
    /// By a request of ours to the client (the eras before).
    Request(Peer<RoleServer>),
    /// At the terminal that the call came from.
    Terminal,
}

/// Whom a call can ask, and what it brings of an earlier question.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asking {
    pub(crate) way: Way,
    /// The state of the form that was asked.
    pub(crate) state: Option<String>,
    /// What was said to it.
    pub(crate) reply: Option<Reply>,
}

impl Asking {
    /// Whether a person can be asked by way of the caller.
    pub(crate) const fn can_ask(&self) -> bool {
        !matches!(self.way, Way::Nobody)
    }

    /// Asks, and waits for the person. Nothing said is no yes; nothing where this way does not wait.
    pub(crate) async fn ask(&self, message: &str) -> Option<Reply> {
        match &self.way {
            Way::Nobody | Way::Form => None,
            Way::Request(peer) => Some(by_request(peer, form::params(message)?).await),
            Way::Terminal => {
                let message = message.to_owned();
                let asked = tokio::task::spawn_blocking(move || at_terminal(&message)).await;
                Some(asked.unwrap_or(Reply::No))
            }
        }
    }
}

async fn by_request(peer: &Peer<RoleServer>, params: ElicitRequestParams) -> Reply {
    let answer = peer
        .create_elicitation_with_timeout(params, Some(VALID))
        .await;
    match answer {
        Ok(answer) => {
            let action = match answer.action {
                ElicitationAction::Accept => "accept",
                _ => "decline",
            };
            form::reply(&json!({"action": action, "content": answer.content}))
        }
        Err(_) => Reply::No,
    }
}

/// Whether a person sits at this process: both what they type and what they read is a terminal.
pub(crate) fn is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks at the terminal; whoever reads standard output gets none of it.
pub(crate) fn at_terminal(message: &str) -> Reply {
    let mut out = io::stderr().lock();
    let mut line = String::new();
    let asked = writeln!(out, "{}", message.trim_end())
        .and_then(|()| write!(out, "Type yes to confirm: "))
        .and_then(|()| out.flush())
        .and_then(|()| io::stdin().lock().read_line(&mut line));
    if asked.is_ok() && line.trim().eq_ignore_ascii_case("yes") {
        Reply::Yes
    } else {
        Reply::No
    }
}
