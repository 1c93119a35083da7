//! `mm doctor`: looks for what is wrong, and says how to mend it.

use std::io::Write;

use session_pool::doctor;
use session_pool::domain::doctor::{Caller, Finding, Report};
use session_pool::domain::registry::Registry;

use super::Exit;
use crate::config::{Config, Overrides};
use crate::graph::Places;
use crate::pool::{Pool, PoolError};
use crate::token::TokenSource;

/// Looks at everything and prints it.
pub(crate) async fn doctor(json: bool, overrides: &Overrides) -> Exit {
    let mut checks = Vec::new();
    let config = Config::from_environment(overrides);
    let config = configured(config, &mut checks);
    let places = Places::from_environment(overrides.files_dir.clone());
    let places = configured(places, &mut checks);
    let is_configured = checks.is_empty();
    let registry = match &places {
        Some(places) => registry(places, &mut checks),
        None => Registry::default(),
    };
    if let Some(config) = &config {
        checks.push(match &config.token {
            TokenSource::Given(_) => Finding::ok("token", "SESSION_POOL_TOKEN"),
            TokenSource::File(path) => doctor::private_file("token", path),
        });
        checks.push(pool(config).await);
    }
    if let Some(places) = &places {
        checks.extend(caches(places));
        checks.extend(doctor::secrets(&registry, &places.secrets));
    }
    checks.extend(doctor::reach(&registry, Caller::Mm).await);
    match print(&Report::new(checks), json) {
        Exit::Failed if !is_configured => Exit::Configuration,
        exit => exit,
    }
}

/// What could be read of the environment; what is wrong with it is a finding like others.
fn configured<T, E: ToString>(read: Result<T, E>, checks: &mut Vec<Finding>) -> Option<T> {
    read.map_err(|error| {
        let remedy = "correct it, and look again";
        checks.push(Finding::failed("configuration", error.to_string(), remedy));
    })
    .ok()
}

fn registry(places: &Places, checks: &mut Vec<Finding>) -> Registry {
    match places.registry() {
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
    }
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
