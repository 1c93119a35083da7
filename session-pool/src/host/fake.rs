//! A stand-in for PowerShell that plays a scenario: for faults that a real one cannot show, and
//! for a demo on a machine where none can be had.
//!
//! It takes the arguments and the environment of `pwsh -File bootstrap.ps1 SOCKET` and speaks the
//! bootstrap's side of the wire.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;

use crate::domain::record::{ConsoleStream, ErrorRecord, Record};

/// The hidden word of the command line that runs it.
pub const COMMAND: &str = "__fake-host";
/// The environment variable that names the scenario file.
pub const SCENARIO: &str = "SESSION_POOL_FAKE_SCENARIO";

/// How often a waiting step looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// What the stand-in does.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// The version it reports.
    pub version: String,
    /// What goes wrong while it starts.
    pub start: Start,
    /// The last part of the home for which it has answers; none: every home.
    pub home: Option<String>,
    /// Answers to commands; the first that fits is played.
    pub commands: Vec<Answer>,
    /// What is played for any other command; the default is an error that says what is missing.
    pub otherwise: Vec<Step>,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            version: "7.6.5".to_owned(),
            start: Start::default(),
            home: None,
            commands: Vec::new(),
            otherwise: vec![
                Step::Record {
                    record: Record::Error(needs_powershell()),
                },
                Step::Finish {
                    outcome: FakeOutcome::Failed,
                    stateful: false,
                },
            ],
        }
    }
}

/// How it starts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// As it should.
    #[default]
    Good,
    /// It runs and never dials back.
    Silent,
    /// It dials back with a nonce of its own.
    WrongNonce,
    /// It writes this to its standard error and exits with code 1.
    Dies(String),
}

/// What is played for one command.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Which commands it is for.
    #[serde(rename = "for")]
    pub command: Match,
    /// What happens, one after the other; a command ends at the latest after the last step.
    pub steps: Vec<Step>,
}

/// A test of a command's text.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// It is this, but for white space around it.
    Exact(String),
    /// It begins with this.
    Prefix(String),
    /// It has this in it.
    Contains(String),
}

impl Match {
    pub(crate) fn fits(&self, command: &str) -> bool {
        match self {
            Self::Exact(text) => command.trim() == text.trim(),
            Self::Prefix(text) => command.trim_start().starts_with(text),
            Self::Contains(text) => command.contains(text),
        }
    }
}

/// One thing that happens while a command runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A record comes.
    Record {
        /// The record. Console text goes to the real standard output or error, with a line end.
        record: Record,
    },
    /// Nothing happens until the file exists, or the command is stopped.
    WaitFor {
        /// The file.
        file: PathBuf,
    },
    /// A file is written, for whoever looks for it.
    WriteFile {
        /// The file; its directory is made.
        file: PathBuf,
        /// All that is in it.
        text: String,
    },
    /// A file goes, if it is there.
    RemoveFile {
        /// The file.
        file: PathBuf,
    },
    /// Nothing happens for so many milliseconds, or until the command is stopped.
    Pause(u64),
    /// Nothing happens until the command is stopped.
    Hang,
    /// Nothing happens any more, and a request to stop is not heard.
    Stuck,
    /// The command ends.
    Finish {
        /// How.
        outcome: FakeOutcome,
        /// Whether callers have set something.
        #[serde(default)]
        stateful: bool,
    },
    /// The process exits.
    Die {
        /// Its exit code.
        code: i32,
    },
    /// Bytes that are no frame go to the socket, with a line end.
    Garbage {
        /// The bytes, as text.
        text: String,
    },
    /// The socket is closed; the process lives on.
    CloseSocket,
}

/// How a played command ends.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FakeOutcome {
    /// It ran to its end.
    Completed,
    /// The terminating error before it was its end.
    Failed,
    /// It was stopped.
    Stopped,
}

impl FakeOutcome {
    const fn letter(self) -> char {
        match self {
            Self::Completed => 'C',
            Self::Failed => 'F',
            Self::Stopped => 'S',
        }
    }
}

fn needs_powershell() -> ErrorRecord {
    let message = "this is a stand-in that knows only a few recorded answers: PowerShell is needed \
                   for anything else, and `session-pool install-pwsh` installs it";
    ErrorRecord {
        message: message.to_owned(),
        category: "NotInstalled".to_owned(),
        id: "PowerShellNeeded".to_owned(),
        terminating: true,
        rendered: message.to_owned(),
        ..ErrorRecord::default()
    }
}

/// Plays the scenario that the environment names, until the pool hangs up.
///
/// # Errors
/// A scenario that cannot be read, arguments that are not the bootstrap's, a socket that breaks.
pub fn run(arguments: &[OsString]) -> io::Result<()> {
    let mut scenario = match std::env::var_os(SCENARIO) {
        Some(file) => serde_json::from_slice(&std::fs::read(file)?)?,
        None => Scenario::default(),
    };
    let home = std::env::home_dir();
    let home = home.as_deref().and_then(Path::file_name);
    if scenario
        .home
        .as_deref()
        .is_some_and(|only| home != Some(OsStr::new(only)))
    {
        scenario.commands.clear();
    }
    let after = |word: &str, n: usize| {
        let at = arguments
            .iter()
            .position(|argument| argument == OsStr::new(word))?;
        arguments.get(at + n).map(Path::new)
    };
    let (Some(script), Some(socket)) = (after("-File", 1), after("-File", 2)) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "expected -File SCRIPT SOCKET",
        ));
    };
    let mut nonce = std::fs::read_to_string(script.with_file_name("nonce"))?;
    if script.ends_with("checker.ps1") {
        return check(UnixStream::connect(socket)?, &nonce, &scenario.version);
    }
    match &scenario.start {
        Start::Good => {}
        Start::Silent => loop {
            std::thread::park();
        },
        Start::WrongNonce => nonce = "0".repeat(nonce.len()),
        Start::Dies(last_words) => {
            writeln!(io::stderr(), "{last_words}")?;
            std::process::exit(1);
        }
    }
    let stream = UnixStream::connect(socket)?;
    let requests = read_requests(stream.try_clone()?);
    let mut player = Player {
        stream,
        requests,
        json: false,
    };
    writeln!(player.stream, "H{nonce} {}\nR{nonce} ", scenario.version)?;
    player.play(&scenario)
}

/// Stands in for the checker: recorded answers are harmless, so it has no facts about anything.
fn check(mut stream: UnixStream, nonce: &str, version: &str) -> io::Result<()> {
    writeln!(stream, "H{nonce} {version}\nR{nonce} ")?;
    for question in BufReader::new(stream.try_clone()?).lines() {
        let question = question?;
        let (token, _) = question.split_once(' ').unwrap_or_default();
        writeln!(stream, "{token} {{}}")?;
    }
    Ok(())
}

fn read_requests(stream: UnixStream) -> Receiver<String> {
    let (sender, requests) = sync_channel(4);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    requests
}

/// Whether the play goes on after a step.
enum Next {
    Step,
    Ended,
}

struct Player {
    stream: UnixStream,
    requests: Receiver<String>,
    /// Whether the running command's output is wanted as JSON.
    json: bool,
}

impl Player {
    fn play(&mut self, scenario: &Scenario) -> io::Result<()> {
        while let Ok(request) = self.requests.recv() {
            let mut fields = request.split(' ');
            // A request to stop what has ended already came too late.
            let (Some("R"), Some(token)) = (fields.next(), fields.next()) else {
                continue;
            };
            self.json = fields.nth(1) == Some("J");
            let script = fields
                .nth(1)
                .and_then(|field| BASE64.decode(field).ok())
                .unwrap_or_default();
            let script = String::from_utf8_lossy(&script);
            let answer = scenario
                .commands
                .iter()
                .find(|answer| answer.command.fits(&script));
            let steps = answer.map_or(&scenario.otherwise, |answer| &answer.steps);
            writeln!(self.stream, "B{token} ")?;
            self.answer(token, steps)?;
        }
        Ok(())
    }

    fn answer(&mut self, token: &str, steps: &[Step]) -> io::Result<()> {
        for step in steps {
            if matches!(self.step(token, step)?, Next::Ended) {
                return Ok(());
            }
        }
        self.finish(token, FakeOutcome::Completed, false)
    }

    fn step(&mut self, token: &str, step: &Step) -> io::Result<Next> {
        match step {
            Step::Record { record } => self.record(token, record)?,
            Step::WaitFor { file } => {
                while !file.exists() {
                    if self.stopped()? {
                        self.finish(token, FakeOutcome::Stopped, false)?;
                        return Ok(Next::Ended);
                    }
                }
            }
            Step::WriteFile { file, text } => {
                if let Some(directory) = file.parent() {
                    std::fs::create_dir_all(directory)?;
                }
                std::fs::write(file, text)?;
            }
            Step::RemoveFile { file } => match std::fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            },
            Step::Pause(milliseconds) => {
                let until = Instant::now() + Duration::from_millis(*milliseconds);
                while Instant::now() < until {
                    if self.stopped()? {
                        self.finish(token, FakeOutcome::Stopped, false)?;
                        return Ok(Next::Ended);
                    }
                }
            }
            Step::Hang => {
                while !self.stopped()? {}
                self.finish(token, FakeOutcome::Stopped, false)?;
                return Ok(Next::Ended);
            }
            Step::Stuck => loop {
                if matches!(self.requests.try_recv(), Err(TryRecvError::Disconnected)) {
                    std::process::exit(0);
                }
                std::thread::sleep(LOOK_AGAIN);
            },
            Step::Finish { outcome, stateful } => {
                self.finish(token, *outcome, *stateful)?;
                return Ok(Next::Ended);
            }
            Step::Die { code } => std::process::exit(*code),
            Step::Garbage { text } => writeln!(self.stream, "{text}")?,
            Step::CloseSocket => {
                self.stream.shutdown(std::net::Shutdown::Both)?;
                loop {
                    std::thread::park();
                }
            }
        }
        Ok(Next::Step)
    }

    /// Waits a moment for a request to stop. The end of the pool ends the stand-in.
    fn stopped(&self) -> io::Result<bool> {
        match self.requests.recv_timeout(LOOK_AGAIN) {
            Ok(request) => Ok(request.starts_with('C')),
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn finish(&mut self, token: &str, outcome: FakeOutcome, stateful: bool) -> io::Result<()> {
        writeln!(
            self.stream,
            "F{token} {}{}",
            outcome.letter(),
            u8::from(stateful)
        )
    }

    fn record(&mut self, token: &str, record: &Record) -> io::Result<()> {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let (tag, payload) = match record {
            // Only text was recorded: as JSON it is what PowerShell makes of strings.
            Record::Output { text } if self.json => ('J', quoted(text)),
            Record::Output { text } => ('O', text.clone()),
            Record::Json { text } => ('J', text.clone()),
            Record::Piece { text, last: false } => ('L', text.clone()),
            Record::Piece { text, last: true } => ('M', text.clone()),
            Record::Error(error) => ('E', serde_json::to_string(error)?),
            Record::Warning { text } => ('W', quoted(text)),
            Record::Verbose { text } => ('V', quoted(text)),
            Record::Debug { text } => ('D', quoted(text)),
            Record::Information { text, shown: true } => ('S', quoted(text)),
            Record::Information { text, shown: false } => ('I', quoted(text)),
            Record::Progress(progress) => ('G', serde_json::to_string(progress)?),
            Record::Console {
                stream: ConsoleStream::Stdout,
                text,
            } => {
                return writeln!(io::stdout(), "{text}");
            }
            Record::Console {
                stream: ConsoleStream::Stderr,
                text,
            } => {
                return writeln!(io::stderr(), "{text}");
            }
        };
        writeln!(self.stream, "{tag}{token} {payload}")
    }
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

    #[test]
    fn a_scenario_is_read_as_the_documentation_has_it() {
        let scenario: Scenario = serde_json::from_str(
            r#"{ "commands": [
                { "for": { "exact": "1+1" }, "steps": [
                    { "record": { "record": { "type": "output", "text": "2" } } },
                    { "wait_for": { "file": "/go" } },
                    "hang",
                    { "finish": { "outcome": "completed" } } ] },
                { "for": { "prefix": "Get-" }, "steps": [ { "die": { "code": 3 } } ] } ] }"#,
        )
        .unwrap();
        assert!(scenario.commands[0].command.fits(" 1+1\n"));
        assert!(!scenario.commands[0].command.fits("1+11"));
        assert!(scenario.commands[1].command.fits("Get-Mailbox"));
        assert_eq!(scenario.otherwise.len(), 2);
    }
}
