//! Why a server did not start, or ended.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::audit::AuditError;
use crate::host::HostError;
use crate::isolation::IsolationError;
use crate::session::JournalError;
use crate::session::policy_file::PolicyFileError;
use crate::tls::TlsError;
use crate::token_file::TokenFileError;

/// Why the server did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or not the machine's.
    #[error(
        "cannot listen on {address}: {source}{owner}. Choose another with --port \
         (SESSION_POOL_PORT) or --host (SESSION_POOL_HOST)"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
        /// Who has it, where that can be known.
        owner: String,
    },
    /// What should be the state directory cannot be used as one.
    #[error(
        "SESSION_POOL_STATE_DIR (--state-dir) is {path}, which cannot be used: {reason}. Check its \
         owner and mode, or name another directory",
        path = path.display()
    )]
    StateDirectory {
        /// The directory.
        path: PathBuf,
        /// What failed in it.
        reason: String,
    },
    /// The file that is to hold the access token cannot be read or holds something else.
    #[error("SESSION_POOL_TOKEN_FILE (--token-file) cannot be used: {0}")]
    TokenFile(TokenFileError),
    /// What should be the registry is a directory.
    #[error("SESSION_POOL_REGISTRY (--registry) cannot be used: {0}")]
    Registry(String),
    /// What should be the directory of secrets is something else.
    #[error(
        "SESSION_POOL_SECRETS_DIR (--secrets-dir) is {}, which is no directory: name another",
        .0.display()
    )]
    SecretsDirectory(PathBuf),
    /// The audit cannot be written.
    #[error("SESSION_POOL_LOG_DIR (--log-dir) cannot be used: {0}")]
    Audit(AuditError),
    /// Another pool uses the state directory.
    #[error(transparent)]
    Journal(JournalError),
    /// Certificate or key for TLS cannot be used.
    #[error("SESSION_POOL_TLS_CERT, SESSION_POOL_TLS_KEY (--tls-cert, --tls-key): {0}")]
    Tls(TlsError),
    /// The policy file cannot be used.
    #[error("SESSION_POOL_POLICY (--policy) cannot be used: {0}")]
    Policy(PolicyFileError),
    /// The helper process cannot be had.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The metrics recorder is there already.
    #[error("cannot set up metrics: {0}")]
    Metrics(String),
    /// Sessions cannot have user ids of their own.
    #[error(transparent)]
    Isolation(#[from] IsolationError),
    /// Tokio, a signal or the listener failed.
    #[error("the system refused: {0}")]
    System(#[from] io::Error),
}

impl ServeError {
    /// Whether a setting is wrong, and not the moment: starting again does not help.
    pub fn is_mistake(&self) -> bool {
        match self {
            // Somebody else's port may become free.
            Self::Listen { source, .. } => source.kind() != io::ErrorKind::AddrInUse,
            Self::StateDirectory { .. }
            | Self::TokenFile(_)
            | Self::Registry(_)
            | Self::SecretsDirectory(_)
            | Self::Audit(_)
            | Self::Tls(_)
            | Self::Policy(_) => true,
            Self::Isolation(error) => !matches!(error, IsolationError::Users(_)),
            Self::Journal(_) | Self::Host(_) | Self::Metrics(_) | Self::System(_) => false,
        }
    }

    /// Puts a failure down to the state directory that was configured.
    pub(super) fn state(directory: &Path, reason: impl fmt::Display) -> Self {
        Self::StateDirectory {
            path: directory.to_owned(),
            reason: reason.to_string(),
        }
    }
}
