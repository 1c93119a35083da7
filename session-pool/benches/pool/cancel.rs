//! How soon a cancelled command's session is free.

use std::time::{Duration, Instant};

use serde_json::json;
use session_pool::domain::job::JobState;

use crate::Fallible;
use crate::client::Session;
use crate::server::Server;
use crate::table::{Row, median};
use crate::world::World;

const SESSION: Session = ("contoso", "exo");
const REPEATS: usize = 10;

/// From the cancel until the session has answered the next command.
pub(crate) async fn to_free_session(world: &World) -> Fallible<Vec<Row>> {
    let server = Server::start(world).await?;
    server.client.run(SESSION, "'warm'").await?;
    let mut rows = Vec::new();
    for (what, command) in [
        ("a sleeping cmdlet", "'begun'; Start-Sleep 100"),
        ("a busy loop", "'begun'; while ($true) { }"),
        ("a native command", "'begun'; /bin/sleep 100"),
    ] {
        let mut free = Vec::new();
        for _ in 0..REPEATS {
            free.push(cancel_one(&server, command).await?);
        }
        rows.push(Row::duration(
            format!("cancel of {what} until the next command's answer"),
            median(free),
            Duration::from_millis(100),
        ));
    }
    server.stop().await?;
    Ok(rows)
}

async fn cancel_one(server: &Server, command: &str) -> Fallible<Duration> {
    let job = server
        .client
        .post(SESSION, command, &json!({"wait_seconds": 0}))
        .await?;
    // With the cursor of what there was, the request waits until there is more: it has begun.
    let cursor = job.cursor.as_deref().unwrap_or_default();
    let begun = server
        .client
        .job(&job, &format!("wait_seconds=30&cursor={cursor}"))
        .await?;
    if begun.state != JobState::Running {
        return Err(format!("{command:?} is {} and not running", begun.state).into());
    }
    let began = Instant::now();
    let cancelled = server.client.cancel(&job).await?;
    server.client.run(SESSION, "'free'").await?;
    let took = began.elapsed();
    if cancelled.state == JobState::Cancelled {
        Ok(took)
    } else {
        Err(format!("{command:?} ended as {}", cancelled.state).into())
    }
}
