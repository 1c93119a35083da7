//! Following a job's records to its end, also over a connection that breaks off.

use std::pin::pin;
use std::time::Duration;

use session_pool::domain::job::JobId;
use session_pool::domain::wire::JobAnswer;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{Exit, Output, OutputError};
use crate::pool::{Event, Events, Pauses, Pool, PoolError};
use crate::tools::{Doing, Unread};

/// How long output may wait for more of it: too short to be seen, and long enough that a fast
/// command's lines are not written one by one.
const LULL: Duration = Duration::from_millis(10);

/// A job that is followed.
#[derive(Debug)]
pub(super) struct Following {
    id: JobId,
    /// The last record that was printed.
    cursor: Option<String>,
    /// The answer that named it, where this process has started it.
    started: Option<Box<JobAnswer>>,
    /// Whether the pool has told the job's end.
    has_ended: bool,
}

/// Why following ended before the job did.
enum Broken {
    /// The pool or the stream; it has spoken before.
    Pool { error: PoolError, has_spoken: bool },
    /// The output.
    Output(OutputError),
}

impl From<OutputError> for Broken {
    fn from(error: OutputError) -> Self {
        Self::Output(error)
    }
}

impl Following {
    /// A job that this process has started.
    pub(super) fn started(answer: JobAnswer) -> Self {
        Self {
            id: answer.job,
            cursor: None,
            started: Some(Box::new(answer)),
            has_ended: false,
        }
    }

    /// Any job, from behind this record on.
    pub(super) fn from(id: JobId, cursor: Option<String>) -> Self {
        Self {
            id,
            cursor,
            started: None,
            has_ended: false,
        }
    }

    /// Prints the job's records until its end, or as many seconds as there are to wait. Where it is
    /// given up, what was printed ends with a whole line in the output.
    pub(super) async fn follow(
        mut self,
        pool: &Pool,
        wait: Option<u32>,
        output: &mut Output,
    ) -> Exit {
        let until = wait.map(|seconds| Instant::now() + Duration::from_secs(seconds.into()));
        let following = self.until_the_end(pool, output);
        let followed = match until {
            None => following.await,
            Some(until) => match timeout_at(until, following).await {
                Ok(followed) => followed,
                Err(_) => return self.still_running(output).await,
            },
        };
        match followed {
            Ok(exit) => exit,
            Err(Broken::Output(error)) => {
                let id = self.id;
                let job = if self.has_ended {
                    "has ended"
                } else {
                    "goes on"
                };
                let message = format!("{error}; job {id} {job}, see `mm job {id}`");
                output.complain(&message, error.exit()).await
            }
            Err(Broken::Pool { error, .. }) => {
                let doing = match self.started {
                    Some(answer) => Doing::Started(answer),
                    None => Doing::Looking(self.id),
                };
                output.failure(&Unread::failure(doing, error)).await
            }
        }
    }

    async fn still_running(&self, output: &mut Output) -> Exit {
        let id = self.id;
        let message = format!("still running: mm job {id}");
        output
            .given_up(id, "running", &message, Exit::StillRunning)
            .await
    }

    async fn until_the_end(&mut self, pool: &Pool, output: &mut Output) -> Result<Exit, Broken> {
        let mut pauses = Pauses::default();
        let mut is_known = self.started.is_some();
        loop {
            let error = match self.attempt(pool, output).await {
                Err(Broken::Pool { error, has_spoken }) if error.is_transient() => {
                    if has_spoken {
                        is_known = true;
                        pauses = Pauses::default();
                    }
                    error
                }
                ended => return ended,
            };
            // A pool that has never answered is not waited for.
            let Some(pause) = pauses.next().filter(|_| is_known) else {
                return Err(error.into());
            };
            output.flush().await?;
            sleep(pause).await;
        }
    }

    /// Prints records until the stream ends; the cursor moves along.
    async fn attempt(&mut self, pool: &Pool, output: &mut Output) -> Result<Exit, Broken> {
        let mut events = pool.events(self.id, self.cursor.as_deref()).await?;
        loop {
            let (event, json) = next(&mut events, output).await?;
            match event {
                Event::Record(record) => output.record(&record, &json).await?,
                Event::End(answer) => {
                    self.has_ended = true;
                    output.end(&answer, &json).await?;
                    return Ok(Exit::of(&answer));
                }
            }
            self.cursor = events.last_id().map(str::to_owned);
        }
    }
}

impl From<PoolError> for Broken {
    fn from(error: PoolError) -> Self {
        Self::Pool {
            error,
            has_spoken: false,
        }
    }
}

/// The next event. Where it lets wait, what there is goes out.
async fn next(events: &mut Events, output: &mut Output) -> Result<(Event, String), Broken> {
    let event = {
        let mut next = pin!(events.next());
        match timeout(LULL, &mut next).await {
            Ok(event) => event,
            Err(_) => {
                output.flush().await?;
                next.await
            }
        }
    };
    let has_spoken = events.has_spoken();
    match event {
        Ok(Some(event)) => Ok(event),
        Ok(None) => Err(Broken::Pool {
            error: events.broke_off(),
            has_spoken,
        }),
        Err(error) => Err(Broken::Pool { error, has_spoken }),
    }
}
