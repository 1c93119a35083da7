//! `mm sign-in` and `mm sign-out`.

use std::io::Write;
use std::time::Duration;

use session_pool::domain::registry::Connection;
use session_pool::sign_in::{Access, Audience, DevicePrompt};

use super::{Exit, Output, complain};
use crate::cli::Who;
use crate::graph::{Graph, GraphError, Places};

/// Signs in and waits for the person.
pub(crate) async fn sign_in(who: Who) -> Exit {
    tokio::select! {
        exit = attend(&who) => exit,
        _ = tokio::signal::ctrl_c() => {
            complain("no longer waiting; the code stays valid, and the next call takes it up", Exit::Interrupted)
        }
    }
}

async fn attend(who: &Who) -> Exit {
    let audience = if who.flow {
        Audience::Flow
    } else {
        Audience::Graph
    };
    let graph = match graph() {
        Ok(graph) => graph,
        Err(error) => return failed(error).await,
    };
    let mut shown = String::new();
    loop {
        match graph.sign_in(&who.connection, audience).await {
            Ok((connection, Access::Granted(grant))) => {
                let account = grant.account.as_deref().unwrap_or("the app itself");
                say(&format!("{}: signed in as {account}.", place(&connection)));
                return Exit::Succeeded;
            }
            Ok((connection, Access::Pending(prompt))) => {
                if prompt.code != shown {
                    show(&connection, &prompt);
                    shown.clone_from(&prompt.code);
                }
                tokio::time::sleep(Duration::from_secs(prompt.ask_again_in.max(1).into())).await;
            }
            Err(error) => return failed(error).await,
        }
    }
}

/// Forgets a sign-in.
pub(crate) async fn sign_out(who: Who) -> Exit {
    let done = match graph() {
        Ok(graph) => graph.sign_out(&who.connection).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(true) => say(&format!(
            "{}: signed out; its tokens are deleted.",
            who.connection
        )),
        Ok(false) => say(&format!("{}: nobody was signed in.", who.connection)),
        Err(error) => return failed(error).await,
    }
    Exit::Succeeded
}

fn graph() -> Result<Graph, GraphError> {
    Ok(Graph::new(Places::from_environment(None)?))
}

async fn failed(error: GraphError) -> Exit {
    Output::new(false).failure(&error.into()).await
}

fn place(connection: &Connection) -> String {
    let tenant = connection.tenant.clone();
    match tenant.or_else(|| connection.tenant_for_sign_in()) {
        Some(tenant) => format!("{} ({tenant})", connection.name),
        None => connection.name.to_string(),
    }
}

fn show(connection: &Connection, prompt: &DevicePrompt) {
    if let Some(reason) = &prompt.reason {
        say(&format!("{reason}."));
    }
    let account = connection
        .expected_email
        .as_ref()
        .map_or_else(String::new, |account| format!(" as {account}"));
    say(&format!(
        "{}: open {} and enter the code {}, then sign in{account}. It is valid for {} minutes.",
        place(connection),
        prompt.url,
        prompt.code,
        prompt.seconds_left / 60
    ));
}

/// A closed standard output is the caller's choice.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
