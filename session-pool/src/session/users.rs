//! A user id for each connection, so that no session can read another's files.
//!
//! An id belongs to its connection for good: what lies in a home must never come to be another
//! tenant's. Which is whose stands in a file, and is read off the homes where that file is lost.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::domain::registry::ConnectionName;
use crate::host::UserIds;

use super::state_file::{self, StateFileError};

/// The file's name in the state directory.
const FILE_NAME: &str = "user-ids.json";

/// The form of the file.
const VERSION: u32 = 1;

/// Ids from here on have a meaning of their own (`(uid_t) -1` is "unchanged").
const END: u32 = u32::MAX - 1;

/// Why a connection has no user id.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] StateFileError),
    /// The homes cannot be looked at.
    #[error(
        "cannot look at the homes in {path}: {source}. Check its owner, or name another with --homes-dir"
    )]
    Homes {
        /// Their directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There are no more.
    #[error("there are no user ids left behind {0}: start at a lower one (--first-user-id)")]
    NoneLeft(u32),
}

/// The user ids of the connections.
#[derive(Debug)]
pub struct Users {
    file: PathBuf,
    first: u32,
    ids: Mutex<BTreeMap<String, u32>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    version: u32,
    /// By the connection's safe name.
    ids: BTreeMap<String, u32>,
}

impl Users {
    /// Reads the file in the state directory, and whose the homes are. Ids are given from `first` on.
    ///
    /// # Errors
    /// [`UsersError`]: a file that cannot be read is not replaced, because giving ids anew could
    /// open one tenant's files to another.
    pub fn open(state: &Path, homes: &Path, first: u32) -> Result<Self, UsersError> {
        let file = state.join(FILE_NAME);
        let mut ids = state_file::read::<Saved>(&file, VERSION)?
            .map(|saved| saved.ids)
            .unwrap_or_default();
        let failed = |source| UsersError::Homes {
            path: homes.to_owned(),
            source,
        };
        for entry in fs::read_dir(homes).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let owner = entry.metadata().map_err(failed)?.uid();
            if let Ok(name) = entry.file_name().into_string()
                && owner >= first
            {
                ids.entry(name).or_insert(owner);
            }
        }
        Ok(Self {
            file,
            first,
            ids: Mutex::new(ids),
        })
    }

    /// The connection's id, if it has one yet.
    pub(super) fn known(&self, connection: &ConnectionName) -> Option<u32> {
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.get(&connection.safe_name()).copied()
    }

    /// The connection's id; a new one where it has none yet. Writes the file.
    ///
    /// # Errors
    /// [`UsersError`].
    pub(super) fn of(&self, connection: &ConnectionName) -> Result<UserIds, UsersError> {
        let name = connection.safe_name();
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let id = match ids.get(&name) {
            Some(id) => *id,
            None => {
                let next = ids.values().max().map_or(0, |last| last.saturating_add(1));
                let id = next.max(self.first);
                if id >= END {
                    return Err(UsersError::NoneLeft(self.first));
                }
                let mut with_new = ids.clone();
                with_new.insert(name, id);
                let saved = Saved {
                    version: VERSION,
                    ids: with_new,
                };
                // On disk before anything belongs to it.
                state_file::write(&self.file, &saved)?;
                *ids = saved.ids;
                id
            }
        };
        Ok(UserIds { uid: id, gid: id })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn name(name: &str) -> ConnectionName {
        name.parse().unwrap()
    }

    #[test]
    fn an_id_is_one_connections_for_good() {
        let state = tempfile::tempdir().unwrap();
        let homes = tempfile::tempdir().unwrap();
        let open = || Users::open(state.path(), homes.path(), 20_000).unwrap();
        let users = open();
        let one = users.of(&name("Contoso GA")).unwrap();
        let other = users.of(&name("fabrikam")).unwrap();
        assert_eq!((one.uid, one.gid, other.uid), (20_000, 20_000, 20_001));
        assert_eq!(users.of(&name("Contoso GA")).unwrap(), one);
        let later = open();
        assert_eq!(later.of(&name("fabrikam")).unwrap(), other);
        assert_eq!(later.of(&name("new")).unwrap().uid, 20_002);
        assert_eq!(open().of(&name("Contoso GA")).unwrap(), one);
    }

    #[test]
    fn a_lost_file_is_read_off_the_homes() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let state = tempfile::tempdir().unwrap();
        let homes = tempfile::tempdir().unwrap();
        let home = homes.path().join("fabrikam");
        fs::create_dir(&home).unwrap();
        std::os::unix::fs::chown(&home, Some(20_007), Some(20_007)).unwrap();
        fs::create_dir(homes.path().join("contoso")).unwrap();
        let users = Users::open(state.path(), homes.path(), 20_000).unwrap();
        assert_eq!(users.of(&name("contoso")).unwrap().uid, 20_008);
        assert_eq!(users.of(&name("fabrikam")).unwrap().uid, 20_007);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_replaced() {
        let state = tempfile::tempdir().unwrap();
        let file = state.path().join(FILE_NAME);
        for broken in ["{", r#"{"version": 2, "ids": {}}"#] {
            fs::write(&file, broken).unwrap();
            assert!(Users::open(state.path(), state.path(), 20_000).is_err());
            assert_eq!(fs::read_to_string(&file).unwrap(), broken);
        }
    }
}
