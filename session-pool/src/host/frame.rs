//! The wire between the pool and `bootstrap.ps1`, as pure functions.
//!
//! One frame a line: a tag, the token of the submission it belongs to, a space, the payload. A
//! command can reach the script's writer and write frames itself, so a frame is the caller's word
//! and is believed only about the submission whose token it carries.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::domain::ansi;
use crate::domain::format::OutputFormat;
use crate::domain::record::{ErrorRecord, Progress, Record};

/// No frame is longer; the script sends longer texts in pieces.
pub(crate) const MAX_FRAME: usize = 64 * 1024 * 1024;

/// Names one submission; unguessable, so that an older command cannot write for a newer one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token([u8; Token::LENGTH]);

impl Token {
    const LENGTH: usize = 16;

    /// A token from eight random bytes.
    pub(crate) fn new(random: [u8; 8]) -> Self {
        let mut text = [b'0'; Self::LENGTH];
        for (digit, nibble) in text
            .iter_mut()
            .zip(random.iter().flat_map(|byte| [byte >> 4, byte & 15]))
        {
            *digit = if nibble < 10 {
                b'0' + nibble
            } else {
                b'a' + nibble - 10
            };
        }
        Self(text)
    }

    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text: [u8; Self::LENGTH] = text.try_into().ok()?;
        text.iter()
            .all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
            .then_some(Self(text))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|c| write!(f, "{}", char::from(*c)))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How a pipeline ended, by the script's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Completed,
    Failed,
    ParseFailed,
    Stopped,
}

/// What one frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// The submission's pipeline now really runs.
    Began,
    Record(Record),
    /// One of the errors that kept a script from being parsed.
    ParseError(ErrorRecord),
    Finished {
        end: End,
        stateful: bool,
    },
}

/// Why a line is no frame. Holds no content: that is the callers'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Garbage {
    /// The line does not begin with a known tag and a token.
    #[error("a line that is no frame")]
    NoFrame,
    /// The line is not UTF-8.
    #[error("a line that is not UTF-8")]
    NotUtf8,
    /// The payload is not what its tag promises.
    #[error("a frame with a broken payload")]
    Payload,
    /// The line exceeds the limit.
    #[error("a line of more than 64 MB")]
    TooLong,
}

/// A line cut into its parts; the payload is not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    tag: u8,
    pub(crate) token: Token,
    payload: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Takes a line without its end apart.
    pub(crate) fn open(line: &'a [u8]) -> Result<Self, Garbage> {
        let (tag, rest) = line.split_first().ok_or(Garbage::NoFrame)?;
        let (token, rest) = rest
            .split_at_checked(Token::LENGTH)
            .ok_or(Garbage::NoFrame)?;
        let payload = rest.strip_prefix(b" ").ok_or(Garbage::NoFrame)?;
        let token = Token::parse(token).ok_or(Garbage::NoFrame)?;
        if !b"OJLMEPWVDISGBF".contains(tag) {
            return Err(Garbage::NoFrame);
        }
        Ok(Self {
            tag: *tag,
            token,
            payload,
        })
    }

    /// Whether it claims to end its submission.
    pub(crate) fn is_end(&self) -> bool {
        self.tag == b'F'
    }

    /// The frame in it, for a submission of this format.
    pub(crate) fn decode(self, format: OutputFormat) -> Result<Frame, Garbage> {
        let text = std::str::from_utf8(self.payload).map_err(|_| Garbage::NotUtf8)?;
        Ok(Frame::Record(match self.tag {
            b'O' => match format {
                OutputFormat::Text { .. } => Record::Output { text: plain(text) },
                // A layout (Format-Table) has no JSON of its own: its lines become strings.
                OutputFormat::Json { .. } => Record::Json {
                    text: serde_json::Value::from(plain(text)).to_string(),
                },
            },
            b'J' => {
                serde_json::from_str::<serde::de::IgnoredAny>(text)
                    .map_err(|_| Garbage::Payload)?;
                Record::Json {
                    text: text.to_owned(),
                }
            }
            b'L' | b'M' => {
                let last = self.tag == b'M';
                let text = match format {
                    OutputFormat::Text { .. } if last => plain(text),
                    OutputFormat::Text { .. } => ansi::strip(text).into_owned(),
                    // A part of a value: nothing can be said about it before all are there.
                    OutputFormat::Json { .. } => text.to_owned(),
                };
                Record::Piece { text, last }
            }
            b'E' => Record::Error(error_record(text)?),
            b'W' => Record::Warning {
                text: quoted(text)?,
            },
            b'V' => Record::Verbose {
                text: quoted(text)?,
            },
            b'D' => Record::Debug {
                text: quoted(text)?,
            },
            b'I' => Record::Information {
                text: quoted(text)?,
                shown: false,
            },
            b'S' => Record::Information {
                text: quoted(text)?,
                shown: true,
            },
            b'G' => {
                let mut progress: Progress = json(text)?;
                progress.activity = plain(&progress.activity);
                progress.status = plain(&progress.status);
                Record::Progress(progress)
            }
            b'P' => return Ok(Frame::ParseError(error_record(text)?)),
            b'B' => return Ok(Frame::Began),
            b'F' => return finished(text),
            _ => return Err(Garbage::NoFrame),
        }))
    }
}

fn finished(text: &str) -> Result<Frame, Garbage> {
    let (end, stateful) = match text.as_bytes() {
        [end, stateful @ (b'0' | b'1')] => (end, *stateful == b'1'),
        _ => return Err(Garbage::Payload),
    };
    let end = match end {
        b'C' => End::Completed,
        b'F' => End::Failed,
        b'P' => End::ParseFailed,
        b'S' => End::Stopped,
        _ => return Err(Garbage::Payload),
    };
    Ok(Frame::Finished { end, stateful })
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Garbage> {
    serde_json::from_str(text).map_err(|_| Garbage::Payload)
}

fn quoted(text: &str) -> Result<String, Garbage> {
    json::<String>(text).map(|text| plain(&text))
}

fn error_record(text: &str) -> Result<ErrorRecord, Garbage> {
    let mut record: ErrorRecord = json(text)?;
    record.message = plain(&record.message);
    record.rendered = plain(record.rendered.trim_end());
    Ok(record)
}

/// The text without ANSI sequences and without the carriage return of a Windows line end.
pub(crate) fn plain(text: &str) -> String {
    ansi::strip(text.strip_suffix('\r').unwrap_or(text)).into_owned()
}

/// The line that asks the script to run something.
pub(crate) fn run_request(token: Token, script: &str, format: OutputFormat, own: bool) -> String {
    let (letter, number) = match format {
        OutputFormat::Text { width } => ('T', u32::from(width.get())),
        OutputFormat::Json { depth } => ('J', u32::from(depth.get())),
    };
    let own = u8::from(own);
    format!(
        "R {token} {own} {letter} {number} {}\n",
        BASE64.encode(script)
    )
}

/// The line that asks the script to stop what runs.
pub(crate) fn cancel_request(token: Token) -> String {
    format!("C {token}\n")
}

/// The script's first line: its nonce and PowerShell's version.
pub(crate) fn parse_hello<'a>(line: &'a [u8], nonce: &str) -> Option<&'a str> {
    let rest = line
        .strip_prefix(b"H")?
        .strip_prefix(nonce.as_bytes())?
        .strip_prefix(b" ")?;
    std::str::from_utf8(rest).ok()
}

/// Whether the line says that the script takes work.
pub(crate) fn is_ready(line: &[u8], nonce: &str) -> bool {
    line.strip_prefix(b"R")
        .and_then(|rest| rest.strip_prefix(nonce.as_bytes()))
        == Some(b" ")
}

#[cfg(test)]
mod tests;
