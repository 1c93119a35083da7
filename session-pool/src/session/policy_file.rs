//! Keeps the policy as its file has it, and the last good one while the file is broken.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::domain::policy::{Policy, PolicyError};

use super::registry_watch::POLL_INTERVAL;

/// A policy is some kilobytes; more than this is another file.
const LARGEST: u64 = 1024 * 1024;

/// Why a policy file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFileError {
    /// It cannot be read.
    #[error("cannot read the policy {path}: {source}; the pool's user must be able to read it")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It does not say what a policy must say.
    #[error(
        "the policy {path} cannot be used: {source}. Correct it; `session-pool policy test` tries it"
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: PolicyError,
    },
}

/// Reads the policy: the default one, and what the file adds, where there is a file.
///
/// # Errors
/// [`PolicyFileError`].
pub fn read(path: &Path) -> Result<Policy, PolicyFileError> {
    parse(path, &text(path)?)
}

fn text(path: &Path) -> Result<String, PolicyFileError> {
    let read = || {
        if std::fs::metadata(path)?.len() > LARGEST {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "it is larger than 1 MiB",
            ));
        }
        std::fs::read_to_string(path)
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        result => result.map_err(|source| PolicyFileError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

fn parse(path: &Path, text: &str) -> Result<Policy, PolicyFileError> {
    Policy::new(text).map_err(|source| PolicyFileError::Broken {
        path: path.to_owned(),
        source,
    })
}

/// Gives everybody the policy in use.
#[derive(Clone, Debug)]
pub struct PolicyHandle(watch::Receiver<Arc<Policy>>);

impl PolicyHandle {
    /// The policy in use.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.0.borrow())
    }
}

/// Looks at the file until it is told to stop.
#[derive(Debug)]
pub struct PolicyWatcher {
    path: PathBuf,
    /// The text that was looked at last; none where it could not be read.
    seen: Option<String>,
    current: watch::Sender<Arc<Policy>>,
}

impl PolicyWatcher {
    /// Reads the file for the first time.
    ///
    /// # Errors
    /// [`PolicyFileError`]: a pool must not start with other rules than were written for it.
    pub fn open(path: PathBuf) -> Result<(Self, PolicyHandle), PolicyFileError> {
        let seen = text(&path)?;
        let policy = parse(&path, &seen)?;
        let (current, handle) = watch::channel(Arc::new(policy));
        let watcher = Self {
            path,
            seen: Some(seen),
            current,
        };
        Ok((watcher, PolicyHandle(handle)))
    }

    /// Polls the file until `stop` is cancelled.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(POLL_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let path = self.path.clone();
            if let Ok(text) = tokio::task::spawn_blocking(move || text(&path)).await {
                self.take(text);
            }
        }
    }

    fn take(&mut self, text: Result<String, PolicyFileError>) {
        let readable = text.as_ref().ok();
        if readable == self.seen.as_ref() {
            return;
        }
        let policy = text.and_then(|text| {
            let policy = parse(&self.path, &text);
            self.seen = Some(text);
            policy
        });
        match policy {
            Ok(policy) => {
                tracing::warn!(path = %self.path.display(),
                    "the policy has changed: it holds from now on, and in sessions' barriers when they next start");
                self.current.send_replace(Arc::new(policy));
            }
            Err(error) => {
                if matches!(error, PolicyFileError::Read { .. }) {
                    self.seen = None;
                }
                tracing::error!("{error}. The policy from before stays in force");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::domain::module::Module;
    use crate::domain::policy::Facts;

    #[test]
    fn a_changed_file_holds_at_once_and_a_broken_one_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy.toml");
        let (mut watcher, handle) = PolicyWatcher::open(path.clone()).unwrap();
        let read_only = || handle.policy().is_read_only("contoso", Module::Exo);
        assert!(!read_only());
        let mut write = |content: &str| {
            std::fs::write(&path, content).unwrap();
            watcher.take(text(&path));
        };
        write("read_only = true");
        assert!(read_only());
        write("read_only = nonsense");
        assert!(read_only());
        write("read_only = false");
        assert!(!read_only());
        let verdict = handle
            .policy()
            .decide("contoso", Module::Exo, &Facts::default());
        assert!(!verdict.decision.stops());
    }

    #[test]
    fn a_pool_does_not_start_with_a_broken_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy.toml");
        std::fs::write(&path, "read_only = true\nnonsense = 1").unwrap();
        let error = PolicyWatcher::open(path).unwrap_err().to_string();
        assert!(error.contains("line 2, column 1"), "{error}");
    }
}
