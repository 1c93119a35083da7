//! A command of pnp's that says nothing for long: it may wait for a sign-in that nobody sees.
//!
//! Where PnP.PowerShell cannot renew its sign-in within a Graph or REST cmdlet, it starts a second
//! device code, whose prompt nobody prints, and waits until that code has ended.

use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::module::Module;
use crate::domain::record::Record;

use super::job::Job;

/// Listens for what a command says.
#[derive(Debug)]
pub(super) struct Silence {
    heard: Notify,
    limit: Option<Duration>,
}

impl Silence {
    /// For a command of this module; `by_person`: whether a person's sign-in is used.
    pub(super) fn of(module: Module, by_person: bool, limit: Duration) -> Self {
        Self {
            heard: Notify::new(),
            limit: (module == Module::Pnp && by_person).then_some(limit),
        }
    }

    /// The command has said something.
    pub(super) fn broken(&self) {
        self.heard.notify_one();
    }

    /// Warns the job once, when the command has been silent for long. Never resolves.
    pub(super) async fn watch(&self, job: &Job) -> std::convert::Infallible {
        if let Some(limit) = self.limit {
            while tokio::time::timeout(limit, self.heard.notified())
                .await
                .is_ok()
            {}
            tracing::warn!(session = %job.order().key, job = %job.id(),
                "a command has been silent for long: it may wait for a hidden sign-in");
            let text = warning(limit);
            // A result without room for this has none for the command's output either, and says so.
            drop(job.append(&[Record::Warning { text }]));
        }
        std::future::pending().await
    }
}

fn warning(limit: Duration) -> String {
    format!(
        "this command has put out nothing for {} s. It may only be slow; or PnP.PowerShell could not \
         renew its sign-in and waits for a second device code that it shows to nobody, which takes up to \
         15 minutes. It goes on. If it is not known to be slow: cancel this job, sign the connection out \
         of pnp and send the command again, which shows a code; a connection with \"auth\": \
         \"certificate\" needs none",
        limit.as_secs()
    )
}
