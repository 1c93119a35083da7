//! The `install-pwsh` command.

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::{InstallOptions, UsageError};
use crate::host::install::{self, Architecture};
use crate::powershell;

/// Installs PowerShell and says where.
///
/// # Errors
/// What was wrong with the arguments, the download or the archive, and what to do.
pub fn run(options: InstallOptions) -> Result<(), Box<dyn Error>> {
    let into = match options.to {
        Some(directory) => directory,
        None => powershell::install_directory(&std::env::home_dir().ok_or_else(|| {
            UsageError::mistake("the home directory is not known: set HOME, or give --to DIRECTORY")
        })?),
    };
    let version = options.version.as_deref().map(str::parse).transpose();
    let sha256 = options.sha256.as_deref().map(str::parse).transpose();
    let from = options.from.as_deref().map(str::parse).transpose();
    let pwsh = install(install::InstallOptions {
        version: version
            .map_err(UsageError::mistake)?
            .unwrap_or(install::DEFAULT_VERSION),
        sha256: sha256.map_err(UsageError::mistake)?,
        from: from.map_err(UsageError::mistake)?,
        into,
        architecture: Architecture::current()?,
    })?;
    writeln!(io::stdout(), "{}", pwsh.display())?;
    Ok(())
}

/// Installs the version that this program was tested with.
///
/// # Errors
/// As [`run`].
pub fn official(home: &Path) -> Result<PathBuf, Box<dyn Error>> {
    install(install::InstallOptions {
        version: install::DEFAULT_VERSION,
        sha256: None,
        from: None,
        into: powershell::install_directory(home),
        architecture: Architecture::current()?,
    })
}

fn install(options: install::InstallOptions) -> Result<PathBuf, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(install::install(options))?)
}
