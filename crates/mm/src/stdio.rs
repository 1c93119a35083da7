//! Standard input and output as the connection to an MCP client, and standard error.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::JsonRpcMessage;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::io::{StdioReader, StdioWriter, stdio_pipes};
use tokio_util::sync::CancellationToken;

/// The connection to the client that started this process.
pub(crate) struct Stdio {
    inner: AsyncRwTransport<RoleServer, StdioReader, StdioWriter>,
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
            inner: AsyncRwTransport::new_server(reader, writer),
            ended: ended.clone(),
            begun: false,
        };
        (stdio, ended)
    }
}

impl Transport<RoleServer> for Stdio {
    type Error = std::io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.inner.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            let Some(message) = self.inner.receive().await else {
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
        self.inner.close().await
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
