//! What runs a session's commands: PowerShell; in the tests of this layer also something without a
//! process, because real time passes in a process.

use std::future::Future;
use std::time::Duration;

use crate::host::{Host, HostError, HostEvent, Reaper, SpawnSpec, Submission};

#[cfg(test)]
use super::stand_in::{StandIn, World};

/// What sessions run their commands in.
#[derive(Clone, Debug, Default)]
pub(super) enum Engines {
    /// A process each.
    #[default]
    Processes,
    #[cfg(test)]
    StandIns(std::sync::Arc<World>),
}

/// What one session runs its commands in.
#[derive(Debug)]
pub(super) enum Engine {
    Process(Box<Host>),
    #[cfg(test)]
    StandIn(StandIn),
}

impl Engines {
    /// Starts one; returns when it takes commands, or when nothing is left of one that was called off.
    pub(super) async fn start(
        &self,
        spec: &SpawnSpec,
        reaper: &Reaper,
        called_off: impl Future<Output = ()>,
    ) -> Result<Engine, HostError> {
        match self {
            Self::Processes => {
                let host = Host::start_unless(spec, reaper, called_off).await?;
                Ok(Engine::Process(Box::new(host)))
            }
            #[cfg(test)]
            Self::StandIns(world) => Ok(Engine::StandIn(world.start())),
        }
    }
}

impl Engine {
    pub(super) fn pid(&self) -> u32 {
        match self {
            Self::Process(host) => host.pid(),
            #[cfg(test)]
            Self::StandIn(stand_in) => stand_in.pid(),
        }
    }

    /// The version of its PowerShell.
    pub(super) fn version(&self) -> String {
        match self {
            Self::Process(host) => host.version().to_string(),
            #[cfg(test)]
            Self::StandIn(_) => "a stand-in".to_owned(),
        }
    }

    /// Resident bytes of the process and all that it has started, where the system tells.
    pub(super) async fn resident(&self) -> Option<u64> {
        match self {
            Self::Process(host) => host.resident().await,
            #[cfg(test)]
            Self::StandIn(stand_in) => stand_in.resident(),
        }
    }

    /// See [`Host::submit`].
    pub(super) async fn submit(&mut self, submission: Submission) -> Result<(), HostError> {
        match self {
            Self::Process(host) => host.submit(submission).await,
            #[cfg(test)]
            Self::StandIn(stand_in) => stand_in.submit(&submission),
        }
    }

    /// See [`Host::next`]. Cancel safe.
    pub(super) async fn next(&mut self) -> HostEvent {
        match self {
            Self::Process(host) => host.next().await,
            #[cfg(test)]
            Self::StandIn(stand_in) => stand_in.next().await,
        }
    }

    /// See [`Host::cancel`].
    pub(super) async fn cancel(&mut self) -> Result<(), HostError> {
        match self {
            Self::Process(host) => host.cancel().await,
            #[cfg(test)]
            Self::StandIn(stand_in) => stand_in.cancel(),
        }
    }

    /// Ends it in good order, within so much time where that is given.
    pub(super) async fn shut_down(self, within: Option<Duration>) {
        match self {
            Self::Process(host) => match within {
                Some(within) => host.shut_down_within(within).await,
                None => host.shut_down().await,
            },
            #[cfg(test)]
            Self::StandIn(stand_in) => drop(stand_in),
        }
    }

    /// Ends it at once.
    pub(super) async fn kill(self) {
        match self {
            Self::Process(host) => host.kill().await,
            #[cfg(test)]
            Self::StandIn(stand_in) => drop(stand_in),
        }
    }
}
