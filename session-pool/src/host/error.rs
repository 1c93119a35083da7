//! What can go wrong between the pool and a PowerShell process.

use std::fmt;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use super::frame::Garbage;

/// Why a PowerShell process cannot be had or cannot be used any longer.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The program could not be started.
    #[error("cannot start {}: {source}; check that it exists and may be executed, or name another PowerShell with --pwsh", program.display())]
    CannotStart {
        /// The program that was to be started.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file or directory that a process needs could not be made.
    #[error("cannot prepare {}: {source}; check that the directory is writable and the disk is not full", path.display())]
    CannotPrepare {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The home is another user's.
    #[error("{} belongs to the user id {owner}, and the connection's is {user}; if it is this connection's home, run: chown -R {user}:{user} '{}'; else move it away", home.display(), home.display())]
    WrongOwner {
        /// The home.
        home: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Whose it should be.
        user: u32,
    },
    /// The socket's path does not fit into a Unix socket address, and no shorter directory is there.
    #[error("{} is too long for a Unix socket (at most 107 bytes); set XDG_RUNTIME_DIR or TMPDIR to a short directory", path.display())]
    PathTooLong {
        /// The path of the socket.
        path: PathBuf,
    },
    /// The process runs but did not connect and get ready in time.
    #[error("PowerShell did not get ready within {} s; the machine may be overloaded, or this is no PowerShell{}", within.as_secs(), Tail(stderr_tail))]
    NotReady {
        /// The time it was given.
        within: Duration,
        /// The end of what it wrote to its standard error.
        stderr_tail: String,
    },
    /// The process ended before it was ready.
    #[error("PowerShell ended while it started ({}); run `pwsh -NoProfile -Command 1` as the same user to see why{}", Ending(*status), Tail(stderr_tail))]
    DiedAtStart {
        /// How it ended, where known.
        status: Option<ExitStatus>,
        /// The end of what it wrote to its standard error.
        stderr_tail: String,
    },
    /// The start was called off.
    #[error("the start of PowerShell was called off; nothing is left of it")]
    CalledOff,
    /// Another process connected to the private socket, or it did not know the nonce.
    #[error(
        "something else than the started PowerShell connected to its socket ({0}); check who else runs processes under this user id"
    )]
    WrongPeer(&'static str),
    /// The PowerShell is older than the bootstrap needs.
    #[error(transparent)]
    Version(#[from] super::pwsh::VersionError),
    /// The process ended while the pool needed it.
    #[error("the PowerShell process ended ({}); its variables and its sign-in are gone, a fresh one takes its place", Ending(*status))]
    Died {
        /// How it ended, where known.
        status: Option<ExitStatus>,
    },
    /// The process wrote something to the socket that the pool does not understand.
    #[error(
        "the PowerShell process sent {0} and was ended; a command must not write to the pool's own connection"
    )]
    Garbage(#[from] Garbage),
    /// A second submission before the end of the first.
    #[error("a command is still running in this PowerShell process; wait for its end")]
    Busy,
    /// A submission could not be handed over.
    #[error(
        "cannot write to the PowerShell process; it is probably gone, a fresh one takes its place"
    )]
    CannotWrite,
    /// The process that guards against leftovers cannot be had.
    #[error("no process is started without the helper that would clean up after it: {source}")]
    NoReaper {
        /// What the system said.
        source: io::Error,
    },
    /// The system has no randomness to give.
    #[error("the system gives no random numbers: {0}")]
    NoRandomness(getrandom::Error),
}

/// How a process ended, in words.
struct Ending(Option<ExitStatus>);

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(status) = self.0 else {
            return f.write_str("how is not known");
        };
        match (status.code(), status.signal()) {
            (Some(code), _) => write!(f, "exit code {code}"),
            (None, Some(9)) => f.write_str("killed by signal 9, perhaps for lack of memory"),
            (None, Some(signal)) => write!(f, "killed by signal {signal}"),
            (None, None) => f.write_str("how is not known"),
        }
    }
}

/// The last words of a process, if it had any.
struct Tail<'a>(&'a str);

impl fmt::Display for Tail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(f, "; it said: {}", self.0)
        }
    }
}
