//! What everyone but its own task holds of a session.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::domain::life::{Answer, Request};
use crate::domain::registry::Connection;
use crate::domain::session_key::SessionKey;
use crate::domain::wire::SessionStatus;

use super::departure::{Departure, presence};
use super::queue::{NoPlace, QueueSender, queue};
use super::refused::Refused;
use super::stop::{CloseOrder, StopSender, stop_channel};
use super::view::SessionView;
use super::wish::{MOST_WISHES, SIGNED_OUT_BY_RESTART, Wish};
use super::worker::{Ears, Shared, Work, Worker};

/// How long a session has nothing to do until it counts as idle.
const IDLE: Duration = Duration::from_secs(60);

/// What the next caller is told with a new code.
const AFTER_RESTART: &str = "the sign-in ended with a restart of the pool";

/// What a session was in the pool's last life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// Nothing.
    None,
    /// Signed in, and perhaps can be again.
    Restorable,
    /// Signed in, and nothing is left of it.
    Lost,
}

/// A running session.
#[derive(Debug)]
pub(super) struct SessionHandle {
    key: SessionKey,
    inbox: QueueSender,
    wishes: mpsc::Sender<Wish>,
    stop: StopSender,
    view: watch::Receiver<SessionView>,
    departure: Departure,
    /// When a work was last put into its queue.
    asked: Cell<Instant>,
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
        Self::begin(key, shared, queue_length, predecessor, Past::None)
    }

    /// The same for a session of the pool's last life.
    pub(super) fn resume(
        key: SessionKey,
        shared: Arc<Shared>,
        queue_length: usize,
        past: Past,
    ) -> Self {
        Self::begin(key, shared, queue_length, None, past)
    }

    fn begin(
        key: SessionKey,
        shared: Arc<Shared>,
        queue_length: usize,
        predecessor: Option<Departure>,
        past: Past,
    ) -> Self {
        let (inbox, works) = queue(queue_length);
        let (wishes, wished) = mpsc::channel(MOST_WISHES);
        let (presence, departure) = presence();
        let (stop, stopped) = stop_channel();
        let lost = (past == Past::Lost).then_some(SIGNED_OUT_BY_RESTART);
        let after = (past != Past::None).then(|| AFTER_RESTART.to_owned());
        let (view_sender, view) = watch::channel(SessionView::lost(lost));
        let ears = Ears {
            inbox: works,
            wishes: wished,
            stop: stopped,
            predecessor,
        };
        let worker = Worker::new(key.clone(), shared, ears, view_sender, after);
        tokio::spawn(async move {
            worker.run().await;
            drop(presence);
        });
        Self {
            key,
            inbox,
            wishes,
            stop,
            view,
            departure,
            asked: Cell::new(Instant::now()),
        }
    }

    /// Asks for something beside a command. The answer never comes where the session ends, or has as
    /// many wishes already as it takes.
    pub(super) fn wish(
        &self,
        request: Request,
        connection: Option<Arc<Connection>>,
    ) -> oneshot::Receiver<Answer> {
        let (reply, answer) = oneshot::channel();
        let wish = Wish {
            request,
            connection,
            reply,
        };
        self.asked.set(Instant::now());
        // What cannot be sent is dropped, and its reply with it.
        drop(self.wishes.try_send(wish));
        answer
    }

    /// Whether its next command has to start a process.
    pub(super) fn lacks_process(&self) -> bool {
        let view = self.view.borrow();
        view.pid.is_none() && !view.busy
    }

    /// Whether it has had nothing to do for a while, and no process. (A work that its task has
    /// just taken out of the queue is in neither: hence the while.)
    pub(super) fn is_idle(&self) -> bool {
        self.asked.get().elapsed() >= IDLE && self.lacks_process() && self.inbox.waiting() == 0
    }

    /// When it was last asked for something.
    pub(super) const fn last_asked(&self) -> Instant {
        self.asked.get()
    }

    /// Whether its queue takes one more.
    pub(super) fn has_room(&self) -> Result<(), Refused> {
        let refused = |no_place| self.refused(no_place);
        self.inbox.has_room().map_err(refused)
    }

    pub(super) const fn key(&self) -> &SessionKey {
        &self.key
    }

    /// Puts a work into the queue; it is made only when there is a place for it.
    pub(super) fn submit<T>(&self, make: impl FnOnce() -> (Work, T)) -> Result<T, Refused> {
        self.asked.set(Instant::now());
        let refused = |no_place| self.refused(no_place);
        self.inbox.push_with(make).map_err(refused)
    }

    fn refused(&self, no_place: NoPlace) -> Refused {
        let waiting = match no_place {
            NoPlace::Full { waiting } => waiting,
            // It failed this very moment; the next request finds a fresh one.
            NoPlace::Closed => 0,
        };
        Refused::queue_full(&self.key, waiting)
    }

    /// Whether its task takes no more: it was stopped, or has failed.
    pub(super) fn is_closed(&self) -> bool {
        self.inbox.is_closed()
    }

    pub(super) fn status(&self) -> SessionStatus {
        self.view.borrow().status(&self.key, self.inbox.waiting())
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
