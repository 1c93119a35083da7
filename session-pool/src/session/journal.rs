//! What has to survive the pool: the jobs' ids and states (never their text or output), which
//! sessions hold variables, functions or aliases of their callers, and who knows which are lost.
//!
//! One JSON object a line, appended; a line is in the kernel's hands before the answer that
//! depends on it goes out, so SIGKILL loses nothing. A line that could not be written whole is
//! written over by the next; a torn one is ignored. The file is written anew at start and when it
//! has grown.

mod entry;
mod memory;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::domain::job::JobId;
use crate::domain::loss::Tellings;
use crate::domain::session_key::SessionKey;
use crate::own_file;

pub(super) use entry::JobEntry;
use memory::{Line, Memory};

/// Bytes after which the file is written anew, unless most of them are still needed.
const COMPACT_AT: u64 = 4 * 1024 * 1024;

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another pool has it.
    #[error(
        "another session-pool uses {0}: stop it, or give this one a state directory of its own \
         (--state-dir, SESSION_POOL_STATE_DIR)"
    )]
    InUse(PathBuf),
    /// The file system said no.
    #[error(
        "cannot use the job journal {path}: {source}. Check the state directory's owner and space"
    )]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// The journal, open and locked.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// Held for its lock; never written.
    _lock: File,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// Up to here the file is made of whole lines; the next one begins here.
    length: u64,
    /// Where it is written anew.
    compact_at: u64,
    memory: Memory,
}

impl Journal {
    /// Opens the journal of a scope (`unified`, or a connection's safe name) and forgets the jobs
    /// that ended longer than `keep` ago.
    ///
    /// # Errors
    /// [`JournalError`]: another pool has it, or the file system fails.
    pub fn open(directory: &Path, scope: &str, keep: Duration) -> Result<Self, JournalError> {
        let path = directory.join(format!("jobs-{scope}.jsonl"));
        let failed = |source| JournalError::Io {
            path: path.clone(),
            source,
        };
        let lock_path = path.with_extension("lock");
        let lock = own_file::open(&lock_path, OpenOptions::new().create(true).write(true))
            .map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => JournalError::InUse(directory.to_owned()),
            fs::TryLockError::Error(source) => failed(source),
        })?;
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error)),
        };
        let now = Timestamp::now();
        let mut memory = Memory::replay(&text);
        memory.lose_unfinished(now);
        memory.lose_processes();
        memory.expire_older(now, keep);
        let (file, length) = rewrite(&path, &memory).map_err(failed)?;
        Ok(Self {
            path,
            _lock: lock,
            state: Mutex::new(State {
                file,
                length,
                compact_at: compact_at(length),
                memory,
            }),
        })
    }

    /// The jobs it knows.
    pub(super) fn jobs(&self) -> Vec<JobEntry> {
        self.lock().memory.jobs.values().cloned().collect()
    }

    /// Those of them that were lost when the pool before this one ended; told once.
    pub(super) fn take_lost(&self) -> Vec<JobEntry> {
        let mut state = self.lock();
        let lost = std::mem::take(&mut state.memory.lost);
        lost.iter()
            .filter_map(|job| state.memory.jobs.get(job).cloned())
            .collect()
    }

    /// Writes down where a job is.
    pub(super) fn note_job(&self, entry: JobEntry) {
        self.note(Line::Job(entry));
    }

    /// Writes down that a job's results are gone for good.
    pub(super) fn note_expired(&self, job: JobId) {
        self.note(Line::Expired { job });
    }

    /// Whether that was written down, as far back as it is remembered.
    pub(super) fn has_expired(&self, job: JobId) -> bool {
        self.lock().memory.expired.contains(&job)
    }

    /// Whether the process of this session may hold something of its callers'.
    pub(super) fn is_stateful(&self, session: &SessionKey) -> bool {
        self.lock().memory.is_held(session)
    }

    /// Writes down that the process of this session may hold something of its callers'.
    pub(super) fn note_held(&self, session: &SessionKey) {
        self.change(|memory| memory.hold(session));
    }

    /// Writes down that the process of this session is gone, if it held something.
    pub(super) fn note_lost(&self, session: &SessionKey) {
        self.change(|memory| memory.lose(session));
    }

    /// Writes down that a caller is told of what the session has lost.
    pub(super) fn note_told(&self, session: &SessionKey, caller: Option<&str>) {
        self.change(|memory| memory.tell(session, caller));
    }

    /// How often callers had been told of a loss until now: what a request is sent in knowledge of.
    pub(super) fn tellings(&self) -> Tellings {
        self.lock().memory.tellings()
    }

    /// Whether the session has lost something of which the caller did not know when it asked.
    pub(super) fn is_missed(
        &self,
        session: &SessionKey,
        caller: Option<&str>,
        asked: Tellings,
    ) -> bool {
        self.lock().memory.is_missed(session, caller, asked)
    }

    fn note(&self, line: Line) {
        let mut state = self.lock();
        let bytes = serde_json::to_vec(&line);
        if state.memory.take(line) {
            state.write(bytes, &self.path);
        }
    }

    /// Writes down what a change comes to.
    fn change(&self, change: impl FnOnce(&mut Memory) -> Option<Line>) {
        let mut state = self.lock();
        if let Some(line) = change(&mut state.memory) {
            state.write(serde_json::to_vec(&line), &self.path);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A pool that cannot write its journal goes on: callers lose memory over a restart, not work.
    fn write(&mut self, line: serde_json::Result<Vec<u8>>, path: &Path) {
        let written = line
            .map_err(io::Error::from)
            .and_then(|line| self.append(line, path));
        if let Err(error) = written {
            tracing::error!(path = %path.display(), %error,
                "cannot write the job journal: jobs will be unknown after a restart. Free disk space");
        }
    }

    fn append(&mut self, mut line: Vec<u8>, path: &Path) -> io::Result<()> {
        line.push(b'\n');
        // At an offset of its own: half a line that a full disk has left is written over.
        self.file.write_all_at(&line, self.length)?;
        self.length += line.len() as u64;
        if self.length > self.compact_at {
            (self.file, self.length) = rewrite(path, &self.memory)?;
            self.compact_at = compact_at(self.length);
        }
        Ok(())
    }
}

/// A file that is mostly needed would otherwise be written anew with every line.
fn compact_at(length: u64) -> u64 {
    COMPACT_AT.max(length * 2)
}

/// Writes the whole file beside the old one and puts it in its place.
fn rewrite(path: &Path, memory: &Memory) -> io::Result<(File, u64)> {
    let fresh = path.with_extension("jsonl.new");
    let mut bytes = Vec::new();
    for line in memory.lines() {
        serde_json::to_writer(&mut bytes, &line)?;
        bytes.push(b'\n');
    }
    let mut file = own_file::open(
        &fresh,
        OpenOptions::new().create(true).write(true).truncate(true),
    )?;
    file.write_all(&bytes)?;
    fs::rename(&fresh, path)?;
    Ok((file, bytes.len() as u64))
}

#[cfg(test)]
mod tests;
