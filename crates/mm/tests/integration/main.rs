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
mod consent_run;
mod containers;
mod demo;
mod faults;
mod gone;
mod graph;
mod graph_answers;
mod graph_broken;
mod graph_consent;
mod graph_limits;
mod graph_python;
mod graph_sends;
mod graph_stage;
mod handshakes;
mod job_tool;
mod lifecycle;
mod python;
mod run_tool;
mod shell;
mod shell_sign_in;
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
        ("gone", gone::CASES),
        ("shell", shell::CASES),
        ("shell_sign_in", shell_sign_in::CASES),
        ("graph", graph::CASES),
        ("graph", graph_answers::CASES),
        ("graph", graph_limits::CASES),
        ("graph", graph_broken::CASES),
        ("sends", graph_sends::CASES),
        ("sends", graph_consent::CASES),
    ] {
        trials.extend(cases.iter().map(|(name, test)| trial(group, name, *test)));
    }
    let demands = std::env::var("SESSION_POOL_TESTS").is_ok_and(|value| value == "all");
    let (python, demo) = (python::is_there(), demo::is_there());
    let containers = python && containers::is_there();
    let mut ignored = 0;
    for (group, cases, is_there) in [
        ("python", python::CASES, python),
        ("python", graph_python::CASES, python),
        ("python", graph_consent::WITH_PYTHON, python),
        ("python", graph_python::WITH_MSAL, graph_python::has_msal()),
        ("demo", demo::CASES, demo),
        ("demo", consent_run::CASES, demo),
        ("demo", demo::WITH_PYTHON, demo && python),
        ("containers", containers::CASES, containers),
    ] {
        let ignore = !is_there && !demands;
        ignored += if ignore { cases.len() } else { 0 };
        trials.extend(
            cases
                .iter()
                .map(|(name, test)| trial(group, name, *test).with_ignored_flag(ignore)),
        );
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if ignored > 0 {
        println!("{ignored} tests were ignored. To run them:");
    }
    if ignored > 0 && !python {
        println!(
            "- Python with the package mcp: python3 -m venv VENV && VENV/bin/pip install \
             mcp==2.3.0 msal==1.39.0, and MM_TEST_PYTHON=VENV/bin/python"
        );
    }
    if ignored > 0 && !demo {
        println!(
            "- the pool and a PowerShell: cargo build -p session-pool, and pwsh in the PATH \
             (`session-pool install-pwsh` gets it)"
        );
    }
    if ignored > 0 && !containers {
        println!(
            "- Docker and docker-compose, as root, with the image that bash .ci/image.sh builds; \
             jq, curl and prometheus, and Python as above"
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
