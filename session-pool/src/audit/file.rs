//! An audit file that several processes may append to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::domain::audit::{AuditEntry, AuditLine, file_name};

/// Bytes after which a file is put aside.
const FILE_BYTES: u64 = 10 * 1024 * 1024;

/// Files put aside that are kept, beside the one in use.
const FILES_KEPT: u32 = 5;

/// A line could not be written, or a file not be read.
#[derive(Debug, thiserror::Error)]
#[error("the audit file {path} cannot be {deed}: {source}. Check the directory's owner, mode and space", path = path.display())]
pub struct AuditError {
    pub(super) path: PathBuf,
    pub(super) deed: &'static str,
    pub(super) source: io::Error,
}

/// One audit file with those put aside. Every line is written under a lock that all processes
/// share, so that numbers are given once and no line is torn.
#[derive(Clone, Debug)]
pub struct AuditFile {
    path: PathBuf,
    limit: u64,
}

impl AuditFile {
    /// The file of a scope in the log directory: `unified`, a connection's safe name, or
    /// [`crate::domain::audit::GRAPH_SCOPE`]. Nothing is opened yet.
    pub fn new(log_directory: &Path, scope: &str) -> Self {
        Self {
            path: log_directory.join(file_name(scope)),
            limit: FILE_BYTES,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes sure that lines can be written.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn check(&self) -> Result<(), AuditError> {
        self.try_check().map_err(|source| self.failed(source))
    }

    /// Writes a line. Blocks for as long as another process writes one.
    ///
    /// # Errors
    /// [`AuditError`]. The line's number is then missing in the file, which shows that it is.
    pub fn append(&self, entry: AuditEntry) -> Result<(), AuditError> {
        self.try_append(entry).map_err(|source| self.failed(source))
    }

    fn try_check(&self) -> io::Result<()> {
        make_directory(&self.path)?;
        open(
            &self.numbers_path(),
            OpenOptions::new().create(true).read(true).write(true),
        )?;
        open(&self.path, OpenOptions::new().create(true).append(true)).map(drop)
    }

    fn try_append(&self, entry: AuditEntry) -> io::Result<()> {
        make_directory(&self.path)?;
        let mut numbers = Numbers::lock(&self.numbers_path())?;
        let mut file = self.open_whole()?;
        // The numbers' file may have been removed, or be a backup's.
        let seq = numbers
            .last
            .max(self.last_written(&mut file)?)
            .saturating_add(1);
        let mut line = serde_json::to_vec(&AuditLine { seq, entry })?;
        line.push(b'\n');
        // Given out before it is used: whatever comes between shows as a gap.
        numbers.give_out(seq)?;
        let mut length = file.metadata()?.len();
        if length > 0 && length + line.len() as u64 > self.limit {
            self.put_aside()?;
            file = self.open_whole()?;
            length = 0;
        }
        file.write_all(&line).inspect_err(|_| {
            // Half a line that a full disk has left.
            let _ = file.set_len(length);
        })
    }

    /// Opens the file in use and cuts off half a line that a killed machine has left.
    fn open_whole(&self) -> io::Result<File> {
        let mut file = open(
            &self.path,
            OpenOptions::new().create(true).read(true).append(true),
        )?;
        let length = file.metadata()?.len();
        let tail = read_tail(&mut file, length)?;
        if tail.last().is_some_and(|last| *last != b'\n') {
            let kept = tail
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1);
            file.set_len(length - (tail.len() - kept) as u64)?;
        }
        Ok(file)
    }

    /// The number of the last line, here or in the file that was put aside last.
    fn last_written(&self, file: &mut File) -> io::Result<u64> {
        let length = file.metadata()?.len();
        if length > 0 {
            return Ok(last_number(&read_tail(file, length)?));
        }
        match File::open(numbered(&self.path, 1)) {
            Ok(mut aside) => {
                let length = aside.metadata()?.len();
                Ok(last_number(&read_tail(&mut aside, length)?))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    fn put_aside(&self) -> io::Result<()> {
        for number in (1..FILES_KEPT).rev() {
            let from = numbered(&self.path, number);
            match fs::rename(from, numbered(&self.path, number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&self.path, numbered(&self.path, 1))
    }

    /// The file with the last number that was given out; its lock is that of the lines.
    pub(super) fn numbers_path(&self) -> PathBuf {
        self.path.with_extension("seq")
    }

    /// The files in the order of their lines, as far as they are there.
    pub(super) fn all(&self) -> impl Iterator<Item = PathBuf> {
        (1..=FILES_KEPT)
            .rev()
            .map(|number| numbered(&self.path, number))
            .chain([self.path.clone()])
    }

    pub(super) fn failed(&self, source: io::Error) -> AuditError {
        AuditError {
            path: self.path.clone(),
            deed: "written",
            source,
        }
    }
}

/// The last number that was given out, and the right to give out the next.
struct Numbers {
    file: File,
    last: u64,
}

impl Numbers {
    fn lock(path: &Path) -> io::Result<Self> {
        let mut file = open(path, OpenOptions::new().create(true).read(true).write(true))?;
        file.lock()?;
        let mut text = String::new();
        // What is no number is a file that somebody else has written; the lines know better.
        let last = match file.read_to_string(&mut text) {
            Ok(_) => text.trim().parse().unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => 0,
            Err(error) => return Err(error),
        };
        Ok(Self { file, last })
    }

    fn give_out(&mut self, seq: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        // Of one width, so that one write replaces the other whole.
        let text = format!("{seq:020}\n");
        self.file.write_all(text.as_bytes())?;
        self.file.set_len(text.len() as u64)
    }
}

/// The last whole line and what stands behind it.
fn read_tail(file: &mut File, length: u64) -> io::Result<Vec<u8>> {
    let mut size = 4_096;
    loop {
        let from = length.saturating_sub(size);
        file.seek(SeekFrom::Start(from))?;
        let mut tail = Vec::new();
        (&*file).take(length - from).read_to_end(&mut tail)?;
        let ends = tail.iter().filter(|byte| **byte == b'\n').take(2).count();
        if from == 0 || ends > 1 {
            return Ok(tail);
        }
        size *= 16;
    }
}

fn last_number(tail: &[u8]) -> u64 {
    #[derive(serde::Deserialize)]
    struct Numbered {
        seq: u64,
    }
    tail.split(|byte| *byte == b'\n')
        .rev()
        .find_map(|line| serde_json::from_slice::<Numbered>(line).ok())
        .map_or(0, |line| line.seq)
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

#[cfg(unix)]
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    crate::own_file::open(path, options)
}

#[cfg(not(unix))]
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    options.open(path)
}

#[cfg(unix)]
fn make_directory(path: &Path) -> io::Result<()> {
    crate::directories::make_private(crate::own_file::directory_of(path))
}

#[cfg(not(unix))]
fn make_directory(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .create(path.parent().unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests;
