//! Standard input and output as the connection to an MCP client, and standard error.

use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Write};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rmcp::RoleServer;
use rmcp::model::JsonRpcMessage;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::io::{StdioReader, StdioWriter, stdio_pipes};
use tokio::sync::Mutex;
use tokio_util::codec::{FramedRead, FramedWrite, LinesCodec, LinesCodecError};
use tokio_util::sync::CancellationToken;

use crate::incoming::{Incoming, Lines};

/// Standard output, a line a message; `None` when it is closed.
type Writer = Arc<Mutex<Option<FramedWrite<StdioWriter, LinesCodec>>>>;

/// A line on its way out.
type Writing = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// Errors that wait to be written at most. A client that reads none of them is not read either.
const WAITING_REFUSALS: usize = 64;

/// The connection to the client that started this process. rmcp has one too, which drops what is
/// no JSON and answers a request that it cannot read without the request's id
/// (docs/decisions/013).
pub(crate) struct Stdio {
    lines: FramedRead<StdioReader, Lines>,
    writer: Writer,
    /// An error that is being written. It is kept here because rmcp gives up a `receive` whenever it
    /// has something else to do.
    refusing: Option<Writing>,
    /// The errors behind it: the input is read on meanwhile, so that its end is seen.
    refusals: VecDeque<String>,
    ended: CancellationToken,
    begun: bool,
}

impl Stdio {
    /// The process's standard input and output, and a token that fires when the input has ended.
    /// Must be called inside a tokio runtime.
    pub(crate) fn open() -> (Self, CancellationToken) {
        let (reader, writer) = stdio_pipes();
        let ended = CancellationToken::new();
        let stdio = Self {
            lines: FramedRead::new(reader, Lines::default()),
            writer: Arc::new(Mutex::new(Some(FramedWrite::new(
                writer,
                LinesCodec::new(),
            )))),
            refusing: None,
            refusals: VecDeque::new(),
            ended: ended.clone(),
            begun: false,
        };
        (stdio, ended)
    }

    /// The next message. Safe to be given up at every await.
    async fn message(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if self.refusing.is_none()
                && let Some(line) = self.refusals.pop_front()
            {
                let writer = Arc::clone(&self.writer);
                self.refusing = Some(Box::pin(write(writer, line)));
            }
            let line = tokio::select! {
                biased;
                written = refused(&mut self.refusing) => {
                    self.refusing = None;
                    written.ok()?;
                    continue;
                }
                line = self.lines.next(), if self.refusals.len() < WAITING_REFUSALS => line?.ok()?,
            };
            match Incoming::read(&line) {
                Incoming::Message(message) => return Some(*message),
                Incoming::Refused(refusal) => self.refusals.push_back(refusal.line()),
                Incoming::Nothing => {}
            }
        }
    }
}

/// The end of what is being written; never, where nothing is.
async fn refused(refusing: &mut Option<Writing>) -> Result<(), Error> {
    match refusing {
        Some(writing) => writing.await,
        None => std::future::pending().await,
    }
}

/// Writes a line. One that is given up in its middle is written to its end with the next.
async fn write(writer: Writer, line: String) -> Result<(), Error> {
    let mut writer = writer.lock().await;
    let writer = writer
        .as_mut()
        .ok_or_else(|| Error::from(ErrorKind::NotConnected))?;
    writer.send(line).await.map_err(|error| match error {
        LinesCodecError::Io(error) => error,
        LinesCodecError::MaxLineLengthExceeded => Error::from(ErrorKind::InvalidData),
    })
}

impl Transport<RoleServer> for Stdio {
    type Error = Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let writer = Arc::clone(&self.writer);
        async move { write(writer, serde_json::to_string(&item)?).await }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            let Some(message) = self.message().await else {
                self.ended.cancel();
                return None;
            };
            // rmcp ends where anything but a request comes first. A client may well begin with a
            // notification, such as one that cancels what it asked of another process.
            self.begun |= matches!(message, JsonRpcMessage::Request(_));
            if self.begun {
                return Some(message);
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        // It may hold the lock.
        self.refusing = None;
        drop(self.writer.lock().await.take());
        Ok(())
    }
}

/// Lines that wait for standard error at most; more are dropped.
const WAITING_LINES: usize = 64;

/// What is waited at the end for standard error to take the last lines.
const LAST_LINES: Duration = Duration::from_millis(20);

/// Standard error. A client may have closed it, which is no error, or may never read it, which
/// must not stop the server: so a thread of its own writes the lines.
pub(crate) struct Stderr {
    lines: SyncSender<String>,
    done: std::sync::Mutex<Receiver<()>>,
}

static STDERR: OnceLock<Option<Stderr>> = OnceLock::new();

impl Stderr {
    /// Writes a line as soon as standard error takes it.
    pub(crate) fn line(text: impl Into<String>) {
        if let Some(stderr) = STDERR.get_or_init(Self::start) {
            let _ = stderr.lines.try_send(text.into());
        }
    }

    /// Waits a moment for the lines to be written.
    pub(crate) fn finish() {
        let Some(Some(stderr)) = STDERR.get() else {
            return;
        };
        // An empty line is the mark that all before it are written.
        if stderr.lines.try_send(String::new()).is_ok()
            && let Ok(done) = stderr.done.lock()
        {
            let _ = done.recv_timeout(LAST_LINES);
        }
    }

    fn start() -> Option<Self> {
        let (lines, waiting) = sync_channel::<String>(WAITING_LINES);
        let (mark, done) = sync_channel(1);
        std::thread::Builder::new()
            .name("stderr".to_owned())
            .spawn(move || {
                for line in waiting {
                    if line.is_empty() {
                        let _ = mark.try_send(());
                    } else {
                        let _ = writeln!(std::io::stderr(), "mm: {line}");
                    }
                }
            })
            .ok()?;
        Some(Self {
            lines,
            done: std::sync::Mutex::new(done),
        })
    }
}
