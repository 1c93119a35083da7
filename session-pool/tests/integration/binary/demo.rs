//! The demo as a newcomer starts it, on a machine without PowerShell.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::Stdio;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::process::Child;

use crate::support::{Context, Needs, Suite, add, outcome, session_pool};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            an_output_that_nobody_reads_holds_nothing_up,
            recordings_are_contosos_alone,
            a_wrong_pwsh_is_no_reason_to_install_another
        ]
    );
}

/// A demo that plays recordings, with this standard output.
async fn start(cx: &Context, output: Stdio) -> (Child, String) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let mut command = session_pool(cx, &["demo", "--no-install", "--port", &port]);
    command
        .env("PATH", "/nonexistent")
        .stdout(output)
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let url = format!("http://127.0.0.1:{port}");
    while reqwest::get(format!("{url}/health")).await.is_err() {
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    (child, url)
}

async fn stop(mut child: Child) {
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::TERM).unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}

async fn an_output_that_nobody_reads_holds_nothing_up(cx: &Context) {
    let (_reader, mut writer) = std::io::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    while writer.write(&[b'x'; 4096]).is_ok() {}
    fcntl_setfl(&writer, flags).unwrap();
    let (child, _) = start(cx, writer.into()).await;
    stop(child).await;
}

async fn recordings_are_contosos_alone(cx: &Context) {
    let (child, url) = start(cx, Stdio::null()).await;
    let token = cx.path().join(".m365-demo/state/pool.token");
    let token = std::fs::read_to_string(token).unwrap();
    let run = async |connection: &str| -> Value {
        let body = json!({"connection": connection, "module": "exo", "command": "Get-Mailbox -ResultSize 3"});
        let request = reqwest::Client::new()
            .post(format!("{url}/run"))
            .header("authorization", format!("Bearer {}", token.trim()))
            .header("content-type", "application/json")
            .body(body.to_string());
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let other = run("fabrikam").await;
    assert_eq!(other["code"], "sign_in_failed", "{other}");
    assert!(other["device_code"].is_null());
    assert!(other.to_string().contains("install-pwsh"), "{other}");
    assert_eq!(run("contoso").await["status"], "auth_required");
    stop(child).await;
}

async fn a_wrong_pwsh_is_no_reason_to_install_another(cx: &Context) {
    let mut command = session_pool(cx, &["demo", "--port", "0"]);
    command.env("SESSION_POOL_PWSH", "/nonexistent/pwsh");
    let (code, said) = outcome(command).await;
    assert!(
        code == 64 && said.contains("SESSION_POOL_PWSH"),
        "{code} {said}"
    );
}
