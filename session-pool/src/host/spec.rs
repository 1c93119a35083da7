//! What a PowerShell process is started with.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::environment::Environment;

/// What a PowerShell process is started with.
#[derive(Clone, Debug)]
pub struct SpawnSpec {
    /// The program, usually `pwsh`.
    pub program: Program,
    /// Its `HOME` and its working directory; made with mode 0700 if it is not there.
    pub home: PathBuf,
    /// The user and group it runs as; the pool's own if none.
    pub user: Option<UserIds>,
    /// Everything in its environment but `HOME`.
    pub environment: Environment,
    /// Where its private directory is made: see [`super::RunDirectory`].
    pub socket_root: PathBuf,
    /// The time it has from its start until it is ready for a command.
    pub ready_within: Duration,
    /// Names of commands that are refused inside the process, however they are reached but by
    /// their module-qualified names.
    pub barrier: Vec<String>,
}

/// A program with the arguments that stand before the pool's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Arguments before `-NoLogo … -File SCRIPT SOCKET`; empty for a real `pwsh`.
    pub args: Vec<OsString>,
}

impl From<PathBuf> for Program {
    fn from(path: PathBuf) -> Self {
        Self {
            path,
            args: Vec::new(),
        }
    }
}

/// A user and a group by number; neither needs an entry in `/etc/passwd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserIds {
    /// The user id.
    pub uid: u32,
    /// The group id; there are no supplementary groups.
    pub gid: u32,
}
