//! From the start of a process until it takes commands.

use std::time::{Duration, Instant};

use crate::Fallible;
use crate::pwsh::{self, BareHosts};
use crate::table::{Row, median};
use crate::world::World;

const STARTS: usize = 7;

/// A process on the bootstrap script, warm, against the shortest life of a bare one.
pub(crate) async fn ready_after_start(world: &World) -> Fallible<Vec<Row>> {
    let hosts = BareHosts::new(world)?;
    let (mut ready, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        bare.push(pwsh::trivial(world).await?);
        let began = Instant::now();
        let host = hosts.start().await?;
        ready.push(began.elapsed());
        host.shut_down().await;
    }
    hosts.shut_down().await;
    Ok(vec![Row::ratio(
        "a session's process ready after its start",
        median(ready),
        ("`pwsh -NoProfile -c 1`", median(bare)),
        (1.3, Duration::from_millis(150)),
    )])
}
