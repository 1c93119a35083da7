//! `mm sign-in` and `mm sign-out`: Graph's own sign-ins, and those of the session pool's modules.

use std::io::Write;
use std::time::Duration;

use session_pool::domain::registry::Connection;
use session_pool::domain::wire::AnswerStatus;
use session_pool::sign_in::{Access, Audience, DevicePrompt};

use super::screen::say;
use super::{Exit, Output, complain, pool_sign_in};
use crate::cli::{Target, Who};
use crate::config::Overrides;
use crate::graph::{Graph, GraphError, Places};
use crate::pool::PoolError;
use crate::tools::{Failure, Place};

/// Signs in and waits for the person.
pub(crate) async fn sign_in(who: Who, overrides: &Overrides) -> Exit {
    let wanted = Wanted::of(&who);
    tokio::select! {
        (graph, pool) = async {
            tokio::join!(
                attend(&who, &wanted),
                pool_sign_in::attend(&who.connection, wanted.modules.clone(), overrides),
            )
        } => wanted.exit(&who, graph, pool).await,
        _ = tokio::signal::ctrl_c() => {
            complain("no longer waiting; the codes stay valid, and the next call takes them up", Exit::Interrupted)
        }
    }
}

/// What is to be signed in to, or out of.
struct Wanted {
    /// Graph or Power Automate.
    audience: Option<Audience>,
    /// The pool's modules; all that the connection can be used with where there is no list.
    modules: Option<Vec<String>>,
    /// Nothing was named: what is not to be had is left out.
    everything: bool,
}

impl Wanted {
    fn of(who: &Who) -> Self {
        let targets: &[Target] = if who.flow {
            &[Target::Flow]
        } else {
            &who.modules
        };
        let audience = match targets {
            targets if targets.contains(&Target::Flow) => Some(Audience::Flow),
            targets if targets.is_empty() || targets.contains(&Target::Graph) => {
                Some(Audience::Graph)
            }
            _ => None,
        };
        let of_pool = |target: &Target| match target {
            Target::Graph | Target::Flow => None,
            Target::Exo => Some("exo".to_owned()),
            Target::Pnp => Some("pnp".to_owned()),
            Target::Azure => Some("azure".to_owned()),
            Target::Teams => Some("teams".to_owned()),
        };
        Self {
            audience,
            modules: (!targets.is_empty()).then(|| targets.iter().filter_map(of_pool).collect()),
            everything: targets.is_empty(),
        }
    }

    /// How the process ends, by what became of both parts.
    async fn exit(&self, who: &Who, graph: Exit, pool: Result<AnswerStatus, Failure>) -> Exit {
        let pool = match pool {
            Ok(AnswerStatus::Success) => Exit::Succeeded,
            Ok(_) => Exit::Failed,
            Err(Failure::Pool(error @ PoolError::Unreachable { .. })) if self.everything => {
                let _ = writeln!(
                    std::io::stderr(),
                    "mm: only Graph, without the pool's modules: {error}"
                );
                Exit::Succeeded
            }
            Err(failure) => {
                let place = Place::of_graph(Some(who.connection.clone()), None);
                Output::new(false).failure_of(&place, &failure).await
            }
        };
        match graph {
            Exit::Succeeded => pool,
            failed => failed,
        }
    }
}

async fn attend(who: &Who, wanted: &Wanted) -> Exit {
    let Some(audience) = wanted.audience else {
        return Exit::Succeeded;
    };
    let graph = match graph() {
        Ok(graph) => graph,
        Err(error) => return failed(who, None, error).await,
    };
    if wanted.everything && !graph.is_configured(&who.connection) {
        say(&format!(
            "{}: without Graph, for which the registry names no \"appId\".",
            who.connection
        ));
        return Exit::Succeeded;
    }
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

/// Forgets sign-ins.
pub(crate) async fn sign_out(who: Who, overrides: &Overrides) -> Exit {
    let wanted = Wanted::of(&who);
    let of_graph = match wanted.audience {
        None => Exit::Succeeded,
        Some(_) => forget(&who).await,
    };
    let modules = wanted.modules.clone();
    let of_pool = pool_sign_in::sign_out(&who.connection, modules, overrides).await;
    wanted.exit(&who, of_graph, of_pool).await
}

async fn forget(who: &Who) -> Exit {
    let graph = match graph() {
        Ok(graph) => graph,
        Err(error) => return failed(who, None, error).await,
    };
    let name = match graph.tenant(&who.connection) {
        Some(tenant) => format!("{} ({tenant})", who.connection),
        None => who.connection.clone(),
    };
    match graph.sign_out(&who.connection).await {
        Ok(true) => say(&format!(
            "{name}: signed out of Graph; its tokens are deleted."
        )),
        Ok(false) => say(&format!("{name}: nobody was signed in to Graph.")),
        Err(error) => return failed(who, Some(&graph), error).await,
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
