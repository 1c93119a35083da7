//! What goes into a host and what comes out of it.

use super::error::HostError;
use super::frame::{End, Envelope, Frame, Garbage, Token};
use crate::domain::format::OutputFormat;
use crate::domain::record::{ErrorRecord, Record};

/// A script for a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// PowerShell, of any number of lines.
    pub script: String,
    /// What becomes of its output objects.
    pub format: OutputFormat,
    /// Whether it is the pool's own: what it sets is not a caller's.
    pub own: bool,
}

impl Submission {
    /// A caller's script.
    pub fn callers(script: impl Into<String>, format: OutputFormat) -> Self {
        Self {
            script: script.into(),
            format,
            own: false,
        }
    }

    /// A script of the pool's own.
    pub fn own(script: impl Into<String>, format: OutputFormat) -> Self {
        Self {
            script: script.into(),
            format,
            own: true,
        }
    }
}

/// What a host tells.
#[derive(Debug)]
pub enum HostEvent {
    /// Records of the running command, in order; at most 256, or 256 KB and one record more.
    Records(Vec<Record>),
    /// The command has ended; the host is ready for the next one.
    Finished(Finished),
    /// The process is gone or unusable; nothing else comes.
    Gone(HostError),
}

/// The end of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub outcome: Outcome,
    /// Whether the session now holds variables, functions, aliases or preferences that callers
    /// set, which a fresh process would not have.
    pub stateful: bool,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran to its end, or to an `exit`; there may have been errors on the way.
    Completed,
    /// A terminating error ended it; the error is also its last record.
    Failed(ErrorRecord),
    /// It is not PowerShell: nothing ran. The first errors, with line and column; all of them were
    /// records.
    ParseFailed(Vec<ErrorRecord>),
    /// It was stopped by [`super::Host::cancel`].
    Stopped,
}

/// The submission that runs, with what its end will need.
#[derive(Debug)]
pub(crate) struct Running {
    token: Token,
    format: OutputFormat,
    terminating: Option<ErrorRecord>,
    parse_errors: Vec<ErrorRecord>,
}

/// Parse errors that an outcome holds; the first ones are the telling ones.
const MAX_PARSE_ERRORS: usize = 100;

impl Running {
    pub(crate) fn new(token: Token, format: OutputFormat) -> Self {
        Self {
            token,
            format,
            terminating: None,
            parse_errors: Vec::new(),
        }
    }

    pub(crate) fn token(&self) -> Token {
        self.token
    }

    /// Takes a frame of this submission in; returns its end if the frame is that.
    pub(crate) fn take(
        &mut self,
        envelope: Envelope<'_>,
        records: &mut Vec<Record>,
    ) -> Result<Option<Finished>, Garbage> {
        match envelope.decode(self.format)? {
            Frame::Began => {}
            Frame::Record(record) => {
                if let Record::Error(error) = &record
                    && error.terminating
                {
                    self.terminating = Some(error.clone());
                }
                records.push(record);
            }
            Frame::ParseError(error) => {
                if self.parse_errors.len() < MAX_PARSE_ERRORS {
                    self.parse_errors.push(error.clone());
                }
                records.push(Record::Error(error));
            }
            Frame::Finished { end, stateful } => {
                return Ok(Some(Finished {
                    outcome: self.outcome(end),
                    stateful,
                }));
            }
        }
        Ok(None)
    }

    fn outcome(&mut self, end: End) -> Outcome {
        match end {
            End::Completed => Outcome::Completed,
            End::Stopped => Outcome::Stopped,
            End::ParseFailed => Outcome::ParseFailed(std::mem::take(&mut self.parse_errors)),
            End::Failed => {
                Outcome::Failed(self.terminating.take().unwrap_or_else(|| ErrorRecord {
                    message: "the command failed and PowerShell does not say why".to_owned(),
                    terminating: true,
                    ..ErrorRecord::default()
                }))
            }
        }
    }
}
