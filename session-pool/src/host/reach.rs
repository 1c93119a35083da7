//! Whether processes of other users get to a file.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

const SEARCH: u32 = 0o001;
const READ: u32 = 0o004;

/// What keeps a user from a path that neither owns anything of it nor belongs to a group of it: the
/// first directory on the way that is closed, or the file itself. None where nothing does, or
/// where nothing is there. Access control lists are not looked at.
pub fn obstacle(path: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(path).ok()?;
    // Both ways: a link lies in directories of its own.
    [path, real.as_path()].into_iter().find_map(|path| {
        let mut parents: Vec<_> = path.ancestors().skip(1).collect();
        parents.reverse();
        let closed = |path: &Path, needed: u32| {
            fs::metadata(path).is_ok_and(|about| about.mode() & needed != needed)
        };
        let parent = parents
            .into_iter()
            .filter(|parent| !parent.as_os_str().is_empty())
            .find(|parent| closed(parent, SEARCH));
        parent
            .or_else(|| closed(path, READ | SEARCH).then_some(path))
            .map(Path::to_owned)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn the_first_closed_directory_is_named() {
        let root = tempfile::tempdir().unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode));
        let inner = root.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let program = inner.join("pwsh");
        fs::write(&program, "").unwrap();
        for (root_mode, a, program_mode, expected) in [
            (0o755, 0o755, 0o755, None),
            (0o711, 0o711, 0o755, None),
            (0o700, 0o755, 0o755, Some(root.path().to_owned())),
            (0o755, 0o750, 0o755, Some(root.path().join("a"))),
            (0o755, 0o755, 0o711, Some(program.clone())),
            (0o755, 0o755, 0o644, Some(program.clone())),
        ] {
            mode(root.path(), root_mode).unwrap();
            mode(&root.path().join("a"), a).unwrap();
            mode(&program, program_mode).unwrap();
            assert_eq!(obstacle(&program), expected);
        }
        assert_eq!(obstacle(&root.path().join("missing")), None);
    }

    #[test]
    fn a_link_is_followed_and_its_own_place_counts() {
        let root = tempfile::tempdir().unwrap();
        let open = |path: &Path| fs::set_permissions(path, Permissions::from_mode(0o755));
        let (closed, public) = (root.path().join("closed"), root.path().join("public"));
        for directory in [&closed, &public] {
            fs::create_dir(directory).unwrap();
            fs::write(directory.join("file"), "").unwrap();
            open(&directory.join("file")).unwrap();
            open(directory).unwrap();
        }
        open(root.path()).unwrap();
        fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
        symlink(closed.join("file"), public.join("out")).unwrap();
        symlink(public.join("file"), closed.join("in")).unwrap();
        assert_eq!(obstacle(&public.join("file")), None);
        for link in [public.join("out"), closed.join("in")] {
            assert_eq!(obstacle(&link), Some(closed.clone()));
        }
    }
}
