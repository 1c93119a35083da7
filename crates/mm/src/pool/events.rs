//! A job's records as they come (server-sent events, WHATWG HTML section 9.2).

use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use session_pool::domain::record::Record;
use session_pool::domain::wire::{JobAnswer, Refusal};
use tokio::time::timeout;

use super::error::PoolError;
use crate::config::PoolUrl;

/// Bytes of one event that are kept: one line of output is one event.
const LARGEST_EVENT: usize = 300 << 20;

/// The name of a job's last event.
const END: &str = "end";

/// A stream that is silent for so long is dead: the pool sends a comment every 15 s.
const LONGEST_SILENCE: Duration = Duration::from_secs(40);

/// One event of a job.
#[derive(Debug)]
pub(crate) enum Event {
    /// The command said something.
    Record(Record),
    /// The job has ended; the answer has no output.
    End(Box<JobAnswer>),
}

/// A job's events, in order.
#[derive(Debug)]
pub(crate) struct Events<B = Incoming> {
    url: PoolUrl,
    body: B,
    frames: Frames,
    last_id: Option<String>,
    has_spoken: bool,
    longest_silence: Duration,
}

impl<B: Body<Data = Bytes> + Unpin> Events<B> {
    pub(super) fn new(url: PoolUrl, body: B) -> Self {
        Self {
            url,
            body,
            frames: Frames::default(),
            last_id: None,
            has_spoken: false,
            longest_silence: LONGEST_SILENCE,
        }
    }

    /// Whether anything has come, be it that the job still runs.
    pub(crate) const fn has_spoken(&self) -> bool {
        self.has_spoken
    }

    /// Where to go on after the last event.
    pub(crate) fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// The error for a stream that broke off.
    pub(crate) fn broke_off(&self) -> PoolError {
        PoolError::BrokenOff {
            url: self.url.to_string(),
            reason: "the job's events ended before the job did".to_owned(),
        }
    }

    /// The next event, with its text as it was sent; `None` where the stream broke off or died. Safe
    /// to be given up at every await.
    ///
    /// # Errors
    /// When the pool says that there are no more records to be had, or sends something else.
    pub(crate) async fn next(&mut self) -> Result<Option<(Event, String)>, PoolError> {
        loop {
            if let Some(frame) = self.frames.next() {
                if frame.data.is_empty() {
                    continue;
                }
                let event = self.read(&frame)?;
                self.last_id = frame.id.or(self.last_id.take());
                return Ok(Some((event, frame.data)));
            }
            match timeout(self.longest_silence, self.body.frame()).await {
                Err(_) | Ok(None | Some(Err(_))) => return Ok(None),
                Ok(Some(Ok(frame))) => {
                    self.has_spoken = true;
                    if let Ok(bytes) = frame.into_data() {
                        self.frames.push(&bytes);
                    }
                }
            }
            if self.frames.buffer.len() > LARGEST_EVENT {
                return Err(PoolError::not_a_pool(&self.url, "an event is too long"));
            }
        }
    }

    fn read(&self, frame: &Frame) -> Result<Event, PoolError> {
        let not_understood = |error: serde_json::Error| PoolError::not_a_pool(&self.url, error);
        if frame.name == END {
            return serde_json::from_str(&frame.data)
                .map(Event::End)
                .map_err(not_understood);
        }
        let error = match serde_json::from_str(&frame.data) {
            Ok(record) => return Ok(Event::Record(record)),
            Err(error) => error,
        };
        // Not a record: why there are no more of them. The stream's own status was 200.
        let refusal: Refusal =
            serde_json::from_str(&frame.data).map_err(|_| not_understood(error))?;
        Err(PoolError::Refused {
            status: match refusal.code.as_str() {
                "shutting_down" => 503,
                _ => 410,
            },
            error: refusal.error,
            code: refusal.code,
        })
    }
}

/// One event as it stands in the stream.
#[derive(Debug, Default, PartialEq, Eq)]
struct Frame {
    name: String,
    id: Option<String>,
    data: String,
}

/// Cuts the stream into events.
#[derive(Debug, Default)]
struct Frames {
    buffer: Vec<u8>,
    /// Bytes at the front that were already taken.
    taken: usize,
    /// Bytes that hold no end of a line.
    searched: usize,
    current: Frame,
}

impl Frames {
    fn push(&mut self, bytes: &Bytes) {
        self.buffer.drain(..self.taken);
        self.searched -= self.taken;
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole event.
    fn next(&mut self) -> Option<Frame> {
        loop {
            let unread = self.buffer.get(self.searched..)?;
            let Some(length) = unread.iter().position(|byte| *byte == b'\n') else {
                self.searched = self.buffer.len();
                return None;
            };
            let end = self.searched + length;
            let line = self.buffer.get(self.taken..end)?;
            let line =
                String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
            self.taken = end + 1;
            self.searched = self.taken;
            if line.is_empty() {
                return Some(std::mem::take(&mut self.current));
            }
            self.field(&line);
        }
    }

    fn field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "id" => self.current.id = Some(value.to_owned()),
            "data" => {
                if !self.current.data.is_empty() {
                    self.current.data.push('\n');
                }
                self.current.data.push_str(value);
            }
            "event" => value.clone_into(&mut self.current.name),
            // A comment has no name; others are not for this.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use std::convert::Infallible;

    use futures_util::stream::{self, StreamExt};
    use http_body_util::StreamBody;
    use hyper::body::Frame as BodyFrame;

    use super::*;

    #[tokio::test]
    async fn a_stream_that_says_nothing_more_is_dead() {
        for comments in [0, 3] {
            let comment = |_| Ok::<_, Infallible>(BodyFrame::data(Bytes::from_static(b":\n\n")));
            let spoken = stream::iter((0..comments).map(comment));
            let body = StreamBody::new(spoken.chain(stream::pending()));
            let mut events = Events::new(
                crate::config::PoolUrl::read("MM_SESSION_POOL_URL", "http://localhost").unwrap(),
                body,
            );
            events.longest_silence = Duration::from_millis(10);
            assert!(events.next().await.unwrap().is_none());
            assert_eq!(events.has_spoken(), comments > 0);
        }
    }

    fn all(chunks: &[&str]) -> Vec<Frame> {
        let mut frames = Frames::default();
        let mut found = Vec::new();
        for chunk in chunks {
            frames.push(&Bytes::copy_from_slice(chunk.as_bytes()));
            while let Some(frame) = frames.next() {
                found.push(frame);
            }
        }
        found
    }

    #[test]
    fn events_are_found_however_the_stream_is_cut() {
        let stream = ": hello\r\n\r\nevent: output\nid: r1\ndata: {\"a\":1}\n\nid: r2\ndata: x\ndata:y\n\nid: r3\n";
        let whole = all(&[stream]);
        let letters: Vec<&str> = stream.split_inclusive(|_| true).collect();
        assert_eq!(whole, all(&letters));
        assert_eq!(
            whole.len(),
            3,
            "a comment, and two events; the last is not whole"
        );
        assert_eq!(whole[1].id.as_deref(), Some("r1"));
        assert_eq!(whole[2].data, "x\ny");
    }
}
