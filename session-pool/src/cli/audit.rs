//! What the command line says about the audit.

use std::path::PathBuf;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use crate::domain::audit::AuditFilter;
use crate::domain::policy::Decision;

/// The settings of `audit`.
#[derive(Args, Debug)]
pub struct AuditOptions {
    /// Directory of the log files; those of isolated containers are looked for one level below
    #[arg(
        long,
        value_name = "DIRECTORY",
        env = "SESSION_POOL_LOG_DIR",
        default_value = "~/.m365-logs"
    )]
    pub log_dir: PathBuf,
    /// Only this connection; repeatable
    #[arg(long = "connection", value_name = "NAME")]
    pub connections: Vec<String>,
    /// Not before: a time (2026-11-30T08:00:00Z), a day in UTC (2026-11-30) or a while ago (2h, 7d)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub since: Option<Timestamp>,
    /// Before this time, likewise
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub until: Option<Timestamp>,
    /// Only this decision: allow, warn, confirm, block; repeatable
    #[arg(long = "decision", value_name = "DECISION", value_parser = decision)]
    pub decisions: Vec<Decision>,
    /// Only this outcome: succeeded, failed, blocked, confirmation_required, …; repeatable
    #[arg(long = "outcome", value_name = "OUTCOME")]
    pub outcomes: Vec<String>,
    /// Only this job
    #[arg(long, value_name = "ID")]
    pub job: Option<String>,
    /// Only this tool: run, graph_request, …
    #[arg(long, value_name = "TOOL")]
    pub tool: Option<String>,
    /// Only this caller
    #[arg(long = "caller", value_name = "ID")]
    pub caller_id: Option<String>,
    /// Only this trace
    #[arg(long = "trace", value_name = "ID")]
    pub trace_id: Option<String>,
    /// Only what met this rule
    #[arg(long, value_name = "ID")]
    pub rule: Option<String>,
    /// Only what called this command
    #[arg(long, value_name = "NAME")]
    pub command: Option<String>,
    /// Print the lines as they are: one JSON object each
    #[arg(long)]
    pub json: bool,
}

impl AuditOptions {
    /// Which lines are wanted.
    pub fn filter(&self) -> AuditFilter {
        AuditFilter {
            connections: self.connections.clone(),
            since: self.since,
            until: self.until,
            decisions: self.decisions.clone(),
            outcomes: self.outcomes.clone(),
            job: self.job.clone(),
            tool: self.tool.clone(),
            caller_id: self.caller_id.clone(),
            trace_id: self.trace_id.clone(),
            rule: self.rule.clone(),
            command: self.command.clone(),
        }
    }
}

fn decision(text: &str) -> Result<Decision, String> {
    serde_json::from_value(text.to_ascii_lowercase().into())
        .map_err(|_| "it must be allow, warn, confirm or block".to_owned())
}

fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(day) = format!("{text}T00:00:00Z").parse::<Timestamp>() {
        return Ok(day);
    }
    let ago = humantime::parse_duration(text)
        .ok()
        .and_then(|ago| SignedDuration::try_from(ago).ok())
        .and_then(|ago| Timestamp::now().checked_sub(ago).ok());
    ago.ok_or_else(|| {
        "it must be a time (2026-11-30T08:00:00Z), a day (2026-11-30) or a while ago (2h, 7d)"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_time_is_read_as_people_write_it() {
        let eight = "2026-11-30T08:00:00Z";
        assert_eq!(moment(eight).unwrap().to_string(), eight);
        assert_eq!(
            moment("2026-11-30").unwrap().to_string(),
            "2026-11-30T00:00:00Z"
        );
        let two_hours = moment("2h").unwrap();
        let ago = Timestamp::now().duration_since(two_hours);
        assert_eq!(ago.as_hours(), 2);
        assert!(moment("yesterday").is_err());
    }
}
