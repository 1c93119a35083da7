//! How a session's process is to be started.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::session_key::SessionKey;
use crate::host::{Environment, Program, Reaper, SpawnSpec};

use super::process::StartError;

/// Everything that all processes of a pool have in common.
#[derive(Debug)]
pub struct Launcher {
    /// PowerShell, or what stands in for it.
    pub program: Program,
    /// The homes of the connections lie in here.
    pub homes: PathBuf,
    /// What the processes see of the pool's environment.
    pub environment: Environment,
    /// Directory for the private sockets.
    pub sockets: PathBuf,
    /// How long a process may take until it takes commands.
    pub ready_within: Duration,
    /// Ends what the pool leaves behind.
    pub reaper: Reaper,
}

impl Launcher {
    pub(super) fn reaper(&self) -> &Reaper {
        &self.reaper
    }

    /// The specification for one session; makes the connection's home.
    pub(super) fn spec(&self, key: &SessionKey) -> Result<SpawnSpec, StartError> {
        let home = self.homes.join(key.connection().safe_name());
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&home)
            .map_err(|source| StartError::Home {
                path: home.clone(),
                source,
            })?;
        Ok(SpawnSpec {
            program: self.program.clone(),
            home,
            user: None,
            environment: self.environment.clone(),
            socket_root: self.sockets.clone(),
            ready_within: self.ready_within,
        })
    }
}
