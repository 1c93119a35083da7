//! Which backends there are: one for each connection of the registry, and those that were named.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::http::uri::Authority;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::domain::compose::container_name;
use crate::domain::nearest::nearest;
use crate::domain::registry::{ConnectionName, UnknownConnection};
use crate::session::registry_watch::RegistryHandle;
use crate::token_file;

use super::backend::Backend;
use super::config::RouterConfig;
use super::health;

/// The port that a pool has in its container.
pub(super) const PORT: u16 = 5200;

/// Every backend, by its connection's name.
pub(super) type BackendMap = BTreeMap<String, Arc<Backend>>;

/// Gives everybody the backends as they are now.
#[derive(Clone, Debug)]
pub(super) struct Backends(watch::Receiver<Arc<BackendMap>>);

impl Backends {
    pub(super) fn all(&self) -> Arc<BackendMap> {
        Arc::clone(&self.0.borrow())
    }

    /// The backend of a connection.
    ///
    /// # Errors
    /// Where there is no such connection, with the names like it.
    pub(super) fn get(&self, name: &str) -> Result<Arc<Backend>, UnknownConnection> {
        let all = self.all();
        all.get(name).cloned().ok_or_else(|| UnknownConnection {
            name: name.to_owned(),
            nearest: nearest(name, all.keys().map(String::as_str)),
            known: all.len(),
        })
    }
}

/// Keeps the backends as the registry has them, and looks at each.
#[derive(Debug)]
pub(super) struct BackendKeeper {
    registry: RegistryHandle,
    named: BTreeMap<ConnectionName, Authority>,
    only: Option<ConnectionName>,
    state_dir: PathBuf,
    current: watch::Sender<Arc<BackendMap>>,
    looks: JoinSet<()>,
    looking: BTreeMap<String, AbortHandle>,
}

impl BackendKeeper {
    pub(super) fn new(config: &RouterConfig, registry: RegistryHandle) -> (Self, Backends) {
        let (current, backends) = watch::channel(Arc::default());
        let keeper = Self {
            registry,
            named: config.backends.clone(),
            only: config.places.connection.clone(),
            state_dir: config.places.state_dir.clone(),
            current,
            looks: JoinSet::new(),
            looking: BTreeMap::new(),
        };
        (keeper, Backends(backends))
    }

    /// Follows the registry until `stop` is cancelled.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut changes = self.registry.subscribe();
        loop {
            self.take_over();
            tokio::select! {
                () = stop.cancelled() => break,
                changed = changes.changed() => if changed.is_err() { break },
                Some(_) = self.looks.join_next() => {}
            }
        }
        self.looks.shutdown().await;
    }

    /// Makes backends for new connections, and drops those of connections that have gone.
    fn take_over(&mut self) {
        let wanted = self.wanted();
        let old = self.current.borrow().clone();
        let mut new = BackendMap::new();
        for (name, address) in wanted {
            let backend = match old.get(name.as_str()) {
                Some(known) => Arc::clone(known),
                None => self.begin(&name, address),
            };
            new.insert(name.to_string(), backend);
        }
        for gone in old.keys().filter(|name| !new.contains_key(*name)) {
            if let Some(look) = self.looking.remove(gone) {
                look.abort();
            }
        }
        self.current.send_replace(Arc::new(new));
    }

    fn wanted(&self) -> BTreeMap<ConnectionName, Authority> {
        let mut wanted: BTreeMap<_, _> = self
            .registry
            .registry()
            .connections()
            .filter_map(|connection| {
                let name = connection.name.clone();
                let address = container(&name)?;
                Some((name, address))
            })
            .collect();
        wanted.extend(self.named.clone());
        if let Some(only) = &self.only {
            wanted.retain(|name, _| name == only);
        }
        wanted
    }

    fn begin(&mut self, name: &ConnectionName, address: Authority) -> Arc<Backend> {
        let token_file = self
            .state_dir
            .join(name.safe_name())
            .join(token_file::FILE_NAME);
        let backend = Arc::new(Backend::new(name.to_string(), address, token_file));
        let look = self.looks.spawn({
            let backend = Arc::clone(&backend);
            async move { health::watch(&backend).await }
        });
        self.looking.insert(name.to_string(), look);
        backend
    }
}

/// Where the container of a connection answers: Docker's DNS knows it by its name.
fn container(name: &ConnectionName) -> Option<Authority> {
    format!("{}:{PORT}", container_name(name)).parse().ok()
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
    fn containers_are_found_by_name() {
        for (name, host) in [
            ("ForIT-GA", "m365-forit-ga:5200"),
            ("Zürich GA", "m365-z_rich_ga:5200"),
        ] {
            assert_eq!(container(&name.parse().unwrap()).unwrap().as_str(), host);
        }
    }
}
