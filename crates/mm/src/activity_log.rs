//! One line for every tool call, in `mm.jsonl` and on standard error: who called what and what
//! became of it, and nothing of what was said.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::Timestamp;
use serde::Serialize;

use crate::stdio::Stderr;

/// Bytes after which a new file is begun.
const LARGEST: u64 = 10 << 20;

/// Files that are kept beside the current one.
const KEPT: u32 = 4;

/// Characters of a name that are logged; longer ones are no names.
const LONGEST_NAME: usize = 100;

/// The log of tool calls.
#[derive(Debug)]
pub(crate) struct ActivityLog {
    path: Option<PathBuf>,
}

/// A call that is being answered. Where nobody says how it ended, it was let go.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    log: &'a ActivityLog,
    begun: Instant,
    entry: Entry,
}

#[derive(Debug, Serialize)]
struct Entry {
    time: Timestamp,
    tool: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    duration_ms: u64,
    status: String,
}

#[derive(Debug, Serialize)]
struct Warning {
    time: Timestamp,
    level: &'static str,
    tool: &'static str,
    connection: String,
    message: &'static str,
}

impl ActivityLog {
    /// Logs to this file; only to standard error where there is none.
    pub(crate) fn new(path: Option<PathBuf>) -> Self {
        Self { path }
    }

    /// A call begins. It is logged when the value is dropped.
    pub(crate) fn call(&self, tool: &'static str, client: Option<&str>) -> Call<'_> {
        Call {
            log: self,
            begun: Instant::now(),
            entry: Entry {
                time: Timestamp::now(),
                tool,
                connection: None,
                module: None,
                client: client.map(short),
                trace_id: None,
                duration_ms: 0,
                status: "let_go".to_owned(),
            },
        }
    }

    /// Something that whoever keeps the machine should know.
    pub(crate) fn warn(&self, tool: &'static str, connection: &str, message: &'static str) {
        self.write(&Warning {
            time: Timestamp::now(),
            level: "WARNING",
            tool,
            connection: short(connection),
            message,
        });
    }

    fn write(&self, entry: &impl Serialize) {
        let Ok(line) = serde_json::to_string(entry) else {
            return;
        };
        if let Some(path) = &self.path
            && let Err(error) = append(path, &line)
        {
            Stderr::line(format!(
                "cannot write {}: {error}; set SESSION_POOL_LOG_DIR to a directory of yours",
                path.display()
            ));
        }
        Stderr::line(line);
    }
}

impl Call<'_> {
    /// Where the command is to run.
    pub(crate) fn concerns(&mut self, connection: Option<&str>, module: Option<&str>) {
        self.entry.connection = connection.map(short);
        self.entry.module = module.map(short);
    }

    /// The trace it belongs to.
    pub(crate) fn traced(&mut self, trace_id: Option<String>) {
        self.entry.trace_id = trace_id;
    }

    /// How it ended.
    pub(crate) fn ended(&mut self, status: &str) {
        self.entry.status = status.to_owned();
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.entry.duration_ms =
            u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.log.write(&self.entry);
    }
}

fn short(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

/// Appends a line. Each is one write to a file opened for appending, so that the lines of several
/// processes stay whole.
fn append(path: &Path, line: &str) -> std::io::Result<()> {
    let mut file = open(path)?;
    if file.metadata()?.len() > LARGEST {
        // Whoever has the lock begins a new file; the others go on in the old one meanwhile.
        if file.try_lock().is_ok() && std::fs::metadata(path)?.len() > LARGEST {
            rotate(path)?;
        }
        file = open(path)?;
    }
    file.write_all(format!("{line}\n").as_bytes())
}

fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            make_directory(path.parent().unwrap_or(Path::new(".")))?;
            options.open(path)
        }
        opened => opened,
    }
}

fn make_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn rotate(path: &Path) -> std::io::Result<()> {
    let numbered = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    for number in (1..KEPT).rev() {
        match std::fs::rename(numbered(number), numbered(number + 1)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    std::fs::rename(path, numbered(1))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn a_call_is_one_line_however_it_ends() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("logs/mm.jsonl");
        let log = ActivityLog::new(Some(path.clone()));
        drop(log.call("run", Some("client")));
        let mut call = log.call("job", None);
        call.concerns(Some(&"x".repeat(500)), Some("exo"));
        call.ended("success");
        drop(call);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines[0]["status"], "let_go");
        assert_eq!(lines[0]["client"], "client");
        assert_eq!(lines[1]["status"], "success");
        assert_eq!(lines[1]["connection"].as_str().unwrap().len(), LONGEST_NAME);
    }

    #[test]
    fn a_full_file_is_put_aside_and_few_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mm.jsonl");
        for _ in 0..KEPT + 3 {
            let file = File::create(&path).unwrap();
            file.set_len(LARGEST + 1).unwrap();
            append(&path, "{}").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}\n");
        }
        let files = std::fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(files, KEPT as usize + 1);
    }
}
