//! What the audit says of commands.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::audit::AuditFile;
use crate::domain::audit::{AuditEntry, Confirmation};
use crate::domain::policy::{Decision, Facts, Verdict, Via};
use crate::domain::trace::TraceParent;

use super::ending::Ending;
use super::order::Order;
use super::phase::Phase;

/// Names of commands that are written down of one text; a script may call any number.
const MOST_NAMES: usize = 100;

/// Stands for a command whose name is known only when it runs.
const DYNAMIC: &str = "(dynamic)";

/// Where commands are written down.
#[derive(Debug)]
pub struct Audit {
    file: AuditFile,
    texts: bool,
}

/// What is known of a command before it runs, beside its order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<String>,
    /// Who was signed in to the session when the command came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) decision: Option<Decision>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) rules: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) confirmation: Option<Confirmation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) commands: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
    /// Never in the journal.
    #[serde(skip)]
    pub(super) text: Option<String>,
}

/// What became of a job.
#[derive(Clone, Debug, Default)]
pub(super) struct Result {
    /// Who was signed in when it ran.
    pub(super) account: Option<String>,
    pub(super) characters: u64,
}

impl Audit {
    /// Writes into this file; the commands' texts only where that is wanted.
    pub const fn new(file: AuditFile, texts: bool) -> Self {
        Self { file, texts }
    }

    /// What is known of a text as such.
    pub(super) fn asked(&self, command: &str) -> Asked {
        Asked {
            sha256: Some(format!(
                "{:x}",
                Hex(Sha256::digest(command.as_bytes()).into())
            )),
            text: self.texts.then(|| command.to_owned()),
            ..Asked::default()
        }
    }

    /// Writes a line. What cannot be written is told in the log, and its number is missing.
    pub(super) fn write(&self, entry: AuditEntry) {
        if let Err(error) = self.file.append(entry) {
            tracing::error!(%error, "a line of the audit is lost");
        }
    }
}

struct Hex([u8; 32]);

impl std::fmt::LowerHex for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Asked {
    /// The names of what is called.
    pub(super) fn note_facts(&mut self, facts: &Facts) {
        for command in facts
            .commands
            .iter()
            .filter(|found| found.via != Via::Definition)
        {
            let name = command.name.as_deref().unwrap_or(DYNAMIC);
            if self.commands.len() < MOST_NAMES && !self.commands.iter().any(|known| known == name)
            {
                self.commands.push(name.to_owned());
            }
        }
    }

    pub(super) fn note_verdict(&mut self, verdict: &Verdict) {
        self.decision = Some(verdict.decision);
        self.rules.clear();
        for hit in &verdict.rules {
            if !self.rules.contains(&hit.id) {
                self.rules.push(hit.id.clone());
            }
        }
    }

    /// The line of a job that has ended.
    pub(super) fn entry(
        self,
        job: &str,
        order: &Order,
        phase: &Phase,
        result: Result,
    ) -> AuditEntry {
        let mut asked = self;
        let mut code = None;
        if let Phase::Finished { ending, .. } = phase {
            match ending {
                Ending::Blocked(verdict) | Ending::ConfirmationRequired { verdict, .. } => {
                    asked.note_verdict(verdict);
                    asked.confirmation = None;
                }
                Ending::Failed(failure) => code = Some(failure.code.as_str().to_owned()),
                _ => {}
            }
        }
        let ended = phase.finished_at().unwrap_or_else(Timestamp::now);
        let ran = phase
            .started_at()
            .map(|started| ended.duration_since(started));
        AuditEntry {
            time: ended,
            tool: "run".to_owned(),
            caller_id: order.caller.clone(),
            client: asked.client,
            trace_id: order.trace.map(TraceParent::trace_id),
            connection: order.key.connection().to_string(),
            tenant: order.tenant.clone(),
            account: result.account.or(asked.account),
            module: Some(order.key.module().to_string()),
            session_id: Some(order.key.to_string()),
            job: Some(job.to_owned()),
            decision: asked.decision,
            rules: asked.rules,
            confirmation: asked.confirmation,
            commands: asked.commands,
            sha256: asked.sha256,
            text: asked.text,
            duration_ms: ran.map(|ran| u64::try_from(ran.as_millis()).unwrap_or_default()),
            outcome: phase.state().as_str().to_owned(),
            code,
            size: result.characters,
        }
    }
}
