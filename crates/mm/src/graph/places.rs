//! Where Graph's part of `mm` keeps and finds its files.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use session_pool::domain::policy::SendGuards;
use session_pool::domain::registry::{Connection, Registry, RegistryError, UnknownConnection};

/// Directories and files, read from the environment once.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The registry of connections.
    pub(crate) registry: PathBuf,
    /// Token caches and the key of cursors.
    pub(crate) tokens: PathBuf,
    /// Certificates and client secrets.
    pub(crate) secrets: PathBuf,
    /// What `save_to` and `upload_from` are relative to, where that is allowed.
    pub(crate) files: Option<PathBuf>,
    /// Whether sends are shown before they are sent.
    pub(crate) send_guards: SendGuards,
    /// What is added to the default policy.
    pub(crate) policy: PathBuf,
    /// The directory of logs.
    pub(crate) logs: PathBuf,
}

/// The places, or the registry, cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum PlacesError {
    #[error("there is no home directory, so the registry cannot be found: set HOME")]
    NoHome,
    #[error(
        "the registry {path} cannot be read: {reason}. Make it (see docs/graph.md), or name another with SESSION_POOL_REGISTRY"
    )]
    Unreadable { path: String, reason: String },
    #[error("MM_SEND_GUARDS cannot be {0:?}: use true, false or legacy")]
    SendGuards(String),
    #[error("{path}: {source}")]
    Registry { path: String, source: RegistryError },
    #[error("{0}")]
    Unknown(#[from] UnknownConnection),
}

impl Places {
    /// Reads this process's environment.
    ///
    /// # Errors
    /// Without a home directory.
    pub(crate) fn from_environment(files: Option<PathBuf>) -> Result<Self, PlacesError> {
        Self::from_variables(files, std::env::home_dir(), |name| {
            std::env::var_os(name).filter(|value| !value.is_empty())
        })
    }

    fn from_variables(
        files: Option<PathBuf>,
        home: Option<PathBuf>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, PlacesError> {
        let home = home.ok_or(PlacesError::NoHome)?;
        let path =
            |name, default: &str| variable(name).map_or_else(|| home.join(default), PathBuf::from);
        let guards = variable("MM_SEND_GUARDS").unwrap_or_default();
        let guards = guards.to_string_lossy().into_owned();
        Ok(Self {
            registry: path("SESSION_POOL_REGISTRY", ".m365-connections.json"),
            tokens: path("MM_GRAPH_TOKENS_DIR", ".mm-graph-tokens"),
            secrets: path("MM_SECRETS_DIR", ".m365-secrets"),
            files: files.or_else(|| variable("MM_FILES_DIR").map(PathBuf::from)),
            send_guards: guards
                .parse()
                .map_err(|_| PlacesError::SendGuards(guards))?,
            policy: path("SESSION_POOL_POLICY", ".m365-policy/policy.toml"),
            logs: path("SESSION_POOL_LOG_DIR", ".m365-logs"),
        })
    }

    /// The registry as it is now.
    ///
    /// # Errors
    /// Where it cannot be read or is wrong.
    pub(crate) fn registry(&self) -> Result<Registry, PlacesError> {
        let path = self.registry.display().to_string();
        let text = fs::read_to_string(&self.registry).map_err(|error: io::Error| {
            PlacesError::Unreadable {
                path: path.clone(),
                reason: error.to_string(),
            }
        })?;
        Registry::parse(&text).map_err(|source| PlacesError::Registry { path, source })
    }

    /// A connection of the registry.
    ///
    /// # Errors
    /// As [`Self::registry`], or where there is none of that name.
    pub(crate) fn connection(&self, name: &str) -> Result<Arc<Connection>, PlacesError> {
        Ok(Arc::clone(self.registry()?.get(name)?))
    }
}
