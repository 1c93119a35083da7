//! The command line. What it says becomes a [`crate::config`]; nothing else reads the environment
//! for settings.

mod audit;
mod compose;
mod doctor;
mod life;
mod options;
mod policy;
mod pool;
mod router;
mod usage;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

pub use audit::AuditOptions;
pub use compose::ComposeOptions;
pub use doctor::DoctorOptions;
pub use life::LifeOptions;
pub use options::{
    AccessOptions, HealthcheckOptions, IsolationOptions, LimitOptions, PlaceOptions, ServeOptions,
    SessionOptions,
};
pub use policy::{
    CheckOptions, ConfirmOptions, PolicyCommand, PolicyOptions, PolicyPlace, TestOptions,
};
pub use pool::{PoolOptions, SignInOptions};
pub use router::RouterOptions;
pub use usage::UsageError;

use crate::logging::LogLevel;

/// Long-lived PowerShell sessions for Microsoft 365, behind HTTP.
#[derive(Debug, Parser)]
#[command(
    name = "session-pool",
    version,
    after_help = "Without a command it serves. The settings, as flags and as environment variables: \
                  session-pool serve --help"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the sessions of the registry's connections (what happens without a command)
    Serve(Box<ServeOptions>),
    /// Serve two made-up tenants: no Microsoft account, no network
    Demo(Box<DemoOptions>),
    /// Serve many pools of one connection each at one address
    Router(Box<RouterOptions>),
    /// Ask the pool or router on this machine how it is: exit code 0, or 1 with the reason
    Healthcheck(HealthcheckOptions),
    /// Write docker-compose.isolated.yml from the registry: a container for each connection
    Compose(Box<ComposeOptions>),
    /// Install the official PowerShell for this user
    InstallPwsh(InstallOptions),
    /// Show a policy, explain what it says to a command, or run its tests
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Look at what waits for a yes, and say it
    Confirm(Box<ConfirmOptions>),
    /// Show who ran what, and what became of it
    Audit(Box<AuditOptions>),
    /// Sign connections in: print the codes, and wait until somebody has entered them. Exit code 0 when
    /// all are signed in, 1 when one is not, 69 without a pool, 77 without its token
    SignIn(Box<SignInOptions>),
    /// Sign connections out, and delete what is kept of their sign-ins
    SignOut(Box<SignInOptions>),
    /// Look for what is wrong, and say how to mend it
    Doctor(Box<DoctorOptions>),
    /// Print what makes a shell complete this program's arguments
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Ends the sessions' processes when the pool has ended.
    #[command(name = "__reaper", hide = true)]
    Reaper(InnerArguments),
    /// Plays recorded answers in the place of a PowerShell.
    #[command(name = "__fake-host", hide = true)]
    FakeHost(InnerArguments),
}

/// The settings of `demo`.
#[derive(Args, Debug)]
pub struct DemoOptions {
    /// Sign in by itself this many seconds after each prompt
    #[arg(long, value_name = "SECONDS")]
    pub auto_sign_in: Option<u64>,
    /// Refuse to install a PowerShell where none is found
    #[arg(long)]
    pub no_install: bool,
    /// How much is logged: error, warning, info, debug, trace
    #[arg(
        long,
        value_name = "LEVEL",
        env = "SESSION_POOL_LOG_LEVEL",
        default_value = "warning"
    )]
    pub log_level: LogLevel,
    /// Who may call, and where.
    #[command(flatten)]
    pub access: AccessOptions,
    /// Which policy holds.
    #[command(flatten)]
    pub policy: PolicyOptions,
    /// PowerShell and what runs in it.
    #[command(flatten)]
    pub sessions: SessionOptions,
    /// How much there may be of what.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// How long sign-ins and processes live.
    #[command(flatten)]
    pub life: LifeOptions,
}

/// The settings of `install-pwsh`.
#[derive(Args, Debug)]
pub struct InstallOptions {
    /// Version to install, such as 7.6.5 [default: the one this program was tested with]
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// SHA-256 of the archive, in hexadecimal; needed for a version that is not the default
    #[arg(long, value_name = "HEX")]
    pub sha256: Option<String>,
    /// Take the archive from here instead of from GitHub
    #[arg(long, value_name = "URL|FILE")]
    pub from: Option<String>,
    /// Install into this directory
    #[arg(long, value_name = "DIRECTORY")]
    pub to: Option<PathBuf>,
}

/// Arguments that the pool gives to itself.
#[derive(Args, Debug)]
pub struct InnerArguments {
    /// As they are.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<OsString>,
}

impl Cli {
    /// Reads the program's arguments (its own name first) and the environment.
    ///
    /// # Errors
    /// [`UsageError`] where they are wrong, and also for `--help` and `--version`.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let arguments = with_command(arguments.into_iter().collect());
        Self::try_parse_from(&arguments)
            .map_err(|error| UsageError::new(&error, &Self::command(), &arguments))
    }
}

/// Puts `serve` in front of flags that no command precedes. (To let clap accept the settings of
/// `serve` at the top would make wrong values of its variables stop the other commands too.)
fn with_command(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let first = arguments.get(1).map(|first| first.to_string_lossy());
    let serve = match first.as_deref() {
        None => true,
        Some("-h" | "--help" | "-V" | "--version") => false,
        Some(first) => first.starts_with('-'),
    };
    if serve {
        let behind_name = arguments.len().min(1);
        arguments.insert(behind_name, OsString::from("serve"));
    }
    arguments
}

/// The script that makes a shell complete the program's arguments.
pub fn completions(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "session-pool", &mut script);
    script
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    fn read(line: &str) -> Result<Cli, UsageError> {
        Cli::read(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_may_be_left_out() {
        for line in [
            "session-pool",
            "session-pool serve",
            "session-pool --port 5300",
            "session-pool serve --port 5300",
        ] {
            assert!(
                matches!(read(line).unwrap().command, Command::Serve(_)),
                "{line}"
            );
        }
        assert!(matches!(
            read("session-pool demo --no-install").unwrap().command,
            Command::Demo(_)
        ));
        let inner = read("session-pool __reaper --fd 3 x").unwrap().command;
        assert!(matches!(inner, Command::Reaper(inner) if inner.arguments.len() == 3));
    }

    #[test]
    fn help_and_version_are_no_mistakes() {
        for (line, text) in [
            ("session-pool --help", "install-pwsh"),
            ("session-pool --version", "session-pool"),
            ("session-pool serve --help", "SESSION_POOL_PORT"),
        ] {
            let answer = read(line).unwrap_err();
            assert_eq!(answer.exit_code(), 0, "{line}");
            assert!(answer.to_string().contains(text), "{line}");
        }
    }

    #[test]
    fn wrong_arguments_end_with_64() {
        for (line, text) in [
            ("session-pool --port abc", "--port"),
            ("session-pool --prot 1", "--port"),
            ("session-pool nonsense", "nonsense"),
            ("session-pool --command-timeout 3601", "3600"),
            ("session-pool --max-job-bytes lots", "--max-job-bytes"),
            ("session-pool --log-level loud", "debug"),
        ] {
            let error = read(line).unwrap_err();
            assert_eq!(error.exit_code(), 64, "{line}");
            assert!(error.to_string().contains(text), "{line}: {error}");
        }
    }

    #[test]
    fn completions_are_made_for_every_shell() {
        use clap::ValueEnum;
        for shell in clap_complete::Shell::value_variants() {
            assert!(!completions(*shell).is_empty());
        }
    }
}
