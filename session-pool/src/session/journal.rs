//! What has to survive the pool: the jobs' ids and states (never their text or output), and which
//! sessions held variables, functions or aliases of their callers.
//!
//! One JSON object a line, appended; a line is in the kernel's hands before the answer that
//! depends on it goes out, so SIGKILL loses nothing. A torn last line is ignored. The file is
//! written anew at start and when it has grown.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::format::OutputFormat;
use crate::domain::job::{JobId, JobState};
use crate::domain::session_key::SessionKey;

use super::job::{Job, Order};

/// Bytes after which the file is written anew.
const COMPACT_AT: u64 = 4 * 1024 * 1024;

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
    fn of(job: &Job) -> Self {
        let snapshot = job.snapshot();
        let order = job.order();
        Self {
            job: job.id(),
            session: order.key.clone(),
            state: snapshot.phase.state(),
            created_at: job.created_at(),
            started_at: snapshot.phase.started_at(),
            finished_at: snapshot.phase.finished_at(),
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
    keep: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    length: u64,
    jobs: BTreeMap<JobId, JobEntry>,
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
        let lock = private().write(true).open(&lock_path).map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => JournalError::InUse(directory.to_owned()),
            fs::TryLockError::Error(source) => failed(source),
        })?;
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error)),
        };
        let (mut jobs, stateful) = replay(&text);
        for entry in jobs.values_mut().filter(|entry| !entry.state.is_final()) {
            entry.state = JobState::Lost;
            entry.finished_at = Some(Timestamp::now());
        }
        forget_old(&mut jobs, keep);
        let (file, length) = rewrite(&path, &jobs, &stateful).map_err(failed)?;
        Ok(Self {
            path,
            _lock: lock,
            keep,
            state: Mutex::new(State {
                file,
                length,
                jobs,
                stateful,
            }),
        })
    }

    /// The jobs it knows.
    pub(super) fn jobs(&self) -> Vec<JobEntry> {
        self.lock().jobs.values().cloned().collect()
    }

    /// Writes down where a job is.
    pub(super) fn note_job(&self, job: &Job) {
        let entry = JobEntry::of(job);
        let mut state = self.lock();
        state.jobs.insert(entry.job, entry.clone());
        self.append(&mut state, &Line::Job(entry));
    }

    /// Forgets jobs whose results have expired.
    pub(super) fn forget(&self, job: JobId) {
        self.lock().jobs.remove(&job);
    }

    /// Whether a fresh process of this session lacks what callers had set in an earlier one.
    pub(super) fn is_stateful(&self, session: &SessionKey) -> bool {
        self.lock().stateful.contains(session)
    }

    /// Writes down whether a session holds something of its callers'.
    pub(super) fn note_stateful(&self, session: &SessionKey, stateful: bool) {
        let mut state = self.lock();
        let changed = if stateful {
            state.stateful.insert(session.clone())
        } else {
            state.stateful.remove(session)
        };
        if changed {
            let session = session.clone();
            self.append(&mut state, &Line::Session { session, stateful });
        }
    }

    /// A pool that cannot write its journal goes on: callers lose memory over a restart, not work.
    fn append(&self, state: &mut State, line: &Line) {
        if let Err(error) = self.try_append(state, line) {
            tracing::error!(path = %self.path.display(), %error,
                "cannot write the job journal: jobs will be unknown after a restart. Free disk space");
        }
    }

    fn try_append(&self, state: &mut State, line: &Line) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        state.file.write_all(&bytes)?;
        state.length += bytes.len() as u64;
        if state.length > COMPACT_AT {
            forget_old(&mut state.jobs, self.keep);
            (state.file, state.length) = rewrite(&self.path, &state.jobs, &state.stateful)?;
            // Should that alone be near the limit, the next line would start over at once.
            state.length = state.length.min(COMPACT_AT / 2);
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn replay(text: &str) -> (BTreeMap<JobId, JobEntry>, BTreeSet<SessionKey>) {
    let mut jobs = BTreeMap::new();
    let mut stateful = BTreeSet::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(Line::Job(entry)) => {
                jobs.insert(entry.job, entry);
            }
            Ok(Line::Session {
                session,
                stateful: true,
            }) => {
                stateful.insert(session);
            }
            Ok(Line::Session {
                session,
                stateful: false,
            }) => {
                stateful.remove(&session);
            }
            Err(_) => tracing::warn!("skipped a torn line of the job journal"),
        }
    }
    (jobs, stateful)
}

fn forget_old(jobs: &mut BTreeMap<JobId, JobEntry>, keep: Duration) {
    let now = Timestamp::now();
    jobs.retain(|_, entry| {
        entry
            .finished_at
            .is_none_or(|ended| now.duration_since(ended).unsigned_abs() <= keep)
    });
}

/// Writes the whole file beside the old one and puts it in its place.
fn rewrite(
    path: &Path,
    jobs: &BTreeMap<JobId, JobEntry>,
    stateful: &BTreeSet<SessionKey>,
) -> io::Result<(File, u64)> {
    let fresh = path.with_extension("jsonl.new");
    let mut bytes = Vec::new();
    let sessions = stateful.iter().map(|session| Line::Session {
        session: session.clone(),
        stateful: true,
    });
    for line in jobs.values().cloned().map(Line::Job).chain(sessions) {
        serde_json::to_writer(&mut bytes, &line)?;
        bytes.push(b'\n');
    }
    let mut file = private().write(true).truncate(true).open(&fresh)?;
    file.write_all(&bytes)?;
    fs::rename(&fresh, path)?;
    Ok((file, bytes.len() as u64))
}

fn private() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    options
}
