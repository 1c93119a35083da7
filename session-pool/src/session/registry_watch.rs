//! Keeps the registry as the file has it, and the last good one while the file is not usable.
//!
//! The file is polled: a watch on a file goes dead when an editor replaces it, and no watch works
//! on every kind of volume.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::domain::registry::{Connection, ConnectionName, Registry};

use super::telemetry;

/// How often the file is looked at.
pub const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// A registry is some hundred bytes a connection; more than this is another file.
const LARGEST: u64 = 16 * 1024 * 1024;

/// What the registry file was like when it was last looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryHealth {
    /// It is in use as it stands.
    Good,
    /// There is no such file.
    Missing,
    /// It is a directory, which is what Docker makes of a file to mount that is not there.
    Directory,
    /// It has been replaced on the host, and this container still sees the old one.
    Replaced,
    /// It cannot be read or does not say what a registry must say.
    Broken {
        /// What is wrong and what to do.
        reason: String,
    },
}

impl RegistryHealth {
    /// What a person should know and do about it; none where all is well.
    pub fn advice(&self, path: &Path) -> Option<String> {
        let (what, remedy) = self.problem(path)?;
        Some(match self {
            // The reason says what to do.
            Self::Broken { .. } => what,
            _ => format!("{what}: {remedy}"),
        })
    }

    /// What is wrong, and the remedy; none where all is well.
    pub fn problem(&self, path: &Path) -> Option<(String, &'static str)> {
        let path = path.display();
        match self {
            Self::Good => None,
            Self::Missing => Some((
                format!("there is no registry at {path}"),
                "create it, or name another with --registry or SESSION_POOL_REGISTRY; it is read as \
                 soon as it is there",
            )),
            Self::Directory => Some((
                format!("the registry {path} is a directory"),
                "if it is mounted into a container, create the file on the host (Docker made a \
                 directory in its place), then recreate the container",
            )),
            Self::Replaced => Some((
                format!(
                    "the registry {path} has been replaced on the host, and this container keeps \
                     seeing the old one"
                ),
                "restart the container, or mount the file's directory instead of the file",
            )),
            Self::Broken { reason } => Some((
                format!("the registry {path} cannot be used: {reason}"),
                "correct it there",
            )),
        }
    }
}

/// The registry in use, and how the file is.
#[derive(Clone, Debug)]
pub struct RegistrySnapshot {
    /// The last good registry; empty where there was none since the start.
    pub registry: Arc<Registry>,
    /// How the file is now.
    pub health: RegistryHealth,
}

/// Gives everybody the registry in use.
#[derive(Clone, Debug)]
pub struct RegistryHandle(watch::Receiver<RegistrySnapshot>);

impl RegistryHandle {
    /// One without a file.
    #[cfg(test)]
    pub(super) fn without_file(registry: Registry) -> (watch::Sender<RegistrySnapshot>, Self) {
        let (sender, receiver) = watch::channel(RegistrySnapshot {
            registry: Arc::new(registry),
            health: RegistryHealth::Good,
        });
        (sender, Self(receiver))
    }

    /// The registry in use.
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.0.borrow().registry)
    }

    /// How the file is.
    pub fn health(&self) -> RegistryHealth {
        self.0.borrow().health.clone()
    }

    /// Resolves with the entry of this name where it is another one than this. Cancel safe.
    pub(super) async fn other_entry(
        &self,
        name: &ConnectionName,
        before: &Arc<Connection>,
    ) -> Arc<Connection> {
        let mut changes = self.0.clone();
        let entry = |now: &RegistrySnapshot| now.registry.get(name.as_str()).ok().cloned();
        let changed = changes.wait_for(|now| entry(now).is_some_and(|entry| entry != *before));
        // Its watcher's end is the pool's.
        let other = changed.await.ok().and_then(|now| entry(&now));
        match other {
            Some(other) => other,
            None => std::future::pending().await,
        }
    }

    /// Waits for changes.
    pub fn subscribe(&self) -> watch::Receiver<RegistrySnapshot> {
        self.0.clone()
    }
}

/// Looks at the file until it is told to stop.
#[derive(Debug)]
pub struct RegistryWatcher {
    path: PathBuf,
    seen: Option<Stamp>,
    current: watch::Sender<RegistrySnapshot>,
}

impl RegistryWatcher {
    /// Reads the file for the first time. A file that is missing or broken is an empty registry
    /// and a warning: the pool must come up, and be able to say what is wrong.
    pub fn open(path: PathBuf) -> (Self, RegistryHandle) {
        let start = RegistrySnapshot {
            registry: Arc::default(),
            health: RegistryHealth::Good,
        };
        let (current, handle) = watch::channel(start);
        let mut watcher = Self {
            path,
            seen: None,
            current,
        };
        let look = look(&watcher.path, None);
        watcher.take(look);
        (watcher, RegistryHandle(handle))
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
            // A home on the network may take its time.
            let (path, seen) = (self.path.clone(), self.seen);
            match tokio::task::spawn_blocking(move || look(&path, seen)).await {
                Ok(look) => self.take(look),
                Err(error) => tracing::error!(%error, "the registry could not be looked at"),
            }
        }
    }

    fn take(&mut self, look: Look) {
        let (seen, registry, health) = match look {
            Look::Same => return,
            Look::Unusable(health) => (None, None, health),
            Look::Read {
                stamp,
                result: Ok(registry),
            } if stamp.links == 0 => (Some(stamp), Some(registry), RegistryHealth::Replaced),
            Look::Read {
                stamp,
                result: Ok(registry),
            } => (Some(stamp), Some(registry), RegistryHealth::Good),
            Look::Read {
                stamp,
                result: Err(reason),
            } => (Some(stamp), None, RegistryHealth::Broken { reason }),
        };
        self.seen = seen;
        telemetry::registry_ok(health == RegistryHealth::Good);
        self.current.send_if_modified(|current| {
            let changed = current.health != health || registry.is_some();
            if changed {
                report(
                    &self.path,
                    &health,
                    registry.as_ref().unwrap_or(&current.registry),
                );
            }
            current.health = health;
            if let Some(registry) = registry {
                current.registry = Arc::new(registry);
            }
            changed
        });
    }
}

fn report(path: &Path, health: &RegistryHealth, in_use: &Registry) {
    let connections = in_use.connections().len();
    match health.advice(path) {
        None => tracing::info!(path = %path.display(), connections, "registry read"),
        Some(advice) => tracing::warn!(connections_in_use = connections, "{advice}"),
    }
}

/// What tells one state of the file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: (i64, i64),
    size: u64,
    inode: (u64, u64),
    links: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            size: metadata.size(),
            inode: (metadata.dev(), metadata.ino()),
            links: metadata.nlink(),
        }
    }
}

/// One look at the file.
enum Look {
    /// It is as it was.
    Same,
    /// There is nothing to read.
    Unusable(RegistryHealth),
    /// It has been read.
    Read {
        stamp: Stamp,
        result: Result<Registry, String>,
    },
}

fn look(path: &Path, seen: Option<Stamp>) -> Look {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Look::Unusable(RegistryHealth::Missing);
        }
        Err(error) => return broken(format!("{error}; the pool's user must be able to read it")),
    };
    if metadata.is_dir() {
        return Look::Unusable(RegistryHealth::Directory);
    }
    if !metadata.is_file() || metadata.len() > LARGEST {
        return broken("it must be a regular file of at most 16 MiB".to_owned());
    }
    let stamp = Stamp::of(&metadata);
    if seen == Some(stamp) {
        return Look::Same;
    }
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return broken(format!("{error}; the pool's user must be able to read it")),
    };
    let result = match String::from_utf8(bytes) {
        Ok(text) => Registry::parse(&text).map_err(|error| error.to_string()),
        Err(_) => Err("it is not UTF-8 text; save it as UTF-8".to_owned()),
    };
    Look::Read { stamp, result }
}

fn broken(reason: String) -> Look {
    Look::Unusable(RegistryHealth::Broken { reason })
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use std::fs;

    use super::*;

    struct File {
        _directory: tempfile::TempDir,
        path: PathBuf,
        watcher: RegistryWatcher,
        handle: RegistryHandle,
    }

    impl File {
        fn with(text: Option<&str>) -> Self {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("registry.json");
            if let Some(text) = text {
                fs::write(&path, text).unwrap();
            }
            let (watcher, handle) = RegistryWatcher::open(path.clone());
            Self {
                _directory: directory,
                path,
                watcher,
                handle,
            }
        }

        /// Replaces the file as editors do, so that its inode is another one.
        fn replace(&self, text: &str) {
            let next = self.path.with_extension("next");
            fs::write(&next, text).unwrap();
            fs::rename(&next, &self.path).unwrap();
        }

        fn look(&mut self) -> (Vec<String>, RegistryHealth) {
            let look = look(&self.path, self.watcher.seen);
            self.watcher.take(look);
            let registry = self.handle.registry();
            let names = registry
                .connections()
                .map(|it| it.name.to_string())
                .collect();
            (names, self.handle.health())
        }
    }

    const ONE: &str = r#"{"connections":{"one":{}}}"#;
    const TWO: &str = r#"{"connections":{"one":{},"two":{}}}"#;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_change_is_seen_and_no_change_is_none() {
        let mut file = File::with(Some(ONE));
        assert_eq!(file.look(), (names(&["one"]), RegistryHealth::Good));
        file.replace(TWO);
        assert_eq!(file.look(), (names(&["one", "two"]), RegistryHealth::Good));

        let mut changes = file.handle.subscribe();
        changes.mark_unchanged();
        file.look();
        assert!(!changes.has_changed().unwrap());
    }

    #[test]
    fn the_last_good_one_stays_while_the_file_is_unusable() {
        let mut file = File::with(Some(ONE));
        file.replace(r#"{"connections":{"#);
        let (in_use, health) = file.look();
        assert_eq!(in_use, names(&["one"]));
        assert!(matches!(health, RegistryHealth::Broken { .. }));
        assert!(health.advice(&file.path).unwrap().contains("line 1 column"));

        fs::remove_file(&file.path).unwrap();
        assert_eq!(file.look(), (names(&["one"]), RegistryHealth::Missing));
        fs::create_dir(&file.path).unwrap();
        assert_eq!(file.look(), (names(&["one"]), RegistryHealth::Directory));
        fs::remove_dir(&file.path).unwrap();
        fs::write(&file.path, [0xff, 0xfe]).unwrap();
        assert!(matches!(file.look().1, RegistryHealth::Broken { .. }));
        file.replace(TWO);
        assert_eq!(file.look(), (names(&["one", "two"]), RegistryHealth::Good));
    }

    #[test]
    fn the_same_file_that_came_back_is_read_again() {
        let mut file = File::with(Some(ONE));
        let away = file.path.with_extension("away");
        fs::rename(&file.path, &away).unwrap();
        assert_eq!(file.look().1, RegistryHealth::Missing);
        fs::rename(&away, &file.path).unwrap();
        assert_eq!(file.look(), (names(&["one"]), RegistryHealth::Good));
    }

    #[test]
    fn without_a_file_it_starts_empty() {
        let mut file = File::with(None);
        assert_eq!(file.handle.health(), RegistryHealth::Missing);
        file.replace(ONE);
        assert_eq!(file.look(), (names(&["one"]), RegistryHealth::Good));
    }

    #[test]
    fn a_file_without_a_link_says_what_to_do() {
        let file = File::with(Some(ONE));
        let stamp = Stamp {
            links: 0,
            ..file.watcher.seen.unwrap()
        };
        let mut file = file;
        file.watcher.take(Look::Read {
            stamp,
            result: Registry::parse(TWO).map_err(|_| String::new()),
        });
        assert_eq!(file.handle.registry().connections().len(), 2);
        assert_eq!(file.handle.health(), RegistryHealth::Replaced);
        assert!(
            file.handle
                .health()
                .advice(&file.path)
                .unwrap()
                .contains("restart the container")
        );
    }

    #[tokio::test]
    async fn it_stops_when_told() {
        let File { watcher, .. } = File::with(None);
        let stop = CancellationToken::new();
        stop.cancel();
        watcher.run(stop).await;
    }
}
