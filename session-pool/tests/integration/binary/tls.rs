//! TLS, by a router: it needs no PowerShell, and serves as the pool does.

use std::path::Path;

use rcgen::CertifiedKey;
use reqwest::{Certificate, Client};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;

use crate::support::{Context, Needs, Suite, add, outcome, session_pool};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            a_new_certificate_is_taken_over_without_a_restart,
            files_that_cannot_be_used_end_the_start
        ]
    );
}

/// Puts a fresh certificate and its key into place, each at once, and returns the certificate.
fn renew(directory: &Path) -> String {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for (name, text) in [
        ("key.pem", signing_key.serialize_pem()),
        ("cert.pem", cert.pem()),
    ] {
        let fresh = directory.join(format!("{name}.new"));
        std::fs::write(&fresh, text).unwrap();
        std::fs::rename(fresh, directory.join(name)).unwrap();
    }
    cert.pem()
}

/// Whether it answers somebody who trusts this certificate and no other.
async fn answers(port: &str, certificate: &str) -> bool {
    let trusted = Certificate::from_pem(certificate.as_bytes()).unwrap();
    let client = Client::builder()
        .no_proxy()
        .tls_certs_only([trusted])
        .build()
        .unwrap();
    let url = format!("https://localhost:{port}/health");
    let answer = client.get(url).send().await;
    answer.is_ok_and(|answer| answer.status() == 200)
}

async fn until_it_answers(port: &str, certificate: &str) {
    // The test's own time limit ends this.
    while !answers(port, certificate).await {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

async fn start(cx: &Context) -> (Child, String) {
    let mut command = session_pool(cx, &["router", "--port", "0"]);
    command
        .env("SESSION_POOL_TLS_CERT", cx.path().join("cert.pem"))
        .env("SESSION_POOL_TLS_KEY", cx.path().join("key.pem"))
        .stderr(std::process::Stdio::inherit());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = loop {
        let line = lines.next_line().await.unwrap().expect("a line of the log");
        if let Some((_, rest)) = line.split_once("127.0.0.1:")
            && line.contains("routing")
        {
            break rest.chars().take_while(char::is_ascii_digit).collect();
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, port)
}

async fn a_new_certificate_is_taken_over_without_a_restart(cx: &Context) {
    let first = renew(cx.path());
    let (mut child, port) = start(cx).await;
    until_it_answers(&port, &first).await;
    let plain = reqwest::get(format!("http://localhost:{port}/health")).await;
    assert!(plain.is_err(), "{plain:?}");

    let mut healthcheck = session_pool(cx, &["healthcheck", "--port", &port]);
    healthcheck.env("SESSION_POOL_TLS_CERT", cx.path().join("cert.pem"));
    let (code, said) = outcome(healthcheck).await;
    assert_eq!(code, 0, "{said}");

    let second = renew(cx.path());
    until_it_answers(&port, &second).await;
    assert!(!answers(&port, &first).await);

    // One that cannot be used changes nothing; a good one behind it is taken.
    std::fs::write(cx.path().join("cert.pem"), "nonsense").unwrap();
    let third = renew(cx.path());
    until_it_answers(&port, &third).await;

    let pid = i32::try_from(child.id().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}

async fn files_that_cannot_be_used_end_the_start(cx: &Context) {
    renew(cx.path());
    let router = |certificate: &str, key: &str| {
        let mut command = session_pool(cx, &["router", "--port", "0"]);
        command
            .env("SESSION_POOL_TLS_CERT", cx.path().join(certificate))
            .env("SESSION_POOL_TLS_KEY", cx.path().join(key));
        command
    };
    for (certificate, key, says) in [
        ("absent.pem", "key.pem", "absent.pem"),
        ("key.pem", "key.pem", "key.pem"),
        ("cert.pem", "cert.pem", "cert.pem"),
    ] {
        let (code, said) = outcome(router(certificate, key)).await;
        assert_eq!(code, 64, "{said}");
        assert!(said.contains("SESSION_POOL_TLS_CERT"), "{said}");
        assert!(said.contains(says), "{said}");
    }
    let key = std::fs::read(cx.path().join("key.pem")).unwrap();
    renew(cx.path());
    std::fs::write(cx.path().join("key.pem"), key).unwrap();
    let (code, said) = outcome(router("cert.pem", "key.pem")).await;
    assert_eq!(code, 64, "{said}");
    assert!(said.contains("do not go together"), "{said}");
}
