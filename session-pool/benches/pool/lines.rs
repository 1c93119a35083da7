//! A command with many lines.

use std::time::{Duration, Instant};

use serde_json::json;
use session_pool::domain::wire::AnswerStatus;

use crate::Fallible;
use crate::client::Session;
use crate::pwsh;
use crate::server::Server;
use crate::table::{Row, median};
use crate::world::World;

const SESSION: Session = ("contoso", "exo");
const LINES: usize = 100_000;
const SCRIPT: &str = "1..100000 | % { \"line $_\" }";
const REPEATS: usize = 5;

/// 100,000 lines as one answer, against a bare PowerShell and a pipe.
pub(crate) async fn of_one_command(world: &World) -> Fallible<Vec<Row>> {
    let server = Server::start(world).await?;
    server.client.run(SESSION, "'warm'").await?;
    let (mut pool, mut bare) = (Vec::new(), Vec::new());
    let (mut right, mut wrong) = (0, 0);
    for _ in 0..REPEATS {
        bare.push(pwsh::piped(world, SCRIPT).await?);
        let began = Instant::now();
        let whole = json!({"max_characters": 10_000_000});
        let answer = server.client.post(SESSION, SCRIPT, &whole).await?;
        pool.push(began.elapsed());
        if answer.status != AnswerStatus::Success {
            return Err(format!("the lines ended as {}: {:?}", answer.state, answer.error).into());
        }
        let mut got = answer.output.lines();
        let good = (1..=LINES)
            .filter(|n| got.next() == Some(&format!("line {n}")))
            .count();
        right += good;
        wrong += LINES - good + got.count();
    }
    server.stop().await?;
    Ok(vec![
        Row::ratio(
            "100,000 lines",
            median(pool),
            ("`pwsh -NoProfile -c … \\| cat`", median(bare)),
            (0.4, Duration::ZERO),
        ),
        Row::none_wrong("lines in their order", right, wrong),
    ])
}
