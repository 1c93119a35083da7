//! The files of a connection's sign-in: token cache, pending code, lock.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::audience::Audience;
use super::cache::MsalCache;
use super::flow::PendingFlow;
use crate::domain::registry::ConnectionName;

/// A file of the token directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be read or written.
    #[error("{path} cannot be {deed}: {source}; check that the directory is yours and not full", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read`, `written` or `locked`.
        deed: &'static str,
        /// Why.
        source: io::Error,
    },
    /// It is no token cache.
    #[error("{path} is not MSAL's token cache (line {line}); delete it and sign in again", path = path.display())]
    Garbled {
        /// The file.
        path: PathBuf,
        /// Where it stops making sense, from 1.
        line: usize,
    },
}

/// Where one connection's files lie.
#[derive(Clone, Debug)]
pub(super) struct Store {
    directory: PathBuf,
    name: String,
}

impl Store {
    /// The files of a connection in the token directory (`~/.mm-graph-tokens`).
    pub(super) fn new(directory: &Path, connection: &ConnectionName) -> Self {
        Self {
            directory: directory.to_owned(),
            name: connection.safe_name(),
        }
    }

    /// The cache as it is now. Writers replace the file in one step, so no lock is needed.
    pub(super) fn read(&self) -> Result<MsalCache, StoreError> {
        let path = self.cache_path();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(MsalCache::default());
            }
            Err(error) => return Err(failed(path, "read", error)),
        };
        MsalCache::parse(&text).map_err(|error| StoreError::Garbled {
            path,
            line: error.line(),
        })
    }

    /// Waits until no other process changes the files, and keeps them away while the value lives.
    pub(super) async fn lock(&self) -> Result<Locked, StoreError> {
        let path = self.directory.join(format!("{}.json.lockfile", self.name));
        let of_error = path.clone();
        let directory = self.directory.clone();
        // Waiting for the lock blocks; a call that is given up leaves the thread behind, which
        // lets go of the lock as soon as it gets it.
        let locked = tokio::task::spawn_blocking(move || {
            make_directory(&directory)?;
            lock_file(&path)
        });
        let file = locked
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|error| failed(of_error, "locked", error))?;
        Ok(Locked {
            store: self.clone(),
            _file: file,
        })
    }

    fn cache_path(&self) -> PathBuf {
        self.directory.join(format!("{}.json", self.name))
    }

    fn flow_path(&self, audience: Audience) -> PathBuf {
        let suffix = audience.flow_suffix();
        self.directory
            .join(format!("{}{suffix}.flow.json", self.name))
    }

    /// The code that waits for a person, if the file tells of one.
    pub(super) fn flow(&self, audience: Audience) -> Option<PendingFlow> {
        let text = fs::read(self.flow_path(audience)).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

/// A connection's files, and the right to change them.
#[derive(Debug)]
pub(super) struct Locked {
    store: Store,
    // Closing the file gives up the lock.
    _file: File,
}

impl Locked {
    pub(super) fn read(&self) -> Result<MsalCache, StoreError> {
        self.store.read()
    }

    pub(super) fn write(&self, cache: &MsalCache) -> Result<(), StoreError> {
        let path = self.store.cache_path();
        let text = cache
            .to_text()
            .map_err(|error| failed(path.clone(), "written", error.into()))?;
        replace(&path, text.as_bytes()).map_err(|error| failed(path, "written", error))
    }

    pub(super) fn flow(&self, audience: Audience) -> Option<PendingFlow> {
        self.store.flow(audience)
    }

    pub(super) fn write_flow(
        &self,
        audience: Audience,
        flow: &PendingFlow,
    ) -> Result<(), StoreError> {
        let path = self.store.flow_path(audience);
        serde_json::to_vec_pretty(flow)
            .map_err(io::Error::from)
            .and_then(|text| replace(&path, &text))
            .map_err(|error| failed(path, "written", error))
    }

    pub(super) fn remove_flow(&self, audience: Audience) -> Result<(), StoreError> {
        remove(self.store.flow_path(audience)).map(drop)
    }

    /// Deletes cache and pending codes; says whether there was anything.
    pub(super) fn remove_all(&self) -> Result<bool, StoreError> {
        let mut any = remove(self.store.cache_path())?;
        for audience in [Audience::Graph, Audience::Flow] {
            any |= remove(self.store.flow_path(audience))?;
        }
        Ok(any)
    }
}

fn remove(path: PathBuf) -> Result<bool, StoreError> {
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(path, "deleted", error)),
    }
}

fn failed(path: PathBuf, deed: &'static str, source: io::Error) -> StoreError {
    StoreError::Io { path, deed, source }
}

/// Makes the directory, for its owner alone.
fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Opens and locks the file of this name. Python's msal-extensions uses the same name, and deletes
/// the file when it is done: a lock on a file that has lost its name keeps nobody away.
fn lock_file(path: &Path) -> io::Result<File> {
    loop {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        file.lock()?;
        if still_named(&file, path)? {
            return Ok(file);
        }
    }
}

#[cfg(unix)]
fn still_named(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let held = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((held.dev(), held.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

// Where an open file cannot be deleted, its name stays.
#[cfg(not(unix))]
fn still_named(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Puts a whole new file, mode 0600, in place of the old one.
fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
