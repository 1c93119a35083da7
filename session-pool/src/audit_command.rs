//! `session-pool audit`: prints what the audit files hold, and what is missing in them.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;

use crate::audit::{AuditError, AuditReader, Found};
use crate::cli::AuditOptions;
use crate::config::{ConfigError, Places};
use crate::domain::audit::{AuditEntry, AuditFilter, AuditLine};

/// Why nothing is printed.
#[derive(Debug, thiserror::Error)]
pub enum AuditCommandError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file cannot be read.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The directory cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system refused.
    #[error("the system refused: {0}")]
    System(#[from] io::Error),
}

/// Something to print, and when it was.
struct Shown {
    time: Timestamp,
    text: String,
}

/// Prints the lines that are wanted, of all files, the oldest first.
///
/// # Errors
/// [`AuditCommandError`].
pub fn run(options: &AuditOptions, home: Option<&Path>) -> Result<(), AuditCommandError> {
    let directory = Places::log_dir_at(options.log_dir.clone(), home)?;
    let filter = options.filter();
    let mut shown = Vec::new();
    for directory in directories(&directory)? {
        for reader in AuditReader::all(&directory)? {
            collect(&reader, &filter, options.json, &mut shown)?;
        }
    }
    // Stable: what one file says stays in its order.
    shown.sort_by_key(|shown| shown.time);
    let mut out = BufWriter::new(io::stdout().lock());
    for shown in shown {
        writeln!(out, "{}", shown.text)?;
    }
    Ok(out.flush()?)
}

/// The directory, and those of isolated containers in it.
fn directories(directory: &Path) -> Result<Vec<PathBuf>, AuditCommandError> {
    let mut all = vec![directory.to_owned()];
    let failed = |source| AuditCommandError::Directory {
        path: directory.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(all),
        entries => entries.map_err(failed)?,
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            all.push(entry.path());
        }
    }
    all.sort();
    Ok(all)
}

fn collect(
    reader: &AuditReader,
    filter: &AuditFilter,
    json: bool,
    shown: &mut Vec<Shown>,
) -> Result<(), AuditError> {
    let file = reader.path().display().to_string();
    // What has no time of its own stands before the next line that has, or behind the last.
    let mut notes = Vec::new();
    let mut last = None;
    let note = |time: Option<Timestamp>, text: String, shown: &mut Vec<Shown>| {
        let time = time.unwrap_or(Timestamp::UNIX_EPOCH);
        let known = time != Timestamp::UNIX_EPOCH;
        if known
            && (filter.since.is_some_and(|since| time < since)
                || filter.until.is_some_and(|until| time >= until))
        {
            return;
        }
        shown.push(Shown { time, text });
    };
    reader.read(|found| {
        match found {
            Found::Line(line) => {
                for text in notes.drain(..) {
                    note(Some(line.entry.time), text, shown);
                }
                last = Some(line.entry.time);
                if filter.wants(&line.entry) {
                    shown.push(Shown {
                        time: line.entry.time,
                        text: if json {
                            as_json(&line)
                        } else {
                            as_text(&line.entry)
                        },
                    });
                }
            }
            Found::Gap(gap) => notes.push(if json {
                json!({"gap": {"file": file, "from": gap.from, "to": gap.to}}).to_string()
            } else {
                format!("-- {file}: {gap}")
            }),
            Found::Garbled { path, line } => notes.push(if json {
                json!({"garbled": {"file": path, "line": line}}).to_string()
            } else {
                format!(
                    "-- {}: line {line} is none of session-pool's",
                    path.display()
                )
            }),
        }
        true
    })?;
    for text in notes {
        note(last, text, shown);
    }
    Ok(())
}

fn as_json(line: &AuditLine) -> String {
    serde_json::to_string(line).unwrap_or_default()
}

fn as_text(entry: &AuditEntry) -> String {
    let place = entry.session_id.as_ref().unwrap_or(&entry.connection);
    let mut text = format!("{:.0} {} {place}", entry.time, entry.tool);
    let mut add = |word: &str| {
        text.push(' ');
        // Names come from callers; a line stays a line.
        text.extend(
            word.chars()
                .map(|c| if c.is_control() { '\u{FFFD}' } else { c }),
        );
    };
    add(&entry.outcome);
    if let Some(code) = &entry.code {
        add(&format!("({code})"));
    }
    if let Some(decision) = entry.decision {
        add(decision.as_str());
    }
    if !entry.rules.is_empty() {
        add(&format!("[{}]", entry.rules.join(", ")));
    }
    if let Some(yes) = &entry.confirmation {
        add(&format!("yes={}", yes.how.as_str()));
    }
    add(&format!("calls={}", entry.commands.join(",")));
    if let Some(ran) = entry.duration_ms {
        add(&format!("{ran}ms"));
    }
    add(&format!("size={}", entry.size));
    for (name, value) in [
        ("account", &entry.account),
        ("caller", &entry.caller_id),
        ("client", &entry.client),
        ("trace", &entry.trace_id),
        ("job", &entry.job),
        ("sha256", &entry.sha256),
        ("text", &entry.text),
    ] {
        if let Some(value) = value {
            add(&format!("{name}={value}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;
    use crate::audit::AuditFile;
    use crate::domain::policy::Decision;

    fn entry(time: &str, connection: &str) -> AuditEntry {
        AuditEntry {
            time: time.parse().unwrap(),
            tool: "run".to_owned(),
            connection: connection.to_owned(),
            decision: Some(Decision::Allow),
            commands: vec!["Get-Mailbox".to_owned()],
            caller_id: Some("two\nlines".to_owned()),
            outcome: "succeeded".to_owned(),
            duration_ms: Some(12),
            size: 3,
            ..AuditEntry::default()
        }
    }

    #[test]
    fn lines_of_all_files_come_in_the_order_of_time_with_what_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        let pool = AuditFile::new(directory.path(), "unified");
        let graph = AuditFile::new(directory.path(), "graph");
        pool.append(entry("2026-11-30T10:00:00Z", "contoso"))
            .unwrap();
        graph
            .append(entry("2026-11-30T11:00:00Z", "contoso"))
            .unwrap();
        pool.append(entry("2026-11-30T12:00:00Z", "fabrikam"))
            .unwrap();
        pool.append(entry("2026-11-30T13:00:00Z", "contoso"))
            .unwrap();
        let text = std::fs::read_to_string(pool.path()).unwrap();
        let kept: Vec<_> = text
            .lines()
            .filter(|line| !line.contains("fabrikam"))
            .collect();
        std::fs::write(pool.path(), kept.join("\n") + "\n").unwrap();

        let mut shown = Vec::new();
        for reader in AuditReader::all(directory.path()).unwrap() {
            collect(&reader, &AuditFilter::default(), false, &mut shown).unwrap();
        }
        shown.sort_by_key(|shown| shown.time);
        let lines: Vec<_> = shown.iter().map(|shown| shown.text.as_str()).collect();
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert_eq!(
            lines[0],
            "2026-11-30T10:00:00Z run contoso succeeded allow calls=Get-Mailbox 12ms size=3 \
             caller=two\u{FFFD}lines"
        );
        assert!(lines[1].starts_with("2026-11-30T11"), "{lines:?}");
        assert!(lines[2].ends_with("line 2 is missing"), "{lines:?}");
        assert!(lines[3].starts_with("2026-11-30T13"), "{lines:?}");
    }
}
