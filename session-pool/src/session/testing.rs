//! What the tests of this layer begin with.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use crate::audit::AuditFile;
use crate::domain::format::OutputFormat;
use crate::domain::registry::{Connection, Registry};
use crate::domain::session_key::SessionKey;

use super::audit_log::Audit;
use super::budget::{ResultBudget, ResultLimits};
use super::job::Job;
use super::journal::Journal;
use super::order::Order;

pub(super) const HOUR: Duration = Duration::from_secs(3600);

/// An account of results, and the directory of its spool.
pub(super) fn budget(job: u64, memory: u64, total: u64) -> (Arc<ResultBudget>, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let limits = ResultLimits {
        job_bytes: job,
        memory_bytes: memory,
        total_bytes: total,
        spool: directory.path().to_owned(),
    };
    (Arc::new(ResultBudget::new(limits)), directory)
}

pub(super) fn key() -> SessionKey {
    serde_json::from_value(serde_json::json!({"connection": "contoso", "scope": "exo"})).unwrap()
}

pub(super) fn connection() -> Arc<Connection> {
    let text = r#"{"connections": {"contoso": {"tenant": "contoso.example"}}}"#;
    Arc::clone(Registry::parse(text).unwrap().get("contoso").unwrap())
}

pub(super) fn job(budget: &Arc<ResultBudget>) -> Arc<Job> {
    let order = Order {
        key: key(),
        tenant: None,
        expected_account: None,
        format: OutputFormat::default(),
        timeout: HOUR,
        caller: None,
        trace: None,
    };
    Arc::new(Job::new(order, Arc::clone(budget)))
}

pub(super) fn audit(directory: &Path) -> Audit {
    Audit::new(AuditFile::new(directory, "unified"), false)
}

pub(super) fn journal(directory: &Path) -> Journal {
    Journal::open(directory, "unified", HOUR).unwrap()
}
