//! `mm run`, `mm job` and `mm config` from a shell.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::Case;
use crate::client::Home;
use crate::stand_in::StandIn;

pub const CASES: &[Case] = &[
    ("output_goes_to_stdout_and_errors_to_stderr", sorts),
    ("exit_codes_are_as_documented", exit_codes),
    ("json_lines_end_with_the_answer", json_lines),
    ("without_arguments_it_lists", lists),
    ("a_stream_that_breaks_off_is_taken_up_again", resumes),
    ("much_output_takes_little_memory", little_memory),
    ("nobody_who_reads_ends_it", nobody_reads),
    ("a_slow_reader_gets_whole_lines", slow_reader),
    ("an_interrupt_cancels_the_job", interrupt),
    (
        "an_interrupt_before_the_job_is_named_cancels_it_too",
        early_interrupt,
    ),
    ("a_command_may_come_from_stdin", from_stdin),
    ("registrations_are_valid_json", registrations),
    ("nothing_unusable_is_registered", unusable_registrations),
    ("advice_is_commands", advice),
    ("json_has_an_end_whatever_happens", json_ends),
    ("an_address_with_a_path_is_told", path_in_address),
    ("a_doctor_says_what_to_mend", doctor),
];

fn run(pool: &StandIn, command: &str, more: &[&str]) -> crate::client::Shell {
    let home = Home::new(&pool.url);
    home.shell(&[&["run", "Contoso", "exo", command], more].concat())
}

fn sorts() {
    let pool = StandIn::start();
    let done = run(&pool, "1+1", &[]);
    assert_eq!(
        (done.code, done.stdout.as_str(), done.stderr.as_str()),
        (0, "2\n", "")
    );
    let done = run(&pool, "throw", &[]);
    assert_eq!(done.code, 1);
    assert_eq!(done.stdout, "before\n");
    assert_eq!(done.stderr, "Exception: it broke\n");
    let done = run(&pool, "objects", &["--format", "json"]);
    assert_eq!(done.stderr, "WARNING: old module\n");
}

fn exit_codes() {
    let pool = StandIn::start();
    let done = run(&pool, "sign-in", &[]);
    assert_eq!(done.code, 3);
    assert!(
        done.stderr.contains("ABCD-1234") && done.stdout.is_empty(),
        "{done:?}"
    );
    let done = run(&pool, "hang", &["--wait-seconds", "0"]);
    assert_eq!(done.code, 7);
    assert!(done.stderr.contains("mm job "), "{done:?}");
    let id = done.stderr.trim().rsplit(' ').next().unwrap().to_owned();
    let home = Home::new(&pool.url);
    assert_eq!(home.shell(&["job", &id, "--cancel"]).code, 0);
    assert_eq!(home.shell(&["job", &id]).code, 5);
    for (state, code) in [
        ("timed_out", 4),
        ("lost", 6),
        ("failed", 1),
        ("succeeded", 0),
    ] {
        pool.finish(&id, state, "");
        assert_eq!(home.shell(&["job", &id]).code, code, "{state}");
    }
    assert_eq!(home.shell(&["job", "nonsense"]).code, 2);
    assert_eq!(home.shell(&["run", "Contoso"]).code, 2);
    assert_eq!(home.shell(&["run", "Nowhere", "exo", "1+1"]).code, 2);
    assert_eq!(Home::without_token(&pool.url).shell(&["run"]).code, 77);
    assert_eq!(Home::new("http://127.0.0.1:1").shell(&["run"]).code, 69);
    assert_eq!(Home::new("nonsense").shell(&["run"]).code, 64);
}

fn json_lines() {
    let pool = StandIn::start();
    let done = run(&pool, "lines 3", &["--json"]);
    let lines: Vec<Value> = done
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0]["type"], "output");
    assert_eq!(lines[3]["type"], "end");
    assert_eq!(lines[3]["status"], "success");
    assert_eq!(lines[3]["tenant"], "contoso.example");
    let done = Home::new("http://127.0.0.1:1").shell(&["run", "Contoso", "exo", "1", "--json"]);
    let end: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        (&end["type"], &end["code"]),
        (&json!("end"), &json!("pool_unreachable"))
    );
}

fn lists() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    assert!(home.shell(&["run"]).stdout.contains("Connection: Contoso"));
    assert!(home.shell(&["job"]).stdout.contains("no jobs"));
    let list: Value = serde_json::from_str(&home.shell(&["run", "--json"]).stdout).unwrap();
    assert_eq!(list["connections"][0]["name"], "Contoso");
}

fn resumes() {
    let pool = StandIn::start();
    let done = run(&pool, "broken", &[]);
    assert_eq!(done.stdout, "line 1\nline 2\nline 3\n", "{done:?}");
    assert_eq!(done.code, 0);
}

/// 9 MB, and the most memory the process ever had.
#[cfg(target_os = "linux")]
fn little_memory() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let mut child = home
        .command()
        .args(["run", "Contoso", "exo", "lines 170000"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let (mut bytes, mut peak) = (0, 0);
    let mut line = String::new();
    while stdout.read_line(&mut line).unwrap() > 0 {
        bytes += line.len();
        line.clear();
        // Read while it still lives: it waits for the pipe to be emptied.
        if bytes % (1 << 20) < 60 {
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
            peak = peak.max(high_water_mark(&status.unwrap_or_default()));
        }
    }
    assert!(child.wait().unwrap().success());
    assert!(bytes > 9_000_000, "{bytes}");
    // Most of it are the pages of a binary that is not optimised; the bench holds the release build
    // to its promise.
    assert!(peak > 0 && peak < 24_000, "{peak} KB");
}

#[cfg(target_os = "linux")]
fn high_water_mark(status: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|value| value.trim().strip_suffix(" kB")?.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn little_memory() {}

fn nobody_reads() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let mut child = home
        .command()
        .args(["run", "Contoso", "exo", "lines 100000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut some = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(141));
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert!(stderr.contains("mm job"), "{stderr}");
}

/// More than a pipe holds, and nobody who reads until the waiting is over or interrupted.
#[cfg(unix)]
fn slow_reader() {
    for (more, code) in [(&["--wait-seconds", "1"][..], 7), (&[], 130)] {
        let pool = StandIn::start();
        let home = Home::new(&pool.url);
        let mut child = home
            .command()
            .args(["run", "Contoso", "exo", "flood", "--json"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let id = pool.wait_for_job();
        pool.wait_for_request("/events");
        let mut stdout = child.stdout.take().unwrap();
        if code == 130 {
            send_interrupt(&child);
            pool.wait_for_state(&id, "cancelled");
        } else {
            std::thread::sleep(std::time::Duration::from_millis(1_500));
        }
        let mut text = String::new();
        stdout.read_to_string(&mut text).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code));
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("cut: {line}")))
            .collect();
        let last = lines.last().unwrap();
        assert_eq!((&last["type"], &last["job"]), (&json!("end"), &json!(id)));
        for (number, line) in (1..).zip(&lines[..lines.len() - 1]) {
            assert_eq!(line["text"], format!("line {number} of a flood"));
        }
    }
}

#[cfg(not(unix))]
fn slow_reader() {}

#[cfg(unix)]
fn send_interrupt(child: &std::process::Child) {
    let done = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(done.unwrap().success());
}

#[cfg(unix)]
fn early_interrupt() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let mut child = home
        .command()
        .args(["run", "Contoso", "exo", "slow"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    pool.wait_for_request("POST /run");
    send_interrupt(&child);
    pool.release();
    let id = pool.wait_for_job();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(pool.state(&id), "cancelled");
}

#[cfg(not(unix))]
fn early_interrupt() {}

#[cfg(unix)]
fn interrupt() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let mut child = home
        .command()
        .args(["run", "Contoso", "exo", "hang"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let id = pool.wait_for_job();
    pool.wait_for_request("/events");
    send_interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(pool.state(&id), "cancelled");
}

#[cfg(not(unix))]
fn interrupt() {}

fn from_stdin() {
    use std::io::Write;
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let mut child = home
        .command()
        .args(["run", "Contoso", "exo", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"1+1").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"2\n");
}

fn registrations() {
    let home = Home::new("http://localhost:5299");
    for (client, place) in [
        ("mcpjungle", ""),
        ("claude", "/mcpServers/mm"),
        ("claude-code", "/mcpServers/mm"),
        ("vscode", "/servers/mm"),
        ("cursor", "/mcpServers/mm"),
    ] {
        let done = home.shell(&["config", client]);
        let value: Value = serde_json::from_str(&done.stdout).unwrap();
        let server = value.pointer(place).unwrap();
        assert_eq!(server["command"], crate::client::mm(), "{client}");
        assert_eq!(
            server["env"]["MM_SESSION_POOL_URL"],
            "http://localhost:5299"
        );
        assert!(!done.stderr.is_empty(), "{client}: where does it go?");
    }
}

fn unusable_registrations() {
    let done = Home::new("nonsense").shell(&["config", "cursor"]);
    assert_eq!((done.code, done.stdout.as_str()), (64, ""), "{done:?}");
    assert!(done.stderr.contains("MM_SESSION_POOL_URL"), "{done:?}");
    assert!(!done.stderr.contains("relative"), "{done:?}");

    let mut command = Home::new("http://localhost:5299").command();
    command.env("SESSION_POOL_TOKEN", "hunter2");
    let output = command.args(["config", "cursor"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success());
    assert!(stderr.contains("SESSION_POOL_TOKEN is set"), "{stderr}");
    assert!(stderr.contains("SESSION_POOL_TOKEN_FILE"), "{stderr}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(!format!("{stdout}{stderr}").contains("hunter2"));
}

/// Words that only an assistant can follow.
fn speaks_to_a_person(text: &str) {
    for word in [
        "call `",
        "`run`",
        "`job`",
        "the user",
        "same call",
        "{\"id\"",
    ] {
        assert!(!text.contains(word), "{word:?} in {text}");
    }
}

fn advice() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let sign_in = run(&pool, "sign-in", &[]);
    let running = run(&pool, "hang", &["--wait-seconds", "0"]);
    let connections = home.shell(&["run"]);
    let jobs = home.shell(&["job"]);
    let no_id = home.shell(&["job", "nope"]);
    let down = Home::new("http://127.0.0.1:1").shell(&["run"]);
    for (done, part) in [
        (&sign_in, "give the same command again"),
        (&running, "mm job "),
        (&connections, "mm run CONNECTION MODULE COMMAND"),
        (&jobs, "mm job ID"),
        (&no_id, "`mm job` lists"),
        (&down, "session-pool serve"),
    ] {
        let said = format!("{}{}", done.stdout, done.stderr);
        assert!(said.contains(part), "{part:?}: {said}");
        speaks_to_a_person(&said);
    }
    let tenant = "Connection: Contoso | tenant: contoso.example | module: exo | job: ";
    assert!(jobs.stdout.contains(tenant), "{jobs:?}");
}

fn json_ends() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    for (arguments, code, word) in [
        (&["job", "nope", "--json"][..], 2, "bad_arguments"),
        (
            &["job", "--json", "--wait-seconds", "3601"],
            2,
            "bad_arguments",
        ),
        (
            &[
                "run",
                "Contoso",
                "exo",
                "1+1",
                "--json",
                "--wait-seconds",
                "3601",
            ],
            2,
            "bad_arguments",
        ),
        (&["run", "Contoso", "--json"], 2, "bad_arguments"),
        (
            &[
                "run",
                "Contoso",
                "exo",
                "1+1",
                "--json",
                "--wait-seconds",
                "soon",
            ],
            2,
            "bad_arguments",
        ),
        (
            &[
                "run",
                "Contoso",
                "exo",
                "hang",
                "--json",
                "--wait-seconds",
                "0",
            ],
            7,
            "running",
        ),
        (
            &["run", "Nowhere", "exo", "1+1", "--json"],
            2,
            "unknown_connection",
        ),
    ] {
        let done = home.shell(arguments);
        assert_eq!(done.code, code, "{done:?}");
        let end: Value = serde_json::from_str(done.stdout.trim())
            .unwrap_or_else(|error| panic!("{error}: {done:?}"));
        assert_eq!(end["type"], "end", "{done:?}");
        assert_eq!(end["code"], word, "{done:?}");
        assert!(!end["error"].as_str().unwrap().is_empty());
    }
}

fn path_in_address() {
    let pool = StandIn::start();
    let url = format!("{}/pool", pool.url);
    let done = Home::new(&url).shell(&["run", "Contoso", "exo", "1+1"]);
    assert_eq!(done.code, 69, "{done:?}");
    for part in [url.as_str(), "MM_SESSION_POOL_URL"] {
        assert!(done.stderr.contains(part), "{done:?}");
    }
}

#[cfg(not(unix))]
fn doctor() {}

#[cfg(unix)]
fn doctor() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let registry = json!({"connections": {"Contoso": {"tenant": "contoso.example", "cloud": {
        "login": pool.url, "graph": pool.url, "flow": pool.url
    }}}});
    let place = home.directory.path().join(".m365-connections.json");
    std::fs::write(place, registry.to_string()).unwrap();
    let token = home.directory.path().join(".m365-state/pool.token");
    set_mode(&token, 0o600);
    let well = home.shell(&["doctor"]);
    assert_eq!(well.code, 0, "{well:?}");
    assert!(well.stdout.contains("ok      pool: "), "{well:?}");

    set_mode(&token, 0o644);
    let done = home.shell(&["doctor", "--json"]);
    assert_eq!(done.code, 1, "{done:?}");
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(report["ok"], false);
    let checks = report["checks"].as_array().unwrap();
    let token = checks.iter().find(|one| one["check"] == "token").unwrap();
    assert_eq!(token["result"], "failed");
    assert!(token["remedy"].as_str().unwrap().starts_with("chmod 600"));
}

#[cfg(unix)]
fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
