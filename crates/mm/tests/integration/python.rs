//! The official Python client (PyPI `mcp`), and its types as the specification's schema.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, Mutex};

use serde_json::{Value, json};

use crate::Case;
use crate::client::{Client, Home, LEGACY, MODERN, meta, mm, with_tasks};
use crate::stand_in::StandIn;

pub const CASES: &[Case] = &[
    ("the_official_client_in_auto_mode", auto),
    ("the_official_client_in_legacy_mode", legacy),
    ("the_official_client_with_tasks", auto_with_tasks),
    (
        "the_official_client_in_legacy_mode_with_tasks",
        legacy_with_tasks,
    ),
    ("every_line_fits_the_schema", schema),
];

/// Lines of servers that were seen, for the schema.
static SEEN: Mutex<Vec<Value>> = Mutex::new(Vec::new());

/// Remembers a line, with the method that it answers, if it does.
pub fn remember(method: Option<&str>, version: &str, message: &Value) {
    let line = json!({"method": method, "version": version, "message": message});
    SEEN.lock().unwrap().push(line);
}

/// The interpreter.
pub fn interpreter() -> String {
    std::env::var("MM_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// Whether there is a Python with the client.
pub fn is_there() -> bool {
    static THERE: LazyLock<bool> = LazyLock::new(|| {
        Command::new(interpreter())
            .args(["-c", "import mcp.client, mcp_types.methods"])
            .output()
            .is_ok_and(|output| output.status.success())
    });
    *THERE
}

/// What the official client sees.
pub fn official_client(
    environment: &Command,
    connection: &str,
    slow_command: &str,
    mode: &str,
    tasks: &str,
) -> Value {
    let mut command = Command::new(interpreter());
    for (name, value) in environment.get_envs() {
        command.env(name, value.unwrap());
    }
    let output = command
        .env("TEST_CONNECTION", connection)
        .env("TEST_SLOW_COMMAND", slow_command)
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/integration/official_client.py"
        ))
        .args([mode, tasks, mm()])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Judges what every client sees.
pub fn judge(seen: &Value, version: &str, connection: &str) {
    assert_eq!(seen["version"], version);
    assert_eq!(seen["tools"], json!(["run", "job", "graph_request"]));
    let text = |key: &str| seen[key]["text"].as_str().unwrap().to_owned();
    assert!(text("connections").contains(&format!("Connection: {connection} | tenant: ")));
    assert!(text("quick").ends_with("\n\n2\n"), "{seen}");
    assert_eq!(seen["wrong"]["error"], true);
    assert!(text("wrong").contains("did you mean \"connection\""));
    let progress = seen["progress"].as_array().unwrap();
    assert!(!progress.is_empty());
    let numbers: Vec<f64> = progress.iter().map(|p| p[0].as_f64().unwrap()).collect();
    assert!(
        numbers.windows(2).all(|pair| pair[0] < pair[1]),
        "{numbers:?}"
    );
    assert!(text("cancelled").contains("Status: cancelled"), "{seen}");
}

/// Judges what a client sees that gets text.
pub fn judge_text(seen: &Value) {
    let text = seen["handed_out"]["text"].as_str().unwrap();
    assert!(text.contains("still running"), "{seen}");
    assert!(text.contains("call `job` with {\"id\":"), "{seen}");
}

/// Judges what a client sees that takes tasks.
pub fn judge_tasks(seen: &Value) {
    assert_eq!(
        seen["handed_out"]["tasks"].as_array().unwrap().len(),
        1,
        "{seen}"
    );
    assert_eq!(seen["polled"], "working");
    assert_eq!(seen["polled_again"], "cancelled");
}

fn official(mode: &str, tasks: &str) -> Value {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    official_client(&home.command(), "Contoso", "hang", mode, tasks)
}

fn auto() {
    let seen = official("auto", "plain");
    judge(&seen, MODERN, "Contoso");
    judge_text(&seen);
}

fn legacy() {
    let seen = official("legacy", "plain");
    judge(&seen, "2025-11-25", "Contoso");
    judge_text(&seen);
}

fn auto_with_tasks() {
    let seen = official("auto", "tasks");
    judge(&seen, MODERN, "Contoso");
    judge_tasks(&seen);
}

fn legacy_with_tasks() {
    let seen = official("legacy", "tasks");
    judge(&seen, "2025-11-25", "Contoso");
    judge_text(&seen);
}

/// Every kind of line in every version, and whatever the other tests saw until now.
fn schema() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    for version in LEGACY.into_iter().chain([MODERN]) {
        progress_and_refusal(&home, version);
    }
    let mut client = Client::start(&home);
    for capabilities in [json!({}), with_tasks()] {
        let context = json!({"_meta": meta(&capabilities)});
        client.request("server/discover", context.clone());
        client.request("tools/list", context);
    }
    every_call(&mut client);
    for version in LEGACY {
        let mut client = Client::legacy(&home, version);
        client.request("tools/list", json!({}));
        client.request("ping", json!({}));
        every_call(&mut client);
    }
    let lines: String = SEEN
        .lock()
        .unwrap()
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    let mut validator = Command::new(interpreter())
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/integration/validate.py"
        ))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = validator.stdin.take().unwrap();
    stdin.write_all(lines.as_bytes()).unwrap();
    drop(stdin);
    let output = validator.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
}

/// A line of progress, and an error.
fn progress_and_refusal(home: &Home, version: &str) {
    let mut client = Client::start(home);
    let mut params = json!({"name": "run", "arguments": {"connection": "Contoso", "module": "exo", "command": "progress", "wait_seconds": 2}, "_meta": {}});
    if version == MODERN {
        params["_meta"] = meta(&json!({}));
    } else {
        client.handshake(version);
    }
    params["_meta"]["progressToken"] = json!("token");
    client.request("tools/call", params.clone());
    params["name"] = json!("nonsense");
    client.request("tools/call", params);
    client.raw(b"nonsense");
    client.receive();
}

fn every_call(client: &mut Client) {
    for command in [
        "1+1",
        "nothing",
        "sign-in",
        "throw",
        "objects",
        "lines 100",
        "hang",
    ] {
        client.call(
            "run",
            json!({"connection": "Contoso", "module": "exo", "command": command, "wait_seconds": 0}),
        );
    }
    client.call("run", json!({}));
    client.call("run", json!([]));
    client.call("run", json!({"nonsense": 1}));
    client.call("job", json!({}));
}
