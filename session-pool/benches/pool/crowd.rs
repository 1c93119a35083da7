//! Many clients at once: no answer is lost, mixed with another's, or out of order.

use std::collections::HashSet;
use std::time::Instant;

use session_pool::domain::job::JobId;
use tokio::task::JoinSet;

use crate::Fallible;
use crate::client::{Client, Session};
use crate::scale::Scale;
use crate::server::Server;
use crate::table::Row;
use crate::world::World;

const CLIENTS: usize = 200;
const SESSIONS: [Session; 8] = [
    ("contoso", "exo"),
    ("contoso", "pnp"),
    ("contoso", "azure"),
    ("contoso", "teams"),
    ("fabrikam", "exo"),
    ("fabrikam", "pnp"),
    ("fabrikam", "azure"),
    ("fabrikam", "teams"),
];

/// 200 clients, 25 on each session, each with its next command as soon as it has an answer.
pub(crate) async fn on_eight_sessions(world: &World, scale: &Scale) -> Fallible<Vec<Row>> {
    let server = Server::start(world).await?;
    for session in SESSIONS {
        server.client.run(session, "'warm'").await?;
    }
    let end = Instant::now() + scale.crowd;
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let client = server.client.clone();
        clients.spawn(work(client, number, end));
    }
    let (mut jobs, mut wrong) = (HashSet::new(), 0);
    while let Some(tally) = clients.join_next().await {
        let tally = tally??;
        wrong += tally.wrong;
        for job in tally.jobs {
            wrong += usize::from(!jobs.insert(job));
        }
    }
    server.stop().await?;
    Ok(vec![Row::none_wrong(
        format!(
            "answers to {CLIENTS} clients on {} sessions in {} s",
            SESSIONS.len(),
            scale.crowd.as_secs()
        ),
        jobs.len() - wrong.min(jobs.len()),
        wrong,
    )])
}

#[derive(Debug, Default)]
struct Tally {
    jobs: Vec<JobId>,
    wrong: usize,
}

async fn work(client: Client, number: usize, end: Instant) -> Fallible<Tally> {
    let mut tally = Tally::default();
    let Some(session) = SESSIONS.get(number % SESSIONS.len()) else {
        return Ok(tally);
    };
    for call in 0.. {
        if Instant::now() >= end {
            break;
        }
        // A table of lines that only this call can have.
        let command =
            format!("1..20 | ForEach-Object {{ \"client {number} call {call} line $_\" }}");
        let answer = client.run(*session, &command).await?;
        let mut lines = answer.output.lines();
        let whole = (1..=20)
            .all(|line| lines.next() == Some(&format!("client {number} call {call} line {line}")))
            && lines.next().is_none();
        tally.wrong += usize::from(!whole);
        tally.jobs.push(answer.job);
    }
    Ok(tally)
}
