//! `mm doctor`: looks for what is wrong, and says how to mend it.

use std::io::Write;

use session_pool::doctor;
use session_pool::domain::doctor::{Caller, Finding, Report};
use session_pool::domain::registry::Registry;

use super::{Exit, complain};
use crate::config::{Config, Overrides};
use crate::graph::Places;
use crate::pool::{Pool, PoolError};
use crate::token::TokenSource;

/// Looks at everything and prints it.
pub(crate) async fn doctor(json: bool, overrides: &Overrides) -> Exit {
    let config = match Config::from_environment(overrides) {
        Ok(config) => config,
        Err(error) => return complain(&error.to_string(), Exit::Configuration),
    };
    let places = match Places::from_environment(overrides.files_dir.clone()) {
        Ok(places) => places,
        Err(error) => return complain(&error.to_string(), Exit::Configuration),
    };
    let mut checks = Vec::new();
    let registry = match places.registry() {
        Ok(registry) => {
            let count = registry.connections().len();
            let what = format!("{count} connections in {}", places.registry.display());
            checks.push(Finding::ok("registry", what));
            registry
        }
        Err(error) => {
            let remedy = "correct the file, or name another with SESSION_POOL_REGISTRY";
            checks.push(Finding::failed("registry", error.to_string(), remedy));
            Registry::default()
        }
    };
    checks.push(match &config.token {
        TokenSource::Given(_) => Finding::ok("token", "SESSION_POOL_TOKEN"),
        TokenSource::File(path) => doctor::private_file("token", path),
    });
    checks.push(pool(&config).await);
    checks.extend(caches(&places));
    checks.extend(doctor::secrets(&registry, &places.secrets));
    checks.extend(doctor::reach(&registry, Caller::Mm).await);
    print(&Report::new(checks), json)
}

async fn pool(config: &Config) -> Finding {
    match Pool::new(config).connections().await {
        Ok(list) => Finding::ok(
            "pool",
            format!(
                "{} serves {} connections",
                config.pool,
                list.connections.len()
            ),
        ),
        // Graph works without one.
        Err(error @ PoolError::Unreachable { .. }) => {
            Finding::warning("pool", error.to_string(), "start it: session-pool serve")
        }
        Err(error) => {
            let remedy = error.remedy().unwrap_or_else(|| {
                "session-pool doctor, where the pool runs, says more".to_owned()
            });
            Finding::failed("pool", error.to_string(), remedy)
        }
    }
}

/// The token caches of Graph, and the directory they lie in.
fn caches(places: &Places) -> Vec<Finding> {
    let mut findings = vec![doctor::private_directory("token caches", &places.tokens)];
    let entries = std::fs::read_dir(&places.tokens).into_iter().flatten();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            findings.push(doctor::private_file(&format!("cache {name}"), &path));
        }
    }
    findings
}

fn print(report: &Report, json: bool) -> Exit {
    let text = match json {
        true => serde_json::to_string_pretty(report),
        false => Ok(report.to_string()),
    };
    let printed = match text {
        Ok(text) => writeln!(std::io::stdout(), "{text}"),
        Err(error) => Err(error.into()),
    };
    match (printed, report.ok) {
        (Err(_), _) => Exit::NobodyReads,
        (Ok(()), true) => Exit::Succeeded,
        (Ok(()), false) => Exit::Failed,
    }
}
