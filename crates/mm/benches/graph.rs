//! What Microsoft Graph through `mm` costs, beside curl and a bare reqwest loop, against the demo's
//! Graph in this process: `cargo bench -p mm --bench graph`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use session_pool::demo::cloud::{CloudServer, DemoCloud};
use session_pool::demo::registry;

const MM: &str = env!("CARGO_BIN_EXE_mm");
const ROUNDS: usize = 100;
const PEOPLE: usize = 10_000;

fn main() -> ExitCode {
    // `cargo test --benches` only has to see that this compiles.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let home = tempfile::tempdir().unwrap();
    let cloud = serve(home.path());
    cloud.sign_in_after(Duration::ZERO);
    let signed_in = mm(home.path(), &["sign-in", "contoso"]).status().unwrap();
    assert!(signed_in.success());
    let token = token(home.path());
    let base = cloud.registry_value()["graph"].as_str().unwrap().to_owned();

    println!("| | median | 90 % |\n|---|---|---|");
    let url = format!("{base}/v1.0/me");
    let (mut curls, mut calls) = (Vec::new(), Vec::new());
    // In turn, so that a busy moment of the machine meets both.
    for _ in 0..ROUNDS {
        curls.push(timed(|| curl(&url, &token)));
        calls.push(timed(|| {
            let mut call = mm(home.path(), &["graph", "contoso", "/me"]);
            assert!(call.stdout(Stdio::null()).status().unwrap().success());
        }));
    }
    let curl = print("GET /me by curl", curls);
    let call = print("GET /me by `mm graph`, one process a call", calls);
    println!(
        "\n`mm graph` above curl: {:.1} ms (at most 20)\n",
        (call - curl) * 1000.0
    );

    let (mut loops, mut reads, mut memory) = (Vec::new(), Vec::new(), 0);
    println!("| | median | 90 % |\n|---|---|---|");
    for _ in 0..10 {
        loops.push(timed(|| bare_loop(&base, &token)));
        let mut text = Vec::new();
        reads.push(timed(|| {
            memory = memory.max(all_pages(home.path(), &mut text));
        }));
        let users: Vec<Value> = serde_json::from_slice(&text).unwrap();
        assert_eq!(users.len(), PEOPLE);
    }
    let bare = print("10,000 users by a bare reqwest loop", loops);
    let read = print("10,000 users by `mm graph --all-pages`", reads);
    let megabytes = memory as f64 / 1024.0;
    let ratio = read / bare;
    println!("\nratio {ratio:.2} (at most 1.3), {megabytes:.1} MB (under 60)");
    if call - curl > 0.020 || ratio > 1.3 || megabytes >= 60.0 {
        println!("a promise is broken");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn serve(home: &Path) -> DemoCloud {
    let server = CloudServer::with_people(Some(PEOPLE - 1)).unwrap();
    let cloud = server.cloud();
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(server.serve());
    });
    let text = registry::registry_json(&cloud.registry_value()).unwrap();
    std::fs::write(home.join(".m365-connections.json"), text).unwrap();
    cloud
}

fn mm(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(MM);
    command
        .env_clear()
        .env("HOME", home)
        .args(arguments)
        .stderr(Stdio::null());
    command
}

fn token(home: &Path) -> String {
    let cache = std::fs::read(home.join(".mm-graph-tokens/contoso.json")).unwrap();
    let cache: Value = serde_json::from_slice(&cache).unwrap();
    let tokens = cache["AccessToken"].as_object().unwrap();
    let token = tokens.values().next().unwrap();
    token["secret"].as_str().unwrap().to_owned()
}

fn curl(url: &str, token: &str) {
    let output = Command::new("curl")
        .args(["-s", "-H"])
        .arg(format!("Authorization: Bearer {token}"))
        .arg(url)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("displayName"));
}

/// What a script would do: follow the next links, and keep the items.
fn bare_loop(base: &str, token: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let users = runtime.block_on(async {
        let client = reqwest::Client::new();
        let mut users = Vec::new();
        let mut next = Some(format!("{base}/v1.0/users?$top=999"));
        while let Some(url) = next {
            let answer = client
                .get(&url)
                .header("Authorization", format!("Bearer {token}"));
            let bytes = answer.send().await.unwrap().bytes().await.unwrap();
            let mut page: Value = serde_json::from_slice(&bytes).unwrap();
            users.append(page["value"].as_array_mut().unwrap());
            next = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        users
    });
    assert_eq!(users.len(), PEOPLE);
}

/// Answers with the most memory that the process had, in KB.
fn all_pages(home: &Path, text: &mut Vec<u8>) -> u64 {
    let endpoint = "/users?$top=999";
    let mut child = mm(
        home,
        &[
            "graph",
            "contoso",
            endpoint,
            "--all-pages",
            "--max-items",
            "20000",
        ],
    )
    .stdout(Stdio::piped())
    .spawn()
    .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut memory = 0;
    let mut buffer = vec![0; 1 << 18];
    loop {
        // Once it writes, it has everything.
        let read = stdout.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        memory = memory.max(peak(&child));
        text.extend_from_slice(&buffer[..read]);
    }
    assert!(child.wait().unwrap().success());
    memory
}

/// 0 where the system does not tell.
fn peak(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    status
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

fn timed(run: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    run();
    begun.elapsed().as_secs_f64()
}

/// Prints a line of the table; answers with the median in seconds.
fn print(name: &str, mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    let at = |percent: usize| seconds[(seconds.len() - 1) * percent / 100];
    println!(
        "| {name} | {:.1} ms | {:.1} ms |",
        at(50) * 1000.0,
        at(90) * 1000.0
    );
    at(50)
}
