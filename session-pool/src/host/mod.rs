//! A PowerShell process as a stream of typed events.
//!
//! [`Host`] owns one process: it starts `pwsh` on the embedded `bootstrap.ps1`, which dials back
//! over a Unix socket (`dial`), hands it scripts, and turns what comes back on the socket (`lines`,
//! `frame`) and on the process's own output (`console`) into [`HostEvent`]s. `process` and
//! [`Reaper`] see to it that nothing outlives it.

pub mod checker;
mod console;
mod dial;
mod directory;
mod environment;
mod error;
mod event;
pub mod fake;
mod frame;
mod home;
pub mod install;
mod lines;
pub mod privileges;
mod process;
pub mod pwsh;
mod reach;
pub mod reaper;
mod resident;
mod spec;

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::mpsc;

pub use directory::{RunDirectory, TEMPORARY, short_directories};
pub use environment::Environment;
pub use error::HostError;
pub use event::{Finished, HostEvent, Outcome, Submission};
pub use frame::Garbage;
pub use home::{put_file, remove_directory, remove_files};
pub use pwsh::PwshVersion;
pub use reach::obstacle;
pub use reaper::Reaper;
pub use spec::{Program, SpawnSpec, UserIds};

use console::Console;
use event::Running;
use frame::{Envelope, Token};
use lines::LineReader;
use process::Process;

use crate::domain::record::Record;

/// One event holds at most this many records, or this many bytes and the record that passed them.
const BATCH_RECORDS: usize = 256;
const BATCH_BYTES: usize = 256 * 1024;
/// How long a process that was asked to end is given before its group is killed.
const FAREWELL: Duration = Duration::from_secs(2);

/// One PowerShell process, ready for one submission at a time.
///
/// Dropping it kills the process with everything it started.
#[derive(Debug)]
pub struct Host {
    process: Process,
    version: PwshVersion,
    lines: LineReader,
    /// To the task that writes to the socket, so that a busy process cannot block a caller.
    requests: mpsc::Sender<String>,
    stdout: Console,
    stderr: Console,
    running: Option<Running>,
    /// Events that were found and not fetched yet; never more than a few.
    found: VecDeque<HostEvent>,
    /// The submission that ended last, by whosever word.
    last: Option<Token>,
    /// A command has ended itself by a forged frame: what it says of its state is not believed.
    forged: bool,
    discarded: u64,
    gone: bool,
}

impl Host {
    /// Starts a process and returns when it takes submissions.
    ///
    /// # Errors
    /// Every way in which a start can fail; nothing is left of the process then.
    pub async fn start(spec: &SpawnSpec, reaper: &Reaper) -> Result<Self, HostError> {
        Self::start_unless(spec, reaper, std::future::pending()).await
    }

    /// As [`start`](Self::start), but for a caller who may change its mind: it is told only when
    /// the half-started process and its group are gone, which dropping the future would not wait
    /// for.
    ///
    /// # Errors
    /// Also [`HostError::CalledOff`].
    pub async fn start_unless(
        spec: &SpawnSpec,
        reaper: &Reaper,
        called_off: impl Future<Output = ()>,
    ) -> Result<Self, HostError> {
        let connected = dial::connect(spec, &dial::BOOTSTRAP, reaper, called_off).await?;
        let (requests, receiver) = mpsc::channel(8);
        tokio::spawn(write_requests(connected.socket, receiver));
        Ok(Self {
            process: connected.process,
            version: connected.version,
            lines: connected.lines,
            requests,
            stdout: connected.stdout,
            stderr: connected.stderr,
            running: None,
            found: VecDeque::new(),
            last: None,
            forged: false,
            discarded: 0,
            gone: false,
        })
    }

    /// The process's id, which is its group's too.
    pub fn pid(&self) -> u32 {
        self.process.pid().as_raw_nonzero().get().unsigned_abs()
    }

    /// Resident bytes of the process and all that it has started; `None` where the system does not
    /// tell.
    pub async fn resident(&self) -> Option<u64> {
        let group = self.process.pid();
        let look = tokio::task::spawn_blocking(move || resident::of_group(group));
        look.await.ok().flatten()
    }

    /// The version of its PowerShell.
    pub fn version(&self) -> &PwshVersion {
        &self.version
    }

    /// Bytes written to the console while no command ran; they are thrown away.
    pub fn discarded_console_bytes(&self) -> u64 {
        self.discarded
    }

    /// Hands over a script; its events come from [`next`](Self::next), the last is
    /// [`HostEvent::Finished`] or [`HostEvent::Gone`].
    ///
    /// # Errors
    /// [`HostError::Busy`] before the end of the one before, [`HostError::CannotWrite`] if the
    /// process is gone, [`HostError::NoRandomness`].
    pub async fn submit(&mut self, submission: Submission) -> Result<(), HostError> {
        if self.running.is_some() || !self.found.is_empty() {
            return Err(HostError::Busy);
        }
        self.discard_console();
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(HostError::NoRandomness)?;
        let token = Token::new(random);
        let Submission {
            script,
            format,
            own,
        } = submission;
        self.request(frame::run_request(token, &script, format, own))
            .await?;
        self.running = Some(Running::new(token, format));
        Ok(())
    }

    /// Asks the running command to stop; without one it does nothing.
    ///
    /// The end still comes from [`next`](Self::next), which must go on being called: a process
    /// that waits for its output to be read does not see the request. Code inside one long .NET
    /// call ends only with that call: after a grace period use [`kill`](Self::kill).
    ///
    /// # Errors
    /// [`HostError::CannotWrite`] if the process is gone.
    pub async fn cancel(&mut self) -> Result<(), HostError> {
        match &self.running {
            Some(running) => self.request(frame::cancel_request(running.token())).await,
            None => Ok(()),
        }
    }

    /// The next event; waits for one. Cancel safe: an event that was not returned is not lost.
    ///
    /// Also to be called while no command runs: it tells when the process is gone.
    pub async fn next(&mut self) -> HostEvent {
        loop {
            if let Some(event) = self.found.pop_front() {
                return event;
            }
            if let Err(garbage) = self.decode() {
                self.process.kill();
                self.leave(HostError::Garbage(garbage));
            } else if self.found.is_empty() {
                if self.lines.has_ended() {
                    let ended = tokio::time::timeout(dial::END_GRACE, self.process.ended()).await;
                    self.process.kill();
                    self.leave(HostError::Died {
                        status: ended.ok().flatten(),
                    });
                } else {
                    self.wait().await;
                }
            }
        }
    }

    /// Ends the process in good order within two seconds, and with it everything it started.
    pub async fn shut_down(self) {
        self.shut_down_within(FAREWELL).await;
    }

    /// As [`shut_down`](Self::shut_down), for those who have less time: past it the group is killed.
    pub async fn shut_down_within(self, within: Duration) {
        let Self {
            mut process,
            requests,
            lines,
            ..
        } = self;
        drop((requests, lines));
        if tokio::time::timeout(within.min(FAREWELL), process.ended())
            .await
            .is_err()
        {
            process.kill();
            process.ended().await;
        }
    }

    /// Kills the process and everything it started, and returns when they are gone.
    pub async fn kill(mut self) {
        self.process.kill();
        self.process.ended().await;
    }

    async fn request(&self, line: String) -> Result<(), HostError> {
        if self.gone {
            return Err(HostError::CannotWrite);
        }
        self.requests
            .send(line)
            .await
            .map_err(|_| HostError::CannotWrite)
    }

    /// Waits for anything to happen, and takes it in.
    async fn wait(&mut self) {
        tokio::select! {
            () = self.lines.readable() => { self.lines.fill(); }
            () = self.stdout.readable() => self.take_console(),
            () = self.stderr.readable() => self.take_console(),
            _ = self.process.ended() => self.take_last_words(),
        }
    }

    /// The process is gone: whatever it still wrote is in the socket.
    fn take_last_words(&mut self) {
        while !self.lines.has_ended() && self.lines.fill() {}
        self.lines.close();
    }

    fn take_console(&mut self) {
        let mut records = Vec::new();
        let taken = self.stdout.read(&mut records) + self.stderr.read(&mut records);
        if self.running.is_none() {
            self.discarded += taken as u64;
        } else if !records.is_empty() {
            self.found.push_back(HostEvent::Records(records));
        }
    }

    fn finish_console(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        self.stdout.finish(&mut records);
        self.stderr.finish(&mut records);
        records
    }

    fn discard_console(&mut self) {
        let mut records = Vec::new();
        let taken = self.stdout.finish(&mut records) + self.stderr.finish(&mut records);
        self.discarded += taken as u64;
    }

    /// Turns the whole lines that are here into one batch of records, or the end of the command.
    fn decode(&mut self) -> Result<(), Garbage> {
        let mut records = Vec::new();
        let mut bytes = 0;
        while records.len() < BATCH_RECORDS && bytes < BATCH_BYTES {
            let Some(line) = self.lines.line()? else {
                break;
            };
            bytes += line.len();
            let envelope = Envelope::open(line)?;
            let Some(running) = self
                .running
                .as_mut()
                .filter(|it| it.token() == envelope.token)
            else {
                // An older command's word. If it ends once more, its first end was a forged one.
                self.forged |= envelope.is_end() && self.last == Some(envelope.token);
                continue;
            };
            let Some(mut finished) = running.take(envelope, &mut records)? else {
                continue;
            };
            finished.stateful |= self.forged;
            self.last = Some(running.token());
            // Whatever the command wrote to the console was written before its end.
            records.append(&mut self.finish_console());
            self.running = None;
            self.push(records);
            self.found.push_back(HostEvent::Finished(finished));
            return Ok(());
        }
        self.push(records);
        Ok(())
    }

    fn push(&mut self, records: Vec<Record>) {
        if !records.is_empty() {
            self.found.push_back(HostEvent::Records(records));
        }
    }

    fn leave(&mut self, error: HostError) {
        let last_words = self.finish_console();
        if self.running.take().is_some() {
            self.push(last_words);
        }
        self.gone = true;
        self.lines.close();
        self.found.push_back(HostEvent::Gone(error));
    }
}

async fn write_requests(mut socket: OwnedWriteHalf, mut requests: mpsc::Receiver<String>) {
    while let Some(line) = requests.recv().await {
        if socket.write_all(line.as_bytes()).await.is_err() {
            // The reading side reports why.
            return;
        }
    }
}
