//! Files that calls are saved to and sent from: below one directory, through no link.

use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, OpenOptions};

/// The directory of files.
#[derive(Debug)]
pub(crate) struct Files {
    directory: Dir,
    path: PathBuf,
}

/// A file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error(
        "files cannot be read or written: start mm with --files-dir DIRECTORY (or MM_FILES_DIR), the directory that save_to and upload_from are to lie in"
    )]
    NoDirectory,
    #[error("the directory of files {path} cannot be used: {source}")]
    Directory { path: String, source: io::Error },
    #[error(
        "{0:?} must be a relative path below the directory of files, without \"..\" and without names that begin with a dot"
    )]
    Name(String),
    #[error("{name:?} cannot be used: {source}")]
    Io { name: String, source: io::Error },
    #[error("{0:?} exists already: choose another name, nothing is overwritten")]
    Exists(String),
    #[error("{0:?} is not a plain file below the directory of files (links are not followed)")]
    NoFile(String),
}

impl Files {
    /// Opens the directory.
    ///
    /// # Errors
    /// Where none is set, or it cannot be opened.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, FileError> {
        let path = path.ok_or(FileError::NoDirectory)?;
        let directory = Dir::open_ambient_dir(path, ambient_authority()).map_err(|source| {
            FileError::Directory {
                path: path.display().to_string(),
                source,
            }
        })?;
        Ok(Self {
            directory,
            path: path.to_owned(),
        })
    }

    /// Begins a new file. It has its name at once, so that nobody else takes it; [`Saving::finish`]
    /// makes it whole, and dropping it removes it.
    ///
    /// # Errors
    /// Where the name is not allowed or taken.
    pub(crate) fn create(&self, name: &str) -> Result<Saving, FileError> {
        let (parent, file) = self.parent(name, true)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        cap_std::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let opened = parent.open_with(&file, &options).map_err(|source| {
            if source.kind() == io::ErrorKind::AlreadyExists {
                FileError::Exists(name.to_owned())
            } else {
                failed(name, source)
            }
        })?;
        Ok(Saving {
            name: name.to_owned(),
            shown: self.path.join(name).display().to_string(),
            file: Some(opened),
            parent,
            own: file,
        })
    }

    /// Opens a file to send it; says how long it is.
    ///
    /// # Errors
    /// Where it is no plain file below the directory.
    pub(crate) fn read(&self, name: &str) -> Result<(File, u64), FileError> {
        let (parent, file) = self.parent(name, false)?;
        let about = parent
            .symlink_metadata(&file)
            .map_err(|source| failed(name, source))?;
        if !about.is_file() {
            return Err(FileError::NoFile(name.to_owned()));
        }
        let opened = parent.open(&file).map_err(|source| failed(name, source))?;
        let about = opened.metadata().map_err(|source| failed(name, source))?;
        if !about.is_file() {
            return Err(FileError::NoFile(name.to_owned()));
        }
        Ok((opened, about.len()))
    }

    /// The directory that the name lies in, and its last part. cap-std lets nothing out of the
    /// directory; links inside it are refused all the same, because they say something else than
    /// the name does.
    fn parent(&self, name: &str, make: bool) -> Result<(Dir, String), FileError> {
        let bad = || FileError::Name(name.chars().take(200).collect());
        let mut parts = Vec::new();
        for part in Path::new(name).components() {
            match part {
                Component::Normal(part) => {
                    let part = part.to_str().ok_or_else(bad)?;
                    let odd = |c: char| c.is_control() || "\\:*?\"<>|".contains(c);
                    if part.starts_with('.') || part.contains(odd) {
                        return Err(bad());
                    }
                    parts.push(part);
                }
                _ => return Err(bad()),
            }
        }
        let file = parts
            .pop()
            .filter(|_| !name.ends_with('/'))
            .ok_or_else(bad)?;
        let mut directory = self
            .directory
            .try_clone()
            .map_err(|source| failed(name, source))?;
        for part in parts {
            let about = match directory.symlink_metadata(part) {
                Err(error) if make && error.kind() == io::ErrorKind::NotFound => {
                    directory
                        .create_dir(part)
                        .map_err(|source| failed(name, source))?;
                    directory.symlink_metadata(part)
                }
                other => other,
            }
            .map_err(|source| failed(name, source))?;
            if !about.is_dir() {
                return Err(FileError::NoFile(name.to_owned()));
            }
            directory = directory
                .open_dir(part)
                .map_err(|source| failed(name, source))?;
        }
        Ok((directory, file.to_owned()))
    }
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct Saving {
    name: String,
    shown: String,
    file: Option<File>,
    parent: Dir,
    own: String,
}

impl Saving {
    /// Adds to the file.
    ///
    /// # Errors
    /// Where the disk does not take it.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        match &mut self.file {
            Some(file) => file
                .write_all(bytes)
                .map_err(|source| failed(&self.name, source)),
            None => Ok(()),
        }
    }

    /// Keeps the file; answers with its whole path.
    ///
    /// # Errors
    /// Where the disk does not take it.
    pub(crate) fn finish(mut self) -> Result<String, FileError> {
        if let Some(file) = &self.file {
            file.sync_all()
                .map_err(|source| failed(&self.name, source))?;
        }
        self.file = None;
        Ok(self.shown.clone())
    }
}

impl Drop for Saving {
    fn drop(&mut self) {
        // Half a file under the wanted name would pass for the whole.
        if self.file.take().is_some() {
            let _ = self.parent.remove_file(&self.own);
        }
    }
}

fn failed(name: &str, source: io::Error) -> FileError {
    FileError::Io {
        name: name.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Read;

    use super::*;

    #[test]
    fn files_are_written_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::open(Some(directory.path())).unwrap();
        let mut saving = files.create("a/b/report.csv").unwrap();
        saving.write(b"x,y").unwrap();
        assert!(matches!(
            files.create("a/b/report.csv"),
            Err(FileError::Exists(_))
        ));
        saving.finish().unwrap();
        let (mut file, size) = files.read("a/b/report.csv").unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), size), ("x,y", 3));

        let mut given_up = files.create("c.txt").unwrap();
        given_up.write(b"half").unwrap();
        drop(given_up);
        assert!(!directory.path().join("c.txt").exists());
    }

    #[cfg(unix)]
    #[test]
    fn nothing_outside_is_reached() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "x").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let link = |to: &Path, name: &str| {
            std::os::unix::fs::symlink(to, directory.path().join(name)).unwrap();
        };
        link(outside.path(), "out");
        link(&outside.path().join("secret"), "leak");
        std::fs::write(directory.path().join("inside"), "x").unwrap();
        link(Path::new("inside"), "alias");
        let files = Files::open(Some(directory.path())).unwrap();
        for name in [
            "../secret",
            "/etc/passwd",
            "out/secret",
            "leak",
            "alias",
            "a/../../x",
            ".hidden",
            "a/.ssh/x",
            "",
            ".",
            "a/",
            "a\0b",
            "C:\\x",
        ] {
            assert!(files.read(name).is_err(), "{name:?}");
        }
        for name in ["../x", "/tmp/x", "out/x", "leak", ".x", "", "a\nb", "a\\b"] {
            assert!(files.create(name).is_err(), "{name:?}");
        }
        assert!(Files::open(None).is_err());
    }
}
