//! The demo without a PowerShell: the tests' scriptable stand-in plays recorded answers for just
//! the lines that the banner proposes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::banner::PROPOSED;
use super::entra::{EntraError, write_atomically};
use super::registry::tenants;
use crate::host::Program;
use crate::host::fake;

/// The code that the recorded sign-in asks for.
const CODE: &str = "DEMO12345";

/// The last part of the home of the connection whose answers were recorded.
const HOME: &str = "contoso";

/// What the proposed commands put out on the demo tenant contoso, in their order.
const ANSWERS: [&str; PROPOSED.len()] = [
    include_str!("recordings/mailboxes.txt"),
    include_str!("recordings/count.txt"),
    include_str!("recordings/statistics.txt"),
];

/// The stand-in, in PowerShell's place.
pub(super) fn program(this: PathBuf) -> Program {
    Program {
        path: this,
        args: vec![fake::COMMAND.into()],
    }
}

/// Writes the scenario into the demo's directory; returns the variable that names it to the
/// stand-in.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(directory: &Path) -> Result<(OsString, OsString), EntraError> {
    let path = directory.join("recordings.json");
    let scenario = scenario(directory).to_string();
    write_atomically(&path, scenario.as_bytes())?;
    Ok((fake::SCENARIO.into(), path.into_os_string()))
}

fn scenario(directory: &Path) -> Value {
    let mut commands = vec![
        json!({ "for": { "contains": "Connect-ExchangeOnline" }, "steps": sign_in(directory) }),
        // The look for a sign-in from before finds none.
        json!({ "for": { "contains": "Get-ConnectionInformation" }, "steps": [] }),
    ];
    for (command, answer) in PROPOSED.iter().zip(ANSWERS) {
        let records = answer
            .lines()
            .map(|line| match line.strip_prefix("WARNING: ") {
                Some(text) => {
                    json!({ "record": { "record": { "type": "warning", "text": text } } })
                }
                None => json!({ "record": { "record": { "type": "output", "text": line } } }),
            });
        commands.push(json!({
            "for": { "exact": command },
            "steps": records.collect::<Vec<_>>(),
        }));
    }
    // The recordings are contoso's; another connection is told that PowerShell is needed.
    json!({ "home": HOME, "commands": commands })
}

/// The prompt, the person, and who has signed in.
fn sign_in(directory: &Path) -> Value {
    let tenant = tenants()
        .ok()
        .and_then(|tenants| tenants.into_iter().next());
    let (account, tenant_id) = tenant
        .map(|tenant| (tenant.admin, tenant.tenant_id))
        .unwrap_or_default();
    let prompt = format!(
        "To sign in, use a web browser to open the page https://microsoft.com/devicelogin and \
         enter the code {CODE} to authenticate."
    );
    let pending = directory.join("pending").join(format!("{CODE}.json"));
    let answer = directory.join("signed-in").join(format!("{CODE}.json"));
    // Old enough for every timer, and valid for as long as the demo runs.
    let waiting = json!({
        "code": CODE,
        "module": "exo",
        "tenant": tenant_id,
        "account": account,
        "home": HOME,
        "process": 0,
        "created": "2026-01-01T00:00:00Z",
        "lifetime_seconds": 1e12,
    });
    let identity = json!({ "account": account, "tenant_id": tenant_id }).to_string();
    json!([
        { "remove_file": { "file": answer } },
        { "write_file": { "file": pending, "text": waiting.to_string() } },
        { "record": { "record": { "type": "console", "stream": "stdout", "text": prompt } } },
        { "wait_for": { "file": answer } },
        { "remove_file": { "file": pending } },
        { "record": { "record": { "type": "json", "text": identity } } },
    ])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_stand_in_understands_the_scenario() {
        let scenario = scenario(Path::new("/home/me/.m365-demo"));
        let read: fake::Scenario = serde_json::from_value(scenario).unwrap();
        assert_eq!(read.commands.len(), 2 + PROPOSED.len());
    }

    #[test]
    fn there_is_an_answer_to_every_proposal() {
        assert!(ANSWERS.iter().all(|answer| !answer.trim().is_empty()));
    }
}
