//! What has to survive the pool: the jobs' ids and states (never their text or output), and which
//! sessions held variables, functions or aliases of their callers.
//!
//! One JSON object a line, appended; a line is in the kernel's hands before the answer that
//! depends on it goes out, so SIGKILL loses nothing. A line that could not be written whole is
//! written over by the next; a torn one is ignored. The file is written anew at start and when it
//! has grown.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::format::OutputFormat;
use crate::domain::job::{JobId, JobState};
use crate::domain::session_key::SessionKey;

use crate::own_file;

use super::job::Job;
use super::order::Order;
use super::phase::Phase;

/// Bytes after which the file is written anew, unless most of them are still needed.
const COMPACT_AT: u64 = 4 * 1024 * 1024;

/// Expired ids that are remembered, so that asking for one is answered `expired`, not `unknown`.
const MOST_EXPIRED: usize = 10_000;

/// A job in the journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct JobEntry {
    pub(super) job: JobId,
    pub(super) session: SessionKey,
    pub(super) state: JobState,
    pub(super) created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) finished_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) caller: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<String>,
}

impl JobEntry {
    /// A job that is, or is about to be, in this phase.
    pub(super) fn of(job: &Job, phase: &Phase) -> Self {
        let order = job.order();
        Self {
            job: job.id(),
            session: order.key.clone(),
            state: phase.state(),
            created_at: job.created_at(),
            started_at: phase.started_at(),
            finished_at: phase.finished_at(),
            caller: order.caller.clone(),
            tenant: order.tenant.clone(),
        }
    }

    /// What is still known of the order: not the command.
    pub(super) fn order(&self) -> Order {
        Order {
            key: self.session.clone(),
            tenant: self.tenant.clone(),
            expected_account: None,
            format: OutputFormat::default(),
            timeout: Duration::ZERO,
            caller: self.caller.clone(),
            trace: None,
        }
    }
}

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line {
    Job(JobEntry),
    /// A job whose results are gone for good.
    Expired {
        job: JobId,
    },
    /// Whether a session holds something of its callers'.
    Session {
        session: SessionKey,
        stateful: bool,
    },
}

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

/// What the lines add up to.
#[derive(Debug, Default)]
struct Memory {
    jobs: BTreeMap<JobId, JobEntry>,
    /// The newest: ids are in the order of their creation.
    expired: BTreeSet<JobId>,
    stateful: BTreeSet<SessionKey>,
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

    /// Whether a fresh process of this session lacks what callers had set in an earlier one.
    pub(super) fn is_stateful(&self, session: &SessionKey) -> bool {
        self.lock().memory.stateful.contains(session)
    }

    /// Writes down whether a session holds something of its callers'.
    pub(super) fn note_stateful(&self, session: &SessionKey, stateful: bool) {
        let session = session.clone();
        self.note(Line::Session { session, stateful });
    }

    /// A pool that cannot write its journal goes on: callers lose memory over a restart, not work.
    fn note(&self, line: Line) {
        let mut state = self.lock();
        let bytes = serde_json::to_vec(&line);
        if !state.memory.take(line) {
            return;
        }
        let written = bytes
            .map_err(io::Error::from)
            .and_then(|bytes| state.append(bytes, &self.path));
        if let Err(error) = written {
            tracing::error!(path = %self.path.display(), %error,
                "cannot write the job journal: jobs will be unknown after a restart. Free disk space");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
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

impl Memory {
    fn replay(text: &str) -> Self {
        let mut memory = Self::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match serde_json::from_str(line) {
                Ok(line) => drop(memory.take(line)),
                Err(_) => tracing::warn!("skipped a torn line of the job journal"),
            }
        }
        memory
    }

    /// Takes a line in; returns whether it says anything new.
    fn take(&mut self, line: Line) -> bool {
        match line {
            Line::Job(entry) => {
                self.jobs.insert(entry.job, entry);
                true
            }
            Line::Expired { job } => {
                self.jobs.remove(&job);
                let is_new = self.expired.insert(job);
                if self.expired.len() > MOST_EXPIRED {
                    self.expired.pop_first();
                }
                is_new
            }
            Line::Session { session, stateful } if stateful => self.stateful.insert(session),
            Line::Session { session, .. } => self.stateful.remove(&session),
        }
    }

    /// Whoever wrote the lines has ended before these jobs did.
    fn lose_unfinished(&mut self, now: Timestamp) {
        for entry in self.jobs.values_mut() {
            if !entry.state.is_final() {
                entry.state = JobState::Lost;
                entry.finished_at = Some(now);
            }
        }
    }

    /// Jobs that ended longer than `keep` ago have expired while no pool ran.
    fn expire_older(&mut self, now: Timestamp, keep: Duration) {
        let is_old = |entry: &&JobEntry| {
            entry
                .finished_at
                .is_some_and(|ended| now.duration_since(ended).unsigned_abs() > keep)
        };
        let old: Vec<_> = self
            .jobs
            .values()
            .filter(is_old)
            .map(|entry| entry.job)
            .collect();
        for job in old {
            self.take(Line::Expired { job });
        }
    }

    fn lines(&self) -> impl Iterator<Item = Line> {
        let expired = self.expired.iter().map(|job| Line::Expired { job: *job });
        let sessions = self.stateful.iter().map(|session| Line::Session {
            session: session.clone(),
            stateful: true,
        });
        self.jobs
            .values()
            .cloned()
            .map(Line::Job)
            .chain(expired)
            .chain(sessions)
    }
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
