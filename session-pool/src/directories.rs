//! Directories that only their owner may enter.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt as _, lchown};
use std::path::{Path, PathBuf};

use crate::own_file::directory_of;

/// Makes a directory, and what is missing above it, with mode 0700. One that is there stays as it
/// is. Where the pool is root, the owner of the directory that it is made in gets it, as with
/// [`crate::own_file`].
///
/// # Errors
/// What the system says.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = directory_of(path);
    if !above.exists() {
        make_private(above)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // Somebody was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) if rustix::process::geteuid().is_root() => {
            let owner = std::fs::metadata(above)?;
            lchown(path, Some(owner.uid()), Some(owner.gid()))
        }
        Ok(()) => Ok(()),
    }
}

/// A directory belongs to somebody else, who could read and change what is in it.
#[derive(Debug, thiserror::Error)]
#[error(
    "{setting} is {path}, which belongs to the user {owner}, and this process runs as {own}: run it \
     as {owner} (in Docker: UID_GID={owner}, which `session-pool compose` fills in), or name a \
     directory of its own",
    path = path.display()
)]
pub struct ForeignDirectory {
    setting: &'static str,
    path: PathBuf,
    owner: String,
    own: String,
}

/// Makes sure that a directory that is there belongs to this process's user. Root may use
/// everybody's.
///
/// # Errors
/// [`ForeignDirectory`] where it is somebody else's.
pub(crate) fn check_owner(setting: &'static str, path: &Path) -> Result<(), ForeignDirectory> {
    let own = rustix::process::geteuid().as_raw();
    let Ok(metadata) = std::fs::metadata(path) else {
        return Ok(());
    };
    if own == 0 || own == metadata.uid() {
        return Ok(());
    }
    Err(ForeignDirectory {
        setting,
        path: path.to_owned(),
        owner: format!("{}:{}", metadata.uid(), metadata.gid()),
        own: format!("{own}:{}", rustix::process::getegid().as_raw()),
    })
}
