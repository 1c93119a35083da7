//! Several processes' metrics in Prometheus' text format (version 0.0.4), made into one text.
//!
//! Source of the format: <https://prometheus.io/docs/instrumenting/exposition_formats/>. All samples
//! of a family stand together, and its `# TYPE` stands once, or Prometheus refuses the whole text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The label that tells one process's samples from another's.
const LABEL: &str = "connection";

/// The metrics of several processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposition {
    families: BTreeMap<String, Family>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Family {
    help: Option<String>,
    kind: Option<String>,
    samples: Vec<String>,
}

impl Exposition {
    /// Adds the metrics of a connection's process. A sample that has the label `connection` already
    /// keeps it.
    pub fn add(&mut self, text: &str, connection: &str) {
        let label = format!("{LABEL}=\"{}\"", escaped(connection));
        self.read(text, |sample| sample.with_label(&label), str::to_owned);
    }

    /// Adds metrics under names that begin with `new` in place of `old`.
    pub fn add_renamed(&mut self, text: &str, old: &str, new: &str) {
        let renamed = |name: &str| match name.strip_prefix(old) {
            Some(rest) => format!("{new}{rest}"),
            None => name.to_owned(),
        };
        self.read(
            text,
            |sample| format!("{}{}", renamed(sample.name), sample.rest),
            renamed,
        );
    }

    fn read(
        &mut self,
        text: &str,
        rewritten: impl Fn(&Sample<'_>) -> String,
        renamed: impl Fn(&str) -> String,
    ) {
        let mut current = String::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix('#') {
                let mut words = comment.trim_start().splitn(3, ' ');
                let (word, name, rest) = (words.next(), words.next(), words.next());
                let (Some(word @ ("HELP" | "TYPE")), Some(name)) = (word, name) else {
                    continue;
                };
                current = renamed(name);
                let family = self.families.entry(current.clone()).or_default();
                let place = if word == "HELP" {
                    &mut family.help
                } else {
                    &mut family.kind
                };
                if place.is_none() {
                    *place = rest.map(str::to_owned);
                }
                continue;
            }
            let sample = Sample::of(line);
            let name = renamed(sample.name);
            // `x_bucket`, `x_sum` and `x_count` belong to the family `x` that stands above them.
            if !name.strip_prefix(&current).is_some_and(|rest| {
                !current.is_empty() && (rest.is_empty() || rest.starts_with('_'))
            }) {
                current = name;
            }
            let family = self.families.entry(current.clone()).or_default();
            family.samples.push(rewritten(&sample));
        }
    }

    /// The one text.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let mut line = |arguments: std::fmt::Arguments<'_>| {
            let _written = text.write_fmt(arguments);
            text.push('\n');
        };
        for (name, family) in &self.families {
            if family.samples.is_empty() {
                continue;
            }
            if let Some(help) = &family.help {
                line(format_args!("# HELP {name} {help}"));
            }
            if let Some(kind) = &family.kind {
                line(format_args!("# TYPE {name} {kind}"));
            }
            for sample in &family.samples {
                line(format_args!("{sample}"));
            }
        }
        text
    }
}

/// One line with a value: its name, and labels and value behind it.
struct Sample<'a> {
    name: &'a str,
    rest: &'a str,
}

impl<'a> Sample<'a> {
    fn of(line: &'a str) -> Self {
        let end = line
            .find(|c: char| c == '{' || c.is_whitespace())
            .unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        Self { name, rest }
    }

    fn with_label(&self, label: &str) -> String {
        let Self { name, rest } = self;
        let Some(labels) = rest.strip_prefix('{') else {
            return format!("{name}{{{label}}}{rest}");
        };
        if has_label(labels) {
            return format!("{name}{rest}");
        }
        let comma = if labels.trim_start().starts_with('}') {
            ""
        } else {
            ","
        };
        format!("{name}{{{label}{comma}{labels}")
    }
}

/// Whether the label stands among these, which begin behind the brace. A value may hold anything,
/// also what looks like a label.
fn has_label(labels: &str) -> bool {
    let mut rest = labels;
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        let Some((name, value)) = rest.split_once('=') else {
            return false;
        };
        if rest.starts_with('}') {
            return false;
        }
        if name.trim() == LABEL {
            return true;
        }
        let Some(value) = value.trim_start().strip_prefix('"') else {
            return false;
        };
        let mut escape = false;
        let Some(end) = value.find(|c: char| {
            let closes = c == '"' && !escape;
            escape = c == '\\' && !escape;
            closes
        }) else {
            return false;
        };
        rest = value.get(end + 1..).unwrap_or_default();
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use proptest::prelude::*;

    use super::*;

    const POOL: &str = "\
# HELP session_pool_jobs_total Jobs.
# TYPE session_pool_jobs_total counter
session_pool_jobs_total{connection=\"contoso\",outcome=\"ok\"} 3

# HELP session_pool_http_request_duration_seconds Time.
# TYPE session_pool_http_request_duration_seconds histogram
session_pool_http_request_duration_seconds_bucket{route=\"/run\",le=\"+Inf\"} 7
session_pool_http_request_duration_seconds_sum{route=\"/run\"} 1.5
session_pool_http_request_duration_seconds_count{route=\"/run\"} 7
# TYPE session_pool_process_threads gauge
session_pool_process_threads 9
";

    #[test]
    fn families_stand_together_and_samples_tell_their_connection() {
        let mut all = Exposition::default();
        all.add(POOL, "contoso");
        all.add(POOL, "fabrikam");
        assert_eq!(
            all.render(),
            "\
# HELP session_pool_http_request_duration_seconds Time.
# TYPE session_pool_http_request_duration_seconds histogram
session_pool_http_request_duration_seconds_bucket{connection=\"contoso\",route=\"/run\",le=\"+Inf\"} 7
session_pool_http_request_duration_seconds_sum{connection=\"contoso\",route=\"/run\"} 1.5
session_pool_http_request_duration_seconds_count{connection=\"contoso\",route=\"/run\"} 7
session_pool_http_request_duration_seconds_bucket{connection=\"fabrikam\",route=\"/run\",le=\"+Inf\"} 7
session_pool_http_request_duration_seconds_sum{connection=\"fabrikam\",route=\"/run\"} 1.5
session_pool_http_request_duration_seconds_count{connection=\"fabrikam\",route=\"/run\"} 7
# HELP session_pool_jobs_total Jobs.
# TYPE session_pool_jobs_total counter
session_pool_jobs_total{connection=\"contoso\",outcome=\"ok\"} 3
session_pool_jobs_total{connection=\"contoso\",outcome=\"ok\"} 3
# TYPE session_pool_process_threads gauge
session_pool_process_threads{connection=\"contoso\"} 9
session_pool_process_threads{connection=\"fabrikam\"} 9
"
        );
    }

    #[test]
    fn own_metrics_get_names_of_their_own() {
        let mut all = Exposition::default();
        all.add_renamed(POOL, "session_pool_", "session_pool_router_");
        let text = all.render();
        assert!(text.contains("# TYPE session_pool_router_process_threads gauge\n"));
        assert!(text.contains("\nsession_pool_router_process_threads 9\n"));
        assert!(
            text.contains(
                "session_pool_router_jobs_total{connection=\"contoso\",outcome=\"ok\"} 3"
            )
        );
    }

    #[test]
    fn labels_are_found_in_spite_of_what_values_hold() {
        for (labels, found) in [
            (r#"connection="x"} 1"#, true),
            (r#"a="b",connection="x"} 1"#, true),
            (r#"a="b", connection="x"} 1"#, true),
            (r#"a=",connection=\"x\""} 1"#, false),
            (r#"a="\\",connection="x"} 1"#, true),
            (r#"a="}",connection="x"} 1"#, true),
            (r#"my_connection="x"} 1"#, false),
            ("} 1", false),
            ("", false),
            ("nonsense", false),
        ] {
            assert_eq!(has_label(labels), found, "{labels}");
        }
        let mut all = Exposition::default();
        all.add("up{} 1\nup 2", "a\"b\\");
        assert_eq!(
            all.render(),
            "up{connection=\"a\\\"b\\\\\"} 1\nup{connection=\"a\\\"b\\\\\"} 2\n"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_taken_and_every_sample_kept(lines in prop::collection::vec("[a-z_{}=\",#\\\\ 0-9]{0,40}", 0..20)) {
            let text = lines.join("\n");
            let mut all = Exposition::default();
            all.add(&text, "x");
            let samples = lines.iter().filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#')).count();
            let kept = all.families.values().map(|family| family.samples.len()).sum::<usize>();
            prop_assert_eq!(samples, kept);
        }
    }
}
