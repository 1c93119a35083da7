//! How a server ends, and what becomes of its calls.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Case;
use crate::client::{Client, Home, LEGACY, MODERN, meta};
use crate::stand_in::StandIn;

pub const CASES: &[Case] = &[
    ("the_end_of_input_ends_it_at_once", end_of_input),
    ("a_call_in_flight_is_let_go", lets_go),
    (
        "a_quick_call_is_answered_after_the_end_of_input",
        quick_call,
    ),
    ("a_signal_lets_go_too", signal),
    ("a_killed_server_loses_no_job", killed),
    ("cancelling_cancels_the_job", cancelling),
    (
        "cancelling_and_hanging_up_cancels_the_job",
        cancel_and_hang_up,
    ),
    (
        "cancelling_a_call_that_does_not_wait_cancels_its_job_too",
        cancelled_early,
    ),
    ("cancelling_a_look_at_a_job_lets_it_go_on", cancelled_look),
    ("progress_rises_until_the_answer", progress),
    ("it_answers_like_mcpjungle_calls", mcpjungle),
    ("malformed_input_is_survived_at_every_step", malformed),
    ("closed_output_and_error_are_survived", closed_streams),
    ("sockets_are_as_good_as_pipes", sockets),
    ("an_answer_that_is_stuck_hides_no_end", stuck),
];

/// What the end of input may take on a machine however busy; the bench has the true number. A call
/// that is waited for takes 45 s.
const AT_ONCE: Duration = Duration::from_secs(10);

fn hang(client: &mut Client, meta: Option<Value>) -> u64 {
    let mut params = json!({"name": "run", "arguments": {"connection": "Contoso", "module": "exo", "command": "hang"}});
    if let Some(meta) = meta {
        params["_meta"] = meta;
    }
    client.send("tools/call", params)
}

fn ends_at_once(client: &mut Client) {
    client.close_stdin();
    let (status, time) = client.wait();
    assert_eq!(status.code(), Some(0));
    assert!(time < AT_ONCE, "{time:?}");
}

fn end_of_input() {
    let home = Home::new("http://127.0.0.1:1");
    ends_at_once(&mut Client::start(&home));
    for version in LEGACY {
        ends_at_once(&mut Client::legacy(&home, version));
    }
    let mut client = Client::start(&home);
    client.request("server/discover", json!({"_meta": meta(&json!({}))}));
    ends_at_once(&mut client);
    let mut client = Client::start(&home);
    client.notify("notifications/initialized", json!({}));
    ends_at_once(&mut client);
}

fn lets_go() {
    for meta in [None, Some(meta(&json!({})))] {
        let pool = StandIn::start();
        let home = Home::new(&pool.url);
        let mut client = match meta {
            None => Client::legacy(&home, "2025-06-18"),
            Some(_) => Client::start(&home),
        };
        hang(&mut client, meta);
        let id = pool.wait_for_job();
        pool.wait_for_request("GET /jobs/");
        ends_at_once(&mut client);
        assert_eq!(pool.state(&id), "running");
        assert!(
            !pool
                .seen()
                .iter()
                .any(|seen| seen.line.starts_with("DELETE"))
        );
        let log = home.log();
        assert_eq!(log[0]["status"], "let_go", "{log:?}");
    }
}

fn quick_call() {
    let pool = StandIn::start();
    let mut client = Client::start(&Home::new(&pool.url));
    let params = client.params(
        "run",
        json!({"connection": "Contoso", "module": "exo", "command": "1+1"}),
    );
    let id = client.send("tools/call", params);
    client.close_stdin();
    assert_eq!(
        client.answer(id)["result"]["structuredContent"]["output"],
        "2\n"
    );
}

#[cfg(unix)]
fn signal() {
    for name in ["TERM", "INT"] {
        let pool = StandIn::start();
        let mut client = Client::start(&Home::new(&pool.url));
        hang(&mut client, Some(meta(&json!({}))));
        let id = pool.wait_for_job();
        pool.wait_for_request("GET /jobs/");
        let done = std::process::Command::new("kill")
            .args([format!("-{name}"), client.child.id().to_string()])
            .status()
            .unwrap();
        assert!(done.success());
        let (status, time) = client.wait();
        assert_eq!(status.code(), Some(0), "{name}");
        assert!(time < AT_ONCE, "{time:?}");
        assert_eq!(pool.state(&id), "running");
    }
}

#[cfg(not(unix))]
fn signal() {}

fn killed() {
    let pool = StandIn::start();
    let mut client = Client::start(&Home::new(&pool.url));
    hang(&mut client, Some(meta(&json!({}))));
    let id = pool.wait_for_job();
    client.child.kill().unwrap();
    client.wait();
    assert_eq!(pool.state(&id), "running");
}

fn cancelling() {
    for version in LEGACY.into_iter().chain([MODERN]) {
        let pool = StandIn::start();
        let home = Home::new(&pool.url);
        let mut client = Client::start(&home);
        let mut meta = Some(meta(&json!({})));
        if version != MODERN {
            client.handshake(version);
            meta = None;
        }
        let request = hang(&mut client, meta);
        let id = pool.wait_for_job();
        client.notify("notifications/cancelled", json!({"requestId": request}));
        pool.wait_for_state(&id, "cancelled");
    }
}

fn cancel_and_hang_up() {
    let pool = StandIn::start();
    let mut client = Client::start(&Home::new(&pool.url));
    let request = hang(&mut client, Some(meta(&json!({}))));
    let id = pool.wait_for_job();
    pool.wait_for_request("GET /jobs/");
    client.notify("notifications/cancelled", json!({"requestId": request}));
    ends_at_once(&mut client);
    pool.wait_for_state(&id, "cancelled");
}

/// The pool has not yet named the job.
fn cancelled_early() {
    for wait_seconds in [0, 45] {
        let pool = StandIn::start();
        let mut client = Client::start(&Home::new(&pool.url));
        let params = client.params(
            "run",
            json!({"connection": "Contoso", "module": "exo", "command": "slow", "wait_seconds": wait_seconds}),
        );
        let request = client.send("tools/call", params);
        pool.wait_for_request("POST /run");
        client.notify("notifications/cancelled", json!({"requestId": request}));
        // Answered after the notification was read.
        client.request("tools/list", json!({"_meta": meta(&json!({}))}));
        pool.release();
        let id = pool.wait_for_job();
        pool.wait_for_state(&id, "cancelled");
    }
}

fn cancelled_look() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let mut first = Client::start(&home);
    hang(&mut first, Some(meta(&json!({}))));
    let id = pool.wait_for_job();
    let mut client = Client::start(&home);
    let params = client.params("job", json!({"id": id}));
    let request = client.send("tools/call", params);
    pool.wait_for_request(&format!("GET /jobs/{id}?wait_seconds=45"));
    client.notify("notifications/cancelled", json!({"requestId": request}));
    client.request("tools/list", json!({"_meta": meta(&json!({}))}));
    ends_at_once(&mut client);
    assert_eq!(pool.state(&id), "running");
}

fn progress() {
    for version in ["2025-03-26", MODERN] {
        let pool = StandIn::start();
        let mut client = Client::start(&Home::new(&pool.url));
        let mut meta = meta(&json!({}));
        if version != MODERN {
            client.handshake(version);
            meta = json!({});
        }
        meta["progressToken"] = json!("token");
        let request = client.send(
            "tools/call",
            json!({"name": "run", "arguments": {"connection": "Contoso", "module": "exo", "command": "progress"}, "_meta": meta}),
        );
        let mut last = 0.0;
        for _ in 0..2 {
            let heard = client.receive();
            assert_eq!(heard["method"], "notifications/progress", "{heard}");
            assert_eq!(heard["params"]["progressToken"], "token");
            assert_eq!(heard["params"]["message"], "Reading: mailboxes (40 %)");
            assert_eq!(heard["params"]["total"], 100.0);
            let value = heard["params"]["progress"].as_f64().unwrap();
            assert!(value > last, "{value} after {last}");
            last = value;
        }
        pool.finish(&pool.wait_for_job(), "succeeded", "done\n");
        let answer = client.answer(request);
        assert_eq!(answer["result"]["structuredContent"]["output"], "done\n");
        client.close_stdin();
        client.wait();
        assert!(client.is_silent(), "a notification after the answer");
    }
}

/// A process a call, the older era, no capabilities; when the caller has what it wants or gives
/// up, standard input and standard error are closed without a word.
fn mcpjungle() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut client = Client::legacy(&home, version);
        let result = client.call(
            "run",
            json!({"connection": "Contoso", "module": "exo", "command": "1+1"}),
        );
        assert!(crate::client::text(&result).ends_with("\n2\n"));
        drop(client.child.stderr.take());
        ends_at_once(&mut client);

        let mut client = Client::legacy(&home, version);
        hang(&mut client, None);
        pool.wait_for_request("GET /jobs/");
        client.close_stdin();
        drop(client.child.stderr.take());
        let (status, time) = client.wait();
        assert_eq!(status.code(), Some(0));
        assert!(time < AT_ONCE, "{time:?}");
    }
}

/// The code and the id of an error, where one is told.
type Told = Option<(i32, Value)>;

fn malformed() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let mut huge = br#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":""#.to_vec();
    huge.resize(17 << 20, b'x');
    // Each with what answers it: an error's code and id, or nothing.
    let lines: [(&[u8], Told); 13] = [
        (b"", None),
        (b"garbage", Some((-32700, Value::Null))),
        (b"{", Some((-32700, Value::Null))),
        (b"\xff\xfe\x00", Some((-32700, Value::Null))),
        (b"[]", Some((-32600, Value::Null))),
        (b"{}", Some((-32600, Value::Null))),
        (b"null", Some((-32600, Value::Null))),
        (
            br#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
            Some((-32600, json!(1))),
        ),
        (
            br#"{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}"#,
            Some((-32600, Value::Null)),
        ),
        (
            br#"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":[1]}"#,
            Some((-32602, json!("x"))),
        ),
        (
            br#"{"jsonrpc":"2.0","id":"y","method":"tools/call","params":{"name":"run","_meta":1}}"#,
            Some((-32602, json!("y"))),
        ),
        (br#"{"jsonrpc":"2.0","error":{"code":-32700}}"#, None),
        (&huge, Some((-32600, Value::Null))),
    ];
    let upset = |client: &mut Client, (line, error): &(&[u8], Told)| {
        client.raw(line);
        if let Some((code, id)) = error {
            let answer = client.receive();
            assert_eq!(answer["error"]["code"], *code, "{answer}");
            assert_eq!(answer.get("id"), Some(id), "{answer}");
        }
    };
    for line in &lines {
        // Before anything, after discover, and in a session of the older era.
        let mut client = Client::start(&home);
        upset(&mut client, line);
        client.request("server/discover", json!({"_meta": meta(&json!({}))}));
        upset(&mut client, line);
        let result = client.call(
            "run",
            json!({"connection": "Contoso", "module": "exo", "command": "1+1"}),
        );
        assert_eq!(result["isError"], false);
        upset(&mut client, line);
        ends_at_once(&mut client);

        let mut client = Client::legacy(&home, "2025-06-18");
        upset(&mut client, line);
        let answer = client.request("tools/list", json!({}));
        assert!(answer["result"]["tools"].is_array());
        ends_at_once(&mut client);
    }
    // While a call waits, too: neither the call nor its answer is lost.
    for (number, line) in lines.iter().enumerate() {
        let mut client = Client::start(&home);
        let request = hang(&mut client, Some(meta(&json!({}))));
        let id = pool.wait_for_another_job(number + 1 + lines.len());
        upset(&mut client, line);
        pool.finish(&id, "succeeded", "at last\n");
        let answer = client.answer(request);
        assert_eq!(answer["result"]["structuredContent"]["output"], "at last\n");
    }
}

fn closed_streams() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    // Standard error closed from the start, and then a call that logs.
    let mut command = home.command();
    command.env("SESSION_POOL_LOG_DIR", "/proc/none");
    let mut client = Client::spawn(command);
    drop(client.child.stderr.take());
    let result = client.call("run", json!({}));
    assert_eq!(result["isError"], false);
    ends_at_once(&mut client);
    // Nobody reads standard output.
    let mut child = home
        .command()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let line = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta(&json!({}))}});
    use std::io::Write;
    let mut stdin = child.stdin.take().unwrap();
    let _ = writeln!(stdin, "{line}");
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Nobody reads standard output, and errors are among what waits there.
fn stuck() {
    use std::io::{Read, Write};
    let home = Home::new("http://127.0.0.1:1");
    for (number, garbage) in (1..).zip(["", "garbage\n", "garbage\n{}\n[]\n"]) {
        let mut child = home
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        for id in 1..=40 {
            let params = json!({"_meta": meta(&json!({}))});
            let line =
                json!({"jsonrpc": "2.0", "id": id, "method": "tools/list", "params": params});
            writeln!(stdin, "{line}").unwrap();
        }
        // The answers are on their way, and fill the pipe.
        stdout.read_exact(&mut [0]).unwrap();
        stdin.write_all(garbage.as_bytes()).unwrap();
        drop(stdin);
        let (ended, end) = std::sync::mpsc::channel();
        std::thread::spawn(move || ended.send(child.wait().unwrap().code()));
        let code = end.recv_timeout(Duration::from_secs(20));
        assert_eq!(code, Ok(Some(0)), "{number}");
        drop(stdout);
    }
}

/// Node gives its children sockets for standard input and output.
#[cfg(unix)]
fn sockets() {
    use std::io::{BufRead, BufReader, Write};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    for signal in [false, true] {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let input = OwnedFd::from(theirs.try_clone().unwrap());
        let mut child = home
            .command()
            .stdin(input)
            .stdout(OwnedFd::from(theirs))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let line = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "run", "arguments": {}, "_meta": meta(&json!({}))}});
        writeln!(&ours, "{line}").unwrap();
        let mut answer = String::new();
        BufReader::new(&ours).read_line(&mut answer).unwrap();
        assert!(answer.contains("Contoso"), "{answer}");
        if signal {
            std::process::Command::new("kill")
                .args(["-TERM", &child.id().to_string()])
                .status()
                .unwrap();
        } else {
            ours.shutdown(std::net::Shutdown::Both).unwrap();
        }
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[cfg(not(unix))]
fn sockets() {}
