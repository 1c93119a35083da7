//! One address for many pools: the router finds the pool of a connection, passes requests on to it
//! with that pool's token, and puts together what all of them say.
//!
//! A pool is called a backend here. It serves one connection, in a container of its own
//! (`m365-<connection>`) or as a plain process.

mod backend;
mod backends;
mod config;
mod containers;
mod docker;
mod error;
mod forward;
mod gather;
mod health;
mod jobs;
mod one;
mod routes;
mod serve;
mod together;

use std::sync::Arc;

use axum::extract::FromRef;

use crate::http::{Access, Metrics};
use crate::session::registry_watch::RegistryHandle;

use backends::Backends;
use jobs::JobOwners;

pub use config::{BackendAddress, InvalidBackend, RouterConfig, RouterConfigError};
pub use docker::DockerAddress;
pub use serve::run;

/// All that the router's handlers share.
#[derive(Clone, Debug)]
struct App(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    backends: Backends,
    owners: JobOwners,
    registry: RegistryHandle,
    access: Access,
    metrics: Metrics,
    docker: Option<DockerAddress>,
}

impl App {
    fn backends(&self) -> &Backends {
        &self.0.backends
    }

    fn owners(&self) -> &JobOwners {
        &self.0.owners
    }

    fn registry(&self) -> &RegistryHandle {
        &self.0.registry
    }

    fn docker(&self) -> Option<&DockerAddress> {
        self.0.docker.as_ref()
    }

    fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }
}

impl FromRef<App> for Access {
    fn from_ref(app: &App) -> Self {
        app.0.access.clone()
    }
}
