//! The sessions that are open, and those that have been told to end and still do.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::domain::session_key::SessionKey;
use crate::domain::wire::SessionStatus;

use super::departure::Departure;
use super::handle::SessionHandle;
use super::refused::Refused;
use super::stop::CloseOrder;
use super::worker::Shared;

/// The sessions of a pool.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    open: HashMap<SessionKey, SessionHandle>,
    /// In the order in which they were told. One may wait for another of the same key.
    leaving: Vec<SessionHandle>,
    draining: bool,
}

impl Sessions {
    /// The session of a key. Starts one where there is none; it waits for the end of the one before.
    ///
    /// # Errors
    /// [`Refused`]: no process is left for it, or the pool is ending.
    pub(super) fn open(
        &mut self,
        key: &SessionKey,
        shared: &Arc<Shared>,
        queue_length: usize,
    ) -> Result<&SessionHandle, Refused> {
        if self.draining {
            return Err(Refused::ShuttingDown);
        }
        if self.open.get(key).is_some_and(SessionHandle::is_closed) {
            // Its task has failed; it may still be ending its process.
            self.leaving.extend(self.open.remove(key));
        }
        self.leaving
            .retain(|session| !session.departure().is_done());
        // A first look, so that the caller hears it before there is a job; the process itself takes
        // its share when it starts.
        let room = shared.processes.available_permits() > 0;
        let limit = shared.max_processes;
        match self.open.entry(key.clone()) {
            Entry::Occupied(entry) if room || !entry.get().lacks_process() => Ok(entry.into_mut()),
            Entry::Vacant(entry) if room => {
                let of_same_key = |session: &&SessionHandle| session.key() == key;
                let before = self.leaving.iter().rfind(of_same_key);
                Ok(entry.insert(SessionHandle::start(
                    key.clone(),
                    Arc::clone(shared),
                    queue_length,
                    before.map(SessionHandle::departure),
                )))
            }
            Entry::Occupied(_) | Entry::Vacant(_) => Err(Refused::ProcessLimit { limit }),
        }
    }

    /// Tells these sessions to end; returns their ids and what to wait for.
    pub(super) fn close(
        &mut self,
        wanted: impl Fn(&SessionKey) -> bool,
        order: CloseOrder,
    ) -> Vec<(String, Departure)> {
        let closed: Vec<_> = self
            .open
            .extract_if(|key, _| wanted(key))
            .map(|(_, session)| session)
            .collect();
        let mut departures: Vec<_> = closed
            .iter()
            .map(|session| {
                session.stop(order);
                (session.key().to_string(), session.departure())
            })
            .collect();
        departures.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        self.leaving.extend(closed);
        departures
    }

    /// No session is opened any more.
    pub(super) fn drain(&mut self) {
        self.draining = true;
    }

    /// Tells every session to end, those too that were told before: they may have less time now.
    pub(super) fn close_all(&mut self, order: CloseOrder) -> Vec<Departure> {
        self.leaving
            .extend(self.open.drain().map(|(_, session)| session));
        let stopped = self.leaving.iter().map(|session| {
            session.stop(order);
            session.departure()
        });
        stopped.collect()
    }

    /// The open ones, by id.
    pub(super) fn status(&self) -> Vec<SessionStatus> {
        let mut sessions: Vec<_> = self.open.values().map(SessionHandle::status).collect();
        sessions.sort_by(|a, b| a.session_id.cmp(&b.session_id));
        sessions
    }

    /// The keys of the open ones.
    pub(super) fn keys(&self) -> impl Iterator<Item = &SessionKey> {
        self.open.keys()
    }
}
