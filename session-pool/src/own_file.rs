//! Files that the pool makes for itself: readable for their owner only, who is the owner of the
//! directory they lie in.
//!
//! A pool that is root in its container would else leave root's files in the mounted directories of
//! a person who can then neither read nor remove them.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use rustix::fs::OFlags;

/// What nobody but the owner may do.
const OTHERS: u32 = 0o077;

/// Makes what these options create private, and keeps them from following a link: in a directory
/// of another user it could lead root to any file.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
}

/// Opens a file as [`private`] says, and gives it as [`give`] does.
///
/// # Errors
/// What the system says.
pub(crate) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let file = private(options).open(path)?;
    give(&file, directory_of(path))?;
    Ok(file)
}

/// Gives a file of this directory to the directory's owner where the pool is root, and closes it to
/// all others.
///
/// # Errors
/// What the system says; also where the file has a second name, which may be another's.
pub(crate) fn give(file: &File, directory: &Path) -> io::Result<()> {
    let about = file.metadata()?;
    if rustix::process::geteuid().is_root() {
        let owner = std::fs::metadata(directory)?;
        if (about.uid(), about.gid()) != (owner.uid(), owner.gid()) {
            if about.nlink() > 1 {
                return Err(io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    "it has a second name; remove one of the two",
                ));
            }
            fchown(file, Some(owner.uid()), Some(owner.gid()))?;
        }
    }
    if about.mode() & OTHERS != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// The directory a file lies in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use std::fs;
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    fn writable() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.write(true).create(true);
        options
    }

    #[test]
    fn a_file_is_its_directorys_owners_and_nobody_elses() {
        let directory = tempfile::tempdir().unwrap();
        let root = rustix::process::geteuid().is_root();
        if root {
            chown(directory.path(), Some(54_321), Some(54_322)).unwrap();
        }
        let old = directory.path().join("old");
        fs::write(&old, "kept").unwrap();
        fs::set_permissions(&old, Permissions::from_mode(0o644)).unwrap();
        let owner = fs::metadata(directory.path()).unwrap();
        for path in [old.clone(), directory.path().join("new")] {
            open(&path, &mut writable()).unwrap();
            let about = fs::metadata(path).unwrap();
            assert_eq!((about.uid(), about.gid()), (owner.uid(), owner.gid()));
            assert_eq!(about.mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_to_string(&old).unwrap(), "kept");
        assert!(!root || owner.uid() == 54_321);
    }

    #[test]
    fn what_may_be_anothers_is_left_alone() {
        let elsewhere = tempfile::tempdir().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let target = elsewhere.path().join("target");
        fs::write(&target, "another's").unwrap();
        fs::set_permissions(&target, Permissions::from_mode(0o644)).unwrap();
        let link = directory.path().join("link");
        symlink(&target, &link).unwrap();
        assert!(open(&link, &mut writable()).is_err());
        if rustix::process::geteuid().is_root() {
            chown(directory.path(), Some(54_321), Some(54_322)).unwrap();
            let second = directory.path().join("second");
            fs::hard_link(&target, &second).unwrap();
            let refused = open(&second, &mut writable()).unwrap_err().to_string();
            assert!(refused.contains("second name"), "{refused}");
        }
        assert_eq!(fs::metadata(&target).unwrap().mode() & 0o777, 0o644);
    }
}
