//! The audit of calls: a line in `audit-graph.jsonl` for each, however it ends.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use session_pool::audit::AuditFile;
use session_pool::domain::audit::{AuditEntry, Confirmation, GRAPH_SCOPE};
use session_pool::domain::graph::Endpoint;
use session_pool::domain::policy::Decision;
use session_pool::domain::registry::Connection;
use sha2::{Digest as _, Sha256};

use super::answer::{Answer, Content};
use super::{Graph, GraphError, Request, body};
use crate::stdio::Stderr;

/// Most names of calls that a batch leaves in its line.
const MOST: usize = 100;

/// A call that is being answered. Where nobody says how it ended, it was given up.
pub(super) struct Audit {
    file: AuditFile,
    begun: Instant,
    entry: Mutex<AuditEntry>,
}

impl Audit {
    /// A call begins.
    pub(super) fn begin(
        graph: &Graph,
        request: &Request,
        connection: &Connection,
        endpoint: &Endpoint,
    ) -> Self {
        let tenant_id = || connection.tenant_for_sign_in();
        let entry = AuditEntry {
            tool: "graph_request".to_owned(),
            client: request.client.clone(),
            trace_id: request.trace_id.clone(),
            connection: connection.name.to_string(),
            tenant: connection.tenant.clone().or_else(tenant_id),
            decision: Some(Decision::Allow),
            commands: vec![format!("{} {}", request.method, endpoint.path())],
            sha256: Some(hash(
                request.method.as_str(),
                endpoint.url().as_str(),
                &request.body_bytes().unwrap_or_default(),
            )),
            outcome: "cancelled".to_owned(),
            ..AuditEntry::default()
        };
        Self {
            file: AuditFile::new(&graph.places.logs, GRAPH_SCOPE),
            begun: Instant::now(),
            entry: Mutex::new(entry),
        }
    }

    /// What is sent is not what the request holds: a file's content, a mail without its signature.
    pub(super) fn sends(&self, method: &str, url: &str, bytes: &[u8]) {
        self.entry().sha256 = Some(hash(method, url, bytes));
    }

    /// The calls in a batch.
    pub(super) fn calls(&self, names: impl Iterator<Item = String>) {
        let mut entry = self.entry();
        for name in names {
            if entry.commands.len() < MOST && !entry.commands.contains(&name) {
                entry.commands.push(name);
            }
        }
    }

    /// A rule says something of it.
    pub(super) fn decided(&self, decision: Decision, rule: &str) {
        let mut entry = self.entry();
        entry.decision = Some(decision);
        entry.rules = vec![rule.to_owned()];
    }

    /// It goes ahead by a yes.
    pub(super) fn confirmed(&self, confirmation: Confirmation) {
        self.entry().confirmation = Some(confirmation);
    }

    /// It has an answer.
    pub(super) fn ended(&self, answer: &Answer) {
        let mut entry = self.entry();
        entry.account.clone_from(&answer.account);
        let (content, broke) = answer.content.parts();
        let size = match content {
            Content::Shown(shown) => shown.output.as_ref().map_or(0, String::len) as u64,
            Content::Blob(_, blob) | Content::Saved { blob, .. } => blob.bytes,
            _ => 0,
        };
        let failed = match content {
            Content::Failed(error) => Some(error),
            _ => broke,
        };
        let (outcome, code) = match (content, failed.map(GraphError::code)) {
            (Content::SignIn(_), _) | (_, Some("auth_required")) => ("auth_required", None),
            (Content::Confirm(_) | Content::Question(_), _) => ("confirmation_required", None),
            (_, Some("blocked")) => ("blocked", None),
            (_, Some(code)) => ("failed", Some(code.to_owned())),
            (_, None) => ("succeeded", None),
        };
        entry.outcome = outcome.to_owned();
        entry.code = code;
        entry.size = size;
    }

    fn entry(&self) -> MutexGuard<'_, AuditEntry> {
        self.entry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        let mut entry = std::mem::take(&mut *self.entry());
        entry.time = Timestamp::now();
        let ran = self.begun.elapsed().as_millis();
        entry.duration_ms = Some(u64::try_from(ran).unwrap_or(u64::MAX));
        // The call is done: that its line cannot be written changes nothing about it.
        if let Err(error) = self.file.append(entry) {
            Stderr::line(error.to_string());
        }
    }
}

fn hash(method: &str, url: &str, bytes: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{method} {url}\n"));
    hash.update(bytes);
    body::hex(&hash.finalize())
}
