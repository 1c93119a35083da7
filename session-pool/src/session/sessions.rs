//! The sessions that are open, and those that have been told to end and still do.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::session_key::SessionKey;
use crate::domain::wire::SessionStatus;

use super::departure::Departure;
use super::handle::{Past, SessionHandle};
use super::refused::Refused;
use super::stop::{CloseOrder, StopOrder};
use super::worker::Shared;

/// Sessions of pnp sites that are kept without a process.
const MOST_IDLE_SITES: usize = 32;

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
        self.forget_idle_sites();
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

    /// Whether the queue of this session takes one more.
    ///
    /// # Errors
    /// [`Refused`]: it is full, or the pool is ending.
    pub(super) fn has_room(&self, key: &SessionKey) -> Result<(), Refused> {
        if self.draining {
            return Err(Refused::ShuttingDown);
        }
        self.open.get(key).map_or(Ok(()), SessionHandle::has_room)
    }

    /// Each site is a session of its own, and callers may name any number of them: of those that
    /// have nothing any more only so many are kept.
    fn forget_idle_sites(&mut self) {
        let idle = self
            .open
            .iter()
            .filter(|(key, session)| key.is_of_a_site() && session.is_idle())
            .map(|(key, session)| (session.last_asked(), key.clone()))
            .collect();
        let oldest = oldest_beyond(idle, MOST_IDLE_SITES);
        for session in oldest.filter_map(|key| self.open.remove(&key)) {
            session.stop(CloseOrder {
                stop: StopOrder {
                    by: "the pool, which keeps only so many sites",
                    grace: Duration::ZERO,
                },
                until: Instant::now(),
            });
            self.leaving.push(session);
        }
    }

    /// A session of the pool's last life; without a process, and so without a limit.
    pub(super) fn resume(
        &mut self,
        key: SessionKey,
        shared: &Arc<Shared>,
        queue_length: usize,
        past: Past,
    ) {
        if let Entry::Vacant(entry) = self.open.entry(key.clone()) {
            let shared = Arc::clone(shared);
            entry.insert(SessionHandle::resume(key, shared, queue_length, past));
        }
    }

    /// The open session of a key.
    pub(super) fn get(&self, key: &SessionKey) -> Option<&SessionHandle> {
        self.open.get(key)
    }

    /// Tells these sessions to end; returns their ids and what to wait for, also for those that were
    /// told before and have not ended yet.
    pub(super) fn close(
        &mut self,
        wanted: impl Fn(&SessionKey) -> bool,
        order: CloseOrder,
    ) -> Vec<(String, Departure)> {
        self.leaving
            .retain(|session| !session.departure().is_done());
        let closed = self.open.extract_if(|key, _| wanted(key));
        self.leaving.extend(closed.map(|(_, session)| session));
        let mut departures: Vec<_> = self
            .leaving
            .iter()
            .filter(|session| wanted(session.key()))
            .map(|session| {
                session.stop(order);
                (session.key().to_string(), session.departure())
            })
            .collect();
        departures.sort_by(|(a, _), (b, _)| a.cmp(b));
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

    /// Who is signed in to a session, as far as the module tells.
    pub(super) fn signed_in(&self, key: &SessionKey) -> Option<String> {
        self.open.get(key)?.status().authenticated_as
    }

    /// Whether somebody is signed in to a session that has nothing to do.
    pub(super) fn is_idle(&self, key: &SessionKey) -> bool {
        self.open.get(key).is_some_and(|session| {
            let status = session.status();
            status.authenticated && !status.busy && status.queued == 0
        })
    }

    /// The keys of all that have not ended.
    pub(super) fn keys(&self) -> impl Iterator<Item = &SessionKey> {
        let leaving = self.leaving.iter();
        let leaving = leaving.filter(|session| !session.departure().is_done());
        self.open.keys().chain(leaving.map(SessionHandle::key))
    }
}

/// Of more than so many, the ones that were used longest ago.
fn oldest_beyond<T: Ord, K: Ord>(mut all: Vec<(T, K)>, most: usize) -> impl Iterator<Item = K> {
    all.sort_unstable();
    let too_many = all.len().saturating_sub(most);
    all.into_iter().take(too_many).map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_those_go_that_were_used_longest_ago() {
        let used = vec![(3, "c"), (1, "a"), (4, "d"), (2, "b")];
        assert!(oldest_beyond(used.clone(), 2).eq(["a", "b"]));
        assert_eq!(oldest_beyond(used, 4).count(), 0);
    }
}
