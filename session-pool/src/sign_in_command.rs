//! `session-pool sign-in` and `session-pool sign-out`: people at a shell, ahead of need.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use reqwest::Method;

use crate::cli::SignInOptions;
use crate::domain::attendance::Attendance;
use crate::domain::wire::{
    AnswerStatus, SignInAnswer, SignInRequest, SignOutAnswer, SignOutRequest, StatusAnswer,
};
use crate::pool_client::{NOTHING, PoolClient, PoolClientError};

/// A module may take two minutes to load and to show its code, and its session may start first.
const CODE_WITHIN: Duration = Duration::from_secs(300);
/// A look at the sessions is answered at once.
const LOOK_WITHIN: Duration = Duration::from_secs(10);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two lines of the countdown where standard error is no terminal.
const LINE_EVERY: u32 = 60;

/// Why not everybody is signed in, or out.
#[derive(Debug, thiserror::Error)]
pub enum SignInCommandError {
    /// The pool cannot be asked, or says no.
    #[error(transparent)]
    Pool(#[from] PoolClientError),
    /// Something failed, and was said.
    #[error("not everything has succeeded; see above")]
    Failed,
    /// The person does not wait any more.
    #[error("no longer waiting; the codes stay valid, and session-pool sign-in shows them again")]
    Interrupted,
    /// The system refused.
    #[error("the system refused: {0}")]
    System(#[from] io::Error),
}

impl SignInCommandError {
    /// The program's exit code: 1 where a sign-in or sign-out failed, 130 after Ctrl-C, else as
    /// [`PoolClientError::exit_code`].
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Pool(error) => error.exit_code(),
            Self::Failed => 1,
            Self::Interrupted => 130,
            Self::System(_) => 70,
        }
    }
}

/// Shows the codes, and waits until everybody has signed in.
///
/// # Errors
/// [`SignInCommandError`], unless all are signed in.
pub fn sign_in(options: SignInOptions, home: Option<&Path>) -> Result<(), SignInCommandError> {
    let pool = PoolClient::new(&options.pool, home)?;
    run(async {
        tokio::select! {
            done = attend(&pool, &options) => done,
            _ = tokio::signal::ctrl_c() => Err(SignInCommandError::Interrupted),
        }
    })
}

async fn attend(pool: &PoolClient, options: &SignInOptions) -> Result<(), SignInCommandError> {
    let mut attended = Vec::new();
    for connection in &options.connections {
        let request = SignInRequest {
            connection: Some(connection.clone()),
            modules: modules(options),
            caller_id: Some("session-pool sign-in".to_owned()),
        };
        let path = "/sign-in";
        let answer: SignInAnswer = pool
            .ask(Method::POST, path, Some(&request), CODE_WITHIN)
            .await?;
        let (attendance, lines) = Attendance::new(connection, answer);
        say(&lines)?;
        attended.push(attendance);
    }
    let mut countdown = Countdown::default();
    while attended.iter().any(|it| !it.is_over()) {
        countdown.show(&attended)?;
        tokio::time::sleep(LOOK_EVERY).await;
        let status: StatusAnswer = pool
            .ask(Method::GET, "/status", NOTHING, LOOK_WITHIN)
            .await?;
        for attendance in &mut attended {
            let lines = attendance.look(&status);
            if !lines.is_empty() {
                countdown.clear()?;
                say(&lines)?;
            }
        }
    }
    match attended.iter().any(Attendance::has_failed) {
        true => Err(SignInCommandError::Failed),
        false => Ok(()),
    }
}

/// Signs out.
///
/// # Errors
/// [`SignInCommandError`], where something of a sign-in is left.
pub fn sign_out(options: SignInOptions, home: Option<&Path>) -> Result<(), SignInCommandError> {
    let pool = PoolClient::new(&options.pool, home)?;
    run(async {
        let mut all_done = true;
        for connection in &options.connections {
            let request = SignOutRequest {
                connection: Some(connection.clone()),
                modules: modules(&options),
            };
            let path = "/sign-out";
            let answer: SignOutAnswer = pool
                .ask(Method::POST, path, Some(&request), CODE_WITHIN)
                .await?;
            all_done &= answer.status == AnswerStatus::Success;
            say(&answer.lines(connection))?;
        }
        match all_done {
            true => Ok(()),
            false => Err(SignInCommandError::Failed),
        }
    })
}

fn modules(options: &SignInOptions) -> Option<Vec<String>> {
    let modules = options.modules.iter().map(ToString::to_string);
    Some(modules.collect()).filter(|modules: &Vec<_>| !modules.is_empty())
}

fn run(
    work: impl Future<Output = Result<(), SignInCommandError>>,
) -> Result<(), SignInCommandError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

fn say(lines: &[String]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// Tells on standard error how long there is still time: on a terminal in one line that changes.
#[derive(Debug, Default)]
struct Countdown {
    looks: u32,
}

impl Countdown {
    fn show(&mut self, attended: &[Attendance]) -> io::Result<()> {
        let mut error = io::stderr().lock();
        let lines: Vec<_> = attended.iter().filter_map(Attendance::countdown).collect();
        if error.is_terminal() {
            write!(error, "\r\x1b[K{}", lines.join("; "))?;
            error.flush()?;
        } else if self.looks.is_multiple_of(LINE_EVERY) {
            writeln!(error, "{}", lines.join("; "))?;
        }
        self.looks += 1;
        Ok(())
    }

    /// Makes room for lines on standard output, which is mostly the same terminal.
    fn clear(&self) -> io::Result<()> {
        let mut error = io::stderr().lock();
        if error.is_terminal() {
            write!(error, "\r\x1b[K")?;
        }
        error.flush()
    }
}
