//! Against the real pool: `session-pool demo`, with a real PowerShell.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::json;
use tempfile::TempDir;

use crate::Case;
use crate::client::{Client, MODERN, PATIENCE, mm, text};
use crate::python;

/// Tests that need the pool and a PowerShell.
pub const CASES: &[Case] = &[
    ("from_sign_in_to_the_first_answer", first_answer),
    ("a_job_outlives_the_call_and_is_cancelled", outlives),
    ("much_output_streams_through_the_shell", streams),
    ("a_trace_reaches_the_pools_log_and_its_job", traced),
];

/// Tests that need Python too.
pub const WITH_PYTHON: &[Case] = &[("the_official_client", official_client)];

/// A PowerShell takes its memory and time: one demo at once.
static ONE: Mutex<()> = Mutex::new(());

/// The pool's binary: beside this one, where `cargo test --workspace` builds it.
fn binary() -> PathBuf {
    std::env::var_os("MM_TEST_SESSION_POOL").map_or_else(
        || {
            PathBuf::from(mm())
                .with_file_name(format!("session-pool{}", std::env::consts::EXE_SUFFIX))
        },
        PathBuf::from,
    )
}

/// Whether there is a pool, and a PowerShell for it.
pub fn is_there() -> bool {
    let given = ["SESSION_POOL_PWSH", "SESSION_POOL_DEV_PWSH"]
        .into_iter()
        .filter_map(std::env::var_os)
        .map(PathBuf::from);
    let in_path = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .map(|directory| directory.join("pwsh"));
    binary().exists() && given.chain(in_path).any(|pwsh| pwsh.is_file())
}

pub struct Demo {
    child: Child,
    pub home: TempDir,
    url: String,
    _one: MutexGuard<'static, ()>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        // The end of its life line ends its PowerShell processes too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Demo {
    /// A demo that signs in by itself a second after it is asked.
    pub fn start() -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new(binary())
            .args(["demo", "--auto-sign-in", "1", "--port", "0", "--no-install"])
            .env("HOME", home.path())
            .env("SESSION_POOL_LOG_LEVEL", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .find_map(|line| {
                let line = line.unwrap();
                let (_, url) = line.split_once("MM_SESSION_POOL_URL=")?;
                Some(url.trim().to_owned())
            })
            .unwrap();
        // It goes on writing; nobody is to close that pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            home,
            url,
            _one: one,
        }
    }

    /// With somebody signed in to Exchange Online of contoso.
    pub fn signed_in() -> Self {
        let demo = Self::start();
        while demo.run("1+1")["structuredContent"]["status"] == "auth_required" {
            std::thread::sleep(std::time::Duration::from_millis(300));
        }
        demo
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(mm());
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env(
                "SESSION_POOL_STATE_DIR",
                self.home.path().join(".m365-demo/state"),
            )
            .env("MM_SESSION_POOL_URL", &self.url);
        command
    }

    fn run(&self, command: &str) -> serde_json::Value {
        Client::spawn(self.command()).call(
            "run",
            json!({"connection": "contoso", "module": "exo", "command": command}),
        )
    }
}

fn first_answer() {
    let demo = Demo::start();
    let list = Client::spawn(demo.command()).call("run", json!({}));
    assert!(text(&list).contains("Connection: contoso | tenant: contoso.example"));
    let result = demo.run("Get-Mailbox -ResultSize 3");
    let told = text(&result);
    for part in [
        "sign-in needed",
        "https://",
        "contoso",
        "repeat exactly the same call",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    while demo.run("1+1")["structuredContent"]["status"] == "auth_required" {
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    let result = demo.run("Get-Mailbox -ResultSize 3");
    let told = text(&result);
    assert!(told.starts_with("Connection: contoso | tenant: contoso.example | module: exo"));
    assert!(told.contains("alex.archer"), "{told}");
    let result = demo.run("Get-Mailbox nobody.at.all -ErrorAction Stop");
    assert_eq!(result["isError"], true, "{result}");
    let result = demo.run("if (");
    assert_eq!(result["isError"], true, "{result}");
}

fn outlives() {
    let demo = Demo::signed_in();
    let result = Client::spawn(demo.command()).call(
        "run",
        json!({"connection": "contoso", "module": "exo", "command": "'first'; Start-Sleep 600; 'never'", "wait_seconds": 1}),
    );
    let id = result["structuredContent"]["job"].clone();
    assert!(text(&result).contains("still running"), "{result}");
    let result = Client::spawn(demo.command()).call("job", json!({"id": id, "cancel": true}));
    assert!(text(&result).contains("Status: cancelled"), "{result}");
    assert!(text(&result).contains("first"), "{result}");
    // The session is free, and still signed in.
    assert_eq!(demo.run("1+1")["structuredContent"]["output"], "2");
}

fn traced() {
    let demo = Demo::signed_in();
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut client = Client::spawn(demo.command());
    let mut params = client.params(
        "run",
        json!({"connection": "contoso", "module": "exo", "command": "'traced'"}),
    );
    params["_meta"]["traceparent"] = json!(format!("00-{trace_id}-00f067aa0ba902b7-01"));
    let answer = client.request("tools/call", params);
    let job = &answer["result"]["structuredContent"]["job"];
    let jobs = Client::spawn(demo.command()).call("job", json!({}));
    let listed = &jobs["structuredContent"]["jobs"][0];
    assert_eq!(
        (&listed["job"], &listed["trace_id"]),
        (job, &json!(trace_id))
    );
    // The others brought none.
    assert!(jobs["structuredContent"]["jobs"][1]["trace_id"].is_null());

    let path = demo
        .home
        .path()
        .join(".m365-demo/logs/session-pool-unified.log");
    // Lines are written by a thread of their own.
    let begun = std::time::Instant::now();
    let lines = loop {
        let log = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<String> = log
            .lines()
            .filter(|line| line.contains(trace_id))
            .map(str::to_owned)
            .collect();
        let has = |part: &str| lines.iter().any(|line| line.contains(part));
        if has("job ended") && has("request") {
            break lines;
        }
        assert!(begun.elapsed() < PATIENCE, "{log}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    let of_job = lines.iter().find(|line| line.contains("job ended"));
    assert!(of_job.unwrap().contains(job.as_str().unwrap()), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("/run")), "{lines:?}");
    assert!(
        !lines.iter().any(|line| line.contains("'traced'")),
        "no command in the log: {lines:?}"
    );
    let log = demo.home.path().join(".m365-logs/mm.jsonl");
    assert!(std::fs::read_to_string(log).unwrap().contains(trace_id));
}

fn streams() {
    let demo = Demo::signed_in();
    let output = demo
        .command()
        .args([
            "run",
            "contoso",
            "exo",
            "1..20000 | % { \"line $_ of the output\" }; Write-Warning 'w'; throw 'x'",
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stdout.lines().count(), 20_000);
    assert!(stdout.ends_with("line 20000 of the output\n"));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains("WARNING: w") && stderr.contains('x'),
        "{stderr}"
    );
}

fn official_client() {
    let demo = Demo::signed_in();
    for (mode, tasks) in [
        ("auto", "plain"),
        ("legacy", "plain"),
        ("auto", "tasks"),
        ("legacy", "tasks"),
    ] {
        let seen =
            python::official_client(&demo.command(), "contoso", "Start-Sleep 600", mode, tasks);
        let version = if mode == "auto" { MODERN } else { "2025-11-25" };
        python::judge(&seen, version, "contoso");
        match (mode, tasks) {
            ("auto", "tasks") => python::judge_tasks(&seen),
            _ => python::judge_text(&seen),
        }
    }
}
