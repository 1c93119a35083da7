//! A restart with sign-ins that need no person: serving at once, all of them back, few starting at a
//! time.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use serde_json::{Value, json};

use crate::Fallible;
use crate::client::Session;
use crate::scale::Scale;
use crate::server::{Server, place};
use crate::table::Row;
use crate::world::World;

/// How long after its start the pool answers at the latest.
const SERVING: Duration = Duration::from_millis(500);
/// PowerShells that may be starting at a time.
const STARTING: usize = 4;
/// Everything is back long before.
const HANG: Duration = Duration::from_secs(300);

/// Kills a pool with so many sessions of azure, each on a connection of its own, and starts it again.
pub(crate) async fn with_sign_ins_to_restore(world: &World, scale: &Scale) -> Fallible<Vec<Row>> {
    let sessions = connections(world, scale.restored)?;
    let directory = place(world, "restart")?;
    let server = Server::start_in(world, &directory, &[]).await?;
    for few in sessions.chunks(STARTING) {
        try_join_all(few.iter().map(|session| server.client.run(*session, "1"))).await?;
    }
    server.kill().await?;

    let began = Instant::now();
    let server = Server::start_in(world, &directory, &[]).await?;
    let serving = began.elapsed();
    let (mut restored, mut most) = (0, 0);
    while restored < sessions.len() && began.elapsed() < HANG {
        let before = restored;
        let running = server.sessions_running()?;
        restored = authenticated(&server.client.status().await?);
        // Else some have become ready between the two looks.
        if before == restored {
            most = most.max(running.saturating_sub(restored));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = began.elapsed();
    server.stop().await?;
    Ok(vec![
        Row::duration(
            format!(
                "a restart with {} sessions to restore: serving",
                sessions.len()
            ),
            serving,
            SERVING,
        ),
        Row::none_wrong(
            format!("their sign-ins after {:.1} s", took.as_secs_f64()),
            restored,
            sessions.len() - restored,
        ),
        Row::at_most("PowerShells starting at a time meanwhile", most, STARTING),
    ])
}

fn authenticated(status: &Value) -> usize {
    let sessions = status.get("sessions").and_then(Value::as_array);
    sessions.map_or(0, |sessions| {
        let signed_in = |session: &&Value| session.get("authenticated") == Some(&json!(true));
        sessions.iter().filter(signed_in).count()
    })
}

/// Adds so many connections to the registry, all of the demo's first tenant.
fn connections(world: &World, count: usize) -> Fallible<Vec<Session>> {
    let path = world.path().join("connections.json");
    let mut registry: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    let connections = registry
        .get_mut("connections")
        .and_then(Value::as_object_mut);
    let connections = connections.ok_or("the demo's registry has no connections")?;
    let contoso = connections.get("contoso").cloned();
    let contoso = contoso.ok_or("the demo's registry lacks its first tenant")?;
    let mut sessions = Vec::new();
    for number in 1..=count {
        let name = format!("contoso-{number}");
        connections.insert(name.clone(), contoso.clone());
        // A name for as long as the bench runs.
        sessions.push((&*name.leak(), "azure"));
    }
    std::fs::write(path, registry.to_string())?;
    Ok(sessions)
}
