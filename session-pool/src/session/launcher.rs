//! How a session's process is to be started.

use std::path::PathBuf;
use std::time::Duration;

use crate::domain::registry::ConnectionName;
use crate::domain::session_key::SessionKey;
use crate::host::{Environment, Program, Reaper, SpawnSpec, TEMPORARY, UserIds};

use super::process::StartError;
use super::users::{Users, UsersError};

/// Everything that all processes of a pool have in common.
#[derive(Debug)]
pub struct Launcher {
    /// PowerShell, or what stands in for it.
    pub program: Program,
    /// The homes of the connections lie in here.
    pub homes: PathBuf,
    /// A user id for each connection; the pool's own for all where there are none.
    pub users: Option<Users>,
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

    /// The connection's home.
    pub(super) fn home(&self, connection: &ConnectionName) -> PathBuf {
        self.homes.join(connection.safe_name())
    }

    /// The user that the connection's sessions run as; none for the pool's own.
    pub(super) fn user(&self, connection: &ConnectionName) -> Result<Option<UserIds>, UsersError> {
        self.users
            .as_ref()
            .map(|users| users.of(connection))
            .transpose()
    }

    /// The id of the user that the connection's sessions run as, as far as it is known.
    pub(super) fn user_id(&self, connection: &ConnectionName) -> Option<u32> {
        match &self.users {
            Some(users) => users.known(connection),
            None => Some(rustix::process::geteuid().as_raw()),
        }
    }

    /// The specification for one session.
    pub(super) fn spec(
        &self,
        key: &SessionKey,
        barrier: Vec<String>,
    ) -> Result<SpawnSpec, StartError> {
        let home = self.home(key.connection());
        let user = self.user(key.connection())?;
        let environment = match user {
            // What modules put into a temporary directory is nobody else's either.
            Some(_) => self
                .environment
                .clone()
                .with("TMPDIR", home.join(TEMPORARY)),
            None => self.environment.clone(),
        };
        Ok(SpawnSpec {
            program: self.program.clone(),
            home,
            user,
            environment,
            socket_root: self.sockets.clone(),
            ready_within: self.ready_within,
            barrier,
        })
    }
}
