//! What every test stands on: the list of trials, and a place that must be clean afterwards.

mod context;
mod processes;
mod server;
pub mod stage;

use std::path::PathBuf;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

pub use context::{Context, LONG, Ran, SESSION_POOL, text_format, victim};
pub use processes::{group_is_gone, until, with_directory};
pub use server::{Server, outcome, session_pool};

/// What a test cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    Nothing,
    Pwsh,
    /// `docker-compose`, version 1.29 or 2; it need not reach a daemon.
    Compose,
    /// Docker, whose API answers on its own socket, with the image `mm-ci/debian:bookworm`.
    Docker,
}

/// The tests of this target.
#[derive(Debug)]
pub struct Suite {
    trials: Vec<Trial>,
    pwsh: Option<PathBuf>,
    /// `SESSION_POOL_TESTS=all`: a missing part is a failure.
    demand_all: bool,
    ignored: usize,
}

impl Suite {
    pub fn new() -> Self {
        let demand_all = std::env::var_os("SESSION_POOL_TESTS").is_some_and(|value| value == "all");
        Self {
            trials: Vec::new(),
            pwsh: context::find_pwsh(),
            demand_all,
            ignored: 0,
        }
    }

    /// Adds a test.
    pub fn add<F>(&mut self, name: &str, needs: Needs, test: F)
    where
        F: AsyncFn(&Context) + Send + 'static,
    {
        let pwsh = self.pwsh.clone();
        let missing = match needs {
            Needs::Nothing => None,
            Needs::Pwsh => pwsh.is_none().then_some("PowerShell"),
            Needs::Compose => (!on_path("docker-compose")).then_some("docker-compose"),
            Needs::Docker => (!has_docker()).then_some("Docker with mm-ci/debian:bookworm"),
        };
        let ignored = missing.is_some() && !self.demand_all;
        self.ignored += usize::from(ignored && needs == Needs::Pwsh);
        let trial = Trial::test(name, move || {
            if let Some(missing) = missing {
                return Err(Failed::from(format!(
                    "no {missing} was found, and SESSION_POOL_TESTS=all"
                )));
            }
            context::run(pwsh, test)
        });
        self.trials.push(trial.with_ignored_flag(ignored));
    }

    /// Runs what the arguments ask for.
    pub fn run(self, arguments: &Arguments) -> ExitCode {
        let conclusion = libtest_mimic::run(arguments, self.trials);
        if self.ignored > 0 && !arguments.list {
            eprintln!(
                "{} tests need PowerShell and were ignored: `cargo run -p session-pool -- \
                 install-pwsh` installs it, or name yours in SESSION_POOL_PWSH.",
                self.ignored
            );
        }
        conclusion.exit_code()
    }
}

fn has_docker() -> bool {
    let image = ["image", "inspect", "mm-ci/debian:bookworm"];
    std::process::Command::new("docker")
        .args(image)
        .output()
        .is_ok_and(|output| output.status.success())
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// Adds the named functions of this module to a suite.
macro_rules! add {
    ($suite:expr, $needs:expr, [$($test:ident),* $(,)?]) => {
        $($suite.add(
            concat!(module_path!(), "::", stringify!($test)).trim_start_matches("integration::"),
            $needs,
            $test,
        );)*
    };
}
pub(crate) use add;
