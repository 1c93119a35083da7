//! What a call through `mm` costs beside the same request by curl.
//!
//! Needs a pool that runs: `session-pool demo --auto-sign-in 1`, and the lines it prints pasted
//! here. Then `cargo bench -p mm`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const MM: &str = env!("CARGO_BIN_EXE_mm");
const ROUNDS: usize = 100;

fn main() {
    // `cargo test --benches` only has to see that this compiles.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let url = std::env::var("MM_SESSION_POOL_URL")
        .expect("set MM_SESSION_POOL_URL and SESSION_POOL_STATE_DIR to a demo that runs");
    let state = PathBuf::from(std::env::var_os("SESSION_POOL_STATE_DIR").unwrap());
    let token = std::fs::read_to_string(state.join("pool.token")).unwrap();
    let curl = Curl { url, token };
    while curl.run().contains("auth_required") {
        std::thread::sleep(Duration::from_secs(1));
    }
    println!("| | median | 90 % | peak memory |\n|---|---|---|---|");
    let list = request("tools/list", &json!({}));
    let call = request(
        "tools/call",
        &json!({"name": "run", "arguments": {"connection": "contoso", "module": "exo", "command": "1+1"}}),
    );
    let mut started = Series::default();
    let mut true_started = Series::default();
    let mut called = Series::default();
    let mut legacy = Series::default();
    let mut curled = Series::default();
    // In turn, so that a busy moment of the machine meets all of them.
    for _ in 0..ROUNDS {
        started.add(|| modern(&list));
        true_started.add(|| {
            Command::new("true").status().unwrap();
            0
        });
        called.add(|| modern(&call));
        legacy.add(handshake_and_call);
        curled.add(|| {
            assert!(curl.run().contains("success"));
            0
        });
    }
    true_started.print("starting `true`, for comparison");
    started.print("start of `mm` to the answer of tools/list");
    curled.print("/run of 1+1 by curl, one process a call");
    called.print("run of 1+1 by `mm`, 2026-07-28, one process a call");
    legacy.print("run of 1+1 by `mm`, 2025-06-18, one process a call");
    let mut idle = Series::default();
    let mut in_flight = Series::default();
    let sleeping = request(
        "tools/call",
        &json!({"name": "run", "arguments": {"connection": "contoso", "module": "exo", "command": "Start-Sleep 0.2"}}),
    );
    for _ in 0..10 {
        idle.times.push(end_after(&list, true));
        in_flight.times.push(end_after(&sleeping, false));
    }
    idle.print("end of stdin to exit, idle");
    in_flight.print("end of stdin to exit, a call in flight");
    let mut streamed = Series::default();
    streamed.add(nine_megabytes);
    streamed.print("`mm run` of 9 MB of output");
}

#[derive(Default)]
struct Series {
    times: Vec<Duration>,
    kilobytes: u64,
}

impl Series {
    /// Times it; it answers with the most memory it had, in KB.
    fn add(&mut self, run: impl FnOnce() -> u64) {
        let begun = Instant::now();
        let kilobytes = run();
        self.times.push(begun.elapsed());
        self.kilobytes = self.kilobytes.max(kilobytes);
    }

    fn print(mut self, name: &str) {
        self.times.sort_unstable();
        let at = |percent: usize| self.times[(self.times.len() - 1) * percent / 100];
        let memory = match self.kilobytes {
            0 => String::new(),
            kilobytes => format!("{:.1} MB", kilobytes as f64 / 1024.0),
        };
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        println!(
            "| {name} | {:.1} ms | {:.1} ms | {memory} |",
            milliseconds(at(50)),
            milliseconds(at(90))
        );
    }
}

struct Curl {
    url: String,
    token: String,
}

impl Curl {
    fn run(&self) -> String {
        let output = Command::new("curl")
            .args(["-s", "-H", "Content-Type: application/json", "-H"])
            .arg(format!("Authorization: Bearer {}", self.token.trim()))
            .args([
                "-d",
                r#"{"connection":"contoso","module":"exo","command":"1+1"}"#,
            ])
            .arg(format!("{}/run", self.url))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

fn request(method: &str, params: &Value) -> Vec<u8> {
    let mut params = params.clone();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}
    });
    line(json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
}

fn line(message: Value) -> Vec<u8> {
    format!("{message}\n").into_bytes()
}

fn start() -> Child {
    Command::new(MM)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// One request, one answer, one process.
fn modern(request: &[u8]) -> u64 {
    let mut child = start();
    child.stdin.as_mut().unwrap().write_all(request).unwrap();
    let mut answer = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut answer).unwrap();
    assert!(answer.contains("\"complete\""), "{answer}");
    let kilobytes = peak(&child);
    drop(child.stdin.take());
    child.wait().unwrap();
    kilobytes
}

fn handshake_and_call() -> u64 {
    let mut child = start();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut answer = String::new();
    stdin
        .write_all(&line(
            json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "bench", "version": "1"}}}),
        ))
        .unwrap();
    stdout.read_line(&mut answer).unwrap();
    stdin
        .write_all(&line(
            json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        ))
        .unwrap();
    stdin
        .write_all(&line(
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "run",
            "arguments": {"connection": "contoso", "module": "exo", "command": "1+1"}}}),
        ))
        .unwrap();
    stdout.read_line(&mut answer).unwrap();
    assert!(answer.contains("\"success\""), "{answer}");
    let kilobytes = peak(&child);
    drop(stdin);
    child.wait().unwrap();
    kilobytes
}

/// From the end of standard input to the end of the process.
fn end_after(request: &[u8], wait_for_answer: bool) -> Duration {
    let mut child = start();
    child.stdin.as_mut().unwrap().write_all(request).unwrap();
    if wait_for_answer {
        let mut answer = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut answer)
            .unwrap();
    } else {
        std::thread::sleep(Duration::from_millis(30));
    }
    let begun = Instant::now();
    drop(child.stdin.take());
    child.wait().unwrap();
    begun.elapsed()
}

fn nine_megabytes() -> u64 {
    let mut child = Command::new(MM)
        .args([
            "run",
            "contoso",
            "exo",
            "1..200000 | % { \"a line of some output, which is number $_\" }",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (mut bytes, mut kilobytes) = (0, 0);
    let mut buffer = [0; 1 << 16];
    loop {
        let read = stdout.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        bytes += read;
        kilobytes = kilobytes.max(peak(&child));
    }
    assert!(child.wait().unwrap().success());
    assert!(bytes > 8_500_000, "{bytes}");
    kilobytes
}

/// The most memory a process had, in KB; 0 where the system does not tell.
fn peak(child: &Child) -> u64 {
    std::fs::read_to_string(format!("/proc/{}/status", child.id()))
        .unwrap_or_default()
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .trim()
                .strip_suffix(" kB")?
                .trim()
                .parse()
                .ok()
        })
        .unwrap_or(0)
}
