//! The `demo` command: the same server, with two made-up tenants behind it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::banner::{self, Player};
use super::cloud::CloudServer;
use super::entra::{DemoEntra, EntraError, write_atomically};
use super::printer::Printer;
use super::{DIRECTORY_VARIABLE, modules, person, recordings, registry, routes};
use crate::cli::DemoOptions;
use crate::config::{
    self, AccessConfig, ConfigError, Isolation, Limits, Places, PolicyConfig, ServeConfig,
    SessionConfig,
};
use crate::directories;
use crate::host::Program;
use crate::install_pwsh;
use crate::logging::{self, LoggingError};
use crate::powershell::{self, UnusablePwsh};
use crate::serve::{self, Flavour, ServeError};

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// `~/.m365-demo` cannot be made.
    #[error("cannot use the demo's directory {path}: {source}. Check its owner")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file in it cannot be written.
    #[error(transparent)]
    File(#[from] EntraError),
    /// The embedded tenants cannot be read.
    #[error("the demo's own tenants are broken: {0}")]
    Tenants(#[from] serde_json::Error),
    /// The home directory is not known.
    #[error("the home directory is not known, and the demo keeps its files there: set HOME")]
    NoHome,
    /// The logs cannot be written.
    #[error(transparent)]
    Logging(#[from] LoggingError),
    /// The stand-ins for Entra and Graph cannot listen.
    #[error(transparent)]
    Cloud(#[from] super::cloud::CloudError),
    /// The PowerShell that was named is none.
    #[error(transparent)]
    Pwsh(UnusablePwsh),
    /// The server failed.
    #[error(transparent)]
    Serve(#[from] ServeError),
}

impl DemoError {
    /// Whether a setting is wrong, and not the moment.
    pub fn is_mistake(&self) -> bool {
        match self {
            Self::Config(_) | Self::NoHome | Self::Pwsh(_) => true,
            Self::Serve(error) => error.is_mistake(),
            _ => false,
        }
    }
}

/// Serves the demo until a signal says stop.
///
/// # Errors
/// [`DemoError`], each with what to do.
pub fn run(options: DemoOptions) -> Result<(), DemoError> {
    let home = std::env::home_dir().ok_or(DemoError::NoHome)?;
    let directory = home.join(".m365-demo");
    let auto_sign_in = options.auto_sign_in.map(Duration::from_secs);
    let no_install = options.no_install;
    let config = config(options, &directory)?;
    directories::make_private(&directory).map_err(|source| DemoError::Directory {
        path: directory.clone(),
        source,
    })?;
    let _log = logging::init(&config.places.log())?;
    let module_directory = modules::unpack(&directory)?;
    let server = CloudServer::bind()?;
    let cloud = server.cloud();
    write_atomically(
        &config.places.registry,
        registry::registry_json(&cloud.registry_value())?.as_bytes(),
    )?;

    let printer = Printer::start().map_err(ServeError::System)?;
    let (program, player) = program(&config.sessions, &home, no_install, &printer)?;
    let mut variables = vec![(
        DIRECTORY_VARIABLE.into(),
        directory.clone().into_os_string(),
    )];
    if player == Player::Recordings {
        variables.push(recordings::write(&directory)?);
    }
    let entra = DemoEntra::new(&directory);
    let flavour = Flavour {
        program,
        variables,
        modules: Some(module_directory),
        routes: routes::routes(entra.clone(), cloud.clone()),
    };
    serve::run(config, flavour, move |started| {
        let text = banner::text(started, &directory, auto_sign_in.is_some(), player);
        printer.say(text.trim_end());
        async move {
            tokio::join!(
                server.serve(),
                person::attend(entra, cloud, auto_sign_in, printer)
            );
        }
    })?;
    Ok(())
}

/// The settings, with every place inside the demo's directory.
fn config(options: DemoOptions, directory: &Path) -> Result<ServeConfig, ConfigError> {
    Ok(ServeConfig {
        access: AccessConfig::new(options.access)?,
        places: Places {
            registry: directory.join("connections.json"),
            state_dir: directory.join("state"),
            secrets_dir: directory.join("secrets"),
            log_dir: directory.join("logs"),
            log_level: options.log_level,
            connection: None,
        },
        // Its sessions and its made-up person share a directory.
        isolation: Isolation::default(),
        policy: PolicyConfig {
            file: directory.join("policy.toml"),
            sends: options.policy.send_guards,
            audit_commands: options.policy.audit_commands,
        },
        sessions: SessionConfig::new(options.sessions)?,
        limits: Limits::new(&options.limits),
        rules: config::rules(&options.life),
    })
}

/// A PowerShell: found, or installed, or played.
fn program(
    sessions: &SessionConfig,
    home: &Path,
    no_install: bool,
    printer: &Printer,
) -> Result<(Program, Player), DemoError> {
    let missing = match powershell::find_usable(sessions, Some(home)) {
        Ok(pwsh) => return Ok((pwsh.into(), Player::PowerShell)),
        // Another one than was asked for would hide the mistake.
        Err(wrong) if sessions.pwsh.is_some() => return Err(DemoError::Pwsh(wrong)),
        Err(missing) => missing,
    };
    printer.say(format!("{missing}."));
    if !no_install {
        printer.say("Installing the official one for this user (--no-install refuses) …");
        match install_pwsh::official(home) {
            Ok(pwsh) => return Ok((pwsh.into(), Player::PowerShell)),
            Err(error) => printer.say(format!("That did not work: {error}")),
        }
    }
    Ok((
        recordings::program(std::env::current_exe().map_err(ServeError::System)?),
        Player::Recordings,
    ))
}
