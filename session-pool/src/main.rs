//! The `session-pool` command.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use session_pool::cli::{self, Cli, Command, RouterOptions, ServeOptions, UsageError};
use session_pool::config::ServeConfig;
use session_pool::doctor::{self, DoctorError, Unwell};
use session_pool::healthcheck::{self, Unhealthy};
use session_pool::host::{fake, reaper};
use session_pool::router::{self, RouterConfig};
use session_pool::serve::{self, Flavour, ServeError};
use session_pool::sign_in_command::SignInCommandError;
use session_pool::{
    audit_command, compose_command, confirm_command, demo, init, install_pwsh, logging,
    policy_command, powershell, sign_in_command,
};

/// `EX_SOFTWARE` of sysexits.h: the program could not do what it was asked.
const EX_SOFTWARE: u8 = 70;

fn main() -> ExitCode {
    if let Err(error) = init::leave_first_place() {
        let _closed = writeln!(io::stderr(), "error: {error}");
        return ExitCode::from(EX_SOFTWARE);
    }
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(answer) => return say(&answer),
    };
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<UsageError>() {
            Some(mistake) => say(mistake),
            None if error.is::<Unhealthy>() || error.is::<Unwell>() => {
                let _closed = writeln!(io::stderr(), "{error}");
                ExitCode::FAILURE
            }
            None => {
                let _closed = writeln!(io::stderr(), "error: {error}");
                let of_sign_in = error.downcast_ref::<SignInCommandError>();
                ExitCode::from(of_sign_in.map_or(EX_SOFTWARE, SignInCommandError::exit_code))
            }
        },
    }
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Serve(options) => serve(*options),
        Command::Demo(options) => demo::command::run(*options).map_err(|error| {
            if error.is_mistake() {
                UsageError::mistake(error).into()
            } else {
                error.into()
            }
        }),
        Command::Router(options) => route(*options),
        Command::Healthcheck(options) => Ok(healthcheck::run(&options)?),
        Command::Compose(options) => Ok(compose_command::run(
            *options,
            std::env::home_dir().as_deref(),
        )?),
        Command::InstallPwsh(options) => install_pwsh::run(options),
        Command::Policy(command) => Ok(policy_command::run(
            command,
            std::env::home_dir().as_deref(),
        )?),
        Command::Confirm(options) => Ok(confirm_command::run(
            *options,
            std::env::home_dir().as_deref(),
        )?),
        Command::Audit(options) => Ok(audit_command::run(
            &options,
            std::env::home_dir().as_deref(),
        )?),
        Command::SignIn(options) => Ok(sign_in_command::sign_in(
            *options,
            std::env::home_dir().as_deref(),
        )?),
        Command::SignOut(options) => Ok(sign_in_command::sign_out(
            *options,
            std::env::home_dir().as_deref(),
        )?),
        Command::Doctor(options) => match doctor::run(*options, std::env::home_dir().as_deref()) {
            Ok(report) if report.ok => Ok(()),
            Ok(_) => Err(Unwell.into()),
            Err(DoctorError::Config(error)) => Err(UsageError::mistake(error).into()),
            Err(error) => Err(error.into()),
        },
        Command::Completions { shell } => Ok(io::stdout().write_all(&cli::completions(shell))?),
        Command::Reaper(_) => {
            reaper::run(io::stdin().lock());
            Ok(())
        }
        Command::FakeHost(inner) => Ok(fake::run(&inner.arguments)?),
    }
}

fn serve(options: ServeOptions) -> Result<(), Box<dyn Error>> {
    let home = std::env::home_dir();
    let config = ServeConfig::new(options, home.as_deref()).map_err(UsageError::mistake)?;
    config.places.check_owner().map_err(UsageError::mistake)?;
    let _log = logging::init(&config.places.log()).map_err(UsageError::mistake)?;
    let pwsh =
        powershell::find_usable(&config.sessions, home.as_deref()).map_err(UsageError::mistake)?;
    serve::run(config, Flavour::plain(pwsh), |_| std::future::pending()).map_err(of_server)
}

fn of_server(error: ServeError) -> Box<dyn Error> {
    if error.is_mistake() {
        UsageError::mistake(error).into()
    } else {
        error.into()
    }
}

fn route(options: RouterOptions) -> Result<(), Box<dyn Error>> {
    let home = std::env::home_dir();
    let config = RouterConfig::new(options, home.as_deref()).map_err(UsageError::mistake)?;
    config.places.check_owner().map_err(UsageError::mistake)?;
    let _log = logging::init(&config.log()).map_err(UsageError::mistake)?;
    router::run(&config).map_err(of_server)
}

/// Prints help or a mistake where it belongs. A closed stream is nobody's mistake.
fn say(answer: &UsageError) -> ExitCode {
    let _closed = if answer.is_mistake() {
        write!(io::stderr(), "{answer}")
    } else {
        write!(io::stdout(), "{answer}")
    };
    ExitCode::from(answer.exit_code())
}
