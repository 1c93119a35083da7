//! The settings of `router`.

use clap::Args;

use crate::router::{BackendAddress, DockerAddress};

use super::options::{AccessOptions, PlaceOptions};

/// The settings of `router`.
#[derive(Args, Debug)]
pub struct RouterOptions {
    /// Who may call, and where.
    #[command(flatten)]
    pub access: AccessOptions,
    /// Where things are.
    #[command(flatten)]
    pub places: PlaceOptions,
    /// Backend that is a process of this machine, not the container m365-CONNECTION; repeatable, or
    /// separated by commas
    #[arg(
        long = "backend",
        value_name = "CONNECTION=URL",
        env = "SESSION_POOL_BACKENDS",
        value_delimiter = ',',
        help_heading = "Backends"
    )]
    pub backends: Vec<BackendAddress>,
    /// Docker's API, for the routes that look at containers and restart them: unix:///PATH or
    /// http://HOST:PORT of a proxy [default: these routes are off]
    #[arg(
        long,
        value_name = "URL",
        env = "SESSION_POOL_DOCKER",
        help_heading = "Backends"
    )]
    pub docker: Option<DockerAddress>,
    /// Seconds that answers which have begun may take when the router is told to stop
    #[arg(long, value_name = "SECONDS", env = "SESSION_POOL_DRAIN_SECONDS", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(0..=3600), help_heading = "Backends")]
    pub drain_seconds: u64,
}
