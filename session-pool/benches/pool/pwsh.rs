//! PowerShell without the pool: the baselines.

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use session_pool::domain::format::OutputFormat;
use session_pool::host::checker::Checker;
use session_pool::host::pwsh::Search;
use session_pool::host::{
    Environment, Host, HostEvent, Outcome, Program, Reaper, RunDirectory, SpawnSpec, Submission,
};
use tokio::process::Command;

use crate::Fallible;
use crate::world::World;

/// The pool's default.
const FORMAT: OutputFormat = OutputFormat::Text {
    width: NonZeroU16::MIN.saturating_add(159),
};

/// The PowerShell that a pool started here would take.
pub(crate) fn find() -> Fallible<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let (explicit, development) = (
        variable("SESSION_POOL_PWSH"),
        variable("SESSION_POOL_DEV_PWSH"),
    );
    let path = std::env::var_os("PATH");
    Ok(Search {
        explicit: explicit.as_deref(),
        path: path.as_deref(),
        installed: None,
        development: development.as_deref(),
    }
    .run()?)
}

/// The time of `pwsh -NoProfile -Command SCRIPT | cat`.
pub(crate) async fn piped(world: &World, script: &str) -> Fallible<Duration> {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", r#""$0" -NoProfile -Command "$1" | cat"#])
        .arg(world.pwsh())
        .arg(script);
    run(command, world).await
}

/// The time of `pwsh -NoProfile -Command 1`.
pub(crate) async fn trivial(world: &World) -> Fallible<Duration> {
    let mut command = Command::new(world.pwsh());
    command.args(["-NoProfile", "-Command", "1"]);
    run(command, world).await
}

async fn run(mut command: Command, world: &World) -> Fallible<Duration> {
    let home = world.path().join("home");
    std::fs::create_dir_all(&home)?;
    command
        .env_clear()
        .envs(world.variables())
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    let began = Instant::now();
    let status = command.status().await?;
    if !status.success() {
        return Err(format!("the bare PowerShell ended with {status}").into());
    }
    Ok(began.elapsed())
}

/// Starts processes on the pool's bootstrap script, without a pool.
#[derive(Debug)]
pub(crate) struct BareHosts {
    spec: SpawnSpec,
    reaper: Reaper,
    _sockets: RunDirectory,
}

impl BareHosts {
    pub(crate) fn new(world: &World) -> Fallible<Self> {
        let sockets = RunDirectory::create(&world.path().join("bare"), &[std::env::temp_dir()])?;
        Ok(Self {
            spec: SpawnSpec {
                program: Program::from(world.pwsh().to_owned()),
                home: world.path().join("home"),
                user: None,
                environment: Environment::from_vars(world.variables(), &[]),
                socket_root: sockets.path().to_owned(),
                ready_within: Duration::from_secs(60),
                barrier: Vec::new(),
            },
            reaper: Reaper::start(Path::new(env!("CARGO_BIN_EXE_session-pool")).to_owned())?,
            _sockets: sockets,
        })
    }

    /// A process that is ready for a command.
    pub(crate) async fn start(&self) -> Fallible<Host> {
        Ok(Host::start(&self.spec, &self.reaper).await?)
    }

    /// A process that reads facts off commands.
    pub(crate) async fn checker(&self) -> Fallible<Checker> {
        Ok(Checker::start(&self.spec, &self.reaper).await?)
    }

    /// Ends the helper.
    pub(crate) async fn shut_down(self) {
        self.reaper.shut_down().await;
    }
}

/// The time from handing over a command to its end, all records taken.
pub(crate) async fn bare_round_trip(host: &mut Host, script: &str) -> Fallible<Duration> {
    let began = Instant::now();
    host.submit(Submission::callers(script, FORMAT)).await?;
    loop {
        match host.next().await {
            HostEvent::Records(_) => {}
            HostEvent::Finished(finished) => {
                return match finished.outcome {
                    Outcome::Completed => Ok(began.elapsed()),
                    other => Err(format!("{script} ended as {other:?}").into()),
                };
            }
            HostEvent::Gone(error) => return Err(error.into()),
        }
    }
}
