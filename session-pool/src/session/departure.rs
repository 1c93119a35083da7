//! The end of a session's task, for those who must not begin, or end, before it.

use tokio::sync::watch;

/// Held by the task for as long as it, or its process, is there; however it ends, this is dropped.
#[derive(Debug)]
pub(super) struct Presence {
    _sender: watch::Sender<()>,
}

/// Waits for the end of the task.
#[derive(Clone, Debug)]
pub(super) struct Departure(watch::Receiver<()>);

/// A task's presence and the wait for its end.
pub(super) fn presence() -> (Presence, Departure) {
    let (sender, receiver) = watch::channel(());
    (Presence { _sender: sender }, Departure(receiver))
}

impl Departure {
    /// Resolves when the task has ended and its process's group is gone.
    pub(super) async fn done(&mut self) {
        while self.0.changed().await.is_ok() {}
    }

    /// Whether it has.
    pub(super) fn is_done(&self) -> bool {
        self.0.has_changed().is_err()
    }
}
