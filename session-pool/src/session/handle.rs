//! What everyone but its own task holds of a session.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

use crate::domain::session_key::SessionKey;
use crate::domain::wire::SessionStatus;

use super::departure::{Departure, presence};
use super::refused::Refused;
use super::sign_in::SignIn;
use super::stop::{CloseOrder, StopSender, stop_channel};
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
    departure: Departure,
}

impl SessionHandle {
    /// Starts the session's task; its process starts with the first command, and not before the
    /// session that had this key before has gone.
    pub(super) fn start(
        key: SessionKey,
        shared: Arc<Shared>,
        queue_length: usize,
        predecessor: Option<Departure>,
    ) -> Self {
        let (inbox, works) = mpsc::channel(queue_length);
        let (presence, departure) = presence();
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
            proved_with: None,
            connection: None,
            predecessor,
            serving: None,
        };
        tokio::spawn(async move {
            worker.run().await;
            drop(presence);
        });
        Self {
            key,
            inbox,
            stop,
            view,
            departure,
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

    /// Orders the end of the session.
    pub(super) fn stop(&self, order: CloseOrder) {
        self.stop.stop(order);
    }

    /// Tells when its process is gone and its jobs are final.
    pub(super) fn departure(&self) -> Departure {
        self.departure.clone()
    }
}
