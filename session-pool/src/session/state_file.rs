//! A small file of the pool's state: JSON with a version, 0600, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::own_file;

/// Why a state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateFileError {
    /// The file system said no.
    #[error("{path} cannot be {deed}: {source}. Check the state directory's owner and space")]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        deed: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// It holds something else.
    #[error(
        "{path} is not what this pool writes there: {what}. Move it away, or put back what it held"
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// Where it differs; nothing of its contents.
        what: String,
    },
}

/// What every state file has.
#[derive(serde::Deserialize)]
struct Versioned {
    version: u32,
}

/// Where a write is; for tests that end it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Begun,
    Made,
    HalfWritten,
    Written,
    Synced,
    Renamed,
}

/// Reads the file; none where there is none.
///
/// # Errors
/// [`StateFileError`], also for a version that is not this one.
pub(super) fn read<T: DeserializeOwned>(
    path: &Path,
    version: u32,
) -> Result<Option<T>, StateFileError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(StateFileError::Io {
                path: path.to_owned(),
                deed: "read",
                source,
            });
        }
    };
    let broken = |what: String| StateFileError::Broken {
        path: path.to_owned(),
        what,
    };
    // Where, and not what: a message of serde's quotes the file.
    let at = |error: serde_json::Error| {
        broken(format!("line {}, column {}", error.line(), error.column()))
    };
    let found: Versioned = serde_json::from_slice(&bytes).map_err(at)?;
    if found.version != version {
        return Err(broken(format!(
            "it has version {}, and this pool knows version {version}",
            found.version
        )));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(at)
}

/// Writes the file. Whoever reads it at any time, also after a kill in the middle or the loss of
/// power, finds the old one or the new one.
///
/// # Errors
/// [`StateFileError::Io`].
pub(super) fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), StateFileError> {
    write_in_steps(path, value, |_| {})
}

fn write_in_steps<T: Serialize>(
    path: &Path,
    value: &T,
    mut step: impl FnMut(Step),
) -> Result<(), StateFileError> {
    let mut write = || -> io::Result<()> {
        let bytes = serde_json::to_vec_pretty(value).map_err(io::Error::other)?;
        step(Step::Begun);
        // Of one name, so that what a killed pool left is replaced, not collected. One pool at a
        // time has a state file: the journal's lock sees to that.
        let temporary = path.with_extension("json.new");
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = own_file::open(&temporary, File::options().create_new(true).write(true))?;
        step(Step::Made);
        let (half, rest) = bytes.split_at(bytes.len() / 2);
        file.write_all(half)?;
        step(Step::HalfWritten);
        file.write_all(rest)?;
        step(Step::Written);
        file.sync_all()?;
        step(Step::Synced);
        fs::rename(&temporary, path)?;
        step(Step::Renamed);
        File::open(own_file::directory_of(path))?.sync_all()
    };
    write().map_err(|source| StateFileError::Io {
        path: path.to_owned(),
        deed: "written",
        source,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Letter {
        version: u32,
        text: String,
    }

    fn letter(text: &str) -> Letter {
        Letter {
            version: 1,
            text: text.repeat(5_000),
        }
    }

    const STEPS: [Step; 6] = [
        Step::Begun,
        Step::Made,
        Step::HalfWritten,
        Step::Written,
        Step::Synced,
        Step::Renamed,
    ];

    #[test]
    fn it_comes_back_as_it_was_and_nobody_else_can_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("letter.json");
        assert_eq!(read::<Letter>(&path, 1).unwrap(), None);
        for text in ["one", "another"] {
            write(&path, &letter(text)).unwrap();
            assert_eq!(read(&path, 1).unwrap(), Some(letter(text)));
        }
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        let other = read::<Letter>(&path, 2).unwrap_err().to_string();
        assert!(other.contains("version 1"), "{other}");
    }

    /// The child's part of the test below: writes, and kills itself at the step it is told.
    #[test]
    fn killed_in_the_middle() {
        let Some(path) = std::env::var_os("SESSION_POOL_TEST_KILLED_WRITE") else {
            return;
        };
        let at: usize = std::env::var("SESSION_POOL_TEST_STEP")
            .unwrap()
            .parse()
            .unwrap();
        write_in_steps(Path::new(&path), &letter("new"), |step| {
            if Some(&step) == STEPS.get(at) {
                let own = rustix::process::getpid();
                rustix::process::kill_process(own, rustix::process::Signal::KILL).unwrap();
            }
        })
        .unwrap();
    }

    #[test]
    fn killed_at_any_step_it_leaves_the_old_one_or_the_new_one() {
        for (at, step) in STEPS.into_iter().enumerate() {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("letter.json");
            write(&path, &letter("old")).unwrap();
            let killed = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "session::state_file::tests::killed_in_the_middle",
                ])
                .env("SESSION_POOL_TEST_KILLED_WRITE", &path)
                .env("SESSION_POOL_TEST_STEP", at.to_string())
                .output()
                .unwrap();
            assert_eq!(killed.status.signal(), Some(9), "{step:?}");
            let expected = if step == Step::Renamed { "new" } else { "old" };
            assert_eq!(read(&path, 1).unwrap(), Some(letter(expected)), "{step:?}");
            // And the next write is not held up by what was left.
            write(&path, &letter("later")).unwrap();
            assert_eq!(read(&path, 1).unwrap(), Some(letter("later")), "{step:?}");
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        }
    }
}
