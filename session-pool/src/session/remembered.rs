//! Who is signed in where, for the next life of the pool: a file that holds names and no secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::session_key::SessionKey;
use crate::domain::state::SignedIn;

use super::state_file::{self, StateFileError};

/// The form of the file.
const VERSION: u32 = 1;

/// Sessions that are kept at most: a pnp session is one a site, and there may be many.
const MOST: usize = 1_000;

/// The sessions in which somebody is signed in, and those that a restart has signed out. One pool at
/// a time has the file: the journal's lock sees to that.
#[derive(Debug)]
pub struct Remembered {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    sessions: BTreeMap<SessionKey, Entry>,
    /// The pool ends: what ends with it is no change of a sign-in.
    frozen: bool,
}

/// A sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    session: SessionKey,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant_id: Option<String>,
    since: Timestamp,
    /// A restart has signed it out, and nobody has signed in since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    lost: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    version: u32,
    sessions: Vec<Entry>,
}

impl Remembered {
    /// Reads the file in the state directory. `scope` is `unified`, or the safe name of the only
    /// connection. A file that cannot be read costs sign-ins, and not the pool's start.
    pub fn open(state_dir: &Path, scope: &str) -> Self {
        let path = state_dir.join(format!("sessions-{scope}.json"));
        let saved = state_file::read::<Saved>(&path, VERSION).unwrap_or_else(|error| {
            tracing::warn!(%error, "the sign-ins of the pool's last life are not restored");
            None
        });
        let sessions = saved.into_iter().flat_map(|saved| saved.sessions);
        Self {
            path,
            state: Mutex::new(State {
                sessions: sessions
                    .map(|entry| (entry.session.clone(), entry))
                    .collect(),
                frozen: false,
            }),
        }
    }

    /// The sessions of the pool's last life.
    pub(super) fn sessions(&self) -> Vec<SessionKey> {
        self.lock().sessions.keys().cloned().collect()
    }

    /// Writes down who is signed in, or that nobody is. Returns when it is on disk.
    ///
    /// # Errors
    /// [`StateFileError`]: it is remembered until the pool ends.
    pub(super) fn note(
        &self,
        session: &SessionKey,
        who: Option<&SignedIn>,
    ) -> Result<(), StateFileError> {
        self.change(|sessions| match who {
            None => sessions.remove(session).is_some(),
            Some(who) => {
                let entry = Entry {
                    session: session.clone(),
                    account: who.account.clone(),
                    tenant_id: who.tenant_id.clone(),
                    since: who.since,
                    lost: false,
                };
                sessions.insert(session.clone(), entry.clone()) != Some(entry)
            }
        })
    }

    /// Writes down that the sign-in of the last life could not be restored.
    ///
    /// # Errors
    /// As [`Remembered::note`].
    pub(super) fn lose(&self, lost: &[SessionKey]) -> Result<(), StateFileError> {
        self.change(|sessions| {
            let mut changed = false;
            for session in lost {
                if let Some(entry) = sessions.get_mut(session) {
                    changed |= !std::mem::replace(&mut entry.lost, true);
                }
            }
            changed
        })
    }

    /// Nothing is written any more.
    pub(super) fn freeze(&self) {
        self.lock().frozen = true;
    }

    fn change(
        &self,
        change: impl FnOnce(&mut BTreeMap<SessionKey, Entry>) -> bool,
    ) -> Result<(), StateFileError> {
        let mut state = self.lock();
        if state.frozen || !change(&mut state.sessions) {
            return Ok(());
        }
        while state.sessions.len() > MOST
            && let Some(oldest) = state.oldest()
        {
            state.sessions.remove(&oldest);
        }
        let saved = Saved {
            version: VERSION,
            sessions: state.sessions.values().cloned().collect(),
        };
        // Under the lock: of two changes the later one is written last.
        state_file::write(&self.path, &saved)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whose loss costs least.
    fn oldest(&self) -> Option<SessionKey> {
        let entries = self.sessions.values();
        let oldest = entries.min_by_key(|entry| (!entry.lost, entry.since))?;
        Some(oldest.session.clone())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::fs;

    use serde_json::{Value, json};

    use super::*;
    use crate::session::testing::key;

    fn ada() -> SignedIn {
        SignedIn {
            account: Some("ada@contoso.example".to_owned()),
            tenant_id: Some("t".to_owned()),
            since: "2026-11-24T02:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_next_life_knows_who_was_signed_in_and_what_was_lost() {
        let directory = tempfile::tempdir().unwrap();
        let open = || Remembered::open(directory.path(), "unified");
        open().note(&key(), Some(&ada())).unwrap();
        let path = directory.path().join("sessions-unified.json");
        let file = || -> Value { serde_json::from_slice(&fs::read(&path).unwrap()).unwrap() };
        assert_eq!(
            file(),
            json!({"version": 1, "sessions": [{
                "session": {"connection": "contoso", "scope": "exo"},
                "account": "ada@contoso.example", "tenant_id": "t", "since": "2026-11-24T02:00:00Z",
            }]})
        );
        open().lose(&[key()]).unwrap();
        assert_eq!(open().sessions(), [key()]);
        assert_eq!(file()["sessions"][0]["lost"], true);
        open().note(&key(), Some(&ada())).unwrap();
        assert_eq!(file()["sessions"][0]["lost"], Value::Null);
        open().note(&key(), None).unwrap();
        assert_eq!(open().sessions(), []);
    }

    #[test]
    fn the_end_of_the_pool_signs_nobody_out_for_the_next_life() {
        let directory = tempfile::tempdir().unwrap();
        let remembered = Remembered::open(directory.path(), "unified");
        remembered.note(&key(), Some(&ada())).unwrap();
        remembered.freeze();
        remembered.note(&key(), None).unwrap();
        let next = Remembered::open(directory.path(), "unified");
        assert_eq!(next.sessions(), [key()]);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_empty_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sessions-unified.json");
        for broken in ["{", r#"{"version": 2, "sessions": []}"#, ""] {
            fs::write(&path, broken).unwrap();
            let remembered = Remembered::open(directory.path(), "unified");
            assert_eq!(remembered.sessions(), []);
            remembered.note(&key(), Some(&ada())).unwrap();
        }
    }
}
