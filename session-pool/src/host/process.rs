//! The operating system's side of a host: a child in a process group of its own, watched by a
//! task that awaits it and ends the whole group, whatever becomes of the [`Process`] handle.

use std::io;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::directory::StartDirectory;
use super::error::HostError;
use super::reaper::Reaper;
use super::spec::SpawnSpec;

/// How a process ended; the status is missing if the system did not tell.
type Ended = Option<ExitStatus>;

/// A running child; dropping it kills its group.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    kill: CancellationToken,
    _kill_on_drop: DropGuard,
    ended: watch::Receiver<Option<Ended>>,
}

/// The ends of the child's standard output and error that the pool reads.
pub(crate) struct Pipes {
    pub(crate) stdout: pipe::Receiver,
    pub(crate) stderr: pipe::Receiver,
}

impl Process {
    /// Starts the program of the spec on the script in `start`.
    ///
    /// Returns when the reaper knows of it, so that nothing outlives the pool.
    pub(crate) async fn start(
        spec: &SpawnSpec,
        start: &StartDirectory,
        reaper: &Reaper,
    ) -> Result<(Self, Pipes), HostError> {
        let cannot_start = |source| HostError::CannotStart {
            program: spec.program.path.clone(),
            source,
        };
        let (stdout_end, stdout) = pipe::pipe().map_err(cannot_start)?;
        let (stderr_end, stderr) = pipe::pipe().map_err(cannot_start)?;
        // From before the start, so that an early end is not missed.
        let endings = signal(SignalKind::child()).map_err(cannot_start)?;
        let child = command(spec, start, stdout_end, stderr_end)
            .and_then(|mut command| command.spawn())
            .map_err(cannot_start)?;
        let pid = id(&child).map_err(cannot_start)?;
        let kill = CancellationToken::new();
        let (report, ended) = watch::channel(None);
        let (listed, is_listed) = oneshot::channel();
        let child = Supervised {
            child,
            group: pid,
            endings,
            kill: kill.clone(),
        };
        tokio::spawn(child.supervise(reaper.clone(), listed, report));
        let process = Self {
            pid,
            _kill_on_drop: kill.clone().drop_guard(),
            kill,
            ended,
        };
        is_listed.await.map_err(|_| HostError::NoReaper {
            source: io::ErrorKind::BrokenPipe.into(),
        })??;
        Ok((process, Pipes { stdout, stderr }))
    }

    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Kills the whole group; [`Process::ended`] tells when that is done.
    pub(crate) fn kill(&self) {
        self.kill.cancel();
    }

    /// Waits until the process was awaited and its group is gone. Cancel safe.
    pub(crate) async fn ended(&mut self) -> Ended {
        match self.ended.wait_for(Option::is_some).await {
            Ok(ended) => (*ended).flatten(),
            // The watching task went down with the runtime.
            Err(_) => None,
        }
    }
}

fn command(
    spec: &SpawnSpec,
    start: &StartDirectory,
    stdout: pipe::Sender,
    stderr: pipe::Sender,
) -> io::Result<Command> {
    let mut command = Command::new(&spec.program.path);
    command
        .args(&spec.program.args)
        .args(["-NoLogo", "-NoProfile", "-NonInteractive", "-File"])
        .arg(start.script())
        .arg(start.socket())
        .env_clear()
        .envs(spec.environment.iter())
        .env("HOME", &spec.home)
        .current_dir(&spec.home)
        .stdin(Stdio::null())
        .stdout(stdout.into_blocking_fd()?)
        .stderr(stderr.into_blocking_fd()?)
        .process_group(0)
        .kill_on_drop(true);
    if let Some(user) = spec.user {
        command.uid(user.uid).gid(user.gid);
    }
    Ok(command)
}

/// The child's id, which is its group's too.
fn id(child: &Child) -> io::Result<Pid> {
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    id.and_then(Pid::from_raw)
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Waits until the process has ended, and leaves it unawaited.
async fn exit(pid: Pid, mut endings: SignalStream) {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    while let Ok(None) = rustix::process::waitid(WaitId::Pid(pid), options) {
        if endings.recv().await.is_none() {
            return;
        }
    }
}

/// A child with what its watching task needs.
struct Supervised {
    child: Child,
    group: Pid,
    endings: SignalStream,
    kill: CancellationToken,
}

impl Supervised {
    /// Has the group put on the reaper's list, waits for the end, and has it taken off again. One
    /// task does all of it: a process that ends at once must not be taken off before it is on, or
    /// its number would stay there and some day be another group's.
    async fn supervise(
        self,
        reaper: Reaper,
        listed: oneshot::Sender<Result<(), HostError>>,
        report: watch::Sender<Option<Ended>>,
    ) {
        let Self {
            mut child,
            group,
            endings,
            kill,
        } = self;
        let added = reaper.add(group).await;
        let is_listed = added.is_ok();
        // The asker may have given up; then `kill` is cancelled.
        let _ = listed.send(added);
        if is_listed {
            tokio::select! {
                () = exit(group, endings) => {}
                () = kill.cancelled() => {}
            }
        }
        // Before the leader is awaited: until then its number cannot become another group's.
        if let Err(error) = rustix::process::kill_process_group(group, Signal::KILL) {
            tracing::warn!(%error, group = group.as_raw_nonzero(), "cannot kill a process group");
        }
        let status = child.wait().await.ok();
        reaper.remove(group).await;
        // Nobody may be left who wants to know.
        let _ = report.send(Some(status));
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

    use std::time::Duration;

    use super::super::dial::BOOTSTRAP;
    use super::super::environment::Environment;
    use super::super::reaper::Request;
    use super::*;

    #[tokio::test]
    async fn a_group_is_taken_off_the_list_only_after_it_was_put_on() {
        let directory = tempfile::tempdir().unwrap();
        let start = StartDirectory::create(directory.path(), &BOOTSTRAP, "nonce", &[]).unwrap();
        let spec = SpawnSpec {
            program: std::path::PathBuf::from("/bin/true").into(),
            home: directory.path().to_owned(),
            user: None,
            environment: Environment::from_vars(Vec::new(), &[]),
            socket_root: directory.path().to_owned(),
            ready_within: Duration::from_secs(60),
            barrier: Vec::new(),
        };
        let (reaper, mut requests) = Reaper::recorded();
        let starting =
            tokio::spawn(async move { Process::start(&spec, &start, &reaper).await.map(drop) });
        let Some(Request::Add(group, done)) = requests.recv().await else {
            panic!("the group is not put on the list")
        };
        // The process has ended, and nobody has said yet that the helper knows of it.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        tokio::task::spawn_blocking(move || rustix::process::waitid(WaitId::Pid(group), options))
            .await
            .unwrap()
            .unwrap();
        let early = tokio::time::timeout(Duration::from_millis(200), requests.recv()).await;
        assert!(early.is_err(), "{early:?} overtook");
        done.send(Ok(())).unwrap();
        let removed = requests.recv().await;
        let Some(Request::Remove(removed, gone)) = removed else {
            panic!("{removed:?} instead of being taken off")
        };
        assert_eq!(removed, group);
        gone.send(()).unwrap();
        starting.await.unwrap().unwrap();
    }
}
