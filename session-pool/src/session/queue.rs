//! What waits for a session: first in, first out, and bounded.
//!
//! Not a channel: a job that ends while it waits, because it was cancelled, gives its place back at
//! once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::worker::Work;

/// Where works are put.
#[derive(Debug)]
pub(super) struct QueueSender(Arc<Queue>);

/// Where the session's task takes them. Dropping it closes the queue.
#[derive(Debug)]
pub(super) struct QueueReceiver(Arc<Queue>);

/// Why a work cannot wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// So many wait already.
    Full { waiting: usize },
    /// The session takes no more.
    Closed,
}

#[derive(Debug)]
struct Queue {
    capacity: usize,
    inner: Mutex<Inner>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    works: VecDeque<Work>,
    closed: bool,
}

/// The two sides of a queue for so many works.
pub(super) fn queue(capacity: usize) -> (QueueSender, QueueReceiver) {
    let queue = Arc::new(Queue {
        capacity,
        inner: Mutex::default(),
        arrived: Notify::new(),
    });
    (QueueSender(Arc::clone(&queue)), QueueReceiver(queue))
}

impl QueueSender {
    /// Puts a work at the end. It is made only where there is a place for it.
    pub(super) fn push_with<T>(&self, make: impl FnOnce() -> (Work, T)) -> Result<T, NoPlace> {
        let mut inner = self.0.lock();
        if inner.closed {
            return Err(NoPlace::Closed);
        }
        let ended = inner.take_ended(self.0.capacity);
        let waiting = inner.works.len();
        if waiting >= self.0.capacity {
            return Err(NoPlace::Full { waiting });
        }
        let (work, made) = make();
        inner.works.push_back(work);
        drop(inner);
        drop(ended);
        self.0.arrived.notify_one();
        Ok(made)
    }

    /// Whether one more can wait.
    pub(super) fn has_room(&self) -> Result<(), NoPlace> {
        let waiting = self.waiting();
        if self.is_closed() {
            Err(NoPlace::Closed)
        } else if waiting >= self.0.capacity {
            Err(NoPlace::Full { waiting })
        } else {
            Ok(())
        }
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        let inner = self.0.lock();
        inner
            .works
            .iter()
            .filter(|work| !work.job.is_final())
            .count()
    }

    /// Whether its session takes no more.
    pub(super) fn is_closed(&self) -> bool {
        self.0.lock().closed
    }
}

impl QueueReceiver {
    /// The next work that is still wanted; waits for one. Cancel safe.
    pub(super) async fn next(&mut self) -> Work {
        loop {
            if let Some(work) = self.0.pop() {
                return work;
            }
            // A permit is kept for whoever comes between the look and the wait.
            self.0.arrived.notified().await;
        }
    }

    /// Resolves when a work that is still wanted waits; it stays where it is. Cancel safe.
    pub(super) async fn arrival(&self) {
        while !self.some_wait() {
            self.0.arrived.notified().await;
        }
        // The permit may have been for `next`.
        self.0.arrived.notify_one();
    }

    /// Whether a work that is still wanted waits.
    pub(super) fn some_wait(&self) -> bool {
        let inner = self.0.lock();
        inner.works.iter().any(|work| !work.job.is_final())
    }

    /// Takes no more, and gives back what still waits.
    pub(super) fn close(&mut self) -> VecDeque<Work> {
        let mut inner = self.0.lock();
        inner.closed = true;
        std::mem::take(&mut inner.works)
    }
}

impl Drop for QueueReceiver {
    fn drop(&mut self) {
        drop(self.close());
    }
}

impl Queue {
    fn pop(&self) -> Option<Work> {
        let mut inner = self.lock();
        let mut ended = Vec::new();
        let next = loop {
            match inner.works.pop_front() {
                Some(work) if work.job.is_final() => ended.push(work),
                next => break next,
            }
        };
        drop(inner);
        next
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Where the queue seems full: takes out what has ended while it waited.
    fn take_ended(&mut self, capacity: usize) -> VecDeque<Work> {
        if self.works.len() < capacity {
            return VecDeque::new();
        }
        let (ended, wanted) = std::mem::take(&mut self.works)
            .into_iter()
            .partition(|work| work.job.is_final());
        self.works = wanted;
        ended
    }
}

#[cfg(test)]
mod tests;
