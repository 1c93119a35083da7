//! Unpacking a verified tarball beside its place, then moving it there in one step.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use tar::Archive;

use super::InstallError;
use super::download::Fetched;

/// Unpacks and returns the program's path. What stood in the place before gives way.
pub(super) fn put_in_place(fetched: Fetched, target: &Path) -> Result<PathBuf, InstallError> {
    let parent = target.parent().unwrap_or(target);
    let unpacked = tempfile::Builder::new()
        .prefix(".unpacking-")
        .tempdir_in(parent)
        .map_err(InstallError::io(parent))?;
    unpack(fetched.file, unpacked.path()).map_err(|source| InstallError::Archive {
        from: fetched.from.clone(),
        into: parent.to_owned(),
        source,
    })?;
    let program = unpacked.path().join("pwsh");
    if !fs::symlink_metadata(&program).is_ok_and(|found| found.is_file()) {
        return Err(InstallError::NoPwsh(fetched.from));
    }
    // The official tarballs have it without its x bits.
    fs::set_permissions(&program, Permissions::from_mode(0o755))
        .map_err(InstallError::io(&program))?;
    fs::set_permissions(unpacked.path(), Permissions::from_mode(0o755))
        .map_err(InstallError::io(unpacked.path()))?;
    replace(unpacked, target).map_err(InstallError::io(target))?;
    Ok(target.join("pwsh"))
}

/// Entries that would leave the directory are passed over by the tar crate; owners, and the
/// set-user-id bits, are not restored.
fn unpack(tarball: fs::File, into: &Path) -> io::Result<()> {
    let mut archive = Archive::new(GzDecoder::new(io::BufReader::new(tarball)));
    archive.set_preserve_mtime(false);
    archive.unpack(into)
}

fn replace(unpacked: tempfile::TempDir, target: &Path) -> io::Result<()> {
    let parent = target.parent().unwrap_or(target);
    let old = tempfile::Builder::new()
        .prefix(".old-")
        .tempdir_in(parent)?;
    match fs::rename(target, old.path()) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    fs::rename(unpacked.path(), target)?;
    // It has moved away: there is nothing left to remove.
    let _ = unpacked.keep();
    Ok(())
}
