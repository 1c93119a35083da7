//! `session-pool doctor` on a machine where much is wrong, and where nothing is.

use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use axum::Router;
use serde_json::{Value, json};
use session_pool::demo::modules;
use tokio::net::TcpListener;

use crate::support::{Context, Needs, Server, Suite, add, session_pool};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [what_is_wrong_has_a_line_with_its_remedy]
    );
    add!(suite, Needs::Pwsh, [all_is_well_where_it_is]);
}

/// A registry whose cloud is at this address.
fn write_registry(cx: &Context, cloud: &str) {
    let registry = json!({"connections": {
        "contoso": {"tenant": "contoso.example",
            "cloud": {"login": cloud, "graph": cloud, "flow": cloud}},
    }});
    let path = cx.path().join(".m365-connections.json");
    std::fs::write(path, registry.to_string()).unwrap();
}

fn write_token(cx: &Context, mode: u32) {
    let state = cx.path().join(".m365-state");
    std::fs::create_dir_all(&state).unwrap();
    set_mode(&state, 0o700);
    let token = state.join("pool.token");
    std::fs::write(&token, "sesame").unwrap();
    set_mode(&token, mode);
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// An address that nobody listens on.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

async fn what_is_wrong_has_a_line_with_its_remedy(cx: &Context) {
    let gone = nobody().await;
    write_registry(cx, &format!("http://{gone}"));
    write_token(cx, 0o644);
    let port = nobody().await;
    let (_, port) = port.rsplit_once(':').unwrap();
    let mut command = session_pool(cx, &["doctor", "--port", port]);
    let ended = command.env("PATH", "/nonexistent").output().await.unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let text = String::from_utf8(ended.stdout).unwrap();
    for (start, rest) in [
        ("ok      registry: 1 connections", ""),
        ("ok      state directory: ", "mode 0700"),
        ("FAILED  token: ", "-> chmod 600"),
        ("FAILED  PowerShell: ", "-> session-pool install-pwsh"),
        ("WARNING pool: none answers", "-> start it"),
        ("skipped clock: ", ""),
        ("FAILED  host http://127.0.0.1", "for contoso"),
    ] {
        let found = text
            .lines()
            .any(|line| line.starts_with(start) && line.contains(rest));
        assert!(found, "{start} … {rest} is not in\n{text}");
    }

    let mut command = session_pool(cx, &["doctor", "--json", "--port", port]);
    let ended = command.env("PATH", "/nonexistent").output().await.unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(report["ok"], false);
    assert_eq!(report["checks"][0]["check"], "registry");

    // A mounted file that the host has replaced has no name any more.
    let file = std::fs::File::open(cx.path().join(".m365-connections.json")).unwrap();
    std::fs::remove_file(cx.path().join(".m365-connections.json")).unwrap();
    let replaced = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    let mut command = session_pool(cx, &["doctor", "--port", port, "--registry", &replaced]);
    let ended = command.env("PATH", "/nonexistent").output().await.unwrap();
    let text = String::from_utf8(ended.stdout).unwrap();
    let first = text.lines().next().unwrap();
    assert!(first.starts_with("WARNING registry: "), "{first}");
    assert!(first.contains("replaced on the host"), "{first}");
    assert!(first.contains("-> restart the container"), "{first}");

    let mut command = session_pool(cx, &["doctor"]);
    let ended = command
        .env("SESSION_POOL_PORT", "many")
        .output()
        .await
        .unwrap();
    assert_eq!(ended.status.code(), Some(64));
}

async fn all_is_well_where_it_is(cx: &Context) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cloud = format!("http://{}", listener.local_addr().unwrap());
    let hosts = tokio::spawn(async move {
        axum::serve(listener, Router::new()).await.unwrap();
    });
    write_registry(cx, &cloud);
    write_token(cx, 0o600);
    let server = Server::start(cx).await;
    server.run("1+1").await;
    let mut command = session_pool(cx, &["doctor", "--json", "--port", server.port()]);
    command
        .env("SESSION_POOL_PWSH", cx.pwsh())
        .env("PSModulePath", modules::unpack(cx.path()).unwrap());
    let ended = command.output().await.unwrap();
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{report:#}");
    let checks = report["checks"].as_array().unwrap();
    let result = |name: &str| {
        let one = checks.iter().find(|one| one["check"] == name);
        one.unwrap_or_else(|| panic!("{name} is not in {report:#}"))["result"].clone()
    };
    for name in [
        "pool",
        "clock",
        "PowerShell",
        "module exo",
        "module teams",
        "home contoso",
    ] {
        assert_eq!(result(name), "ok", "{name}");
    }
    server.stop().await;
    hosts.abort();
}
