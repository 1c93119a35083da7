//! Text that a process writes to its own standard output or error, around PowerShell.

use std::io;
use std::mem;
use std::time::Duration;

use tokio::net::unix::pipe;
use tokio::time::Instant;

use super::frame::plain;
use crate::domain::record::{ConsoleStream, Record};

/// After this much silence a line without an end comes out as it is: it may be a prompt.
const SILENCE: Duration = Duration::from_millis(50);
/// A longer line comes out in pieces.
const LONGEST_LINE: usize = 64 * 1024;

/// One of the two streams.
#[derive(Debug)]
pub(crate) struct Console {
    /// None once it has ended.
    pipe: Option<pipe::Receiver>,
    stream: ConsoleStream,
    lines: Lines,
    /// When a line without an end was last added to.
    touched: Option<Instant>,
}

impl Console {
    pub(crate) fn new(pipe: pipe::Receiver, stream: ConsoleStream) -> Self {
        Self {
            pipe: Some(pipe),
            stream,
            lines: Lines::default(),
            touched: None,
        }
    }

    /// Waits until there is something to [`read`](Self::read). Cancel safe.
    pub(crate) async fn readable(&self) {
        let readable = match &self.pipe {
            Some(pipe) => {
                let flush_at = self.touched.map(|touched| touched + SILENCE);
                tokio::select! {
                    readable = pipe.readable() => readable,
                    () = until(flush_at) => Ok(()),
                }
            }
            None => return std::future::pending().await,
        };
        // An error shows again, with its reason, when it is read.
        drop(readable);
    }

    /// Takes what is there and adds whole lines to `records`; returns how many bytes it took.
    pub(crate) fn read(&mut self, records: &mut Vec<Record>) -> usize {
        let taken = self.take(records);
        if taken > 0 {
            self.touched = self.lines.has_rest().then(Instant::now);
        } else if self
            .touched
            .is_some_and(|touched| touched.elapsed() >= SILENCE)
        {
            self.flush(records);
        }
        taken
    }

    /// Takes everything that is there, and the line without an end too.
    pub(crate) fn finish(&mut self, records: &mut Vec<Record>) -> usize {
        // What one pipe holds; a writer that goes on is not waited for.
        let mut total = 0;
        while total < 1024 * 1024 {
            match self.take(records) {
                0 => break,
                taken => total += taken,
            }
        }
        self.flush(records);
        total
    }

    fn take(&mut self, records: &mut Vec<Record>) -> usize {
        let Some(pipe) = &self.pipe else { return 0 };
        let mut chunk = [0; 16 * 1024];
        match pipe.try_read(&mut chunk) {
            Ok(0) => {
                self.pipe = None;
                self.flush(records);
                0
            }
            Ok(taken) => {
                for text in self.lines.push(chunk.get(..taken).unwrap_or_default()) {
                    records.push(Record::Console {
                        stream: self.stream,
                        text,
                    });
                }
                taken
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => {
                self.pipe = None;
                0
            }
        }
    }

    fn flush(&mut self, records: &mut Vec<Record>) {
        self.touched = None;
        if let Some(text) = self.lines.take_rest() {
            records.push(Record::Console {
                stream: self.stream,
                text,
            });
        }
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Cuts bytes into lines.
#[derive(Debug, Default)]
struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if let Some(line) = self.rest.strip_suffix(b"\n") {
                lines.push(plain(&String::from_utf8_lossy(line)));
                self.rest.clear();
            } else if self.rest.len() >= LONGEST_LINE {
                lines.extend(self.take_rest());
            }
        }
        lines
    }

    fn has_rest(&self) -> bool {
        !self.rest.is_empty()
    }

    /// What has no line end yet, but for a character of which only a part has come.
    fn take_rest(&mut self) -> Option<String> {
        let whole = match std::str::from_utf8(&self.rest) {
            Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => {
                error.valid_up_to()
            }
            _ => self.rest.len(),
        };
        let part = self.rest.split_off(whole);
        let text = mem::replace(&mut self.rest, part);
        (!text.is_empty()).then(|| plain(&String::from_utf8_lossy(&text)))
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

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_cut_and_the_rest_waits() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"one\r\ntwo\nth"), ["one", "two"]);
        assert_eq!(lines.push(b"ree\n\nEnter code: "), ["three", ""]);
        assert_eq!(lines.take_rest().as_deref(), Some("Enter code: "));
        assert_eq!(lines.take_rest(), None);
    }

    #[test]
    fn half_a_character_waits_for_its_other_half() {
        let mut lines = Lines::default();
        let text = "é".as_bytes();
        lines.push(&[b'a', text[0]]);
        assert_eq!(lines.take_rest().as_deref(), Some("a"));
        assert_eq!(lines.push(&[text[1], b'\n']), ["é"]);
    }

    #[test]
    fn a_line_without_end_is_bounded() {
        let mut lines = Lines::default();
        let pieces = lines.push(&vec![b'x'; LONGEST_LINE + 10]);
        assert_eq!(pieces.len(), 1);
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_none_of_a_text_is_lost(text in "[^\\pC]*(\n[^\\pC]*)*", at in 0_usize..100) {
            let mut lines = Lines::default();
            let at = at.min(text.len());
            let mut found = lines.push(&text.as_bytes()[..at]);
            found.extend(lines.push(&text.as_bytes()[at..]));
            found.extend(lines.take_rest());
            prop_assert_eq!(found.join("\n"), text.strip_suffix('\n').unwrap_or(&text));
        }
    }
}
