//! The process that reads facts off commands, and never runs one.
//!
//! A session can be lied to after one bad command, so facts come from a process of their own that
//! only parses. Its script is the files in `checker`, behind one another.

use std::future::Future;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::OwnedWriteHalf;

use super::dial::{self, Script};
use super::error::HostError;
use super::frame::Garbage;
use super::lines::LineReader;
use super::process::Process;
use super::reaper::Reaper;
use super::spec::SpawnSpec;
use crate::domain::policy::Facts;

const SCRIPT: Script = Script {
    file_name: "checker.ps1",
    text: concat!(
        include_str!("checker/greet.ps1"),
        include_str!("checker/commands.ps1"),
        include_str!("checker/walk.ps1"),
        include_str!("checker/serve.ps1"),
    ),
};

/// Why there are no facts about a command.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The checker's process is gone, or could not be started; a fresh one is needed.
    #[error("the process that checks commands failed: {0}")]
    Host(#[from] HostError),
    /// It did not answer in time; a fresh one is needed.
    #[error("the process that checks commands did not answer within {} s", .0.as_secs())]
    Late(Duration),
    /// It could not make facts of this text.
    #[error("the process that checks commands does not understand this one")]
    NotUnderstood,
}

impl CheckError {
    /// Whether the process may answer the next question.
    pub const fn leaves_it_usable(&self) -> bool {
        matches!(self, Self::NotUnderstood)
    }
}

/// The checker's process. Dropping it kills it.
#[derive(Debug)]
pub struct Checker {
    process: Process,
    lines: LineReader,
    socket: OwnedWriteHalf,
    asked: u64,
    // Its console is never read: it has nothing to say there but what went wrong in .NET itself.
    _console: (super::console::Console, super::console::Console),
}

impl Checker {
    /// Starts the process and returns when it takes questions.
    ///
    /// # Errors
    /// Every way in which a start can fail.
    pub async fn start(spec: &SpawnSpec, reaper: &Reaper) -> Result<Self, HostError> {
        Self::start_unless(spec, reaper, std::future::pending()).await
    }

    /// As [`start`](Self::start), but for a caller who may change its mind: it is told only when
    /// nothing is left of the half-started process.
    ///
    /// # Errors
    /// Also [`HostError::CalledOff`].
    pub async fn start_unless(
        spec: &SpawnSpec,
        reaper: &Reaper,
        called_off: impl Future<Output = ()>,
    ) -> Result<Self, HostError> {
        let connected = dial::connect(spec, &SCRIPT, reaper, called_off).await?;
        Ok(Self {
            process: connected.process,
            lines: connected.lines,
            socket: connected.socket,
            asked: 0,
            _console: (connected.stdout, connected.stderr),
        })
    }

    /// The process's id.
    pub fn pid(&self) -> u32 {
        self.process.pid().as_raw_nonzero().get().unsigned_abs()
    }

    /// Facts about a text. After an error that does not leave it usable the process must be ended.
    ///
    /// # Errors
    /// [`CheckError`].
    pub async fn facts(&mut self, text: &str, within: Duration) -> Result<Facts, CheckError> {
        self.asked += 1;
        let question = format!("{} {}\n", self.asked, BASE64.encode(text));
        let wanted = format!("{} ", self.asked);
        let answer = async {
            self.socket
                .write_all(question.as_bytes())
                .await
                .map_err(|_| HostError::CannotWrite)?;
            loop {
                if let Some(line) = self.lines.line().map_err(HostError::Garbage)? {
                    let Some(answer) = line.strip_prefix(wanted.as_bytes()) else {
                        return Err(HostError::Garbage(Garbage::NoFrame).into());
                    };
                    return match answer {
                        b"!" => Err(CheckError::NotUnderstood),
                        json => serde_json::from_slice(json)
                            .map_err(|_| HostError::Garbage(Garbage::Payload).into()),
                    };
                }
                if self.lines.has_ended() {
                    return Err(HostError::Died { status: None }.into());
                }
                self.lines.readable().await;
                self.lines.fill();
            }
        };
        tokio::time::timeout(within, answer)
            .await
            .map_err(|_| CheckError::Late(within))?
    }

    /// Resolves when the process has ended by itself. Cancel safe.
    pub async fn ended(&mut self) {
        self.process.ended().await;
    }

    /// Kills the process and everything it started, and returns when they are gone.
    pub async fn kill(mut self) {
        self.process.kill();
        self.process.ended().await;
    }
}
