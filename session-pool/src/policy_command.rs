//! `session-pool policy`: shows a policy, explains what it says, and runs its own tests. Needs no
//! running pool, and runs nothing that it is given.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::{CheckOptions, PolicyCommand, SessionOptions, TestOptions};
use crate::config::{ConfigError, PolicyConfig, SessionConfig};
use crate::domain::policy::{DEFAULT, Facts, Policy, Verdict};
use crate::host::checker::{CheckError, Checker};
use crate::host::pwsh::NotFound;
use crate::host::{Environment, HostError, Reaper, RunDirectory, SpawnSpec, short_directories};
use crate::powershell;
use crate::session::policy_file::{self, PolicyFileError};

/// How long a text may take; a cold machine is slow.
const WITHIN: Duration = Duration::from_secs(30);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum PolicyCommandError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The policy file cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyFileError),
    /// There is no PowerShell to parse with.
    #[error(transparent)]
    PowerShell(#[from] NotFound),
    /// The checker did not start.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The checker did not answer.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The policy does not do what its tests expect.
    #[error("{failed} of {all} tests failed")]
    Tests {
        /// How many failed.
        failed: usize,
        /// Of how many.
        all: usize,
    },
    /// The system refused.
    #[error("the system refused: {0}")]
    System(#[from] io::Error),
}

/// Does what was asked, and prints it.
///
/// # Errors
/// [`PolicyCommandError`].
pub fn run(command: PolicyCommand, home: Option<&Path>) -> Result<(), PolicyCommandError> {
    match command {
        PolicyCommand::Show(place) => {
            let path = PolicyConfig::place(place.policy, home)?;
            policy_file::read(&path)?;
            let mut text = DEFAULT.to_owned();
            if let Ok(own) = std::fs::read_to_string(&path) {
                let _ = write!(text, "\n# ==== {} ====\n{own}", path.display());
            }
            print(&text)
        }
        PolicyCommand::Check(options) => {
            let CheckOptions {
                command,
                module,
                connection,
                place,
                sessions,
            } = *options;
            let path = PolicyConfig::place(place.policy, home)?;
            let policy = policy_file::read(&path)?;
            let facts = facts(sessions, home, &[command])?;
            let verdict = policy.decide(&connection, module, &facts.only());
            print(&explained(&verdict))
        }
        PolicyCommand::Test(options) => {
            let TestOptions { place, sessions } = *options;
            let path = PolicyConfig::place(place.policy, home)?;
            let policy = policy_file::read(&path)?;
            test(&policy, &path, sessions, home)
        }
    }
}

fn test(
    policy: &Policy,
    path: &Path,
    sessions: SessionOptions,
    home: Option<&Path>,
) -> Result<(), PolicyCommandError> {
    let tests = policy.tests();
    if tests.is_empty() {
        return print(&format!("{} has no [[test]]\n", path.display()));
    }
    let commands: Vec<_> = tests.iter().map(|test| test.command.clone()).collect();
    let facts = facts(sessions, home, &commands)?;
    let mut text = String::new();
    let mut failed = 0;
    for (test, facts) in tests.iter().zip(&facts.0) {
        let connection = test.connection.as_deref().unwrap_or_default();
        let verdict = policy.decide(connection, test.module, facts);
        let passed = verdict.decision == test.decision;
        failed += usize::from(!passed);
        let outcome = if passed { "ok" } else { "FAILED" };
        let _ = writeln!(text, "{outcome}  line {}: {}", test.line, test.command);
        if !passed {
            let _ = writeln!(text, "    expected {}, and it is:", test.decision);
            for line in explained(&verdict).lines() {
                let _ = writeln!(text, "    {line}");
            }
        }
    }
    let _ = writeln!(text, "{} tests, {failed} failed", tests.len());
    print(&text)?;
    if failed > 0 {
        return Err(PolicyCommandError::Tests {
            failed,
            all: tests.len(),
        });
    }
    Ok(())
}

fn explained(verdict: &Verdict) -> String {
    let mut text = format!("{}\n", verdict.decision);
    for hit in &verdict.rules {
        let _ = writeln!(text, "  {}: {hit}", hit.decision);
    }
    text
}

/// Facts of several texts, in their order.
struct AllFacts(Vec<Facts>);

impl AllFacts {
    fn only(self) -> Facts {
        self.0.into_iter().next().unwrap_or_default()
    }
}

fn facts(
    sessions: SessionOptions,
    home: Option<&Path>,
    texts: &[String],
) -> Result<AllFacts, PolicyCommandError> {
    let config = SessionConfig::new(sessions)?;
    let pwsh = powershell::find(&config, home)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let directory = tempfile::tempdir()?;
        let runtime_directory = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let fallbacks = short_directories(runtime_directory, std::env::temp_dir());
        let sockets = RunDirectory::create(&directory.path().join("sockets"), &fallbacks)?;
        let reaper = Reaper::start(std::env::current_exe()?)?;
        let spec = SpawnSpec {
            program: pwsh.into(),
            home: directory.path().join("home"),
            user: None,
            environment: Environment::from_vars(std::env::vars_os(), &config.pass_env),
            socket_root: sockets.path().to_owned(),
            ready_within: WITHIN,
            barrier: Vec::new(),
        };
        let mut checker = Checker::start(&spec, &reaper).await?;
        let mut facts = Vec::new();
        let mut failure = None;
        for text in texts {
            match checker.facts(text, WITHIN).await {
                Ok(found) => facts.push(found),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        checker.kill().await;
        reaper.shut_down().await;
        failure.map_or(Ok(AllFacts(facts)), |error| Err(error.into()))
    })
}

fn print(text: &str) -> Result<(), PolicyCommandError> {
    Ok(io::stdout().write_all(text.as_bytes())?)
}
