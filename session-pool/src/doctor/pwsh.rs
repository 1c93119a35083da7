//! PowerShell, and the modules that sessions find.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use crate::config::SessionConfig;
use crate::domain::doctor::Finding;
use crate::domain::module::Module;
use crate::host::Environment;
use crate::host::pwsh::{PwshVersion, check_module};
use crate::powershell;

/// How long the list of modules may take: a cold disk is slow.
const WITHIN: Duration = Duration::from_secs(60);

/// Most of what is read of it.
const MOST: u64 = 64 * 1024;

/// Finds PowerShell and its modules, as sessions would.
pub(super) fn check(config: &SessionConfig, home: Option<&Path>) -> Vec<Finding> {
    let path = match powershell::find_usable(config, home) {
        Ok(path) => path,
        Err(error) => {
            let remedy = "session-pool install-pwsh installs it for this user";
            return vec![Finding::failed("PowerShell", error.to_string(), remedy)];
        }
    };
    match listed(&path, config) {
        Ok((version, modules)) => {
            let what = format!("{version}, {}", path.display());
            let mut findings = vec![Finding::ok("PowerShell", what)];
            findings.extend(modules_of(&version, &modules));
            findings
        }
        Err(reason) => vec![Finding::failed(
            "PowerShell",
            format!("{} does not say what it has: {reason}", path.display()),
            "run it by hand: pwsh -NoProfile -Command Get-Module -ListAvailable",
        )],
    }
}

/// The version, and the versions of each module that is there.
fn listed(
    path: &Path,
    config: &SessionConfig,
) -> Result<(PwshVersion, BTreeMap<String, String>), String> {
    let names: Vec<_> = Module::ALL.iter().map(|m| m.powershell_name()).collect();
    let script = format!(
        "\"$($PSVersionTable.PSVersion)\"; Get-Module -ListAvailable -Name {} | \
         Sort-Object Version | ForEach-Object {{ \"$($_.Name) $($_.Version)\" }}",
        names.join(",")
    );
    let arguments = ["-NoProfile", "-NonInteractive", "-Command", script.as_str()];
    let environment = Environment::from_vars(std::env::vars_os(), &config.pass_env);
    // Sessions look for modules there.
    let modules = environment.get("PSModulePath").map(OsString::from);
    let text = powershell::output(path, &arguments, modules, MOST, WITHIN)
        .map_err(|error| error.to_string())?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let version = lines.next().ok_or("nothing within a minute")?;
    let version: PwshVersion = version.parse().map_err(|_| format!("{version:?}"))?;
    // The last of a name is its highest.
    let modules = lines
        .filter_map(|line| line.split_once(' '))
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .collect();
    Ok((version, modules))
}

fn modules_of(found: &PwshVersion, modules: &BTreeMap<String, String>) -> Vec<Finding> {
    Module::ALL
        .iter()
        .map(|module| {
            let name = module.powershell_name();
            let check = format!("module {module}");
            match modules.get(name) {
                None => Finding::warning(
                    check,
                    format!("{name} is not installed"),
                    format!("where {module} is needed: pwsh -Command Install-PSResource {name}"),
                ),
                Some(version) => match check_module(found, name, version) {
                    Ok(()) => Finding::ok(check, format!("{name} {version}")),
                    Err(error) => Finding::failed(
                        check,
                        error.to_string(),
                        "session-pool install-pwsh installs a PowerShell that will do",
                    ),
                },
            }
        })
        .collect()
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
    use crate::domain::doctor::Verdict;

    #[test]
    fn a_module_that_needs_a_later_powershell_fails_and_a_missing_one_warns() {
        let modules = BTreeMap::from([
            ("ExchangeOnlineManagement".to_owned(), "3.10.0".to_owned()),
            ("Az.Accounts".to_owned(), "5.0.0".to_owned()),
        ]);
        let results: Vec<_> = modules_of(&PwshVersion::new(7, 4, 0), &modules)
            .into_iter()
            .map(|finding| (finding.check, finding.result))
            .collect();
        assert_eq!(
            results,
            [
                ("module exo".to_owned(), Verdict::Failed),
                ("module pnp".to_owned(), Verdict::Warning),
                ("module azure".to_owned(), Verdict::Ok),
                ("module teams".to_owned(), Verdict::Warning),
            ]
        );
    }
}
