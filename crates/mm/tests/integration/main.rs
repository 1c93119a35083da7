//! `mm` as its clients see it: a real process, against a stand-in for the pool and, where there is
//! a PowerShell, against the demo.
//!
//! Tests that need something this machine has not are ignored, and the last line says how to get
//! it. With `SESSION_POOL_TESTS=all` they fail instead.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod client;
mod faults;
mod handshakes;
mod job_tool;
mod lifecycle;
mod python;
mod run_tool;
mod shell;
mod stand_in;
mod tasks;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// A test by its name.
pub type Case = (&'static str, fn());

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = Vec::new();
    for (group, cases) in [
        ("handshakes", handshakes::CASES),
        ("run", run_tool::CASES),
        ("job", job_tool::CASES),
        ("tasks", tasks::CASES),
        ("lifecycle", lifecycle::CASES),
        ("faults", faults::CASES),
        ("shell", shell::CASES),
    ] {
        trials.extend(cases.iter().map(|(name, test)| trial(group, name, *test)));
    }
    let all = std::env::var("SESSION_POOL_TESTS").is_ok_and(|value| value == "all");
    let is_missing = !python::is_there();
    trials.extend(
        python::CASES
            .iter()
            .map(|(name, test)| trial("python", name, *test).with_ignored_flag(is_missing && !all)),
    );
    let count = python::CASES.len();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if is_missing && !all {
        println!(
            "{count} tests were ignored: they need Python with the package mcp: \
             python3 -m venv VENV && VENV/bin/pip install mcp==2.3.0, then set \
             MM_TEST_PYTHON=VENV/bin/python"
        );
    }
    conclusion.exit_code()
}

fn trial(group: &str, name: &str, test: fn()) -> Trial {
    Trial::test(format!("{group}::{name}"), move || {
        std::panic::catch_unwind(test).map_err(|cause| {
            let message = cause
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Failed::from(message.unwrap_or_else(|| "panicked".to_owned()))
        })
    })
}
