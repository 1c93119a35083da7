//! A job as the journal has it.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::format::FormatName;
use crate::domain::job::{JobId, JobState};
use crate::domain::session_key::SessionKey;
use crate::session::audit_log::Asked;
use crate::session::job::Job;
use crate::session::order::Order;
use crate::session::phase::Phase;

/// One job: its id, its state and whose it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::session) struct JobEntry {
    pub(in crate::session) job: JobId,
    pub(in crate::session) session: SessionKey,
    pub(in crate::session) state: JobState,
    pub(in crate::session) created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::session) started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::session) finished_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::session) caller: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::session) tenant: Option<String>,
    #[serde(default)]
    pub(in crate::session) format: FormatName,
    /// For the audit, should the pool not live to see the job's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::session) asked: Option<Box<Asked>>,
}

impl JobEntry {
    /// A job that is, or is about to be, in this phase.
    pub(in crate::session) fn of(job: &Job, phase: &Phase) -> Self {
        let order = job.order();
        Self {
            job: job.id(),
            session: order.key.clone(),
            state: phase.state(),
            created_at: job.created_at(),
            started_at: phase.started_at(),
            finished_at: phase.finished_at(),
            caller: order.caller.clone(),
            tenant: order.tenant.clone(),
            format: order.format.name(),
            asked: (!phase.is_final()).then(|| Box::new(job.asked())),
        }
    }

    /// What is still known of the order: not the command.
    pub(in crate::session) fn order(&self) -> Order {
        Order {
            key: self.session.clone(),
            tenant: self.tenant.clone(),
            expected_account: None,
            format: self.format.into(),
            timeout: Duration::ZERO,
            caller: self.caller.clone(),
            trace: None,
        }
    }
}
