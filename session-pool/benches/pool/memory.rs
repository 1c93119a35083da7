//! The pool's own memory: alone, and while a command puts out 200 MB.

use std::fmt::Write as _;

use serde_json::json;
use session_pool::domain::wire::AnswerStatus;

use crate::Fallible;
use crate::client::Session;
use crate::scale::Scale;
use crate::server::Server;
use crate::table::Row;
use crate::world::World;

const SESSION: Session = ("contoso", "exo");

/// On a fresh pool, so that its highest mark is this measurement's.
pub(crate) async fn alone_and_under_output(world: &World, scale: &Scale) -> Fallible<Vec<Row>> {
    let server = Server::start(world).await?;
    let (alone, _) = server.memory()?;

    let lines = scale.thousand_byte_lines;
    let command = format!("1..{lines} | ForEach-Object {{ 'x' * 999 }}");
    let parts = json!({"max_characters": 1_000_000});
    let mut page = server.client.post(SESSION, &command, &parts).await?;
    let mut characters = 0;
    // Every page is fetched: what is not kept in memory has to come back from the disk.
    loop {
        if page.status != AnswerStatus::Success {
            return Err(format!("the output ended as {}: {:?}", page.state, page.error).into());
        }
        characters += page.output.len();
        let Some(cursor) = page.cursor.take() else {
            break;
        };
        let mut parameters = String::from("max_characters=1000000");
        write!(parameters, "&cursor={cursor}")?;
        page = server.client.job(&page, &parameters).await?;
    }
    let (_, highest) = server.memory()?;
    server.stop().await?;
    // The last line has no line end in an answer.
    let missing = (lines * 1000 - 1).abs_diff(characters);
    Ok(vec![
        Row::megabytes("the pool alone", alone, 25),
        Row::megabytes(
            format!("the pool at its highest, {} MB of output", lines / 1000),
            highest,
            80,
        ),
        Row::none_wrong(
            "characters of that output that came back",
            characters,
            missing,
        ),
    ])
}
