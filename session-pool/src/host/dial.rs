//! A process's way from its start to "ready": it dials back, proves who it is, and takes work.

use std::future::Future;
use std::time::Duration;

use rustix::process::Pid;
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};

use super::console::Console;
use super::directory::{StartDirectory, make_home};
use super::error::HostError;
use super::frame::{is_ready, parse_hello};
use super::lines::LineReader;
use super::process::Process;
use super::pwsh::PwshVersion;
use super::reaper::Reaper;
use super::spec::SpawnSpec;
use crate::domain::record::{ConsoleStream, Record};

/// What a process is started on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    pub(crate) file_name: &'static str,
    pub(crate) text: &'static str,
}

/// The script of a session's process.
pub(crate) const BOOTSTRAP: Script = Script {
    file_name: "bootstrap.ps1",
    text: include_str!("bootstrap.ps1"),
};

/// How much of a failed start's standard error an error message holds, in characters.
const TAIL: usize = 2000;
/// How long a process that hung up is given to be seen as ended.
pub(crate) const END_GRACE: Duration = Duration::from_secs(2);

/// A process that is ready for work.
pub(crate) struct Connected {
    pub(crate) process: Process,
    pub(crate) version: PwshVersion,
    pub(crate) lines: LineReader,
    pub(crate) socket: OwnedWriteHalf,
    pub(crate) stdout: Console,
    pub(crate) stderr: Console,
}

/// Starts a process and waits until it is ready. Nothing is left of one that fails or is called off.
pub(crate) async fn connect(
    spec: &SpawnSpec,
    script: &Script,
    reaper: &Reaper,
    called_off: impl Future<Output = ()>,
) -> Result<Connected, HostError> {
    make_home(&spec.home, spec.user)?;
    let nonce = nonce()?;
    let start = StartDirectory::create(&spec.socket_root, script, &nonce, &spec.barrier)?;
    let listener =
        UnixListener::bind(start.socket()).map_err(|source| HostError::CannotPrepare {
            path: start.socket(),
            source,
        })?;
    if let Some(user) = spec.user {
        start.give_to(user)?;
    }
    let (mut process, pipes) = Process::start(spec, &start, reaper).await?;
    let stdout = Console::new(pipes.stdout, ConsoleStream::Stdout);
    let mut stderr = Console::new(pipes.stderr, ConsoleStream::Stderr);
    let pid = process.pid();

    let handshake = tokio::time::timeout(spec.ready_within, handshake(listener, &nonce, pid, spec));
    let outcome = tokio::select! {
        // A process that greeted and then died has the greeting's error: look at that first.
        biased;
        outcome = handshake => outcome,
        status = process.ended() => {
            return Err(HostError::DiedAtStart { status, stderr_tail: tail(&mut stderr) });
        }
        () = called_off => Ok(Err(Some(HostError::CalledOff))),
    };
    let failure = match outcome {
        Ok(Ok((version, stream))) => {
            let (reader, socket) = stream;
            return Ok(Connected {
                process,
                version,
                lines: reader,
                socket,
                stdout,
                stderr,
            });
        }
        Ok(Err(Some(error))) => error,
        Ok(Err(None)) => {
            let ended = tokio::time::timeout(END_GRACE, process.ended()).await;
            let status = ended.ok().flatten();
            HostError::DiedAtStart {
                status,
                stderr_tail: tail(&mut stderr),
            }
        }
        Err(_) => HostError::NotReady {
            within: spec.ready_within,
            stderr_tail: tail(&mut stderr),
        },
    };
    process.kill();
    process.ended().await;
    Err(failure)
}

/// The error is none where the process hung up: how it ended says more.
async fn handshake(
    listener: UnixListener,
    nonce: &str,
    pid: Pid,
    spec: &SpawnSpec,
) -> Result<(PwshVersion, (LineReader, OwnedWriteHalf)), Option<HostError>> {
    let (stream, _) = listener.accept().await.map_err(|source| {
        Some(HostError::CannotPrepare {
            path: spec.socket_root.clone(),
            source,
        })
    })?;
    check_peer(&stream, pid, spec)?;
    let (reader, writer) = stream.into_split();
    let mut lines = LineReader::new(reader);
    let hello = next_line(&mut lines).await?;
    let version = parse_hello(&hello, nonce).ok_or(HostError::WrongPeer("wrong nonce"))?;
    let version = version
        .parse()
        .and_then(PwshVersion::supported)
        .map_err(|error| Some(error.into()))?;
    let ready = next_line(&mut lines).await?;
    if !is_ready(&ready, nonce) {
        return Err(Some(HostError::WrongPeer("no word of being ready")));
    }
    Ok((version, (lines, writer)))
}

fn check_peer(stream: &UnixStream, pid: Pid, spec: &SpawnSpec) -> Result<(), HostError> {
    let peer = stream
        .peer_cred()
        .map_err(|_| HostError::WrongPeer("unknown user"))?;
    let uid = spec
        .user
        .map_or_else(|| rustix::process::geteuid().as_raw(), |user| user.uid);
    if peer.uid() != uid {
        return Err(HostError::WrongPeer("another user"));
    }
    // By the group, because a `pwsh` may be a shell script that starts the real one.
    let group = peer
        .pid()
        .and_then(Pid::from_raw)
        .and_then(|peer| rustix::process::getpgid(Some(peer)).ok());
    if group == Some(pid) {
        Ok(())
    } else {
        Err(HostError::WrongPeer("another process"))
    }
}

async fn next_line(lines: &mut LineReader) -> Result<Vec<u8>, Option<HostError>> {
    loop {
        if let Some(line) = lines.line().map_err(HostError::Garbage)? {
            return Ok(line.to_vec());
        }
        if lines.has_ended() {
            return Err(None);
        }
        lines.readable().await;
        lines.fill();
    }
}

/// 32 hexadecimal digits that nobody can guess.
fn nonce() -> Result<String, HostError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(HostError::NoRandomness)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(random)))
}

/// The last of what a process that is not ready yet wrote: no command has run, so it is the
/// program's own.
fn tail(stderr: &mut Console) -> String {
    let mut records = Vec::new();
    stderr.finish(&mut records);
    let text: Vec<&str> = records
        .iter()
        .filter_map(|record| match record {
            Record::Console { text, .. } => Some(text.trim()),
            _ => None,
        })
        .collect();
    let text = text.join("\n");
    let skip = text.chars().count().saturating_sub(TAIL);
    text.trim().chars().skip(skip).collect()
}
