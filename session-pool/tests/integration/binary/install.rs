//! `install-pwsh` from a server on loopback.

use std::io::Write as _;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{Context, Needs, Suite, add, outcome, session_pool};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            a_tarball_is_fetched_verified_and_installed,
            a_wrong_digest_installs_nothing,
            an_interrupted_download_installs_nothing,
            a_damaged_archive_is_named,
            another_scheme_is_refused
        ]
    );
}

fn tarball() -> Vec<u8> {
    let script = b"#!/bin/sh\necho PowerShell 7.6.1\n";
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let mut header = tar::Header::new_gnu();
    header.set_size(script.len() as u64);
    header.set_mode(0o644);
    header.set_cksum();
    archive
        .append_data(&mut header, "pwsh", &script[..])
        .unwrap();
    archive.into_inner().unwrap().finish().unwrap()
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Serves the bytes to one request and says they are this many; returns the URL.
async fn serve(bytes: Vec<u8>, promised: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/pwsh.tar.gz", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let _request = client.read(&mut [0; 4096]).await.unwrap();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {promised}\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        client.write_all(&bytes).await.unwrap();
        client.shutdown().await.unwrap();
    });
    url
}

async fn install(cx: &Context, from: &str, sha256: &str) -> (i32, String, PathBuf) {
    let to = cx.path().join("powershell");
    let to_text = to.to_str().unwrap();
    let command = session_pool(
        cx,
        &[
            "install-pwsh",
            "--version",
            "7.6.1",
            "--from",
            from,
            "--sha256",
            sha256,
            "--to",
            to_text,
        ],
    );
    let (code, said) = outcome(command).await;
    (code, said, to)
}

/// Nothing half done either.
fn is_empty(directory: &std::path::Path) -> bool {
    std::fs::read_dir(directory).map_or(true, |mut entries| entries.next().is_none())
}

async fn a_tarball_is_fetched_verified_and_installed(cx: &Context) {
    let bytes = tarball();
    let url = serve(bytes.clone(), bytes.len()).await;
    let (code, said, to) = install(cx, &url, &digest(&bytes)).await;
    assert_eq!(code, 0, "{said}");
    let version = std::process::Command::new(to.join("7.6.1/pwsh"))
        .output()
        .unwrap();
    assert_eq!(version.stdout, b"PowerShell 7.6.1\n");
}

async fn a_wrong_digest_installs_nothing(cx: &Context) {
    let bytes = tarball();
    let url = serve(bytes.clone(), bytes.len()).await;
    let wrong = "0".repeat(64);
    let (code, said, to) = install(cx, &url, &wrong).await;
    let says = [&url, &wrong, &digest(&bytes)]
        .iter()
        .all(|part| said.contains(*part));
    assert!(code == 70 && says, "{code} {said}");
    assert!(is_empty(&to));
}

async fn an_interrupted_download_installs_nothing(cx: &Context) {
    let bytes = tarball();
    let url = serve(bytes.clone(), bytes.len() + 1000).await;
    let (code, said, to) = install(cx, &url, &digest(&bytes)).await;
    assert!(
        code == 70 && said.contains("cannot download") && said.contains(&url),
        "{code} {said}"
    );
    assert!(is_empty(&to));
}

async fn a_damaged_archive_is_named(cx: &Context) {
    let file = cx.path().join("damaged.tar.gz");
    let bytes = &tarball()[..40];
    std::fs::File::create(&file)
        .unwrap()
        .write_all(bytes)
        .unwrap();
    let (code, said, to) = install(cx, file.to_str().unwrap(), &digest(bytes)).await;
    assert!(
        code == 70 && said.contains(file.to_str().unwrap()) && said.contains("damaged"),
        "{code} {said}"
    );
    assert!(is_empty(&to));
}

async fn another_scheme_is_refused(cx: &Context) {
    let (code, said, _) = install(cx, "ftp://127.0.0.1/pwsh.tar.gz", &"0".repeat(64)).await;
    assert!(
        code == 64 && said.contains("--from") && said.contains("ftp://"),
        "{code} {said}"
    );
}
