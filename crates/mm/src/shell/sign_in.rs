//! `mm sign-in` and `mm sign-out`.

use std::io::Write;
use std::time::Duration;

use session_pool::domain::registry::Connection;
use session_pool::sign_in::{Access, Audience, DevicePrompt};

use super::{Exit, Output, complain};
use crate::cli::Who;
use crate::graph::{Graph, GraphError, Places};
use crate::tools::Place;

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
        Err(error) => return failed(who, None, error).await,
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
            Err(error) => return failed(who, Some(&graph), error).await,
        }
    }
}

/// Forgets a sign-in.
pub(crate) async fn sign_out(who: Who) -> Exit {
    let graph = match graph() {
        Ok(graph) => graph,
        Err(error) => return failed(&who, None, error).await,
    };
    let name = match graph.tenant(&who.connection) {
        Some(tenant) => format!("{} ({tenant})", who.connection),
        None => who.connection.clone(),
    };
    match graph.sign_out(&who.connection).await {
        Ok(true) => say(&format!("{name}: signed out; its tokens are deleted.")),
        Ok(false) => say(&format!("{name}: nobody was signed in.")),
        Err(error) => return failed(&who, Some(&graph), error).await,
    }
    Exit::Succeeded
}

fn graph() -> Result<Graph, GraphError> {
    Ok(Graph::new(Places::from_environment(None)?))
}

async fn failed(who: &Who, graph: Option<&Graph>, error: GraphError) -> Exit {
    let place = Place::of_graph(Some(who.connection.clone()), graph);
    Output::new(false).failure_of(&place, &error.into()).await
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
