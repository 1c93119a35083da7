//! The configuration: what the command line and the environment say, checked once and typed.

mod hosts;
mod life;
mod policy;
mod tls;

use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU8, NonZeroU16};
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::ExposeSecret;

use crate::cli::{
    AccessOptions, IsolationOptions, LimitOptions, PlaceOptions, ServeOptions, SessionOptions,
};
use crate::directories::{ForeignDirectory, check_owner};
use crate::domain::life::Rules;
use crate::domain::paging::PageBudget;
use crate::domain::registry::{ConnectionName, InvalidName};
use crate::logging::{LogConfig, LogLevel};
use crate::tls::TlsFiles;
use crate::token_file::{AccessToken, MalformedToken};

pub use life::rules;
pub use policy::PolicyConfig;

/// Everything that `serve` can be told.
#[derive(Debug)]
pub struct ServeConfig {
    /// Who may call, and where.
    pub access: AccessConfig,
    /// Where things are.
    pub places: Places,
    /// What keeps sessions apart.
    pub isolation: Isolation,
    /// Which policy holds.
    pub policy: PolicyConfig,
    /// PowerShell and what runs in it.
    pub sessions: SessionConfig,
    /// How much there may be of what.
    pub limits: Limits,
    /// How long sign-ins and processes live.
    pub rules: Rules,
}

/// Who may call, and where.
#[derive(Debug)]
pub struct AccessConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Names for the Host header, beside loopback and the machine's own.
    pub allowed_hosts: Vec<String>,
    /// What callers must present.
    pub token: TokenPolicy,
    /// The certificate to speak TLS with; plain HTTP where there is none.
    pub tls: Option<TlsFiles>,
}

/// What callers must present.
#[derive(Debug)]
pub enum TokenPolicy {
    /// The token in the state directory, made there on the first start.
    Kept,
    /// This token.
    Given(AccessToken),
    /// The token in this file.
    File(PathBuf),
    /// Nothing.
    Open {
        /// Whether other machines reach the pool: a person has said that this is meant.
        to_network: bool,
    },
}

/// Where things are; the paths are absolute unless they were given otherwise.
#[derive(Clone, Debug)]
pub struct Places {
    /// The registry of connections.
    pub registry: PathBuf,
    /// Homes, journal, access token.
    pub state_dir: PathBuf,
    /// Certificates and client secrets.
    pub secrets_dir: PathBuf,
    /// Log files.
    pub log_dir: PathBuf,
    /// How much is logged.
    pub log_level: LogLevel,
    /// The only connection that is served; every one of the registry where there is none.
    pub connection: Option<ConnectionName>,
}

/// What keeps sessions apart.
#[derive(Clone, Debug, Default)]
pub struct Isolation {
    /// The first of the user ids, where each connection has one of its own.
    pub user_ids_from: Option<u32>,
    /// The sessions' homes; in the state directory where there is no other.
    pub homes_dir: Option<PathBuf>,
}

/// PowerShell and what runs in it.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The PowerShell to run; looked for where there is none.
    pub pwsh: Option<PathBuf>,
    /// One to try last.
    pub dev_pwsh: Option<PathBuf>,
    /// Names of environment variables that sessions get too.
    pub pass_env: Vec<String>,
    /// How long a command may run unless its caller says otherwise.
    pub command_timeout: Duration,
    /// How long commands have to end when the pool is told to stop.
    pub drain: Duration,
    /// Columns of text output.
    pub width: NonZeroU16,
    /// Levels of nested objects in JSON output.
    pub depth: NonZeroU8,
}

/// How much there may be of what.
#[derive(Clone, Debug)]
pub struct Limits {
    /// PowerShell processes at a time.
    pub max_processes: usize,
    /// Commands that wait for one session.
    pub queue_length: usize,
    /// Characters of one answer.
    pub page: PageBudget,
    /// Bytes of output of one job.
    pub max_job_bytes: u64,
    /// Bytes of results in memory.
    pub max_memory_bytes: u64,
    /// Bytes of results on disk.
    pub max_spool_bytes: u64,
    /// How long results are kept after their end.
    pub keep_results: Duration,
}

/// The settings are each well formed, but cannot be used together or here.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Several ways to say one thing.
    #[error(
        "only one of --token (SESSION_POOL_TOKEN), --token-file (SESSION_POOL_TOKEN_FILE) and \
             --no-token (SESSION_POOL_NO_TOKEN) can be set; unset the others"
    )]
    SeveralTokens,
    /// The token could not be sent.
    #[error("SESSION_POOL_TOKEN (--token) cannot be used: {0}")]
    Token(#[from] MalformedToken),
    /// Half of what TLS needs.
    #[error("SESSION_POOL_TLS_CERT (--tls-cert) and SESSION_POOL_TLS_KEY (--tls-key) go together")]
    HalfTls,
    /// Anybody on the network could run commands.
    #[error(
        "SESSION_POOL_HOST (--host) is {0}, which other machines reach, and with --no-token each of \
         them can run commands in your tenants; keep the token, or listen on 127.0.0.1, or say that it \
         is meant with --insecure-no-token-on-network"
    )]
    OpenToNetwork(IpAddr),
    /// A default is in the home directory, and there is none.
    #[error(
        "{0} is in the home directory, which is not known: set HOME, or set {0} to a full path"
    )]
    NoHome(&'static str),
    /// The connection's name cannot be one.
    #[error("M365_CONNECTION (--connection) cannot be used: {0}")]
    Connection(#[from] InvalidName),
    /// No request could name this host.
    #[error(
        "SESSION_POOL_ALLOWED_HOSTS (--allowed-host) must hold host names or IP addresses, without \
         scheme, port or path, not {0:?}"
    )]
    AllowedHost(String),
    /// A name that no environment variable can have.
    #[error(
        "SESSION_POOL_PASS_ENV (--pass-env) must hold names of environment variables, not {0:?}"
    )]
    PassEnv(String),
}

impl ServeConfig {
    /// Checks the settings together. `home` is the user's home directory, where it is known.
    ///
    /// # Errors
    /// [`ConfigError`], the first one found.
    pub fn new(options: ServeOptions, home: Option<&Path>) -> Result<Self, ConfigError> {
        Ok(Self {
            access: AccessConfig::new(options.access)?,
            places: Places::new(options.places, home)?,
            isolation: Isolation::new(options.isolation, home)?,
            policy: PolicyConfig::new(options.policy, home)?,
            sessions: SessionConfig::new(options.sessions)?,
            limits: Limits::new(&options.limits),
            rules: rules(&options.life),
        })
    }
}

impl AccessConfig {
    /// Checks this group.
    ///
    /// # Errors
    /// [`ConfigError`] where the settings contradict one another or open the pool unasked.
    pub fn new(options: AccessOptions) -> Result<Self, ConfigError> {
        let to_network = !options.host.is_loopback();
        let token = match (options.token, options.token_file, options.no_token) {
            (None, None, false) => TokenPolicy::Kept,
            (Some(token), None, false) => {
                TokenPolicy::Given(AccessToken::new(token.expose_secret())?)
            }
            (None, Some(file), false) => TokenPolicy::File(file),
            (None, None, true) if to_network && !options.insecure_no_token_on_network => {
                return Err(ConfigError::OpenToNetwork(options.host));
            }
            (None, None, true) => TokenPolicy::Open { to_network },
            _ => return Err(ConfigError::SeveralTokens),
        };
        Ok(Self {
            listen: SocketAddr::new(options.host, options.port),
            allowed_hosts: hosts::checked(options.allowed_hosts)?,
            token,
            tls: tls::files(options.tls_cert, options.tls_key)?,
        })
    }
}

impl Places {
    /// Makes sure that the directories that are written to belong to this process's user. In a
    /// container they are mounted, and their owner is whoever made them on the host.
    ///
    /// # Errors
    /// [`ForeignDirectory`], the first one.
    pub fn check_owner(&self) -> Result<(), ForeignDirectory> {
        check_owner("SESSION_POOL_STATE_DIR (--state-dir)", &self.state_dir)?;
        check_owner("SESSION_POOL_LOG_DIR (--log-dir)", &self.log_dir)
    }

    /// Checks this group; `~/` stands for the home directory.
    ///
    /// # Errors
    /// [`ConfigError`] where the home directory is needed and not known, or the connection's name
    /// cannot be one.
    pub fn new(options: PlaceOptions, home: Option<&Path>) -> Result<Self, ConfigError> {
        // Compose files set a variable to nothing where they mean not to set it.
        let connection = options.connection.filter(|name| !name.is_empty());
        Ok(Self {
            registry: at_home(options.registry, home, "SESSION_POOL_REGISTRY")?,
            state_dir: at_home(options.state_dir, home, "SESSION_POOL_STATE_DIR")?,
            secrets_dir: at_home(options.secrets_dir, home, "SESSION_POOL_SECRETS_DIR")?,
            log_dir: at_home(options.log_dir, home, "SESSION_POOL_LOG_DIR")?,
            log_level: options.log_level,
            connection: connection.map(|name| name.parse()).transpose()?,
        })
    }

    /// The state directory; `~/` stands for the home directory.
    ///
    /// # Errors
    /// [`ConfigError::NoHome`] where the home directory is needed and not known.
    pub fn state_dir_at(state_dir: PathBuf, home: Option<&Path>) -> Result<PathBuf, ConfigError> {
        at_home(state_dir, home, "SESSION_POOL_STATE_DIR")
    }

    /// The log directory; `~/` stands for the home directory.
    ///
    /// # Errors
    /// [`ConfigError::NoHome`] where the home directory is needed and not known.
    pub fn log_dir_at(log_dir: PathBuf, home: Option<&Path>) -> Result<PathBuf, ConfigError> {
        at_home(log_dir, home, "SESSION_POOL_LOG_DIR")
    }

    /// What the pool's files are named after: its only connection, or `unified`.
    pub fn instance(&self) -> String {
        self.connection
            .as_ref()
            .map_or_else(|| "unified".to_owned(), ConnectionName::safe_name)
    }

    /// Where the log goes.
    pub fn log(&self) -> LogConfig {
        LogConfig {
            directory: self.log_dir.clone(),
            file_name: format!("session-pool-{}.log", self.instance()),
            level: self.log_level,
        }
    }
}

impl Isolation {
    /// Checks this group; `~/` stands for the home directory.
    ///
    /// # Errors
    /// [`ConfigError::NoHome`] where the home directory is needed and not known.
    pub fn new(options: IsolationOptions, home: Option<&Path>) -> Result<Self, ConfigError> {
        let homes_dir = options
            .homes_dir
            .map(|homes| at_home(homes, home, "SESSION_POOL_HOMES_DIR"))
            .transpose()?;
        Ok(Self {
            user_ids_from: options.user_ids.then_some(options.first_user_id),
            homes_dir,
        })
    }
}

impl SessionConfig {
    /// Checks this group.
    ///
    /// # Errors
    /// [`ConfigError`] where a name can be no environment variable's.
    pub fn new(options: SessionOptions) -> Result<Self, ConfigError> {
        let pass_env = not_empty(options.pass_env);
        if let Some(name) = pass_env.iter().find(|name| name.contains(['=', '\0'])) {
            // What stands behind the sign may be a secret.
            let name = name.split('=').next().unwrap_or_default();
            return Err(ConfigError::PassEnv(format!("{name}=…")));
        }
        Ok(Self {
            pwsh: options.pwsh,
            dev_pwsh: options.dev_pwsh,
            pass_env,
            command_timeout: Duration::from_secs(options.command_timeout),
            drain: Duration::from_secs(options.drain_seconds),
            width: options.width,
            depth: options.depth,
        })
    }
}

impl Limits {
    /// Takes this group, in which nothing can contradict anything.
    pub fn new(options: &LimitOptions) -> Self {
        let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        Self {
            max_processes: count(options.max_processes.get()),
            queue_length: count(options.queue_length.get()),
            page: options.page_characters,
            max_job_bytes: options.max_job_bytes.as_u64(),
            max_memory_bytes: options.max_memory_bytes.as_u64(),
            max_spool_bytes: options.max_spool_bytes.as_u64(),
            keep_results: options.keep_results,
        }
    }
}

fn not_empty(names: Vec<String>) -> Vec<String> {
    names
        .into_iter()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

fn at_home(
    path: PathBuf,
    home: Option<&Path>,
    variable: &'static str,
) -> Result<PathBuf, ConfigError> {
    match path.strip_prefix("~") {
        Ok(rest) => Ok(home.ok_or(ConfigError::NoHome(variable))?.join(rest)),
        Err(_) => Ok(path),
    }
}

#[cfg(test)]
mod tests;
