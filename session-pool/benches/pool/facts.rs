//! What deciding costs: facts about the commands of the corpus, from the checker's own process.

use std::time::{Duration, Instant};

use crate::Fallible;
use crate::pwsh::BareHosts;
use crate::scale::Scale;
use crate::table::{Row, median};
use crate::world::World;

const CORPUS: [&str; 2] = [
    include_str!("../../tests/corpus/harmless.txt"),
    include_str!("../../tests/corpus/evasions.txt"),
];
/// The whole corpus so often before it counts: code is compiled as it is used.
const WARM_UP: usize = 2;

/// From the question to the facts as values, one command after the other.
pub(crate) async fn about_the_corpus(world: &World, scale: &Scale) -> Fallible<Vec<Row>> {
    let hosts = BareHosts::new(world)?;
    let mut checker = hosts.checker().await?;
    let commands: Vec<&str> = CORPUS
        .iter()
        .flat_map(|corpus| corpus.lines())
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.split_once(' ')?.1))
        .collect();
    let rounds = WARM_UP + scale.calls.div_ceil(commands.len());
    let mut took = Vec::new();
    for round in 0..rounds {
        for command in &commands {
            let began = Instant::now();
            checker.facts(command, Duration::from_secs(30)).await?;
            if round >= WARM_UP {
                took.push(began.elapsed());
            }
        }
    }
    checker.kill().await;
    hosts.shut_down().await;
    Ok(vec![Row::duration(
        format!(
            "facts about a command of the corpus ({}), median",
            commands.len()
        ),
        median(took),
        Duration::from_millis(2),
    )])
}
