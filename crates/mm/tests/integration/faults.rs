//! What a pool can do wrong, and what is told then.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Case;
use crate::client::{Client, Home, text};
use crate::stand_in::StandIn;

pub const CASES: &[Case] = &[
    ("a_pool_that_is_down", down),
    ("a_token_that_is_missing", no_token),
    ("a_token_that_is_wrong", wrong_token),
    ("a_token_that_comes_later", later_token),
    ("a_token_that_is_not_sent_in_the_clear", token_in_the_clear),
    ("something_else_that_answers", something_else),
    ("a_connection_that_breaks_off", breaks_off),
    ("an_address_that_is_none", bad_address),
    ("a_pool_that_says_nothing", silent),
    ("a_pool_that_stops_in_its_answer", stops),
    ("a_registration_with_a_wrong_value_is_refused", bad_guards),
    ("the_flag_that_is_wrong_is_named", bad_flag),
    (
        "a_doctor_tells_programs_too_what_is_configured_wrongly",
        bad_doctor,
    ),
    ("an_empty_variable_is_as_good_as_none", empty_variable),
    #[cfg(target_os = "linux")]
    ("a_certificate_that_is_trusted_or_not", certificate),
];

fn call(home: &Home) -> Value {
    let result = Client::start(home).call(
        "run",
        json!({"connection": "Contoso", "module": "exo", "command": "1+1"}),
    );
    assert_eq!(result["isError"], true, "{result}");
    assert!(
        text(&result).starts_with("Connection: Contoso | tenant: "),
        "{result}"
    );
    result
}

fn tells(home: &Home, code: &str, parts: &[&str]) {
    let result = call(home);
    assert_eq!(result["structuredContent"]["code"], code, "{result}");
    for part in parts {
        assert!(text(&result).contains(part), "{part}: {result}");
    }
}

fn bad_guards() {
    let home = Home::new("http://127.0.0.1:1");
    let mut command = home.command();
    command
        .env("MM_SEND_GUARDS", "perhaps")
        .args(["config", "claude"]);
    let done = command.output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(64), "{said}");
    assert!(said.contains("MM_SEND_GUARDS"), "{said}");
}

fn bad_flag() {
    let done = Home::new("http://127.0.0.1:1").shell(&["--pool-url", "nonsense", "run"]);
    assert_eq!(done.code, 64, "{done:?}");
    assert!(
        done.stderr.contains("--pool-url cannot be \"nonsense\""),
        "{done:?}"
    );
    assert!(!done.stderr.contains("MM_SESSION_POOL_URL"), "{done:?}");
}

fn bad_doctor() {
    let done = Home::new("nonsense").shell(&["doctor", "--json"]);
    assert_eq!(done.code, 64, "{done:?}");
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(report["ok"], false, "{report}");
    let findings = report.to_string();
    for part in ["configuration", "MM_SESSION_POOL_URL", "registry"] {
        assert!(findings.contains(part), "{part}: {findings}");
    }
}

fn empty_variable() {
    let home = Home::new("http://127.0.0.1:1");
    let mut command = home.command();
    command.env("MM_FILES_DIR", "").args(["config", "claude"]);
    let done = command.output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(0), "{said}");
    assert!(!said.contains("MM_FILES_DIR"), "{said}");
}

fn down() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{free}");
    let home = Home::new(&url);
    tells(
        &home,
        "pool_unreachable",
        &[
            &url,
            "nothing was run",
            "session-pool serve",
            "session-pool demo",
            "MM_SESSION_POOL_URL",
        ],
    );
    let log = home.log();
    assert_eq!(log[0]["status"], "pool_unreachable", "{log:?}");
}

fn no_token() {
    let pool = StandIn::start();
    let home = Home::without_token(&pool.url);
    tells(
        &home,
        "unauthorized",
        &["pool.token does not exist", "SESSION_POOL_STATE_DIR"],
    );
}

fn wrong_token() {
    let pool = StandIn::start();
    let home = Home::without_token(&pool.url);
    home.write_token("another-secret");
    tells(
        &home,
        "unauthorized",
        &["is not its token", "SESSION_POOL_TOKEN_FILE"],
    );
    assert!(!call(&home).to_string().contains("another-secret"));
    home.write_token("two words");
    tells(&home, "token_unreadable", &["pool.token"]);
}

fn later_token() {
    let pool = StandIn::start();
    let home = Home::without_token(&pool.url);
    let mut client = Client::start(&home);
    assert_eq!(client.call("run", json!({}))["isError"], true);
    home.write_token(crate::stand_in::TOKEN);
    assert_eq!(client.call("run", json!({}))["isError"], false);
}

/// The address 0.0.0.0 leads to this machine, but does not say so.
fn token_in_the_clear() {
    let pool = StandIn::on("0.0.0.0");
    let home = Home::new(&pool.url);
    tells(
        &home,
        "unauthorized",
        &["It was not sent", "MM_TOKEN_OVER_HTTP"],
    );
    assert!(
        pool.seen()
            .iter()
            .all(|seen| !seen.headers.contains_key("authorization"))
    );
    let mut command = home.command();
    command.env("MM_TOKEN_OVER_HTTP", "true");
    let result = Client::spawn(command).call("run", json!({}));
    assert_eq!(result["isError"], false);
}

/// Answers every connection with these bytes, after the request has begun to arrive.
fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(bytes);
        }
    });
    url
}

fn something_else() {
    for bytes in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nlocation: http://example.com\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 4\r\n\r\n<a/>",
    ] {
        let home = Home::new(&answering(bytes));
        tells(&home, "not_a_pool", &["is not a session pool"]);
    }
}

fn breaks_off() {
    for bytes in [
        &b""[..],
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"status\":",
    ] {
        let home = Home::new(&answering(bytes));
        tells(
            &home,
            "connection_lost",
            &["is not known.", "Call `job` without arguments"],
        );
    }
}

fn bad_address() {
    let home = Home::new("localhost:5200");
    tells(
        &home,
        "bad_configuration",
        &["MM_SESSION_POOL_URL", "http://"],
    );
}

/// Takes 15 s: that is how long a pool is waited for.
fn silent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::new(&format!("http://{}", listener.local_addr().unwrap()));
    tells(
        &home,
        "pool_silent",
        &["did not answer within 15 s", "is not known"],
    );
}

/// The same patience holds for the answer's head and its body together.
fn stops() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::new(&format!("http://{}", listener.local_addr().unwrap()));
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        std::thread::sleep(Duration::from_secs(8));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
        std::thread::sleep(Duration::from_secs(9));
        let _ = stream.write_all(b"{}");
    });
    tells(&home, "pool_silent", &["did not answer within 15 s"]);
}

/// Elsewhere than on Linux the trusted certificates are the system's, not a file's.
#[cfg(target_os = "linux")]
fn certificate() {
    let pool = StandIn::start();
    let (url, certificate) = pool.over_tls();
    let home = Home::new(&url);
    tells(&home, "pool_unreachable", &[&url, "ertificate"]);
    assert!(pool.seen().is_empty());
    let file = home.directory.path().join("certificate.pem");
    std::fs::write(&file, certificate).unwrap();
    let mut command = home.command();
    command.env("SSL_CERT_FILE", &file);
    let result = Client::spawn(command).call("run", json!({}));
    assert_eq!(result["isError"], false, "{result}");
}
