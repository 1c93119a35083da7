//! What a call that failed was about: answers name connection and tenant first, these too.

use std::time::Duration;

use session_pool::domain::job::JobId;
use session_pool::domain::wire::JobAnswer;
use tokio::time::timeout;

use super::{Arguments, Doing, Failure, Unread};
use crate::graph::Graph;
use crate::pool::{Pool, Wanted};

/// What finding out may take: the answer is only a failure.
const PATIENCE: Duration = Duration::from_secs(2);

/// A page that is not looked at.
const SMALLEST_PAGE: u64 = 200;

/// Connection and tenant, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The connection's name.
    pub(crate) connection: Option<String>,
    /// The module's name, as it was given.
    pub(crate) module: Option<String>,
    /// The tenant, as the registry names it.
    pub(crate) tenant: Option<String>,
    job: Option<JobId>,
}

impl Place {
    /// What the arguments say, however wrong they are otherwise.
    pub(crate) fn named(arguments: &Arguments) -> Self {
        let text = |name| arguments.peek(name).map(str::to_owned);
        Self {
            connection: text("connection"),
            module: text("module"),
            tenant: None,
            job: arguments.peek("id").and_then(|id| id.trim().parse().ok()),
        }
    }

    /// What a call of Graph was about, as the registry knows it.
    pub(crate) fn of_graph(connection: Option<String>, graph: Option<&Graph>) -> Self {
        let mut place = Self {
            connection,
            ..Self::default()
        };
        if let Some(graph) = graph {
            place.complete_from(graph);
        }
        place
    }

    /// Takes the tenant from the registry of Graph's part.
    pub(crate) fn complete_from(&mut self, graph: &Graph) {
        self.tenant = self
            .connection
            .as_deref()
            .and_then(|name| graph.tenant(name));
    }

    /// Asks the pool for the rest, where it is there to be asked.
    pub(crate) async fn complete(&mut self, pool: &Pool, failure: &Failure) {
        let answers = match failure {
            Failure::Argument(_) | Failure::Usage(_) | Failure::Declined => true,
            Failure::Pool(error) => error.is_refusal(),
            Failure::Unread(Unread {
                doing: Doing::Started(answer),
                ..
            }) => return self.is_of(answer),
            Failure::Unread(_) | Failure::Graph(_) | Failure::Consent(_) | Failure::Config(_) => {
                false
            }
        };
        if answers {
            // Without an answer it is not known, and said so.
            let _ = timeout(PATIENCE, self.ask(pool)).await;
        }
    }

    fn is_of(&mut self, answer: &JobAnswer) {
        self.connection = Some(answer.connection.clone());
        self.module = Some(answer.module.as_str().to_owned());
        self.tenant.clone_from(&answer.tenant);
    }

    async fn ask(&mut self, pool: &Pool) {
        if let Some(id) = self.job {
            let wanted = Wanted {
                max_characters: Some(SMALLEST_PAGE),
                ..Wanted::default()
            };
            if let Ok(answer) = pool.job(id, &wanted).await {
                self.is_of(&answer);
            }
        } else if let Some(name) = &self.connection
            && let Ok(list) = pool.connections().await
        {
            self.tenant = list
                .connections
                .get(name)
                .and_then(|connection| connection.tenant.clone());
        }
    }
}
