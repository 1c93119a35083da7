//! What the router adds to a call, and what a thousand listeners cost it.

use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::task::JoinSet;

use crate::Fallible;
use crate::client::{Client, Session};
use crate::scale::Scale;
use crate::server::Server;
use crate::table::{Row, median};
use crate::world::World;

const SESSION: Session = ("contoso", "exo");
const STREAMS: usize = 1_000;

/// A silent stream says every 15 s that it is still there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);

/// A router in front of two pools of one connection each, all of them processes of this machine.
pub(crate) async fn in_front_of_two_pools(world: &World, scale: &Scale) -> Fallible<Vec<Row>> {
    let contoso = Server::of_connection(world, "contoso").await?;
    let fabrikam = Server::of_connection(world, "fabrikam").await?;
    let pools = [("contoso", &contoso), ("fabrikam", &fabrikam)];
    let router = Server::router(world, &pools).await?;
    let mut rows = calls(&contoso.client, &router.client, scale).await?;
    if scale.streams {
        rows.extend(streams(&router).await?);
    }
    router.stop().await?;
    contoso.stop().await?;
    fabrikam.stop().await?;
    Ok(rows)
}

/// Each call in turn with one that does not go through the router.
async fn calls(direct: &Client, routed: &Client, scale: &Scale) -> Fallible<Vec<Row>> {
    const WARM: usize = 20;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    let mut wrong = 0;
    for call in 0..scale.calls + WARM {
        for (client, times) in [(direct, &mut without), (routed, &mut with)] {
            let began = Instant::now();
            let answer = client.run(SESSION, "1+1").await?;
            if call >= WARM {
                times.push(began.elapsed());
            }
            wrong += usize::from(answer.output.trim_end() != "2");
        }
    }
    let right = with.len() + without.len() - wrong.min(with.len());
    Ok(vec![
        Row::ratio(
            "`/run` of `1+1` through the router, median",
            median(with),
            ("the pool itself", median(without)),
            (1.0, Duration::from_millis(1)),
        ),
        Row::none_wrong("answers of both", right, wrong),
    ])
}

/// Streams of one job that says nothing, each until it has shown that it is alive.
async fn streams(router: &Server) -> Fallible<Vec<Row>> {
    let at_once = json!({"wait_seconds": 0});
    let command = "Start-Sleep -Seconds 600";
    let job = router.client.post(SESSION, command, &at_once).await?;
    let mut open = Vec::new();
    for _ in 0..STREAMS {
        open.push(router.client.events(&job).await?);
    }
    let mut listeners = JoinSet::new();
    for mut stream in open {
        listeners.spawn(async move {
            let frame = tokio::time::timeout(SIGN_OF_LIFE, stream.frame()).await;
            (matches!(frame, Ok(Some(Ok(_)))), stream)
        });
    }
    let heard = listeners.join_all().await;
    let alive = heard.iter().filter(|(alive, _)| *alive).count();
    // The streams are open until here.
    let (_, highest) = router.memory()?;
    drop(heard);
    router.client.cancel(&job).await?;
    Ok(vec![
        Row::megabytes(
            format!("the router at its highest, {STREAMS} idle event streams"),
            highest,
            60,
        ),
        Row::none_wrong("streams that were heard of", alive, STREAMS - alive),
    ])
}
