//! A job's records as server-sent events.

use std::sync::Arc;
use std::time::Duration;
use std::vec;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Serialize;

use crate::domain::paging::{Cursor, PageBudget};
use crate::domain::record::Record;
use crate::session::{Job, ResultsError};

use super::error::ApiError;

/// How often a comment is sent while a job is silent, so that nobody on the way hangs up.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The job's records from this place on, then its end.
///
/// # Errors
/// When there are no records to be had at this place: before anything is sent, so that the client
/// gets a status.
pub(super) async fn stream(
    job: Arc<Job>,
    from: Cursor,
) -> Result<Sse<impl Stream<Item = Result<Event, axum::Error>>>, ResultsError> {
    let batch = job.records(from).await?.into_iter();
    let tail = Tail {
        job,
        cursor: from,
        batch,
        ended: false,
    };
    let events = unfold(tail, |mut tail| async {
        let event = tail.next().await?;
        Some((event, tail))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// A place in a job's records that moves to their end. It holds one batch and reads the next when
/// the client has taken that: a slow one costs no memory.
struct Tail {
    job: Arc<Job>,
    cursor: Cursor,
    batch: vec::IntoIter<(Cursor, Record)>,
    ended: bool,
}

impl Tail {
    async fn next(&mut self) -> Option<Result<Event, axum::Error>> {
        if self.ended {
            return None;
        }
        loop {
            if let Some((after, record)) = self.batch.next() {
                self.cursor = after;
                return Some(event(record.kind(), after, &record));
            }
            // Asked first: a job that is final here has all its records.
            let is_final = self.job.is_final();
            match self.job.records(self.cursor).await {
                Ok(batch) if !batch.is_empty() => self.batch = batch.into_iter(),
                Ok(_) if is_final => return Some(self.end().await),
                Ok(_) => self.job.more_than(self.cursor).await,
                Err(error) => return Some(self.broken_off(error)),
            }
        }
    }

    async fn end(&mut self) -> Result<Event, axum::Error> {
        match self.job.answer(self.cursor, PageBudget::default()).await {
            Ok(mut answer) => {
                self.ended = true;
                answer.output.clear();
                event("end", self.cursor, &answer)
            }
            Err(error) => self.broken_off(error),
        }
    }

    fn broken_off(&mut self, error: ResultsError) -> Result<Event, axum::Error> {
        self.ended = true;
        event("broken_off", self.cursor, &ApiError::from(error).body())
    }
}

fn event(name: &str, id: Cursor, data: &impl Serialize) -> Result<Event, axum::Error> {
    Event::default()
        .event(name)
        .id(id.to_string())
        .json_data(data)
}
