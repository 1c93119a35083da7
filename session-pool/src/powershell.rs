//! Which PowerShell the pool's processes are.

use std::path::{Path, PathBuf};

use crate::config::SessionConfig;
use crate::host::pwsh::{NotFound, Search};

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
