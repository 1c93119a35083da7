//! Following a job's records to its end, also over a connection that breaks off.

use std::pin::pin;
use std::time::Duration;

use session_pool::domain::job::JobId;
use tokio::time::{sleep, timeout};

use super::{Exit, Output, OutputError, complain};
use crate::cli::Follow;
use crate::pool::{Event, Events, Pool, PoolError};
use crate::tools::Failure;

/// Milliseconds before each new attempt after the connection has broken off: a pool that restarts
/// is back within that time.
const ATTEMPTS: [u64; 5] = [100, 500, 1_000, 3_000, 5_000];

/// How long output may wait for more of it: too short to be seen, and long enough that a fast
/// command's lines are not written one by one.
const LULL: Duration = Duration::from_millis(10);

/// Why following ended before the job did.
enum Broken {
    /// The stream: it can be taken up again.
    Stream(PoolError),
    /// The pool, for good.
    Pool(PoolError),
    /// The output.
    Output(OutputError),
}

impl From<OutputError> for Broken {
    fn from(error: OutputError) -> Self {
        Self::Output(error)
    }
}

/// Prints the job's records until its end.
pub(super) async fn follow(
    pool: &Pool,
    id: JobId,
    cursor: Option<String>,
    follow: &Follow,
) -> Exit {
    let mut output = Output::new(follow.json);
    let following = to_the_end(pool, id, cursor, &mut output);
    let followed = match follow.wait_seconds {
        None => following.await,
        Some(seconds) => match timeout(Duration::from_secs(seconds.into()), following).await {
            Ok(followed) => followed,
            Err(_) => return still_running(id, output).await,
        },
    };
    match followed {
        Ok(exit) => exit,
        Err(Broken::Output(error)) => complain(
            &format!("{error}; job {id} goes on, see `mm job {id}`"),
            error.exit(),
        ),
        Err(Broken::Stream(error) | Broken::Pool(error)) => {
            output.failure(&Failure::Pool(error)).await
        }
    }
}

async fn still_running(id: JobId, mut output: Output) -> Exit {
    let message = format!("still running: mm job {id}");
    output
        .given_up(id, "running", &message, Exit::StillRunning)
        .await
}

async fn to_the_end(
    pool: &Pool,
    id: JobId,
    mut cursor: Option<String>,
    output: &mut Output,
) -> Result<Exit, Broken> {
    let mut attempts = ATTEMPTS.into_iter();
    loop {
        let before = cursor.clone();
        let broken = match attempt(pool, id, &mut cursor, output).await {
            Err(Broken::Stream(error)) => error,
            ended => return ended,
        };
        if cursor != before {
            attempts = ATTEMPTS.into_iter();
        }
        let Some(pause) = attempts.next() else {
            return Err(Broken::Pool(broken));
        };
        sleep(Duration::from_millis(pause)).await;
    }
}

/// Prints records until the stream ends; `cursor` moves along.
async fn attempt(
    pool: &Pool,
    id: JobId,
    cursor: &mut Option<String>,
    output: &mut Output,
) -> Result<Exit, Broken> {
    let mut events = pool
        .events(id, cursor.as_deref())
        .await
        .map_err(classified)?;
    loop {
        let (event, json) = next(&mut events, output).await?;
        match event {
            Event::Record(record) => output.record(&record, &json).await?,
            Event::End(answer) => {
                output.end(&answer, &json).await?;
                return Ok(Exit::of(&answer));
            }
        }
        *cursor = events.last_id().map(str::to_owned);
    }
}

/// The next event. Where it lets wait, what there is goes out.
async fn next(events: &mut Events, output: &mut Output) -> Result<(Event, String), Broken> {
    let broke_off = events.broke_off();
    let mut next = pin!(events.next());
    let event = match timeout(LULL, &mut next).await {
        Ok(event) => event,
        Err(_) => {
            output.flush().await?;
            next.await
        }
    };
    event
        .map_err(Broken::Pool)?
        .ok_or(Broken::Stream(broke_off))
}

fn classified(error: PoolError) -> Broken {
    match error {
        PoolError::Unreachable { .. } | PoolError::BrokenOff { .. } | PoolError::Silent { .. } => {
            Broken::Stream(error)
        }
        _ => Broken::Pool(error),
    }
}
