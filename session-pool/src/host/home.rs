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
