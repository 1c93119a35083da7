//! The orders that end a command and a session.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Who wants a command to end, and how long it may take over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StopOrder {
    /// Who wants it, for the job's answer.
    pub(super) by: &'static str,
    /// Between the request to stop a command and the end of its process.
    pub(super) grace: Duration,
}

/// Ends a whole session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CloseOrder {
    /// What becomes of its command.
    pub(super) stop: StopOrder,
    /// What is still there by then is killed.
    pub(super) until: Instant,
}

impl CloseOrder {
    /// Without time for anything; what a session does whose handle was dropped.
    fn at_once() -> Self {
        Self {
            stop: StopOrder {
                by: "the end of the pool",
                grace: Duration::ZERO,
            },
            until: Instant::now(),
        }
    }
}

/// Gives the order. A later one replaces an earlier one.
#[derive(Debug)]
pub(super) struct StopSender(watch::Sender<Option<CloseOrder>>);

/// Waits for the order.
#[derive(Clone, Debug)]
pub(super) struct StopReceiver(watch::Receiver<Option<CloseOrder>>);

/// A sender and its receiver.
pub(super) fn stop_channel() -> (StopSender, StopReceiver) {
    let (sender, receiver) = watch::channel(None);
    (StopSender(sender), StopReceiver(receiver))
}

impl StopSender {
    /// Orders the end. Of two orders the one with less time counts.
    pub(super) fn stop(&self, order: CloseOrder) {
        self.0.send_if_modified(|given| {
            let sooner = given.is_none_or(|given| order.until < given.until);
            if sooner {
                *given = Some(order);
            }
            sooner
        });
    }
}

impl StopReceiver {
    /// Resolves when the order was given; a sender that is gone means the end of the pool.
    pub(super) async fn requested(&mut self) -> StopOrder {
        self.order().await.stop
    }

    async fn order(&mut self) -> CloseOrder {
        let order = self.0.wait_for(Option::is_some).await;
        order
            .ok()
            .and_then(|order| *order)
            .unwrap_or_else(CloseOrder::at_once)
    }

    /// Resolves when the time that the order left is over.
    pub(super) async fn overdue(&mut self) -> StopOrder {
        loop {
            let order = self.order().await;
            tokio::select! {
                () = tokio::time::sleep_until(order.until) => return order.stop,
                // Another order, with less time.
                Ok(()) = self.0.changed() => {}
            }
        }
    }

    /// How much of the time that the order left is left; `None` without an order.
    pub(super) fn time_left(&self) -> Option<Duration> {
        let order = *self.0.borrow();
        order.map(|order| order.until.saturating_duration_since(Instant::now()))
    }

    /// Whether the order was given.
    pub(super) fn is_requested(&self) -> bool {
        self.0.borrow().is_some() || self.0.has_changed().is_err()
    }
}
