//! The server: what `serve` and `demo` are made of, from the first directory to the last process.

mod error;

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::audit::AuditFile;
use crate::config::{AccessConfig, Places, ServeConfig, TokenPolicy};
use crate::directories;
use crate::host::{
    Environment, HostError, Program, Reaper, RunDirectory, SpawnSpec, privileges, short_directories,
};
use crate::http::{self, Access, AllowedHosts, App, Metrics};
use crate::isolation::{self, IsolationError};
use crate::port_owner;
use crate::session::policy_file::{PolicyHandle, PolicyWatcher};
use crate::session::registry_watch::{RegistryHandle, RegistryHealth, RegistryWatcher};
use crate::session::{
    Audit, Credentials, Guard, GuardParts, Journal, JournalError, Launcher, Limits, Pool,
    PoolParts, Remembered, ResultLimits, Users, telemetry,
};
use crate::tls::Tls;
use crate::token_file::{self, AccessToken};

pub use error::ServeError;

/// How long a process may take until it takes commands. Twenty at once need nine seconds on two
/// cores.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// Between the request to stop a command and the end of its process.
const CANCEL_GRACE: Duration = Duration::from_secs(5);

/// How long answers that have begun may take when every job is final.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// What a kind of server has beside its configuration.
#[derive(Debug)]
pub struct Flavour {
    /// PowerShell, or what stands in for it.
    pub program: Program,
    /// Environment variables that its processes get on top of the allowed ones.
    pub variables: Vec<(OsString, OsString)>,
    /// A directory of modules that come before all others of their names.
    pub modules: Option<PathBuf>,
    /// Routes of its own, for callers with the token.
    pub routes: Router,
}

impl Flavour {
    /// Nothing but PowerShell.
    pub fn plain(pwsh: PathBuf) -> Self {
        Self {
            program: pwsh.into(),
            variables: Vec::new(),
            modules: None,
            routes: Router::new(),
        }
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Started {
    /// Where.
    pub address: SocketAddr,
    /// The file that holds the token, where one does.
    pub token_file: Option<PathBuf>,
}

/// Serves until a signal says stop. `started` runs once the server listens; what it returns runs
/// beside the server.
///
/// # Errors
/// [`ServeError`], each with what to do.
pub fn run<F>(
    config: ServeConfig,
    flavour: Flavour,
    started: impl FnOnce(&Started) -> F,
) -> Result<(), ServeError>
where
    F: Future<Output = ()> + Send + 'static,
{
    // First of all, and before there are threads: what the environment holds must not be readable
    // by what runs in the sessions.
    privileges::make_non_dumpable()?;
    if let Err(error) = privileges::close_to_children() {
        tracing::warn!(
            %error,
            "sessions that run as root can read this pool's memory: run it as another user, or allow \
             it CAP_SETPCAP"
        );
    }
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(serve(config, flavour, started))
}

async fn serve<F>(
    config: ServeConfig,
    flavour: Flavour,
    started: impl FnOnce(&Started) -> F,
) -> Result<(), ServeError>
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = listen(config.access.listen).await?;
    let state = &config.places.state_dir;
    private_directory(state, state)?;
    let secrets = &config.places.secrets_dir;
    // Nobody needs one who has no secrets.
    if secrets.exists() && !secrets.is_dir() {
        return Err(ServeError::SecretsDirectory(secrets.clone()));
    }
    let token = token(&config.access.token, state)?;
    let tls = tls(&config.access)?;
    let environment = environment(&config, flavour.variables, flavour.modules);
    let homes = homes(&config, &flavour.program, &environment)?;
    let sockets = sockets(state, &homes).map_err(|error| ServeError::state(state, error))?;
    let helper = Reaper::start(std::env::current_exe()?)?;
    let (watcher, registry) = registry(&config.places)?;
    let metrics = Metrics::install().map_err(|error| ServeError::Metrics(error.to_string()))?;
    let launcher = Launcher {
        program: flavour.program,
        homes: homes.directory,
        users: homes.users,
        environment,
        sockets: sockets.path().to_owned(),
        ready_within: READY_WITHIN,
        reaper: helper.clone(),
    };
    let (policy_watcher, policy) =
        PolicyWatcher::open(config.policy.file.clone()).map_err(ServeError::Policy)?;
    let guard = guard(&config, &launcher, policy);
    let pool = pool(&config, launcher, guard, registry)?;
    let access = Access::new(
        token.value,
        token.hint,
        AllowedHosts::of_this_machine(config.access.allowed_hosts.iter().cloned()),
    );
    let app = App::new(pool.clone(), access, metrics, config.limits.page);

    // Before anybody can know that it runs: a signal that is not waited for kills.
    let stop = stop_signal()?;
    let ending = CancellationToken::new();
    let address = listener.local_addr()?;
    tracing::info!(%address, "listening");
    let beside = started(&Started {
        address,
        token_file: token.file,
    });
    let mut chores = tokio::task::JoinSet::new();
    chores.spawn(beside);
    chores.spawn(watcher.run(ending.clone()));
    chores.spawn(policy_watcher.run(ending.clone()));
    chores.spawn(pool.restore());
    chores.spawn({
        let pool = pool.clone();
        async move { pool.expire_results().await }
    });

    chores.spawn({
        let pool = pool.clone();
        async move { pool.watch_certificates().await }
    });
    chores.spawn({
        let pool = pool.clone();
        async move { pool.watch_connections().await }
    });

    let answers = http::serve(
        listener,
        tls,
        app,
        flavour.routes,
        ending.clone().cancelled_owned(),
    );
    let mut answers = tokio::spawn(answers);
    let early = tokio::select! {
        result = &mut answers => Some(result),
        signal = stop => {
            tracing::info!(signal, "stopping");
            chores.spawn(end_at_second_signal());
            None
        }
    };
    // Clients that wait get their answers while the pool drains.
    pool.drain(config.sessions.drain).await;
    ending.cancel();
    let result = match early {
        Some(result) => result,
        None => match tokio::time::timeout(LAST_ANSWERS, &mut answers).await {
            Ok(result) => result,
            Err(_) => {
                answers.abort();
                Ok(Ok(()))
            }
        },
    };
    chores.shutdown().await;
    drop(pool);
    helper.shut_down().await;
    result.map_err(io::Error::other)??;
    tracing::info!("stopped");
    Ok(())
}

/// Opens the registry. One that is missing or broken may be mended while the pool serves; a
/// directory in its place stays one, and under Docker only the container's end mends that.
pub(crate) fn registry(places: &Places) -> Result<(RegistryWatcher, RegistryHandle), ServeError> {
    let (watcher, handle) = RegistryWatcher::open(places.registry.clone());
    let health = handle.health();
    if health == RegistryHealth::Directory {
        let advice = health.advice(&places.registry).unwrap_or_default();
        return Err(ServeError::Registry(advice));
    }
    if let Some(only) = &places.connection
        && let Err(unknown) = handle.registry().get(only.as_str())
    {
        tracing::warn!(
            nearest = unknown.nearest.join(", "),
            "M365_CONNECTION (--connection) is {:?}, which the registry {} does not have: every \
             request is refused until it does",
            unknown.name,
            places.registry.display()
        );
    }
    Ok((watcher, handle))
}

fn pool(
    config: &ServeConfig,
    launcher: Launcher,
    guard: Guard,
    registry: RegistryHandle,
) -> Result<Pool, ServeError> {
    let places = &config.places;
    let spool = places.state_dir.join("spool");
    private_directory(&spool, &places.state_dir)?;
    let limits = &config.limits;
    let journal = Journal::open(&places.state_dir, &places.instance(), limits.keep_results)
        .map_err(|error| match error {
            JournalError::InUse(_) => ServeError::Journal(error),
            JournalError::Io { .. } => ServeError::state(&places.state_dir, error),
        })?;
    telemetry::keepalive_interval(config.rules.keepalive);
    let audit = AuditFile::new(&places.log_dir, &places.instance());
    audit.check().map_err(ServeError::Audit)?;
    Ok(Pool::new(PoolParts {
        audit: Audit::new(audit, config.policy.audit_commands),
        launcher,
        registry,
        credentials: Credentials::new(places.secrets_dir.clone()),
        guard,
        journal,
        remembered: Remembered::open(&places.state_dir, &places.instance()),
        limits: Limits {
            results: ResultLimits {
                job_bytes: limits.max_job_bytes,
                memory_bytes: limits.max_memory_bytes,
                total_bytes: limits.max_spool_bytes,
                spool,
            },
            keep_results: limits.keep_results,
            queue_length: limits.queue_length,
            max_processes: limits.max_processes,
            command_timeout: config.sessions.command_timeout,
            cancel_grace: CANCEL_GRACE,
            rules: config.rules.clone(),
            width: config.sessions.width,
            depth: config.sessions.depth,
        },
        only: places.connection.as_ref().map(ToString::to_string),
    }))
}

/// What decides on commands. Its process is the pool's own user, also where sessions are not.
fn guard(config: &ServeConfig, launcher: &Launcher, policy: PolicyHandle) -> Guard {
    Guard::start(GuardParts {
        spec: SpawnSpec {
            program: launcher.program.clone(),
            home: config.places.state_dir.join("checker"),
            user: None,
            environment: launcher.environment.clone(),
            socket_root: launcher.sockets.clone(),
            ready_within: READY_WITHIN,
            barrier: Vec::new(),
        },
        reaper: launcher.reaper.clone(),
        policy,
        sends: config.policy.sends,
    })
}

/// Where the sessions' homes are, and whose.
struct Homes {
    directory: PathBuf,
    users: Option<Users>,
}

fn homes(
    config: &ServeConfig,
    program: &Program,
    environment: &Environment,
) -> Result<Homes, ServeError> {
    let state = &config.places.state_dir;
    let own = &config.isolation.homes_dir;
    let directory = own.clone().unwrap_or_else(|| state.join("homes"));
    let users = match config.isolation.user_ids_from {
        None => {
            directories::make_private(&directory).map_err(|source| IsolationError::Homes {
                path: directory.clone(),
                source,
            })?;
            None
        }
        Some(first) => {
            let places = isolation::Places {
                state,
                homes: &directory,
                program: &program.path,
                environment,
            };
            Some(isolation::prepare(places, first)?)
        }
    };
    Ok(Homes { directory, users })
}

/// The directory of this run's sockets: where sessions run as other users one that they can pass
/// through, which the state directory is not.
fn sockets(state: &Path, homes: &Homes) -> Result<RunDirectory, HostError> {
    if homes.users.is_none() {
        return RunDirectory::create(&state.join("sockets"), &fallbacks());
    }
    let root = homes.directory.join(".sockets");
    let sockets = RunDirectory::create(&root, &[])?;
    sockets.open_to_other_users()?;
    Ok(sockets)
}

/// What the sessions' processes see.
fn environment(
    config: &ServeConfig,
    variables: Vec<(OsString, OsString)>,
    modules: Option<PathBuf>,
) -> Environment {
    let allowed = Environment::from_vars(std::env::vars_os(), &config.sessions.pass_env);
    let with_own = variables
        .into_iter()
        .fold(allowed, |environment, (name, value)| {
            environment.with(name, value)
        });
    let Some(modules) = modules else {
        return with_own;
    };
    let mut path = modules.into_os_string();
    if let Some(rest) = with_own.get("PSModulePath").filter(|rest| !rest.is_empty()) {
        path.push(":");
        path.push(rest);
    }
    with_own.with("PSModulePath", path)
}

pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Listen {
            address,
            owner: port_owner::describe(&source, address.port()),
            source,
        })
}

/// What to speak TLS with, where that is wanted.
pub(crate) fn tls(access: &AccessConfig) -> Result<Option<Tls>, ServeError> {
    let files = access.tls.clone();
    files.map(Tls::open).transpose().map_err(ServeError::Tls)
}

/// The token that callers need, and where people find it.
pub(crate) struct Token {
    pub(crate) value: Option<AccessToken>,
    file: Option<PathBuf>,
    pub(crate) hint: String,
}

pub(crate) fn token(policy: &TokenPolicy, state: &Path) -> Result<Token, ServeError> {
    let in_file = |value, file: PathBuf| Token {
        value: Some(value),
        hint: format!("it is in {}", file.display()),
        file: Some(file),
    };
    Ok(match policy {
        TokenPolicy::Kept => in_file(
            token_file::read_or_make(state).map_err(|error| ServeError::state(state, error))?,
            state.join(token_file::FILE_NAME),
        ),
        TokenPolicy::File(file) => in_file(
            token_file::read(file).map_err(ServeError::TokenFile)?,
            file.clone(),
        ),
        TokenPolicy::Given(token) => Token {
            value: Some(token.clone()),
            file: None,
            hint: "it is the one that SESSION_POOL_TOKEN gave to the pool".to_owned(),
        },
        TokenPolicy::Open { to_network } => {
            if *to_network {
                tracing::warn!(
                    "anybody who reaches this address can run commands in your tenants: no token is asked for"
                );
            } else {
                tracing::warn!(
                    "every program on this machine can run commands as you: no token is asked for"
                );
            }
            Token {
                value: None,
                file: None,
                hint: String::new(),
            }
        }
    })
}

pub(crate) fn private_directory(path: &Path, state: &Path) -> Result<(), ServeError> {
    directories::make_private(path).map_err(|source| {
        ServeError::state(
            state,
            format_args!("cannot make {}: {source}", path.display()),
        )
    })
}

fn fallbacks() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    short_directories(runtime, std::env::temp_dir())
}

/// Resolves at the first signal to stop that comes after this call.
pub(crate) fn stop_signal() -> io::Result<impl Future<Output = &'static str>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        }
    })
}

/// Who presses Ctrl-C twice does not want to wait for the drain; the helper ends the processes.
pub(crate) async fn end_at_second_signal() {
    if let Ok(signal) = stop_signal() {
        signal.await;
        std::process::exit(130);
    }
}
