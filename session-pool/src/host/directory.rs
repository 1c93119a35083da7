//! Private directories: one a run of the pool, and in it one a process while that starts.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::dial::Script;
use super::error::HostError;
use super::spec::UserIds;

/// The bytes that a Unix socket address holds besides its closing zero.
const MAX_SOCKET_PATH: usize = 107;
/// `/run-XXXXXXXX/h-XXXXXXXX/s`: what is added to the root.
const ADDED: usize = 27;
const RUN_PREFIX: &str = "run-";
const LOCK: &str = "lock";

/// The directory of one run of the pool; locked as long as it lives, removed at its end.
#[derive(Debug)]
pub struct RunDirectory {
    directory: TempDir,
    /// The lock ends with the process, however that ends: thus a later run knows what is stale.
    _lock: File,
}

impl RunDirectory {
    /// Makes a directory in `root`, and removes there what earlier runs left behind.
    ///
    /// A root too long for a socket's address is replaced by the first of `fallbacks` that is not.
    ///
    /// # Errors
    /// [`HostError::PathTooLong`] and [`HostError::CannotPrepare`].
    pub fn create(root: &Path, fallbacks: &[PathBuf]) -> Result<Self, HostError> {
        let fits = |path: &&Path| path.as_os_str().as_bytes().len() + ADDED <= MAX_SOCKET_PATH;
        let root = std::iter::once(root)
            .chain(fallbacks.iter().map(PathBuf::as_path))
            .find(fits)
            .ok_or_else(|| HostError::PathTooLong {
                path: root.to_owned(),
            })?;
        Self::create_in(root).map_err(|source| HostError::CannotPrepare {
            path: root.to_owned(),
            source,
        })
    }

    /// The directory; a [`super::SpawnSpec`] takes it as its socket root.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    fn create_in(root: &Path) -> io::Result<Self> {
        make_private(root)?;
        // Held until this run's own lock is taken: a directory without one is then surely stale.
        let _guard = lock(&root.join(LOCK))?;
        remove_stale(root)?;
        let directory = tempfile::Builder::new()
            .prefix(RUN_PREFIX)
            .rand_bytes(8)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(root)?;
        let lock = lock(&directory.path().join(LOCK))?;
        Ok(Self {
            directory,
            _lock: lock,
        })
    }

    /// Lets processes of other users pass through to their own directories, and see nothing.
    ///
    /// # Errors
    /// [`HostError::CannotPrepare`].
    pub fn open_to_other_users(&self) -> Result<(), HostError> {
        let root = self.path().parent();
        for path in root.into_iter().chain([self.path()]) {
            fs::set_permissions(path, fs::Permissions::from_mode(0o711)).map_err(|source| {
                HostError::CannotPrepare {
                    path: path.to_owned(),
                    source,
                }
            })?;
        }
        Ok(())
    }
}

/// Short directories of this user for sockets: the runtime directory, else the temporary one.
pub fn short_directories(runtime: Option<PathBuf>, temporary: PathBuf) -> Vec<PathBuf> {
    let uid = rustix::process::geteuid().as_raw();
    runtime
        .into_iter()
        .map(|directory| directory.join("session-pool"))
        .chain([temporary.join(format!("session-pool-{uid}"))])
        .collect()
}

/// Makes the directory with mode 0700, or makes sure that an existing one is this user's own.
fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it is not a directory of this user",
        ));
    }
    if found.mode() & 0o022 != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "others may write in it (make it mode 0700)",
        ));
    }
    Ok(())
}

fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.lock()?;
    Ok(file)
}

fn remove_stale(root: &Path) -> io::Result<()> {
    let own = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let metadata = fs::symlink_metadata(entry.path())?;
        let ours = entry
            .file_name()
            .as_bytes()
            .starts_with(RUN_PREFIX.as_bytes())
            && metadata.is_dir()
            && metadata.uid() == own;
        if !ours {
            continue;
        }
        let in_use = OpenOptions::new()
            .write(true)
            .open(entry.path().join(LOCK))
            .is_ok_and(|lock| lock.try_lock().is_err());
        if !in_use && let Err(error) = remove_with_children(&entry.path()) {
            tracing::warn!(path = %entry.path().display(), %error, "cannot remove what an earlier run left; remove it by hand");
        }
    }
    Ok(())
}

/// Removes a run's directory. A directory that was given to another user is taken back first:
/// without the power to pass over permissions not even root may delete in it.
fn remove_with_children(run: &Path) -> io::Result<()> {
    for entry in fs::read_dir(run)? {
        let path = entry?.path();
        if fs::symlink_metadata(&path)?.is_dir() {
            take_back(&path);
        }
    }
    fs::remove_dir_all(run)
}

fn take_back(path: &Path) {
    // Where it fails the directory was ours, or removing it will say why it cannot be done.
    let _ = std::os::unix::fs::lchown(path, Some(rustix::process::geteuid().as_raw()), None);
}

/// What a starting process finds: the script, the nonce, and where to dial.
#[derive(Debug)]
pub(crate) struct StartDirectory {
    directory: TempDir,
    script: &'static str,
}

impl StartDirectory {
    /// Makes it, mode 0700, with the script and the nonce (0600) in it.
    pub(crate) fn create(
        root: &Path,
        script: &Script,
        nonce: &str,
        barrier: &[String],
    ) -> Result<Self, HostError> {
        let create = || {
            let directory = tempfile::Builder::new()
                .prefix("h-")
                .rand_bytes(8)
                .permissions(fs::Permissions::from_mode(0o700))
                .tempdir_in(root)?;
            let start = Self {
                directory,
                script: script.file_name,
            };
            for (path, content) in [
                (start.script(), script.text),
                (start.nonce(), nonce),
                (start.barrier(), &barrier.join("\n")),
            ] {
                let mut file = OpenOptions::new()
                    .create_new(true)
                    .write(true)
                    .mode(0o600)
                    .open(path)?;
                file.write_all(content.as_bytes())?;
            }
            Ok(start)
        };
        create().map_err(|source| HostError::CannotPrepare {
            path: root.to_owned(),
            source,
        })
    }

    pub(crate) fn script(&self) -> PathBuf {
        self.directory.path().join(self.script)
    }

    pub(crate) fn nonce(&self) -> PathBuf {
        self.directory.path().join("nonce")
    }

    /// Names of commands, one a line.
    pub(crate) fn barrier(&self) -> PathBuf {
        self.directory.path().join("barrier")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("s")
    }

    /// Gives everything to the user that the process will run as; the directory last, because
    /// from then on it is closed to the pool.
    pub(crate) fn give_to(&self, user: UserIds) -> Result<(), HostError> {
        for path in [
            self.script(),
            self.nonce(),
            self.barrier(),
            self.socket(),
            self.directory.path().to_owned(),
        ] {
            std::os::unix::fs::lchown(&path, Some(user.uid), Some(user.gid))
                .map_err(|source| HostError::CannotPrepare { path, source })?;
        }
        Ok(())
    }
}

impl Drop for StartDirectory {
    fn drop(&mut self) {
        take_back(self.directory.path());
    }
}

/// The directory for temporary files in the home of a process that runs as a user of its own.
pub const TEMPORARY: &str = ".tmp";

/// Makes a process's home if it is not there yet. One that is there and belongs to somebody else
/// than the process's user is refused: what lies in it may be another's.
pub(crate) fn make_home(home: &Path, user: Option<UserIds>) -> Result<(), HostError> {
    let failed = |source| HostError::CannotPrepare {
        path: home.to_owned(),
        source,
    };
    match fs::symlink_metadata(home) {
        Ok(found) => match user {
            None if home.is_dir() => Ok(()),
            Some(user) if found.is_dir() && found.uid() == user.uid => Ok(()),
            Some(user) if found.is_dir() => Err(HostError::WrongOwner {
                home: home.to_owned(),
                owner: found.uid(),
                user: user.uid,
            }),
            None | Some(_) => Err(failed(io::ErrorKind::NotADirectory.into())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_new_home(home, user).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

fn make_new_home(home: &Path, user: Option<UserIds>) -> io::Result<()> {
    let mut private = DirBuilder::new();
    private.recursive(true).mode(0o700);
    private.create(home)?;
    let Some(user) = user else {
        return Ok(());
    };
    let temporary = home.join(TEMPORARY);
    private.create(&temporary)?;
    // The home last: from then on its user can put other things into it.
    for path in [temporary.as_path(), home] {
        std::os::unix::fs::lchown(path, Some(user.uid), Some(user.gid))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn a_stale_run_is_removed_and_a_living_one_and_strangers_are_not() {
        let root = tempfile::tempdir().unwrap();
        let living = RunDirectory::create(root.path(), &[]).unwrap();
        let stale = root.path().join("run-AAAAAAAA");
        fs::create_dir_all(stale.join("h-BBBBBBBB")).unwrap();
        fs::write(stale.join(LOCK), "").unwrap();
        let stranger = root.path().join("other");
        fs::create_dir(&stranger).unwrap();

        let next = RunDirectory::create(root.path(), &[]).unwrap();
        assert!(!stale.exists());
        assert!(stranger.is_dir() && living.path().is_dir() && next.path().is_dir());
        assert_eq!(fs::metadata(next.path()).unwrap().mode() & 0o777, 0o700);

        let path = next.path().to_owned();
        drop(next);
        assert!(!path.exists());
    }

    #[test]
    fn a_long_root_gives_way_to_a_short_one() {
        let root = tempfile::tempdir().unwrap();
        let long = root.path().join("x".repeat(100));
        let short = root.path().join("short");
        let run = RunDirectory::create(&long, std::slice::from_ref(&short)).unwrap();
        assert!(run.path().starts_with(&short));
        assert!(matches!(
            RunDirectory::create(&long, &[]),
            Err(HostError::PathTooLong { .. })
        ));
    }

    #[test]
    fn a_root_that_others_may_write_in_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let refused = RunDirectory::create(root.path(), &[])
            .unwrap_err()
            .to_string();
        assert!(refused.contains("0700"), "{refused}");
    }
}
