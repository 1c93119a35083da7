//! The order that ends a session.

use std::time::Duration;

use tokio::sync::watch;

/// Why a session or a command is to end, and how long it may take over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StopOrder {
    /// Who wants it, for the job's answer.
    pub(super) by: &'static str,
    /// Time between the request to stop and the kill.
    pub(super) grace: Duration,
}

/// Gives the order.
#[derive(Debug)]
pub(super) struct StopSender(watch::Sender<Option<StopOrder>>);

/// Waits for the order.
#[derive(Clone, Debug)]
pub(super) struct StopReceiver(watch::Receiver<Option<StopOrder>>);

/// A sender and its receiver.
pub(super) fn stop_channel() -> (StopSender, StopReceiver) {
    let (sender, receiver) = watch::channel(None);
    (StopSender(sender), StopReceiver(receiver))
}

impl StopSender {
    pub(super) fn stop(&self, order: StopOrder) {
        self.0.send_replace(Some(order));
    }
}

impl StopReceiver {
    /// Resolves when the order was given; a sender that is gone means the end of the pool.
    pub(super) async fn requested(&mut self) -> StopOrder {
        let order = self.0.wait_for(Option::is_some).await;
        order.ok().and_then(|order| *order).unwrap_or(StopOrder {
            by: "the end of the pool",
            grace: Duration::ZERO,
        })
    }

    /// Whether the order was given.
    pub(super) fn is_requested(&self) -> bool {
        self.0.borrow().is_some() || self.0.has_changed().is_err()
    }
}
