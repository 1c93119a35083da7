//! What the pool adds to a trivial command.

use std::time::{Duration, Instant};

use crate::Fallible;
use crate::client::Session;
use crate::pwsh::{BareHosts, bare_round_trip};
use crate::scale::Scale;
use crate::server::Server;
use crate::table::{Row, median};
use crate::world::World;

const SESSION: Session = ("contoso", "exo");
const SCRIPT: &str = "1+1";
/// Calls of both kinds before it counts: code is compiled as it is used.
const WARM_UP: usize = 200;

/// `/run` against the same bootstrap script over its socket, in turn, so that both meet the same
/// noise.
pub(crate) async fn of_one_plus_one(world: &World, scale: &Scale) -> Fallible<Vec<Row>> {
    let hosts = BareHosts::new(world)?;
    let mut host = hosts.start().await?;
    let server = Server::start(world).await?;
    let (mut pool, mut bare) = (Vec::new(), Vec::new());
    let mut wrong = 0;
    for call in 0..WARM_UP + scale.calls {
        let began = Instant::now();
        let answer = server.client.run(SESSION, SCRIPT).await?;
        let took = began.elapsed();
        wrong += usize::from(answer.output != "2");
        let alone = bare_round_trip(&mut host, SCRIPT).await?;
        if call >= WARM_UP {
            pool.push(took);
            bare.push(alone);
        }
    }
    server.stop().await?;
    host.shut_down().await;
    hosts.shut_down().await;
    Ok(vec![
        Row::ratio(
            "`/run` of `1+1` under the policy, median",
            median(pool),
            ("the bootstrap script alone", median(bare)),
            (2.5, Duration::ZERO),
        ),
        Row::none_wrong("answers in a row", WARM_UP + scale.calls - wrong, wrong),
    ])
}
