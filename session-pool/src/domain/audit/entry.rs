//! One line of an audit file.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::policy::{ConfirmBy, Decision};

/// A command or a call, and what became of it. Never its output.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When it ended.
    pub time: Timestamp,
    /// What was called: `run`, `graph_request`, …
    pub tool: String,
    /// Who asked, as the caller names itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<String>,
    /// The program that asked: an MCP client's name, or an HTTP client's `User-Agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The caller's trace (W3C Trace Context), 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The connection.
    pub connection: String,
    /// Its tenant, as the registry names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The account that was signed in; none where nobody was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The module of a command; none for Graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The session of a command, which names the site of `pnp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The job of a command; none for Graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// What the policy or a guard said; none where that is not known any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Ids of the rules that said so.
    #[serde(default)]
    pub rules: Vec<String>,
    /// The yes that let it through, where one was needed and given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// What was called, by name, each once: commands behind their aliases, or `POST /me/sendMail`.
    #[serde(default)]
    pub commands: Vec<String>,
    /// SHA-256 of the whole text, or of method, URL and body, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The text itself, only with `--audit-commands`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Milliseconds that it ran; none where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// How it ended: a job's state (`succeeded`, `failed`, `blocked`, `confirmation_required`, …).
    pub outcome: String,
    /// The failure's word, or Graph's HTTP status, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Size of the output: characters of a command's, bytes of Graph's.
    pub size: u64,
}

/// A yes: whose, and how it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Who said it.
    pub by: ConfirmBy,
    /// How.
    pub how: ConfirmedHow,
}

/// How a yes came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConfirmedHow {
    /// The second call carried the code of the first answer.
    Code,
    /// A person used `session-pool confirm` or `mm confirm`.
    Command,
    /// A person filled in the form of their client (MCP elicitation).
    Elicitation,
    /// A request to the pool's API that does not say more.
    Request,
    /// `confirmed: true`, which counts under `MM_SEND_GUARDS=legacy` only.
    Legacy,
    /// Nobody was asked: `MM_SEND_GUARDS=false` or `skipSendGuards`.
    GuardsOff,
}

impl ConfirmedHow {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Command => "command",
            Self::Elicitation => "elicitation",
            Self::Request => "request",
            Self::Legacy => "legacy",
            Self::GuardsOff => "guards_off",
        }
    }
}

/// An entry with its number: a line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLine {
    /// One more than the line before; a number that is missing is a line that is missing.
    pub seq: u64,
    /// What happened.
    #[serde(flatten)]
    pub entry: AuditEntry,
}
