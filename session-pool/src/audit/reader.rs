//! Reading audit files, those put aside too.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::domain::audit::{AuditLine, Gap, Gaps};

use super::file::{AuditError, AuditFile};

/// What stands in an audit file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A line.
    Line(Box<AuditLine>),
    /// Lines that are missing.
    Gap(Gap),
    /// A line that is none of ours: somebody has written into the file.
    Garbled {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
}

/// Reads one audit file and those put aside, the oldest line first.
#[derive(Debug)]
pub struct AuditReader {
    file: AuditFile,
}

impl AuditReader {
    /// Reads this file.
    pub const fn new(file: AuditFile) -> Self {
        Self { file }
    }

    /// The file in use.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Every audit file of a log directory.
    ///
    /// # Errors
    /// [`AuditError`] where the directory cannot be read; one that is not there has no files.
    pub fn all(log_directory: &Path) -> Result<Vec<Self>, AuditError> {
        let failed = |source| AuditError {
            path: log_directory.to_owned(),
            deed: "read",
            source,
        };
        let entries = match fs::read_dir(log_directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut scopes = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            let scope = name
                .to_str()
                .and_then(|name| name.strip_prefix("audit-"))
                // The numbers are there also where somebody has removed the lines.
                .and_then(|name| name.strip_suffix(".seq").or(name.strip_suffix(".jsonl")));
            scopes.extend(scope.map(str::to_owned));
        }
        scopes.sort();
        scopes.dedup();
        Ok(scopes
            .iter()
            .map(|scope| Self::new(AuditFile::new(log_directory, scope)))
            .collect())
    }

    /// Hands every line, and what is missing between them, to `take`; stops where it says no.
    ///
    /// # Errors
    /// [`AuditError`] where a file cannot be read.
    pub fn read(&self, mut take: impl FnMut(Found) -> bool) -> Result<(), AuditError> {
        let failed = |path: &Path, source| AuditError {
            path: path.to_owned(),
            deed: "read",
            source,
        };
        // Before the lines: one that comes while they are read is no gap.
        let given_out = self.given_out();
        let mut gaps = Gaps::default();
        // Held open from the start, so that a rotation under the reader does not skip a file.
        let mut files = Vec::new();
        for path in self.file.all() {
            match File::open(&path) {
                Ok(file) => files.push((path, file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(&path, error)),
            }
        }
        for (path, file) in files {
            let mut reader = BufReader::new(file);
            let mut text = Vec::new();
            for number in 1.. {
                text.clear();
                let read = reader.read_until(b'\n', &mut text);
                if read.map_err(|error| failed(&path, error))? == 0 {
                    break;
                }
                let Ok(line) = serde_json::from_slice::<AuditLine>(&text) else {
                    let garbled = Found::Garbled {
                        path: path.clone(),
                        line: number,
                    };
                    if text.ends_with(b"\n") && !take(garbled) {
                        return Ok(());
                    }
                    continue;
                };
                if let Some(gap) = gaps.before(line.seq)
                    && !take(Found::Gap(gap))
                {
                    return Ok(());
                }
                if !take(Found::Line(Box::new(line))) {
                    return Ok(());
                }
            }
        }
        if let Some(gap) = gaps.at_end(given_out) {
            take(Found::Gap(gap));
        }
        Ok(())
    }

    /// Numbers that have been given out.
    fn given_out(&self) -> u64 {
        let text = fs::read_to_string(self.file.numbers_path()).unwrap_or_default();
        text.trim().parse().unwrap_or_default()
    }
}
