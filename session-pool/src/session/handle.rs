//! What everyone but its own task holds of a session.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::domain::session_key::SessionKey;
use crate::domain::wire::SessionStatus;

use super::refused::Refused;
use super::sign_in::SignIn;
use super::stop::{StopOrder, StopSender, stop_channel};
use super::view::SessionView;
use super::worker::{Shared, Work, Worker};

/// When a caller who met a full queue should come back.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// A running session.
#[derive(Debug)]
pub(super) struct SessionHandle {
    key: SessionKey,
    inbox: mpsc::Sender<Work>,
    stop: StopSender,
    view: watch::Receiver<SessionView>,
    task: JoinHandle<()>,
}

impl SessionHandle {
    /// Starts the session's task; its process starts with the first command.
    pub(super) fn start(key: SessionKey, shared: Arc<Shared>, queue_length: usize) -> Self {
        let (inbox, works) = mpsc::channel(queue_length);
        let (stop, stopped) = stop_channel();
        let (view_sender, view) = watch::channel(SessionView::default());
        let worker = Worker {
            key: key.clone(),
            shared,
            inbox: works,
            stop: stopped,
            view: view_sender,
            process: None,
            sign_in: SignIn::Unknown,
            connection: None,
        };
        Self {
            key,
            inbox,
            stop,
            view,
            task: tokio::spawn(worker.run()),
        }
    }

    /// Whether its next command has to start a process.
    pub(super) fn lacks_process(&self) -> bool {
        let view = self.view.borrow();
        view.pid.is_none() && !view.busy
    }

    pub(super) const fn key(&self) -> &SessionKey {
        &self.key
    }

    /// A place in the queue, taken before there is a job to put into it.
    pub(super) fn reserve(&self) -> Result<mpsc::OwnedPermit<Work>, Refused> {
        self.inbox
            .clone()
            .try_reserve_owned()
            .map_err(|error| match error {
                TrySendError::Full(_) => Refused::QueueFull {
                    session: self.key.to_string(),
                    waiting: self.inbox.max_capacity(),
                    retry_after: RETRY_AFTER,
                },
                TrySendError::Closed(_) => Refused::ShuttingDown,
            })
    }

    pub(super) fn status(&self) -> SessionStatus {
        let queued = self.inbox.max_capacity() - self.inbox.capacity();
        self.view.borrow().status(&self.key, queued)
    }

    /// Ends the session; resolves when its process is gone and its jobs are final.
    pub(super) async fn stop(self, order: StopOrder) {
        self.stop.stop(order);
        if let Err(error) = self.task.await {
            tracing::error!(session = %self.key, %error, "a session's task failed");
        }
    }
}
