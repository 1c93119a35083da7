//! `session-pool doctor`.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, StatusCode};

use crate::cli::DoctorOptions;
use crate::config::{
    AccessConfig, ConfigError, Isolation, Places, PolicyConfig, SessionConfig, TokenPolicy,
};
use crate::domain::doctor::{Caller, Finding, Report};
use crate::domain::registry::Registry;
use crate::session::policy_file;
use crate::session::registry_watch::{RegistryHealth, RegistryWatcher};
use crate::token_file::{self, AccessToken};

use super::{files, hosts, pwsh};

/// The pool answers such questions at once.
const WITHIN: Duration = Duration::from_secs(5);

/// Why nothing was looked at.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The system refused.
    #[error("the system refused: {0}")]
    System(#[from] io::Error),
}

/// Something is to be mended; what it is has been printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not all is well: see the lines above")]
pub struct Unwell;

/// Looks at everything and prints it.
///
/// # Errors
/// [`DoctorError`] where the settings cannot be used at all.
pub fn run(options: DoctorOptions, home: Option<&Path>) -> Result<Report, DoctorError> {
    let json = options.json;
    let places = Places::new(options.places, home)?;
    let access = AccessConfig::new(options.access)?;
    let isolation = Isolation::new(options.isolation, home)?;
    let sessions = SessionConfig::new(options.sessions)?;
    let policy = PolicyConfig::place(options.policy.policy, home)?;

    let mut checks = Vec::new();
    let registry = registry(&places.registry, &mut checks);
    checks.push(files::private_directory(
        "state directory",
        &places.state_dir,
    ));
    let token = token(&access.token, &places.state_dir, &mut checks);
    checks.extend(homes(&isolation, &places.state_dir));
    checks.extend(files::secrets(&registry, &places.secrets_dir));
    checks.push(match policy_file::read(&policy) {
        Ok(_) => Finding::ok("policy", policy.display().to_string()),
        Err(error) => Finding::failed(
            "policy",
            error.to_string(),
            "correct it: until then no pool starts",
        ),
    });
    checks.extend(pwsh::check(&sessions, home));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        checks.push(pool(&access, token.as_ref()).await);
        checks.extend(hosts::reach(&registry, Caller::Pool).await);
    });

    let report = Report::new(checks);
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &report).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{report}")?;
    }
    Ok(report)
}

fn registry(path: &Path, checks: &mut Vec<Finding>) -> Arc<Registry> {
    const CHECK: &str = "registry";
    let (_, found) = RegistryWatcher::open(path.to_owned());
    let registry = found.registry();
    let health = found.health();
    checks.push(match health.problem(path) {
        None => {
            let count = registry.connections().len();
            Finding::ok(CHECK, format!("{count} connections in {}", path.display()))
        }
        // What it sees still serves.
        Some((what, remedy)) if health == RegistryHealth::Replaced => {
            Finding::warning(CHECK, what, remedy)
        }
        Some((what, remedy)) => Finding::failed(CHECK, what, remedy),
    });
    registry
}

fn token(policy: &TokenPolicy, state: &Path, checks: &mut Vec<Finding>) -> Option<AccessToken> {
    let path = match policy {
        TokenPolicy::Given(token) => {
            checks.push(Finding::ok("token", "SESSION_POOL_TOKEN"));
            return Some(token.clone());
        }
        TokenPolicy::Open { .. } => {
            checks.push(Finding::warning(
                "token",
                "none is asked for: every program on this machine can run commands as you",
                "unset SESSION_POOL_NO_TOKEN",
            ));
            return None;
        }
        TokenPolicy::File(path) => path.clone(),
        TokenPolicy::Kept => state.join(token_file::FILE_NAME),
    };
    checks.push(files::private_file("token", &path));
    match path.exists().then(|| token_file::read(&path)) {
        None => None,
        Some(Ok(token)) => Some(token),
        Some(Err(error)) => {
            checks.push(Finding::failed(
                "token",
                error.to_string(),
                "delete it, and start the pool again",
            ));
            None
        }
    }
}

/// The sessions' homes, in which modules keep their sign-ins.
fn homes(isolation: &Isolation, state: &Path) -> Vec<Finding> {
    let inside = || state.join("homes");
    let homes = isolation.homes_dir.clone().unwrap_or_else(inside);
    let mut findings = Vec::new();
    // Other user ids have to pass through, where sessions have their own.
    if isolation.user_ids_from.is_none() {
        findings.push(files::private_directory("homes", &homes));
    }
    for entry in std::fs::read_dir(&homes).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // The sockets' directory is nobody's home.
        if name.starts_with('.') {
            continue;
        }
        findings.push(files::private_directory(
            &format!("home {name}"),
            &entry.path(),
        ));
    }
    findings
}

/// Whether a pool, or the router, answers where it should, and takes the token.
async fn pool(access: &AccessConfig, token: Option<&AccessToken>) -> Finding {
    const CHECK: &str = "pool";
    let mut address = access.listen;
    if address.ip().is_unspecified() {
        address.set_ip([127, 0, 0, 1].into());
    }
    // With TLS it has another name than its address, so nothing secret is said to it.
    let secure = access.tls.is_some();
    let url = match secure {
        true => format!("https://{address}/health"),
        false => format!("http://{address}/connections"),
    };
    let ask = async {
        let client = Client::builder()
            .no_proxy()
            .timeout(WITHIN)
            .tls_danger_accept_invalid_certs(secure)
            .build()?;
        let mut request = client.get(&url);
        if let Some(token) = token.filter(|_| !secure) {
            request = request.bearer_auth(token.expose());
        }
        request.send().await
    };
    match ask.await.map(|answer| answer.status()) {
        Ok(StatusCode::OK) => Finding::ok(CHECK, format!("answers at {address}")),
        Ok(StatusCode::UNAUTHORIZED) => Finding::failed(
            CHECK,
            format!("the one at {address} refuses this token"),
            "it was started with another state directory or token: use the same, or restart it",
        ),
        Ok(status) => Finding::failed(
            CHECK,
            format!("what answers at {address} is no session pool ({status})"),
            "choose another port for the pool with SESSION_POOL_PORT (--port)",
        ),
        Err(_) => Finding::warning(
            CHECK,
            format!("none answers at {address}"),
            "start it: session-pool serve",
        ),
    }
}
