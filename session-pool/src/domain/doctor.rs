//! What a doctor finds, how it is said, and which hosts connections need.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::module::Module;
use super::registry::{Cloud, Connection, Registry};

/// How one check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, or may be meant.
    Warning,
    /// Something will not work, or is unsafe.
    Failed,
    /// It could not be looked at.
    Skipped,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub check: String,
    /// How it is.
    pub result: Verdict,
    /// What was seen.
    pub what: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn ok(check: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, what, None)
    }

    /// Something to know.
    pub fn warning(
        check: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(check, Verdict::Warning, what, Some(remedy.into()))
    }

    /// Something to mend.
    pub fn failed(
        check: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(check, Verdict::Failed, what, Some(remedy.into()))
    }

    /// Nothing that could be looked at.
    pub fn skipped(check: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(check, Verdict::Skipped, what, None)
    }

    fn new(
        check: impl Into<String>,
        result: Verdict,
        what: impl Into<String>,
        remedy: Option<String>,
    ) -> Self {
        Self {
            check: check.into(),
            result,
            what: what.into(),
            remedy,
        }
    }
}

/// All checks; written as text it is one line each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether nothing failed.
    pub ok: bool,
    /// The checks, in the order in which they are worth reading.
    pub checks: Vec<Finding>,
}

impl Report {
    /// Of these checks.
    pub fn new(checks: Vec<Finding>) -> Self {
        Self {
            ok: checks
                .iter()
                .all(|finding| finding.result != Verdict::Failed),
            checks,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.checks {
            let mark = match finding.result {
                Verdict::Ok => "ok",
                Verdict::Warning => "WARNING",
                Verdict::Failed => "FAILED",
                Verdict::Skipped => "skipped",
            };
            write!(f, "{mark:8}{}: {}", finding.check, one_line(&finding.what))?;
            if let Some(remedy) = &finding.remedy {
                write!(f, " -> {}", one_line(remedy))?;
            }
            writeln!(f)?;
        }
        let count = |verdict| {
            let of = |finding: &&Finding| finding.result == verdict;
            self.checks.iter().filter(of).count()
        };
        match (count(Verdict::Failed), count(Verdict::Warning)) {
            (0, 0) => f.write_str("all is well"),
            (failed, warnings) => write!(f, "{failed} to mend, {warnings} to know"),
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Who is to reach the hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// PowerShell's modules.
    Pool,
    /// Graph and Power Automate, without PowerShell.
    Mm,
}

/// The addresses that the registry's connections need, and the connections that need each.
pub fn hosts(registry: &Registry, caller: Caller) -> BTreeMap<String, BTreeSet<String>> {
    let mut hosts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for connection in registry.connections() {
        for host in hosts_of(connection, caller) {
            let name = connection.name.to_string();
            hosts.entry(host).or_default().insert(name);
        }
    }
    hosts
}

// Sources: learn.microsoft.com "Office 365 URLs and IP address ranges" and its versions for GCC
// High, DoD and 21Vianet; "Azure portal URLs to safelist" (management endpoints).
fn hosts_of(connection: &Connection, caller: Caller) -> Vec<String> {
    let cloud = &connection.cloud;
    let mut hosts = vec![cloud.login_url().to_owned(), cloud.graph_url().to_owned()];
    if caller == Caller::Mm {
        hosts.push(cloud.flow_url().to_owned());
        return hosts;
    }
    let (exchange, azure) = match cloud {
        Cloud::Global => ("outlook.office365.com", "management.azure.com"),
        Cloud::UsGov => ("outlook.office365.us", "management.usgovcloudapi.net"),
        Cloud::UsGovDod => ("outlook-dod.office365.us", "management.usgovcloudapi.net"),
        Cloud::China => ("partner.outlook.cn", "management.chinacloudapi.cn"),
        // Stand-ins have no such services.
        Cloud::Custom(_) => return hosts,
    };
    hosts.push(format!("https://{exchange}"));
    hosts.push(format!("https://{azure}"));
    if connection.check(Module::Pnp).is_ok()
        && let Some(root) = connection.sharepoint_root()
    {
        hosts.push(format!("https://{root}.{}", cloud.sharepoint_suffix()));
    }
    hosts
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
    fn a_report_has_a_line_a_check_with_its_remedy() {
        let report = Report::new(vec![
            Finding::ok("registry", "2 connections"),
            Finding::warning("pool", "none answers", "start\none"),
            Finding::failed("clock", "7 min slow", "set it"),
            Finding::skipped("token", "no file"),
        ]);
        assert!(!report.ok);
        assert_eq!(
            report.to_string(),
            "ok      registry: 2 connections\n\
             WARNING pool: none answers -> start one\n\
             FAILED  clock: 7 min slow -> set it\n\
             skipped token: no file\n\
             1 to mend, 1 to know"
        );
        let well = Report::new(vec![Finding::ok("a", "b")]);
        assert!(well.ok && well.to_string().ends_with("all is well"));
    }

    #[test]
    fn hosts_are_those_of_the_connections_clouds() {
        let registry = Registry::parse(
            r#"{"connections": {
                "a": {"tenant": "contoso.com", "appId": "11111111-1111-4111-8111-111111111111"},
                "b": {"tenant": "b.cn", "cloud": "china"},
                "c": {"cloud": {"login": "http://127.0.0.1:1", "graph": "http://127.0.0.1:2"}}
            }}"#,
        )
        .unwrap();
        let hosts = hosts(&registry, Caller::Pool);
        assert!(hosts["https://contoso.sharepoint.com"].contains("a"));
        assert!(hosts["https://login.partner.microsoftonline.cn"].contains("b"));
        assert!(hosts["http://127.0.0.1:1"].contains("c"));
        assert!(!hosts.contains_key("https://b.sharepoint.cn"));
        let of_mm = super::hosts(&registry, Caller::Mm);
        assert!(of_mm.contains_key("https://api.flow.microsoft.com"));
        assert!(!of_mm.contains_key("https://outlook.office365.com"));
    }
}
