//! A pool as its users run it: the real binary in a process of its own.

use std::fs::File;
use std::net::TcpListener;
use std::path::PathBuf;
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

/// A running pool.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pid: u32,
    log: PathBuf,
    /// Talks to it.
    pub(crate) client: Client,
}

impl Server {
    /// Starts `session-pool serve` and returns when it answers.
    pub(crate) async fn start(world: &World) -> Fallible<Self> {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let name = format!("pool-{}", STARTED.fetch_add(1, Ordering::Relaxed));
        let directory = world.path().join(name);
        std::fs::create_dir_all(&directory)?;
        let port = free_port()?;
        let log = directory.join("output.log");
        let output = File::create(&log)?;
        let child = Command::new(env!("CARGO_BIN_EXE_session-pool"))
            .arg("serve")
            .args([
                "--port",
                &port.to_string(),
                "--pass-env",
                DIRECTORY_VARIABLE,
            ])
            .arg("--pwsh")
            .arg(world.pwsh())
            .arg("--policy")
            .arg(world.path().join("policy.toml"))
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
        let pid = child.id().ok_or("the pool ended at once")?;
        let client = Client::new(port, TOKEN);
        let mut server = Self {
            child,
            pid,
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
                return Err(format!("the pool ended ({status}): {log}").into());
            }
            if Instant::now() > deadline {
                return Err("the pool does not answer".into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Resident memory of the pool's own process in kB: now, and at its highest.
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

    /// Ends it as an operator would, and returns when it is gone.
    pub(crate) async fn stop(mut self) -> Fallible<()> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        kill_process(pid.ok_or("no process id")?, Signal::TERM)?;
        let status = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await??;
        if status.success() {
            Ok(())
        } else {
            Err(format!("the pool ended with {status} after SIGTERM").into())
        }
    }
}

/// A port that was free a moment ago.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
