//! The one table that the bench prints, as Markdown.

use std::fmt;
use std::time::Duration;

/// One promise and what was measured.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    what: String,
    measured: String,
    baseline: String,
    promise: String,
    holds: bool,
}

impl Row {
    /// A duration that may be so many times its baseline, and so much more.
    pub(crate) fn ratio(
        what: impl Into<String>,
        measured: Duration,
        (baseline_name, baseline): (&str, Duration),
        (factor, extra): (f64, Duration),
    ) -> Self {
        let limit = baseline.mul_f64(factor) + extra;
        let extra = if extra.is_zero() {
            String::new()
        } else {
            format!(" + {}", milliseconds(extra))
        };
        let ratio = measured.as_secs_f64() / baseline.as_secs_f64();
        Self {
            what: what.into(),
            measured: format!("{} = {ratio:.2} x", milliseconds(measured)),
            baseline: format!("{baseline_name}: {}", milliseconds(baseline)),
            promise: format!("at most {factor} x{extra}"),
            holds: measured <= limit,
        }
    }

    /// A duration with a limit of its own.
    pub(crate) fn duration(what: impl Into<String>, measured: Duration, limit: Duration) -> Self {
        Self {
            what: what.into(),
            measured: milliseconds(measured),
            baseline: String::new(),
            promise: format!("under {}", milliseconds(limit)),
            holds: measured < limit,
        }
    }

    /// An amount of memory.
    pub(crate) fn megabytes(what: impl Into<String>, kilobytes: u64, limit: u64) -> Self {
        Self {
            what: what.into(),
            measured: format!("{:.1} MB", kilobytes as f64 / 1000.0),
            baseline: String::new(),
            promise: format!("under {limit} MB"),
            holds: kilobytes < limit * 1000,
        }
    }

    /// Something that must not happen once.
    pub(crate) fn none_wrong(what: impl Into<String>, right: usize, wrong: usize) -> Self {
        Self {
            what: what.into(),
            measured: format!("{right} right, {wrong} wrong"),
            baseline: String::new(),
            promise: "none wrong".to_owned(),
            holds: wrong == 0 && right > 0,
        }
    }

    /// A number that has a limit.
    pub(crate) fn at_most(what: impl Into<String>, measured: usize, limit: usize) -> Self {
        Self {
            what: what.into(),
            measured: measured.to_string(),
            baseline: String::new(),
            promise: format!("at most {limit}"),
            holds: measured <= limit,
        }
    }

    /// Whether the promise holds.
    pub(crate) const fn holds(&self) -> bool {
        self.holds
    }
}

/// Every row that was measured.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    /// Puts rows behind the others.
    pub(crate) fn extend(&mut self, rows: Vec<Row>) {
        self.0.extend(rows);
    }

    /// Whether every promise holds.
    pub(crate) fn all_hold(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(Row::holds)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| | measured | baseline | promise | |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        for row in &self.0 {
            let Row {
                what,
                measured,
                baseline,
                promise,
                holds,
            } = row;
            let verdict = if *holds { "ok" } else { "FAILED" };
            writeln!(
                f,
                "| {what} | {measured} | {baseline} | {promise} | {verdict} |"
            )?;
        }
        Ok(())
    }
}

/// The middle one; of an even number the later of the two in the middle.
pub(crate) fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations
        .get(durations.len() / 2)
        .copied()
        .unwrap_or_default()
}

fn milliseconds(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1000.0;
    if milliseconds < 100.0 {
        format!("{milliseconds:.2} ms")
    } else {
        format!("{milliseconds:.0} ms")
    }
}
