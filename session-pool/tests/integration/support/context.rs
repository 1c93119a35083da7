//! The place in which a test runs, and that it must leave clean.

use std::ffi::OsString;
use std::num::{NonZeroU8, NonZeroU16};
use std::path::{Path, PathBuf};
use std::time::Duration;

use libtest_mimic::Failed;
use session_pool::domain::format::OutputFormat;
use session_pool::domain::record::{ErrorRecord, Record};
use session_pool::host::pwsh::Search;
use session_pool::host::{
    Environment, Finished, Host, HostError, HostEvent, Outcome, Program, Reaper, RunDirectory,
    SpawnSpec, Submission,
};

use super::processes;

/// The program under test.
pub const SESSION_POOL: &str = env!("CARGO_BIN_EXE_session-pool");

/// A test that takes longer hangs: sixteen PowerShells at once on a busy machine need minutes. In its
/// long form it may take more.
const LONGEST_TEST: Duration = Duration::from_secs(180);
const LONGEST_LONG_TEST: Duration = Duration::from_secs(1200);

/// The environment variable that asks for the long forms of tests.
pub const LONG: &str = "SESSION_POOL_TESTS_LONG";

/// What one test has: a directory, a reaper, and the means to start hosts.
#[derive(Debug)]
pub struct Context {
    directory: tempfile::TempDir,
    run_directory: RunDirectory,
    pub reaper: Reaper,
    /// The program under test, by a name of this test's own, which tells its helpers from others'.
    program: PathBuf,
    pwsh: Option<PathBuf>,
}

/// Runs a test in a context of its own and sees that nothing is left of it.
pub fn run<F: AsyncFn(&Context)>(pwsh: Option<PathBuf>, test: F) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let directory = tempfile::Builder::new().prefix("sp-").tempdir()?;
        let run_directory = RunDirectory::create(&directory.path().join("sockets"), &[])?;
        let program = directory.path().join("session-pool");
        std::os::unix::fs::symlink(SESSION_POOL, &program)?;
        let reaper = Reaper::start(program.clone())?;
        let context = Context {
            directory,
            run_directory,
            reaper,
            program,
            pwsh,
        };
        let longest = match std::env::var_os(LONG) {
            Some(_) => LONGEST_LONG_TEST,
            None => LONGEST_TEST,
        };
        let ended = tokio::time::timeout(longest, test(&context)).await;
        let clean = context.leave().await;
        ended.map_err(|_| Failed::from("the test hangs"))?;
        clean
    })
}

/// What `SESSION_POOL_TEST_VICTIM` makes of this program: a pool with a session that runs a native
/// command. It prints the session's group, and waits to be killed.
pub fn victim(directory: &Path) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let run_directory = RunDirectory::create(directory, &[]).expect("a run directory");
        let reaper = Reaper::start(PathBuf::from(SESSION_POOL)).expect("a reaper");
        let spec = SpawnSpec {
            program: find_pwsh().expect("PowerShell").into(),
            home: directory.join("home"),
            user: None,
            environment: Environment::from_vars(std::env::vars_os(), &[]),
            socket_root: run_directory.path().to_owned(),
            ready_within: Duration::from_secs(60),
            barrier: Vec::new(),
        };
        let mut host = Host::start(&spec, &reaper).await.expect("start PowerShell");
        let started = |record: &Record| matches!(record, Record::Console { .. });
        Ran::begin(&mut host, "/bin/sh -c 'echo started >/dev/stderr' 2>&1 | Out-Null; [Console]::WriteLine('x'); /bin/sleep 1000", started).await;
        println!("{}", host.pid());
        std::future::pending::<()>().await;
    });
}

/// The PowerShell to test with, found as the pool finds it.
pub fn find_pwsh() -> Option<PathBuf> {
    let var = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let explicit = var("SESSION_POOL_PWSH").map(PathBuf::from);
    let path = var("PATH");
    let installed =
        var("HOME").map(|home| Path::new(&home).join(".local/share/session-pool/powershell"));
    let development = var("SESSION_POOL_DEV_PWSH").map(PathBuf::from);
    let search = Search {
        explicit: explicit.as_deref(),
        path: path.as_deref(),
        installed: installed.as_deref(),
        development: development.as_deref(),
    };
    search.run().ok()
}

impl Context {
    /// The test's own directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The PowerShell; only for tests that need one.
    pub fn pwsh(&self) -> &Path {
        self.pwsh
            .as_deref()
            .expect("this test is listed as one that needs PowerShell")
    }

    /// How a program is started in here.
    pub fn spec_for(&self, program: impl Into<Program>) -> SpawnSpec {
        SpawnSpec {
            program: program.into(),
            home: self.path().join("home"),
            user: None,
            environment: Environment::from_vars(std::env::vars_os(), &[]),
            socket_root: self.run_directory.path().to_owned(),
            ready_within: Duration::from_secs(60),
            barrier: Vec::new(),
        }
    }

    /// How the real PowerShell is started in here.
    pub fn spec(&self) -> SpawnSpec {
        self.spec_for(self.pwsh().to_owned())
    }

    /// How the fake host is started in here, with no scenario.
    pub fn fake_spec(&self) -> SpawnSpec {
        self.spec_for(Program {
            path: self.program.clone(),
            args: vec![OsString::from(session_pool::host::fake::COMMAND)],
        })
    }

    /// How the fake host is started in here, playing the scenario.
    pub fn fake(&self, scenario: &str) -> SpawnSpec {
        let file = self.path().join("scenario.json");
        std::fs::write(&file, scenario).expect("write the scenario");
        let mut spec = self.fake_spec();
        spec.environment = spec
            .environment
            .with(session_pool::host::fake::SCENARIO, file);
        spec
    }

    /// A host with the real PowerShell.
    pub async fn host(&self) -> Host {
        self.start(&self.spec()).await.expect("start PowerShell")
    }

    pub async fn start(&self, spec: &SpawnSpec) -> Result<Host, HostError> {
        Host::start(spec, &self.reaper).await
    }

    /// Lets processes of other users into this test's directories.
    pub fn open_to_other_users(&self) {
        use std::os::unix::fs::PermissionsExt as _;
        let open = std::fs::Permissions::from_mode(0o711);
        for directory in [self.path().to_owned(), self.path().join("sockets")] {
            std::fs::set_permissions(directory, open.clone()).expect("chmod");
        }
        self.run_directory
            .open_to_other_users()
            .expect("open the run directory");
    }

    /// The processes that this test's reaper runs as.
    pub fn reaper_pids(&self) -> Vec<u32> {
        processes::children_running(&self.program, session_pool::host::reaper::COMMAND)
    }

    /// Ends what the test used, and fails if anything is left.
    async fn leave(self) -> Result<(), Failed> {
        let Self {
            directory,
            run_directory,
            reaper,
            ..
        } = self;
        reaper.shut_down().await;
        let sockets: Vec<_> = std::fs::read_dir(run_directory.path())?
            .filter_map(|entry| Some(entry.ok()?.file_name()))
            .filter(|name| name != "lock")
            .collect();
        if !sockets.is_empty() {
            return Err(format!("socket directories are left: {sockets:?}").into());
        }
        let mut left = Vec::new();
        processes::until("the test's processes are gone", || {
            left = processes::with_directory(directory.path());
            left.is_empty()
        })
        .await;
        processes::until("every child was awaited", || {
            processes::unawaited(std::process::id()).is_empty()
        })
        .await;
        Ok(())
    }
}

/// A command that was run to its end.
#[derive(Debug)]
pub struct Ran {
    pub records: Vec<Record>,
    pub finished: Finished,
}

pub fn text_format() -> OutputFormat {
    OutputFormat::Text {
        width: NonZeroU16::new(120).unwrap(),
    }
}

pub fn json_format(depth: u8) -> OutputFormat {
    OutputFormat::Json {
        depth: NonZeroU8::new(depth).unwrap(),
    }
}

impl Ran {
    /// Runs a caller's command with text as its format.
    pub async fn text(host: &mut Host, script: &str) -> Self {
        Self::submission(host, Submission::callers(script, text_format())).await
    }

    /// Runs a caller's command with JSON as its format.
    pub async fn json(host: &mut Host, script: &str) -> Self {
        Self::submission(host, Submission::callers(script, json_format(2))).await
    }

    pub async fn submission(host: &mut Host, submission: Submission) -> Self {
        host.submit(submission).await.expect("submit");
        Self::rest(host, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Starts a command and reads until the record that is waited for.
    pub async fn begin(
        host: &mut Host,
        script: &str,
        awaited: impl Fn(&Record) -> bool,
    ) -> Vec<Record> {
        host.submit(Submission::callers(script, text_format()))
            .await
            .expect("submit");
        let mut records = Vec::new();
        loop {
            match host.next().await {
                HostEvent::Records(more) => {
                    let found = more.iter().any(&awaited);
                    records.extend(more);
                    if found {
                        return records;
                    }
                }
                other => panic!("{other:?} before the awaited record; {records:?}"),
            }
        }
    }

    pub fn warnings(&self) -> Vec<&str> {
        self.records
            .iter()
            .filter_map(|record| match record {
                Record::Warning { text } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Reads on until the command's end.
    pub async fn rest(host: &mut Host, mut records: Vec<Record>) -> Result<Self, HostError> {
        loop {
            match host.next().await {
                HostEvent::Records(more) => records.extend(more),
                HostEvent::Finished(finished) => return Ok(Self { records, finished }),
                HostEvent::Gone(error) => return Err(error),
            }
        }
    }

    /// The lines of formatted output.
    pub fn output(&self) -> Vec<&str> {
        self.records
            .iter()
            .filter_map(|record| match record {
                Record::Output { text } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The JSON elements.
    pub fn elements(&self) -> Vec<&str> {
        self.records
            .iter()
            .filter_map(|record| match record {
                Record::Json { text } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    pub fn errors(&self) -> Vec<&ErrorRecord> {
        self.records
            .iter()
            .filter_map(|record| match record {
                Record::Error(error) => Some(error),
                _ => None,
            })
            .collect()
    }

    /// What came by the console.
    pub fn console(&self) -> Vec<&str> {
        self.records
            .iter()
            .filter_map(|record| match record {
                Record::Console { text, .. } => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    pub fn failure(&self) -> &ErrorRecord {
        match &self.finished.outcome {
            Outcome::Failed(error) => error,
            other => panic!("the command did not fail: {other:?}"),
        }
    }

    /// Asserts that it ran to its end.
    pub fn completed(self) -> Self {
        assert_eq!(
            self.finished.outcome,
            Outcome::Completed,
            "{:?}",
            self.records
        );
        self
    }
}
