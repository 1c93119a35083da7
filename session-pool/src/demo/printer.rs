//! The demo's words for the person at its terminal.

use std::io::{self, Write};
use std::sync::mpsc::{SyncSender, sync_channel};

/// Lines that may wait for a reader; more are dropped.
const WAITING: usize = 64;

/// Writes to standard output from a thread of its own: a pipe that nobody reads blocks its writer,
/// and must not hold up the demo, least of all its end.
#[derive(Clone, Debug)]
pub(super) struct Printer(SyncSender<String>);

impl Printer {
    /// Starts the thread, which ends with the last clone or the program.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn start() -> io::Result<Self> {
        Self::to(io::stdout())
    }

    fn to(mut output: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, lines) = sync_channel::<String>(WAITING);
        let thread = std::thread::Builder::new().name("printer".to_owned());
        thread.spawn(move || {
            for line in lines {
                // A closed standard output is no reason to stop.
                drop(writeln!(output, "{line}").and_then(|()| output.flush()));
            }
        })?;
        Ok(Self(sender))
    }

    /// Says something, unless too much waits to be read already. Never blocks.
    pub(super) fn say(&self, text: impl Into<String>) {
        drop(self.0.try_send(text.into()));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_pipe_that_nobody_reads_holds_nobody_up() {
        let (mut reader, writer) = io::pipe().unwrap();
        let printer = Printer::to(writer).unwrap();
        // Far more than a pipe and the channel hold.
        for _ in 0..10 * WAITING {
            printer.say("x".repeat(64 * 1024));
        }
        drop(printer);
        let mut first = [0];
        reader.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"x");
    }
}
