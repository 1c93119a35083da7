//! What a command says, sorted onto standard output and standard error.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use serde_json::{Value, json};
use session_pool::domain::job::JobId;
use session_pool::domain::record::{ConsoleStream, ErrorRecord, Record};
use session_pool::domain::wire::{AnswerStatus, JobAnswer};
use tokio::io::{AsyncWriteExt, Stderr, Stdout, stderr, stdout};
use tokio::time::timeout;

use super::Exit;
use crate::text::{self, Reader};
use crate::tools::{Failure, Place};

/// Standard output cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("nobody takes the output ({0})")]
pub(crate) struct OutputError(#[from] io::Error);

impl OutputError {
    /// How the process ends.
    pub(crate) fn exit(&self) -> Exit {
        Self::exit_of(&self.0)
    }

    /// The same, of what standard output itself said.
    pub(crate) fn exit_of(error: &io::Error) -> Exit {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Exit::NobodyReads,
            _ => Exit::Failed,
        }
    }
}

/// Bytes that wait for more of them at most.
const FULL: usize = 64 << 10;

/// What the readers of both streams get to take the rest after an interrupt, and the last words.
const LAST_LINES: Duration = Duration::from_secs(2);

/// The two streams of this process.
///
/// Printing may be given up at every await: what was begun goes out with what is printed next, so
/// that no line is ever cut by another.
#[derive(Debug)]
pub(crate) struct Output {
    stdout: Stdout,
    /// Not written yet. It begins anywhere, and ends with a whole line.
    waiting: BytesMut,
    stderr: Stderr,
    /// The same for standard error.
    asides: BytesMut,
    json: bool,
    has_shown_error: bool,
}

impl Output {
    /// For people, or as JSON Lines.
    pub(crate) fn new(json: bool) -> Self {
        Self {
            stdout: stdout(),
            waiting: BytesMut::new(),
            stderr: stderr(),
            asides: BytesMut::new(),
            json,
            has_shown_error: false,
        }
    }

    /// Prints a record; `json` is its text as it was sent.
    pub(crate) async fn record(&mut self, record: &Record, json: &str) -> Result<(), OutputError> {
        if self.json {
            return self.line(json).await;
        }
        match record {
            Record::Output { text } | Record::Json { text } => self.line(text).await,
            Record::Piece { text, last: true } => self.line(text).await,
            Record::Piece { text, last: false } => self.part(text).await,
            Record::Information { text, shown: true } => self.line(text).await,
            Record::Console {
                stream: ConsoleStream::Stdout,
                text,
            } => self.line(text).await,
            Record::Console {
                stream: ConsoleStream::Stderr,
                text,
            } => self.aside(text).await,
            Record::Error(error) => {
                self.has_shown_error = true;
                self.aside(printed(error)).await
            }
            Record::Warning { text } => self.aside(&format!("WARNING: {text}")).await,
            Record::Verbose { text } => self.aside(&format!("VERBOSE: {text}")).await,
            Record::Debug { text } => self.aside(&format!("DEBUG: {text}")).await,
            // What a person at a console would not see, or not as a line.
            Record::Information { .. } | Record::Progress(_) => Ok(()),
        }
    }

    /// Prints how the job ended; `json` is the answer's text as it was sent.
    pub(crate) async fn end(&mut self, answer: &JobAnswer, json: &str) -> Result<(), OutputError> {
        if self.json {
            let mut value: Value = serde_json::from_str(json).unwrap_or_default();
            if let Value::Object(fields) = &mut value {
                fields.insert("type".to_owned(), json!("end"));
            }
            self.line(&value.to_string()).await?;
            return self.flush().await;
        }
        // The error that ended the command stands above already.
        let is_told =
            self.has_shown_error && matches!(answer.code.as_deref(), None | Some("command_failed"));
        match answer.status {
            AnswerStatus::Success if !answer.output_lost => {}
            AnswerStatus::Error if is_told => {}
            _ => {
                self.aside(text::answer(answer, Reader::Shell).trim_end())
                    .await?
            }
        }
        self.flush().await
    }

    /// Says why there is no answer.
    pub(crate) async fn failure(&mut self, failure: &Failure) -> Exit {
        let reason = text::reason(failure, Reader::Shell);
        let mut end = json!({
            "type": "end",
            "status": "error",
            "error": reason,
            "code": failure.code(),
        });
        if let (Value::Object(fields), Failure::Unread(unread)) = (&mut end, failure)
            && let Some(job) = unread.job()
        {
            fields.insert("job".to_owned(), json!(job));
        }
        self.last(&end, &reason, Exit::without_answer(failure))
            .await
    }

    /// Says why there is no answer of a connection's, and of which.
    pub(crate) async fn failure_of(&mut self, place: &Place, failure: &Failure) -> Exit {
        let reason = text::reason(failure, Reader::Shell);
        let mut end = json!({
            "type": "end",
            "status": "error",
            "error": reason,
            "code": failure.code(),
        });
        let mut message = reason;
        if let (Some(connection), Some(fields)) = (&place.connection, end.as_object_mut()) {
            fields.insert("connection".to_owned(), json!(connection));
            let mut about = connection.clone();
            if let Some(tenant) = &place.tenant {
                fields.insert("tenant".to_owned(), json!(tenant));
                about = format!("{connection} ({tenant})");
            }
            message = format!("{about}: {message}");
        }
        self.last(&end, &message, Exit::without_answer(failure))
            .await
    }

    /// Says that the job is no longer followed.
    pub(crate) async fn given_up(
        &mut self,
        job: JobId,
        code: &str,
        message: &str,
        exit: Exit,
    ) -> Exit {
        let end = json!({
            "type": "end",
            "status": if exit == Exit::StillRunning { "running" } else { "error" },
            "job": job,
            "error": message,
            "code": code,
        });
        self.last(&end, message, exit).await
    }

    /// Says that the job is no longer followed because the person has ended it. A reader who takes
    /// nothing is not waited for.
    pub(crate) async fn interrupted(&mut self, job: JobId, message: &str) -> Exit {
        let exit = Exit::Interrupted;
        let said = self.given_up(job, "interrupted", message, exit);
        match timeout(LAST_LINES, said).await {
            Ok(exit) => exit,
            Err(_) => self.complain(message, exit).await,
        }
    }

    /// Sends out what there is, and says the last of it: for programs, and for people.
    async fn last(&mut self, end: &Value, message: &str, exit: Exit) -> Exit {
        let written = if self.json {
            self.finish_with(&end.to_string()).await
        } else {
            self.flush().await
        };
        match written {
            Ok(()) => self.complain(message, exit).await,
            Err(error) => error.exit(),
        }
    }

    /// Prints a part of what is one for its readers, at once.
    pub(crate) async fn piece(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.waiting.extend_from_slice(bytes);
        self.write().await
    }

    /// Prints a last line.
    pub(crate) async fn finish_with(&mut self, line: &str) -> Result<(), OutputError> {
        self.line(line).await?;
        self.flush().await
    }

    /// Sends out what there is.
    pub(crate) async fn flush(&mut self) -> Result<(), OutputError> {
        Ok(self.write().await?)
    }

    async fn write(&mut self) -> io::Result<()> {
        self.stdout.write_all_buf(&mut self.waiting).await?;
        self.stdout.flush().await
    }

    async fn line(&mut self, text: &str) -> Result<(), OutputError> {
        // Both at once: a line is never without its end.
        self.waiting.reserve(text.len() + 1);
        self.waiting.extend_from_slice(text.as_bytes());
        self.part("\n").await
    }

    async fn part(&mut self, text: &str) -> Result<(), OutputError> {
        self.waiting.extend_from_slice(text.as_bytes());
        if self.waiting.len() >= FULL {
            self.stdout.write_all_buf(&mut self.waiting).await?;
        }
        Ok(())
    }

    /// A line on standard error, behind what stands before it on standard output.
    async fn aside(&mut self, text: &str) -> Result<(), OutputError> {
        self.flush().await?;
        self.say(text).await;
        Ok(())
    }

    /// Says the last words on standard error, and ends with this. A reader who takes nothing is not
    /// waited for.
    pub(crate) async fn complain(&mut self, message: &str, exit: Exit) -> Exit {
        let _ = timeout(LAST_LINES, self.say(&format!("mm: {message}"))).await;
        exit
    }

    async fn say(&mut self, text: &str) {
        self.asides.extend_from_slice(text.as_bytes());
        self.asides.extend_from_slice(b"\n");
        let written = match self.stderr.write_all_buf(&mut self.asides).await {
            Ok(()) => self.stderr.flush().await,
            failed => failed,
        };
        // A closed standard error is the caller's choice.
        if written.is_err() {
            self.asides.clear();
        }
    }
}

fn printed(error: &ErrorRecord) -> &str {
    if error.rendered.is_empty() {
        &error.message
    } else {
        error.rendered.trim_end()
    }
}
