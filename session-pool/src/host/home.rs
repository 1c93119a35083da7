//! Files that the pool puts into a process's home: readable for its user only.
//!
//! The home may belong to another user, who can put anything there at any time. So nothing is
//! written through a path: the directory is opened once, links are not followed, and a file is
//! always a new one.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, Mode, OFlags};

use super::error::HostError;
use super::spec::UserIds;

/// Puts a file into the home, mode 0600 and the user's own, in one step: whoever opens it finds the
/// old one or the new one. Returns its full path.
///
/// # Errors
/// [`HostError::CannotPrepare`].
pub fn put_file(
    home: &Path,
    user: Option<UserIds>,
    name: &str,
    contents: &[u8],
) -> Result<PathBuf, HostError> {
    let path = home.join(name);
    let put = || -> io::Result<()> {
        let directory = open(home)?;
        let temporary = format!("{name}.new");
        remove(&directory, &temporary)?;
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = rustix::fs::openat(&directory, &temporary, flags, mode)?;
        let mut file = File::from(file);
        file.write_all(contents)?;
        if let Some(user) = user {
            std::os::unix::fs::fchown(&file, Some(user.uid), Some(user.gid))?;
        }
        rustix::fs::renameat(&directory, &temporary, &directory, name)?;
        Ok(())
    };
    put().map_err(|source| HostError::CannotPrepare {
        path: path.clone(),
        source,
    })?;
    Ok(path)
}

/// Removes the files of the home whose names begin so, but for those to keep.
///
/// # Errors
/// [`HostError::CannotPrepare`].
pub fn remove_files(home: &Path, prefix: &str, keep: &[&str]) -> Result<(), HostError> {
    let clear = || -> io::Result<()> {
        let directory = open(home)?;
        for entry in Dir::read_from(&directory)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else {
                continue;
            };
            if name.starts_with(prefix) && !keep.contains(&name) {
                remove(&directory, name)?;
            }
        }
        Ok(())
    };
    clear().map_err(|source| HostError::CannotPrepare {
        path: home.to_owned(),
        source,
    })
}

/// Removes a directory of the home with all that is in it; true where there was one. `relative`: where
/// it is in the home. Links are removed, and never followed.
///
/// # Errors
/// [`HostError::CannotPrepare`].
pub fn remove_directory(home: &Path, relative: &str) -> Result<bool, HostError> {
    let failed = |source| HostError::CannotPrepare {
        path: home.join(relative),
        source,
    };
    let missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    let (above, name) = relative.rsplit_once('/').unwrap_or(("", relative));
    let mut steps = above.split('/').filter(|step| !step.is_empty());
    let parent = open(home).and_then(|home| steps.try_fold(home, |at, step| open_in(&at, step)));
    match parent {
        Ok(parent) => remove_all(&parent, name).map_err(failed),
        Err(error) if missing(&error) => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

/// Whatever has this name, with all that is in it.
fn remove_all(parent: &OwnedFd, name: &str) -> io::Result<bool> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) => return Ok(true),
        Err(rustix::io::Errno::NOENT) => return Ok(false),
        Err(rustix::io::Errno::ISDIR | rustix::io::Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    let directory = open_in(parent, name)?;
    for entry in Dir::read_from(&directory)? {
        let entry = entry?;
        match entry.file_name().to_str() {
            Ok("." | "..") => {}
            Ok(name) => drop(remove_all(&directory, name)?),
            Err(_) => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a name in it is not UTF-8",
                ));
            }
        }
    }
    rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?;
    Ok(true)
}

fn open_in(parent: &OwnedFd, name: &str) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(parent, name, flags, Mode::empty())?)
}

fn open(home: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(home, flags, Mode::empty())?)
}

fn remove(directory: &OwnedFd, name: &str) -> io::Result<()> {
    match rustix::fs::unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, symlink};

    use super::*;

    fn names(home: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(home)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_its_users_only_and_replaces_the_one_before() {
        let home = tempfile::tempdir().unwrap();
        for contents in ["one", "another"] {
            let path = put_file(home.path(), None, ".app-1", contents.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), contents);
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        }
        put_file(home.path(), None, ".app-2", b"two").unwrap();
        fs::write(home.path().join("mine"), "").unwrap();
        remove_files(home.path(), ".app-", &[".app-2"]).unwrap();
        assert_eq!(names(home.path()), [".app-2", "mine"]);
    }

    #[test]
    fn no_link_leads_out_of_the_home() {
        let home = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let target = elsewhere.path().join("file");
        fs::write(&target, "untouched").unwrap();
        symlink(&target, home.path().join(".app-1")).unwrap();
        symlink(&target, home.path().join(".app-1.new")).unwrap();
        put_file(home.path(), None, ".app-1", b"secret").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "untouched");
        assert_eq!(names(home.path()), [".app-1"]);

        let link = home.path().join("link");
        symlink(elsewhere.path(), &link).unwrap();
        assert!(put_file(&link, None, ".app-1", b"secret").is_err());
        assert_eq!(names(elsewhere.path()), ["file"]);
    }

    #[test]
    fn a_directory_goes_with_all_that_is_in_it_and_nothing_outside() {
        let home = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("file"), "untouched").unwrap();
        let kept = home.path().join(".local/share/kept");
        fs::create_dir_all(kept.join("deep/deeper")).unwrap();
        fs::write(kept.join("deep/file"), "").unwrap();
        symlink(elsewhere.path(), kept.join("link")).unwrap();
        fs::write(home.path().join(".local/mine"), "").unwrap();
        assert!(remove_directory(home.path(), ".local/share/kept").unwrap());
        assert!(!remove_directory(home.path(), ".local/share/kept").unwrap());
        assert!(!remove_directory(home.path(), ".missing/share/kept").unwrap());
        assert_eq!(names(&home.path().join(".local")), ["mine", "share"]);

        // A link on the way is not followed, and one in the place of the directory is removed.
        symlink(elsewhere.path(), home.path().join("way")).unwrap();
        assert!(remove_directory(home.path(), "way/file").is_err());
        assert!(remove_directory(home.path(), "way").unwrap());
        assert_eq!(names(elsewhere.path()), ["file"]);
    }

    #[test]
    fn a_file_for_another_user_is_that_users() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let home = tempfile::tempdir().unwrap();
        let user = UserIds {
            uid: 54_321,
            gid: 54_322,
        };
        let path = put_file(home.path(), Some(user), ".app-1", b"secret").unwrap();
        let about = fs::metadata(path).unwrap();
        assert_eq!((about.uid(), about.gid()), (54_321, 54_322));
    }
}
