//! How much is measured.

use std::time::Duration;

/// The size of a run.
#[derive(Debug)]
pub(crate) struct Scale {
    /// Calls of `/run` in a row.
    pub(crate) calls: usize,
    /// How long 200 clients work.
    pub(crate) crowd: Duration,
    /// Whether the router's idle streams are measured: that promise does not hold yet.
    pub(crate) streams: bool,
    /// Lines of 1,000 bytes for the memory measurement.
    pub(crate) thousand_byte_lines: usize,
    /// Sessions that a restart restores.
    pub(crate) restored: usize,
    names: Vec<String>,
}

impl Scale {
    /// Flags choose the size, words the measurements (all where there is none).
    pub(crate) fn from_arguments(arguments: impl Iterator<Item = String>) -> Self {
        // The issue's own numbers.
        let mut scale = Self {
            calls: 10_000,
            crowd: Duration::from_secs(60),
            streams: true,
            thousand_byte_lines: 200_000,
            restored: 20,
            names: Vec::new(),
        };
        for argument in arguments {
            match argument.as_str() {
                "--short" => {
                    scale.calls = 500;
                    scale.crowd = Duration::from_secs(5);
                    scale.streams = false;
                    scale.restored = 8;
                }
                "--long" => {
                    scale.calls = 100_000;
                    scale.crowd = Duration::from_secs(600);
                }
                // Cargo's own `--bench`.
                flag if flag.starts_with('-') => {}
                name => scale.names.push(name.to_owned()),
            }
        }
        scale
    }

    /// Whether this measurement was asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| wanted == name)
    }
}
