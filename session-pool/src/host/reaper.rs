//! The helper that ends what the pool leaves behind, also after the pool was killed.
//!
//! The pool tells it the process groups it started, through a pipe. When the pipe ends, however
//! the pool ended, the helper kills every group that is still on its list.

use std::collections::BTreeSet;
use std::io::{self, BufRead};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::error::HostError;
use super::privileges::make_non_dumpable;
use crate::domain::backoff::Backoff;

/// The hidden word of the command line that runs [`run`].
pub const COMMAND: &str = "__reaper";

/// A handle on the helper; clones share it. It ends when the last one is dropped.
#[derive(Clone, Debug)]
pub struct Reaper {
    requests: mpsc::Sender<Request>,
}

#[derive(Debug)]
pub(super) enum Request {
    Add(Pid, oneshot::Sender<io::Result<()>>),
    Remove(Pid, oneshot::Sender<()>),
    End(oneshot::Sender<()>),
}

impl Reaper {
    /// Starts the helper: `program __reaper`, where `program` is this executable.
    ///
    /// # Errors
    /// [`HostError::NoReaper`] if it cannot be started.
    pub fn start(program: PathBuf) -> Result<Self, HostError> {
        let helper = Helper::spawn(&program).map_err(|source| HostError::NoReaper { source })?;
        let (requests, receiver) = mpsc::channel(16);
        tokio::spawn(
            Keeper {
                program,
                helper: Some(helper),
                groups: BTreeSet::new(),
                backoff: Backoff::default(),
                again_at: None,
            }
            .run(receiver),
        );
        Ok(Self { requests })
    }

    /// A handle to no helper at all.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self {
            requests: mpsc::channel(1).0,
        }
    }

    /// A handle whose requests a test answers.
    #[cfg(test)]
    pub(super) fn recorded() -> (Self, mpsc::Receiver<Request>) {
        let (requests, receiver) = mpsc::channel(16);
        (Self { requests }, receiver)
    }

    /// Puts a group on the list; returns when the helper is sure to learn of it.
    pub(crate) async fn add(&self, group: Pid) -> Result<(), HostError> {
        let gone = || HostError::NoReaper {
            source: io::ErrorKind::BrokenPipe.into(),
        };
        let (done, answer) = oneshot::channel();
        self.requests
            .send(Request::Add(group, done))
            .await
            .map_err(|_| gone())?;
        answer
            .await
            .map_err(|_| gone())?
            .map_err(|source| HostError::NoReaper { source })
    }

    /// Takes a group off the list, after all of it has ended.
    pub(crate) async fn remove(&self, group: Pid) {
        let (done, answer) = oneshot::channel();
        if self
            .requests
            .send(Request::Remove(group, done))
            .await
            .is_ok()
        {
            // Without an answer the helper's keeper is gone, and with it the list.
            let _ = answer.await;
        }
    }

    /// Ends the helper and waits for it; what is still on its list is killed.
    pub async fn shut_down(self) {
        let (done, answer) = oneshot::channel();
        if self.requests.send(Request::End(done)).await.is_ok() {
            // The keeper may have ended by itself, which is as good.
            let _ = answer.await;
        }
    }
}

/// The helper process as the pool sees it.
#[derive(Debug)]
struct Helper {
    child: Child,
    list: ChildStdin,
    began: Instant,
}

impl Helper {
    fn spawn(program: &std::path::Path) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg(COMMAND)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let list = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self {
            child,
            list,
            began: Instant::now(),
        })
    }

    async fn say(&mut self, sign: char, group: Pid) -> io::Result<()> {
        self.list
            .write_all(format!("{sign}{}\n", group.as_raw_nonzero()).as_bytes())
            .await?;
        self.list.flush().await
    }

    async fn end(self) {
        let Self {
            mut child, list, ..
        } = self;
        drop(list);
        if let Err(error) = child.wait().await {
            tracing::warn!(%error, "the clean-up helper could not be awaited");
        }
    }
}

/// The task that owns the helper, and starts another when it dies.
struct Keeper {
    program: PathBuf,
    helper: Option<Helper>,
    groups: BTreeSet<i32>,
    backoff: Backoff,
    /// When another one is started, where there is none.
    again_at: Option<Instant>,
}

impl Keeper {
    async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut farewell = None;
        loop {
            let request = tokio::select! {
                request = requests.recv() => request,
                lived = Self::death(&mut self.helper) => {
                    self.helper = None;
                    let wait = self.backoff.after(lived);
                    tracing::warn!(wait_ms = wait.as_millis(), "the clean-up helper was killed; another takes its place");
                    self.again_at = Some(Instant::now() + wait);
                    continue;
                }
                () = due(self.again_at) => {
                    if let Err(error) = self.revive().await {
                        tracing::error!(%error, "cannot start the clean-up helper again; no process is started until it can be");
                    }
                    continue;
                }
            };
            match request {
                Some(Request::Add(group, done)) => {
                    // The asker may have given up; its process is then removed again.
                    let _ = done.send(self.add(group).await);
                }
                Some(Request::Remove(group, done)) => {
                    self.remove(group).await;
                    let _ = done.send(());
                }
                Some(Request::End(done)) => {
                    farewell = Some(done);
                    break;
                }
                None => break,
            }
        }
        if let Some(helper) = self.helper {
            helper.end().await;
        }
        if let Some(done) = farewell {
            let _ = done.send(());
        }
    }

    /// Resolves when the helper has ended, with how long it lived.
    async fn death(helper: &mut Option<Helper>) -> Duration {
        match helper {
            Some(helper) => {
                // How it ended does not matter: without it nothing is cleaned up.
                let _ = helper.child.wait().await;
                helper.began.elapsed()
            }
            None => std::future::pending().await,
        }
    }

    async fn add(&mut self, group: Pid) -> io::Result<()> {
        self.groups.insert(group.as_raw_nonzero().get());
        let told = match &mut self.helper {
            Some(helper) => helper.say('+', group).await,
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        let added = match told {
            Ok(()) => Ok(()),
            Err(_) => self.revive().await,
        };
        if added.is_err() {
            self.groups.remove(&group.as_raw_nonzero().get());
        }
        added
    }

    async fn remove(&mut self, group: Pid) {
        self.groups.remove(&group.as_raw_nonzero().get());
        if let Some(helper) = &mut self.helper
            && helper.say('-', group).await.is_err()
            && let Err(error) = self.revive().await
        {
            tracing::error!(%error, "cannot start the clean-up helper again");
        }
    }

    /// Starts another helper and gives it the whole list.
    async fn revive(&mut self) -> io::Result<()> {
        let revived = self.start_another().await;
        self.again_at = match &revived {
            Ok(()) => None,
            Err(_) => Some(Instant::now() + self.backoff.after(Duration::ZERO)),
        };
        revived
    }

    async fn start_another(&mut self) -> io::Result<()> {
        if let Some(old) = self.helper.take() {
            old.end().await;
        }
        let mut helper = Helper::spawn(&self.program)?;
        for group in self.groups.iter().copied().filter_map(Pid::from_raw) {
            helper.say('+', group).await?;
        }
        self.helper = Some(helper);
        Ok(())
    }
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// The helper itself: reads group numbers to add (`+N`) and to remove (`-N`), and at the end of
/// its input kills every group that is left. Lines it does not understand are passed over.
pub fn run(input: impl BufRead) {
    // A session of its own: neither Ctrl-C nor the end of the terminal reaches it. It fails only
    // for a group's leader, and such a one is safe from Ctrl-C as well.
    let _ = rustix::process::setsid();
    let _ = make_non_dumpable();
    for group in left_over(input).into_iter().filter_map(Pid::from_raw) {
        // A group that has ended meanwhile is the usual case.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
}

fn left_over(input: impl BufRead) -> BTreeSet<i32> {
    let mut groups = BTreeSet::new();
    for line in input.lines().map_while(Result::ok) {
        // Zero would mean the helper's own group and one is init's.
        let number = |text: &str| text.parse::<i32>().ok().filter(|number| *number > 1);
        if let Some(group) = line.strip_prefix('+').and_then(number) {
            groups.insert(group);
        } else if let Some(group) = line.strip_prefix('-').and_then(number) {
            groups.remove(&group);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_and_not_removed_is_left() {
        let input = "+10\n+11\n-10\n+0\n+1\n+-5\nnonsense\n+12";
        assert_eq!(left_over(input.as_bytes()), BTreeSet::from([11, 12]));
    }
}
