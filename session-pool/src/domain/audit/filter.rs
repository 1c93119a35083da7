//! Which lines are wanted.

use jiff::Timestamp;

use super::entry::AuditEntry;
use crate::domain::policy::Decision;

/// What lines must be like; what is not set is not asked for.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// One of these connections.
    pub connections: Vec<String>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// One of these decisions.
    pub decisions: Vec<Decision>,
    /// One of these outcomes.
    pub outcomes: Vec<String>,
    /// This job.
    pub job: Option<String>,
    /// This tool.
    pub tool: Option<String>,
    /// This caller id.
    pub caller_id: Option<String>,
    /// This trace.
    pub trace_id: Option<String>,
    /// This rule.
    pub rule: Option<String>,
    /// A command of this name, in any case.
    pub command: Option<String>,
}

impl AuditFilter {
    /// Whether a line is wanted.
    pub fn wants(&self, entry: &AuditEntry) -> bool {
        let is = |wanted: &Option<String>, found: Option<&String>| {
            wanted.is_none() || wanted.as_ref() == found
        };
        (self.connections.is_empty() || self.connections.contains(&entry.connection))
            && self.since.is_none_or(|since| entry.time >= since)
            && self.until.is_none_or(|until| entry.time < until)
            && (self.decisions.is_empty()
                || entry
                    .decision
                    .is_some_and(|decision| self.decisions.contains(&decision)))
            && (self.outcomes.is_empty() || self.outcomes.contains(&entry.outcome))
            && is(&self.job, entry.job.as_ref())
            && is(&self.tool, Some(&entry.tool))
            && is(&self.caller_id, entry.caller_id.as_ref())
            && is(&self.trace_id, entry.trace_id.as_ref())
            && self
                .rule
                .as_ref()
                .is_none_or(|rule| entry.rules.contains(rule))
            && self.command.as_ref().is_none_or(|command| {
                entry
                    .commands
                    .iter()
                    .any(|found| found.eq_ignore_ascii_case(command))
            })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn entry() -> AuditEntry {
        AuditEntry {
            time: "2026-11-30T12:00:00Z".parse().unwrap(),
            tool: "run".to_owned(),
            connection: "contoso".to_owned(),
            decision: Some(Decision::Block),
            rules: vec!["secrets".to_owned()],
            commands: vec!["Get-AzKeyVaultSecret".to_owned()],
            outcome: "blocked".to_owned(),
            job: Some("j".to_owned()),
            ..AuditEntry::default()
        }
    }

    #[test]
    fn everything_that_is_asked_for_must_hold() {
        assert!(AuditFilter::default().wants(&entry()));
        let all = AuditFilter {
            connections: vec!["fabrikam".to_owned(), "contoso".to_owned()],
            since: Some("2026-11-30T12:00:00Z".parse().unwrap()),
            until: Some("2026-11-30T12:00:01Z".parse().unwrap()),
            decisions: vec![Decision::Block, Decision::Confirm],
            outcomes: vec!["blocked".to_owned()],
            job: Some("j".to_owned()),
            tool: Some("run".to_owned()),
            caller_id: None,
            trace_id: None,
            rule: Some("secrets".to_owned()),
            command: Some("get-azkeyvaultsecret".to_owned()),
        };
        assert!(all.wants(&entry()));
        type Change = fn(&mut AuditFilter);
        let changes: [Change; 9] = [
            |filter| filter.connections = vec!["fabrikam".to_owned()],
            |filter| filter.since = Some("2026-11-30T12:00:00.001Z".parse().unwrap()),
            |filter| filter.until = Some("2026-11-30T12:00:00Z".parse().unwrap()),
            |filter| filter.decisions = vec![Decision::Warn],
            |filter| filter.outcomes = vec!["succeeded".to_owned()],
            |filter| filter.job = Some("k".to_owned()),
            |filter| filter.tool = Some("graph_request".to_owned()),
            |filter| filter.trace_id = Some("0".to_owned()),
            |filter| filter.command = Some("Get-Az".to_owned()),
        ];
        for change in changes {
            let mut other = all.clone();
            change(&mut other);
            assert!(!other.wants(&entry()), "{other:?}");
        }
    }
}
