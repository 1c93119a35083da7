//! Bytes from the socket, cut into lines of bounded length.

use std::io;

use tokio::net::unix::OwnedReadHalf;

use super::frame::{Garbage, MAX_FRAME};

const READ_SIZE: usize = 64 * 1024;

/// The socket's reading side with what has come and was not taken yet.
#[derive(Debug)]
pub(crate) struct LineReader {
    socket: OwnedReadHalf,
    buffer: LineBuffer,
    ended: bool,
}

impl LineReader {
    pub(crate) fn new(socket: OwnedReadHalf) -> Self {
        Self {
            socket,
            buffer: LineBuffer::default(),
            ended: false,
        }
    }

    /// The next whole line that is already here, without its end.
    pub(crate) fn line(&mut self) -> Result<Option<&[u8]>, Garbage> {
        self.buffer.line()
    }

    /// Whether the other side has closed the connection, or it broke.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Treats the connection as ended.
    pub(crate) fn close(&mut self) {
        self.ended = true;
    }

    /// Waits until there is something to [`fill`](Self::fill) from. Cancel safe.
    pub(crate) async fn readable(&self) {
        if self.ended {
            return std::future::pending().await;
        }
        // An error shows again when it is read.
        let _ = self.socket.readable().await;
    }

    /// Takes up to 64 KB that are there; returns whether it got any.
    pub(crate) fn fill(&mut self) -> bool {
        match self.socket.try_read_buf(self.buffer.space()) {
            Ok(0) => self.ended = true,
            Ok(_) => return true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.ended = true,
        }
        false
    }
}

/// Bytes of which the front is taken line by line.
#[derive(Debug, Default)]
struct LineBuffer {
    bytes: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// Up to where no line end was found, so that a long line is searched once.
    searched: usize,
}

impl LineBuffer {
    fn line(&mut self) -> Result<Option<&[u8]>, Garbage> {
        let unsearched = self.bytes.get(self.searched..).unwrap_or_default();
        let Some(offset) = memchr::memchr(b'\n', unsearched) else {
            self.searched = self.bytes.len();
            let pending = self.bytes.len() - self.start;
            return if pending > MAX_FRAME {
                Err(Garbage::TooLong)
            } else {
                Ok(None)
            };
        };
        let end = self.searched + offset;
        let line = self.bytes.get(self.start..end).unwrap_or_default();
        self.start = end + 1;
        self.searched = self.start;
        Ok(Some(line))
    }

    /// The buffer, with what was taken cut off and room for one more read.
    fn space(&mut self) -> &mut Vec<u8> {
        if self.start == self.bytes.len() && self.bytes.capacity() > 16 * READ_SIZE {
            // One huge line must not keep its memory for the rest of the session.
            self.bytes = Vec::new();
        } else {
            self.bytes.drain(..self.start);
        }
        self.searched -= self.start;
        self.start = 0;
        self.bytes.reserve(READ_SIZE);
        &mut self.bytes
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

    fn take_all(buffer: &mut LineBuffer) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| buffer.line().unwrap().map(<[u8]>::to_vec)).collect()
    }

    #[test]
    fn a_line_over_the_limit_is_garbage() {
        let mut buffer = LineBuffer::default();
        buffer.space().resize(MAX_FRAME + 1, b'x');
        assert_eq!(buffer.line(), Err(Garbage::TooLong));
    }

    proptest! {
        #[test]
        fn lines_come_out_as_they_went_in(
            lines in proptest::collection::vec("[^\n]{0,40}", 0..20),
            cut in 1_usize..50,
        ) {
            let bytes: Vec<u8> = lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect();
            let mut buffer = LineBuffer::default();
            let mut found = Vec::new();
            for piece in bytes.chunks(cut) {
                buffer.space().extend_from_slice(piece);
                found.extend(take_all(&mut buffer));
            }
            let expected: Vec<Vec<u8>> = lines.iter().map(|line| line.clone().into_bytes()).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
