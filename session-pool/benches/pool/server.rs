//! A pool or a router as its users run it: the real binary in a process of its own.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use session_pool::demo::DIRECTORY_VARIABLE;
use tokio::process::{Child, Command};

use crate::Fallible;
use crate::client::Client;
use crate::world::World;

/// Any token does; callers here present it.
const TOKEN: &str = "bench-token-of-no-value";

/// A running pool, or router.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pid: u32,
    port: u16,
    log: PathBuf,
    /// Talks to it.
    pub(crate) client: Client,
}

impl Server {
    /// Starts `session-pool serve` for all connections and returns when it answers.
    pub(crate) async fn start(world: &World) -> Fallible<Self> {
        Self::start_in(world, &place(world, "pool")?, &[]).await
    }

    /// The same for one connection.
    pub(crate) async fn of_connection(world: &World, name: &str) -> Fallible<Self> {
        Self::start_in(world, &place(world, "pool")?, &["--connection", name]).await
    }

    /// The same with the state that an earlier one has left in this directory.
    pub(crate) async fn start_in(world: &World, directory: &Path, more: &[&str]) -> Fallible<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_session-pool"));
        command
            .args(["serve", "--pass-env", DIRECTORY_VARIABLE])
            .args(more)
            .arg("--pwsh")
            .arg(world.pwsh())
            .arg("--policy")
            .arg(world.path().join("policy.toml"));
        Self::launch(world, command, directory).await
    }

    /// Starts `session-pool router` in front of these pools, by connection.
    pub(crate) async fn router(world: &World, pools: &[(&str, &Self)]) -> Fallible<Self> {
        let directory = place(world, "router")?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_session-pool"));
        command.arg("router");
        for (connection, pool) in pools {
            let state = directory.join("state").join(connection);
            std::fs::create_dir_all(&state)?;
            std::fs::write(state.join("pool.token"), TOKEN)?;
            command
                .arg("--backend")
                .arg(format!("{connection}=http://127.0.0.1:{}", pool.port));
        }
        Self::launch(world, command, &directory).await
    }

    /// Starts the program in a directory of its own and returns when it answers.
    async fn launch(world: &World, mut command: Command, directory: &Path) -> Fallible<Self> {
        let port = free_port()?;
        let log = directory.join("output.log");
        let output = File::create(&log)?;
        let child = command
            .args(["--port", &port.to_string()])
            .arg("--registry")
            .arg(world.path().join("connections.json"))
            .arg("--state-dir")
            .arg(directory.join("state"))
            .arg("--log-dir")
            .arg(directory.join("logs"))
            .env_clear()
            .envs(world.variables())
            .env("SESSION_POOL_TOKEN", TOKEN)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().ok_or("the process ended at once")?;
        let client = Client::new(port, TOKEN);
        let mut server = Self {
            child,
            pid,
            port,
            log,
            client,
        };
        server.wait_until_it_answers().await?;
        Ok(server)
    }

    async fn wait_until_it_answers(&mut self) -> Fallible<()> {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.client.is_healthy().await {
            if let Some(status) = self.child.try_wait()? {
                let log = std::fs::read_to_string(&self.log)?;
                return Err(format!("it ended ({status}): {log}").into());
            }
            if Instant::now() > deadline {
                return Err("it does not answer".into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Resident memory of its own process in kB: now, and at its highest.
    pub(crate) fn memory(&self) -> Fallible<(u64, u64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let kilobytes = |name: &str| {
            status
                .lines()
                .find_map(|line| {
                    line.strip_prefix(name)?
                        .split_whitespace()
                        .next()?
                        .parse()
                        .ok()
                })
                .ok_or_else(|| format!("no {name} in /proc"))
        };
        Ok((kilobytes("VmRSS:")?, kilobytes("VmHWM:")?))
    }

    /// Processes of sessions, those that are starting too.
    pub(crate) fn sessions_running(&self) -> Fallible<usize> {
        Ok(children(self.pid)?
            .into_iter()
            .filter(|pid| {
                // The checker has another home.
                std::fs::read(format!("/proc/{pid}/environ"))
                    .is_ok_and(|found| memchr::memmem::find(&found, b"/state/homes/").is_some())
            })
            .count())
    }

    /// Kills it, and returns when nothing of it is left.
    pub(crate) async fn kill(mut self) -> Fallible<()> {
        let sessions = children(self.pid)?;
        self.child.start_kill()?;
        self.child.wait().await?;
        let deadline = Instant::now() + Duration::from_secs(30);
        let runs = |pid: &u32| Path::new(&format!("/proc/{pid}")).exists();
        while sessions.iter().any(runs) {
            if Instant::now() > deadline {
                return Err("the sessions outlive their pool".into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Ends it as an operator would, and returns when it is gone.
    pub(crate) async fn stop(mut self) -> Fallible<()> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        kill_process(pid.ok_or("no process id")?, Signal::TERM)?;
        let status = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await??;
        if status.success() {
            Ok(())
        } else {
            Err(format!("it ended with {status} after SIGTERM").into())
        }
    }
}

/// A directory for one process, or for several one after the other.
pub(crate) fn place(world: &World, kind: &str) -> Fallible<PathBuf> {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let name = format!("{kind}-{}", MADE.fetch_add(1, Ordering::Relaxed));
    let directory = world.path().join(name);
    std::fs::create_dir_all(&directory)?;
    Ok(directory)
}

/// The children of a process.
fn children(parent: u32) -> Fallible<Vec<u32>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name before it is in parentheses and may hold anything.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ppid = fields.split_whitespace().nth(1);
        if ppid.and_then(|ppid| ppid.parse().ok()) == Some(parent) {
            found.push(pid);
        }
    }
    Ok(found)
}

/// A port that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
