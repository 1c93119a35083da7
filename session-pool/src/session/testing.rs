//! What the tests of this layer begin with.
#![allow(clippy::unwrap_used)]

use std::num::{NonZeroU8, NonZeroU16};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use crate::audit::AuditFile;
use crate::domain::format::OutputFormat;
use crate::domain::life::Rules;
use crate::domain::registry::{Connection, Registry};
use crate::domain::session_key::SessionKey;
use crate::host::{Environment, Reaper};

use super::audit_log::Audit;
use super::budget::{ResultBudget, ResultLimits};
use super::credentials::Credentials;
use super::guard::Guard;
use super::job::Job;
use super::journal::Journal;
use super::launcher::Launcher;
use super::limits::Limits;
use super::order::Order;
use super::policy_file::PolicyWatcher;
use super::pool::PoolParts;
use super::registry_watch::RegistryHandle;
use super::remembered::Remembered;

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

/// What a pool is made of that can start no process.
pub(super) fn parts(directory: &Path, queue_length: usize) -> PoolParts {
    let registry = r#"{"connections": {"contoso": {"tenant": "contoso.example"}}}"#;
    let registry = Registry::parse(registry).unwrap();
    let policy = PolicyWatcher::open(directory.join("policy.toml"))
        .unwrap()
        .1;
    PoolParts {
        launcher: launcher(directory),
        registry: RegistryHandle::without_file(registry).1,
        credentials: Credentials::new(directory.join("secrets")),
        guard: Guard::without_checker(policy),
        journal: journal(directory),
        audit: audit(directory),
        remembered: Remembered::open(directory, "unified"),
        limits: Limits {
            results: ResultLimits {
                job_bytes: 1 << 20,
                memory_bytes: 1 << 20,
                total_bytes: 1 << 20,
                spool: directory.to_owned(),
            },
            keep_results: HOUR,
            queue_length,
            max_processes: 4,
            command_timeout: HOUR,
            cancel_grace: Duration::from_secs(5),
            rules: Rules::default(),
            width: NonZeroU16::new(120).unwrap(),
            depth: NonZeroU8::new(4).unwrap(),
        },
        only: None,
    }
}

/// Starts nothing: there is no such program.
pub(super) fn launcher(directory: &Path) -> Launcher {
    Launcher {
        program: PathBuf::from("/nonexistent").into(),
        homes: directory.join("homes"),
        users: None,
        environment: Environment::from_vars(Vec::new(), &[]),
        sockets: directory.to_owned(),
        ready_within: HOUR,
        reaper: Reaper::none(),
    }
}

pub(super) fn journal(directory: &Path) -> Journal {
    Journal::open(directory, "unified", HOUR).unwrap()
}
