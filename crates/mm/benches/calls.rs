//! What a call through `mm` costs beside the same request by curl: `cargo bench --workspace --bench
//! calls [-- --short|--long]`.
//!
//! Starts the demo's pool, the binary beside this one's (`cargo build --release` builds both), or
//! takes the one of MM_SESSION_POOL_URL and SESSION_POOL_STATE_DIR. Ends with 1 where a promise is
//! broken; a number that fails is measured up to three times.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

const MM: &str = env!("CARGO_BIN_EXE_mm");

/// How often a number that fails is measured, all in all.
const ATTEMPTS: usize = 3;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let is_given = |name: &str| arguments.iter().any(|argument| argument == name);
    // `cargo test --benches` only has to see that this compiles.
    if !is_given("--bench") {
        return ExitCode::SUCCESS;
    }
    let rounds = match (is_given("--short"), is_given("--long")) {
        (true, _) => 20,
        (_, true) => 500,
        _ => 100,
    };
    let pool = Pool::find_or_start();
    while pool.curl().contains("auth_required") {
        std::thread::sleep(Duration::from_millis(300));
    }
    println!("| | median | 90 % | peak memory | promise | |\n|---|---|---|---|---|---|");
    let mut all_hold = true;
    for measure in [calls, ends, nine_megabytes] {
        let mut rows = measure(&pool, rounds);
        for _ in 1..ATTEMPTS {
            if rows.iter().all(Row::holds) {
                break;
            }
            rows = measure(&pool, rounds);
        }
        for row in rows {
            row.print();
            all_hold &= row.holds();
        }
    }
    match all_hold {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// One process a call: start, `1+1` in two eras, and what they are measured against.
fn calls(pool: &Pool, rounds: usize) -> Vec<Row> {
    let list = request("tools/list", &json!({}));
    let call = run("1+1");
    let [mut bare, mut started, mut curled, mut called, mut legacy] =
        std::array::from_fn(|_| Series::default());
    // In turn, so that a busy moment of the machine meets all of them.
    for _ in 0..rounds {
        bare.add(|| {
            Command::new("true").status().unwrap();
            0
        });
        started.add(|| modern(pool, &list));
        curled.add(|| {
            assert!(pool.curl().contains("success"));
            0
        });
        called.add(|| modern(pool, &call));
        legacy.add(|| handshake_and_call(pool));
    }
    let first = Duration::from_millis(10).max(bare.median() * 5);
    let beside_curl = curled.median() + Duration::from_millis(15);
    vec![
        bare.row("starting `true`, for comparison"),
        started
            .row("start of `mm` to the answer of tools/list")
            .within(first, "10 ms, or 5 x `true`")
            .below_megabytes(15),
        curled.row("/run of 1+1 by curl, one process a call"),
        called
            .row("run of 1+1 by `mm`, 2026-07-28, one process a call")
            .within(beside_curl, "curl + 15 ms"),
        legacy
            .row("run of 1+1 by `mm`, 2025-06-18, one process a call")
            .within(beside_curl, "curl + 15 ms"),
    ]
}

/// From the end of standard input to the end of the process.
fn ends(pool: &Pool, rounds: usize) -> Vec<Row> {
    let list = request("tools/list", &json!({}));
    let sleeping = run("Start-Sleep 0.2");
    let [mut idle, mut in_flight] = std::array::from_fn(|_| Series::default());
    for _ in 0..rounds / 10 {
        idle.times.push(end_after(pool, &list, true));
        in_flight.times.push(end_after(pool, &sleeping, false));
    }
    let limit = Duration::from_millis(100);
    vec![
        idle.row("end of stdin to exit, idle")
            .within(limit, "100 ms"),
        in_flight
            .row("end of stdin to exit, a call in flight")
            .within(limit, "100 ms"),
    ]
}

fn nine_megabytes(pool: &Pool, _: usize) -> Vec<Row> {
    let mut streamed = Series::default();
    streamed.add(|| stream(pool));
    vec![
        streamed
            .row("`mm run` of 9 MB of output")
            .below_megabytes(20),
    ]
}

/// Times, and the most memory of a process, in KB.
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

    fn median(&self) -> Duration {
        self.at(50)
    }

    fn at(&self, percent: usize) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times[(times.len() - 1) * percent / 100]
    }

    fn row(self, name: &'static str) -> Row {
        Row {
            name,
            series: self,
            promises: Vec::new(),
        }
    }
}

/// A row of the table: what was measured, and each promise with whether it holds.
struct Row {
    name: &'static str,
    series: Series,
    promises: Vec<(String, bool)>,
}

impl Row {
    fn within(mut self, limit: Duration, words: &str) -> Self {
        let holds = self.series.median() <= limit;
        self.promises.push((format!("at most {words}"), holds));
        self
    }

    fn below_megabytes(mut self, limit: u64) -> Self {
        let holds = self.series.kilobytes < limit * 1024;
        self.promises.push((format!("under {limit} MB"), holds));
        self
    }

    fn holds(&self) -> bool {
        self.promises.iter().all(|(_, holds)| *holds)
    }

    fn print(&self) {
        let memory = match self.series.kilobytes {
            0 => String::new(),
            kilobytes => format!("{:.1} MB", kilobytes as f64 / 1024.0),
        };
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        let promises: Vec<&str> = self.promises.iter().map(|(words, _)| &**words).collect();
        println!(
            "| {} | {:.1} ms | {:.1} ms | {memory} | {} | {} |",
            self.name,
            milliseconds(self.series.median()),
            milliseconds(self.series.at(90)),
            promises.join(", "),
            match (promises.is_empty(), self.holds()) {
                (true, _) => "",
                (_, true) => "ok",
                (_, false) => "BROKEN",
            }
        );
    }
}

/// A pool that runs, and the process where it was started here.
struct Pool {
    url: String,
    state: PathBuf,
    started: Option<(Child, TempDir)>,
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some((child, _)) = &mut self.started {
            // The end of its life line ends its PowerShell processes too.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Pool {
    fn find_or_start() -> Self {
        if let Ok(url) = std::env::var("MM_SESSION_POOL_URL") {
            let state = std::env::var_os("SESSION_POOL_STATE_DIR")
                .expect("set SESSION_POOL_STATE_DIR too")
                .into();
            let started = None;
            return Self {
                url,
                state,
                started,
            };
        }
        let binary = Path::new(MM).with_file_name("session-pool");
        assert!(
            binary.exists(),
            "build {} first: cargo build --release",
            binary.display()
        );
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new(binary)
            .args(["demo", "--auto-sign-in", "0", "--port", "0", "--no-install"])
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .find_map(|line| {
                let line = line.ok()?;
                let (_, url) = line.split_once("MM_SESSION_POOL_URL=")?;
                Some(url.trim().to_owned())
            })
            .expect("the demo does not start");
        // It goes on writing; nobody is to close that pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            url,
            state: home.path().join(".m365-demo/state"),
            started: Some((child, home)),
        }
    }

    fn curl(&self) -> String {
        let token = std::fs::read_to_string(self.state.join("pool.token")).unwrap();
        let output = Command::new("curl")
            .args(["-s", "-H", "Content-Type: application/json", "-H"])
            .arg(format!("Authorization: Bearer {}", token.trim()))
            .args([
                "-d",
                r#"{"connection":"contoso","module":"exo","command":"1+1"}"#,
            ])
            .arg(format!("{}/run", self.url))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn mm(&self) -> Command {
        let mut command = Command::new(MM);
        command
            .env("MM_SESSION_POOL_URL", &self.url)
            .env("SESSION_POOL_STATE_DIR", &self.state)
            .env("SESSION_POOL_LOG_DIR", self.state.join("mm-logs"));
        command
    }

    fn serve(&self) -> Child {
        self.mm()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

fn run(command: &str) -> Vec<u8> {
    request(
        "tools/call",
        &json!({"name": "run", "arguments": {"connection": "contoso", "module": "exo", "command": command}}),
    )
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

/// One request, one answer, one process.
fn modern(pool: &Pool, request: &[u8]) -> u64 {
    let mut child = pool.serve();
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

fn handshake_and_call(pool: &Pool) -> u64 {
    let mut child = pool.serve();
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

fn end_after(pool: &Pool, request: &[u8], wait_for_answer: bool) -> Duration {
    let mut child = pool.serve();
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

fn stream(pool: &Pool) -> u64 {
    let mut child = pool
        .mm()
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
