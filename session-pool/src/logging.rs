//! Logs: what the pool does, to standard output and to files; never what commands say.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use file_rotate::compression::Compression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::{directories, own_file};

/// Bytes after which a log file is put aside.
const FILE_BYTES: usize = 10 * 1024 * 1024;

/// Files put aside that are kept, beside the one in use.
const FILES_KEPT: usize = 5;

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLevel(LevelFilter);

/// The given text names no log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use one of error, warning, info, debug, trace")]
pub struct UnknownLevel;

impl FromStr for LogLevel {
    type Err = UnknownLevel;

    /// Reads the level in any case, also by the names that Python has for it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(match text.to_ascii_lowercase().as_str() {
            "critical" | "error" => LevelFilter::ERROR,
            "warning" | "warn" => LevelFilter::WARN,
            "info" => LevelFilter::INFO,
            "debug" => LevelFilter::DEBUG,
            "trace" => LevelFilter::TRACE,
            _ => return Err(UnknownLevel),
        }))
    }
}

/// Where the log goes, and how much of it.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// Directory of the log files; made where it is not there.
    pub directory: PathBuf,
    /// Name of the file in use; older ones have `.1` to `.5` behind it.
    pub file_name: String,
    /// How much.
    pub level: LogLevel,
}

/// The log cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The file cannot be opened.
    #[error(
        "SESSION_POOL_LOG_DIR (--log-dir) cannot be used: the log file {path} cannot be written: \
         {source}. Check the directory's owner and mode, or name another",
        path = path.display()
    )]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something else in this process logs already.
    #[error("logging has been set up twice in one process")]
    Twice,
}

/// Writes what is still on its way when it is dropped: keep it until the program ends.
#[must_use = "what is logged after the guard has gone is lost"]
#[derive(Debug)]
pub struct LogGuard {
    _file: WorkerGuard,
    _stdout: WorkerGuard,
}

/// Lines that may wait for a writer. Their places are taken from memory at once, 32 bytes each: the
/// crate's own limit of 128,000 costs 4 MB for each of the two.
const WAITING_LINES: usize = 4_096;

/// Sets up logging for the whole process.
///
/// # Errors
/// [`LoggingError`] where the file cannot be written, or logging has been set up before.
pub fn init(config: &LogConfig) -> Result<LogGuard, LoggingError> {
    let path = config.directory.join(&config.file_name);
    let file = open(&path).map_err(|source| LoggingError::File { path, source })?;
    // The file keeps every line. A reader of standard output that has stopped reading must not
    // stop the pool.
    let (file, file_guard) = writer(file, false);
    let (stdout, stdout_guard) = writer(io::stdout(), true);

    // Libraries at their lower levels write down what passes through them: command text, output.
    let LogLevel(level) = config.level;
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("session_pool", level);
    let lines = tracing_subscriber::fmt::layer().with_ansi(false);
    tracing_subscriber::registry()
        .with(lines.with_writer(file).with_filter(filter.clone()))
        .with(
            tracing_subscriber::fmt::layer()
                .with_ansi(false)
                .with_writer(stdout)
                .with_filter(filter),
        )
        .try_init()
        .map_err(|_| LoggingError::Twice)?;
    Ok(LogGuard {
        _file: file_guard,
        _stdout: stdout_guard,
    })
}

fn writer<W: io::Write + Send + 'static>(target: W, lossy: bool) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING_LINES)
        .lossy(lossy)
        .finish(target)
}

/// The file in use and those put aside.
struct LogFile {
    rotating: FileRotate<AppendCount>,
    path: PathBuf,
    options: OpenOptions,
}

impl io::Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let written = self.rotating.write(line)?;
        // This line may have begun a file, and `FileRotate` does not say so. What keeps root from
        // giving it away is no reason to lose lines: it was said when the log was opened.
        if rustix::process::geteuid().is_root() {
            drop(own_file::open(&self.path, &mut self.options));
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.rotating.flush()
    }
}

fn open(path: &Path) -> io::Result<LogFile> {
    directories::make_private(own_file::directory_of(path))?;
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    // FileRotate says nothing when it cannot open its file.
    drop(own_file::open(path, &mut options)?);
    // The limit is looked at between two writes, and a write is one line: lines stay whole.
    let limit = ContentLimit::BytesSurpassed(FILE_BYTES);
    let kept = AppendCount::new(FILES_KEPT);
    let rotating = FileRotate::new(path, kept, limit, Compression::None, Some(options.clone()));
    Ok(LogFile {
        rotating,
        path: path.to_owned(),
        options,
    })
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    use super::*;

    #[test]
    fn the_files_are_private_whole_and_few() {
        let directory = tempfile::tempdir().unwrap();
        if rustix::process::geteuid().is_root() {
            chown(directory.path(), Some(54_321), Some(54_322)).unwrap();
        }
        let owner = fs::metadata(directory.path()).unwrap();
        let path = directory
            .path()
            .join("logs")
            .join("session-pool-unified.log");
        let mut file = open(&path).unwrap();
        let line = [[b'x'; 1024 * 1024 - 1].as_slice(), b"\n"].concat();
        for _ in 0..80 {
            file.write_all(&line).unwrap();
        }
        drop(file);
        let mut sizes = Vec::new();
        for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
            let metadata = entry.unwrap().metadata().unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
            assert_eq!((metadata.uid(), metadata.gid()), (owner.uid(), owner.gid()));
            assert_eq!(metadata.len() % line.len() as u64, 0, "whole lines");
            sizes.push(metadata.len());
        }
        assert_eq!(sizes.len(), FILES_KEPT + 1);
        assert_eq!(
            fs::metadata(path.parent().unwrap())
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            0o700
        );
    }

    #[test]
    fn a_file_that_cannot_be_written_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a-directory");
        fs::create_dir(&path).unwrap();
        assert!(open(&path).is_err());
    }

    #[test]
    fn levels_have_the_names_of_both_worlds() {
        for (name, level) in [
            ("INFO", LevelFilter::INFO),
            ("Warning", LevelFilter::WARN),
            ("warn", LevelFilter::WARN),
            ("CRITICAL", LevelFilter::ERROR),
            ("debug", LevelFilter::DEBUG),
        ] {
            assert_eq!(name.parse(), Ok(LogLevel(level)));
        }
        assert_eq!("loud".parse::<LogLevel>(), Err(UnknownLevel));
    }
}
