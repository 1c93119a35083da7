//! Which PowerShell the pool's processes are.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::config::SessionConfig;
use crate::host::pwsh::{NotFound, PwshVersion, Search, VersionError};

/// How long `pwsh --version` may take; it takes a tenth of a second.
const VERSION_WITHIN: Duration = Duration::from_secs(20);

/// PowerShell is not there, or not fit for the pool.
#[derive(Debug, thiserror::Error)]
pub enum UnusablePwsh {
    /// There is none.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// It is too old.
    #[error("{} cannot be used (SESSION_POOL_PWSH, --pwsh): {source}", path.display())]
    Version {
        /// The program.
        path: PathBuf,
        /// Which version it is, and which is needed.
        source: VersionError,
    },
    /// It cannot be started.
    #[error(
        "{} cannot be started: {source}; correct SESSION_POOL_PWSH (--pwsh), or make the file \
         executable",
        path.display()
    )]
    CannotStart {
        /// The program.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Finds PowerShell, and asks it for its version: better now than at the first command.
///
/// # Errors
/// [`UnusablePwsh`], with how to get one that is fit.
pub fn find_usable(config: &SessionConfig, home: Option<&Path>) -> Result<PathBuf, UnusablePwsh> {
    let path = find(config, home)?;
    match output(&path, &["--version"], None, 200, VERSION_WITHIN) {
        Err(source) => Err(UnusablePwsh::CannotStart { path, source }),
        Ok(line) => match line.trim().strip_prefix("PowerShell ").map(str::parse) {
            Some(Ok(version)) => match PwshVersion::supported(version) {
                Ok(_) => Ok(path),
                Err(source) => Err(UnusablePwsh::Version { path, source }),
            },
            // Whatever else it is: the start of a session says more than a guess here could.
            Some(Err(_)) | None => Ok(path),
        },
    }
}

/// What PowerShell prints when it is started so, or as much as comes in time. Nothing is left of it.
///
/// # Errors
/// Where it cannot be started.
pub fn output(
    pwsh: &Path,
    arguments: &[&str],
    modules: Option<OsString>,
    most: u64,
    within: Duration,
) -> io::Result<String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(read_output(pwsh, arguments, modules, most, within))
}

async fn read_output(
    pwsh: &Path,
    arguments: &[&str],
    modules: Option<OsString>,
    most: u64,
    within: Duration,
) -> io::Result<String> {
    // It does not start without a home to write to, and a container's is read-only.
    let home = tempfile::tempdir()?;
    let mut command = Command::new(pwsh);
    command.env("HOME", home.path());
    for place in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        command.env_remove(place);
    }
    if let Some(modules) = modules {
        command.env("PSModulePath", modules);
    }
    let mut child = command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let group = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    let mut text = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let mut start = stdout.take(most);
        // Too late or broken: then it said nothing more.
        let _ = tokio::time::timeout(within, start.read_to_end(&mut text)).await;
    }
    if let Some(group) = group {
        // Before it is awaited: until then its number cannot become another group's.
        let _ = kill_process_group(group, Signal::KILL);
    }
    child.wait().await?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Finds PowerShell in the order that `--help` tells.
///
/// # Errors
/// [`NotFound`], with how to get one.
pub fn find(config: &SessionConfig, home: Option<&Path>) -> Result<PathBuf, NotFound> {
    let path = std::env::var_os("PATH");
    let installed = home.map(install_directory);
    Search {
        explicit: config.pwsh.as_deref(),
        path: path.as_deref(),
        installed: installed.as_deref(),
        development: config.dev_pwsh.as_deref(),
    }
    .run()
}

/// Where `install-pwsh` puts PowerShell: each version in a directory of its own.
pub fn install_directory(home: &Path) -> PathBuf {
    home.join(".local/share/session-pool/powershell")
}
