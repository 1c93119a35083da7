//! Serving MCP on standard input and output until the client has gone.

use std::io::IsTerminal;
use std::time::Duration;

use rmcp::ServiceExt;
use tokio::time::sleep;

use crate::config::{Config, Overrides};
use crate::graph::Places;
use crate::server::Server;
use crate::shell::Exit;
use crate::stdio::{Stderr, Stdio};

/// What a call in flight gets after the end of the input. A client that pipes one request in and
/// closes still reads the answer, where it is a matter of milliseconds.
const LAST_CALLS: Duration = Duration::from_millis(70);

/// Serves until the end of standard input or a signal. Jobs go on: only `notifications/cancelled`
/// ends them.
pub(crate) async fn serve(overrides: &Overrides) -> Exit {
    if std::io::stdin().is_terminal() {
        Stderr::line(
            "waits for an MCP client on standard input. To register it with one: `mm config \
             claude|claude-code|vscode|cursor|mcpjungle`; for the rest: `mm --help`",
        );
    }
    let config = Config::from_environment(overrides);
    if let Err(error) = &config {
        Stderr::line(error.to_string());
    }
    let (stdio, ended) = Stdio::open();
    let served = async {
        // An input that ends before the first request is no error either.
        if let Ok(running) = Server::new(
            config,
            Places::from_environment(overrides.files_dir.clone()),
        )
        .serve(stdio)
        .await
        {
            let _ = running.waiting().await;
        }
    };
    tokio::select! {
        () = served => {}
        () = async { ended.cancelled().await; sleep(LAST_CALLS).await } => {}
        () = terminated() => {}
    }
    Exit::Succeeded
}

/// Waits for a signal that asks the process to end.
#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Waits for a signal that asks the process to end.
#[cfg(not(unix))]
async fn terminated() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
