//! What a PowerShell process says while it runs a command, as typed records.

use serde::{Deserialize, Serialize};

/// One record of a running command.
///
/// Records of PowerShell's own streams keep their true order. [`Record::Console`] and
/// [`Record::Progress`] come by roads of their own and stand where they arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Record {
    /// One line of formatted output, without its line end and without ANSI (format `text`).
    Output {
        /// The line.
        text: String,
    },
    /// One output object as one valid JSON value (format `json`).
    Json {
        /// The value's JSON text, on one line.
        text: String,
    },
    /// A part of one line (format `text`) or of one output object (format `json`) that is too long
    /// to be carried whole: more than 10,485,760 characters. Only all its parts together are a line
    /// or a JSON value.
    Piece {
        /// The part.
        text: String,
        /// Whether the line or object ends with it; if not, the next piece goes on with it.
        last: bool,
    },
    /// An error record; the last one of a failed command is terminating.
    Error(ErrorRecord),
    /// A warning, without the word WARNING in front.
    Warning {
        /// The message; may have several lines.
        text: String,
    },
    /// A verbose message.
    Verbose {
        /// The message.
        text: String,
    },
    /// A debug message.
    Debug {
        /// The message.
        text: String,
    },
    /// An information record.
    Information {
        /// The message.
        text: String,
        /// Whether a person at a console would see it (`Write-Host` does this).
        shown: bool,
    },
    /// Progress of the command.
    Progress(Progress),
    /// Text that went around PowerShell to the process's own standard output or error.
    Console {
        /// Which of the two.
        stream: ConsoleStream,
        /// One line without its end, or what was there when the command ended.
        text: String,
    },
}

impl Record {
    /// The name of its kind: `type` in JSON, and the event's name in `/jobs/{id}/events`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Output { .. } => "output",
            Self::Json { .. } => "json",
            Self::Piece { .. } => "piece",
            Self::Error(_) => "error",
            Self::Warning { .. } => "warning",
            Self::Verbose { .. } => "verbose",
            Self::Debug { .. } => "debug",
            Self::Information { .. } => "information",
            Self::Progress(_) => "progress",
            Self::Console { .. } => "console",
        }
    }
}

/// The process's own standard output or standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsoleStream {
    /// File descriptor 1.
    Stdout,
    /// File descriptor 2.
    Stderr,
}

impl ConsoleStream {
    /// The name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// A PowerShell error record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct ErrorRecord {
    /// The message of the error.
    pub message: String,
    /// PowerShell's error category, such as `ObjectNotFound`.
    pub category: String,
    /// The `FullyQualifiedErrorId`, such as `CommandNotFoundException`.
    pub id: String,
    /// Full name of the .NET type of the exception.
    pub exception: String,
    /// Line in the command, from 1, where PowerShell knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Column in that line, from 1, in UTF-16 units as PowerShell counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// Whether it ended the command.
    #[serde(default)]
    pub terminating: bool,
    /// The error as PowerShell would print it for a person, without ANSI; may have several lines.
    /// Only in events: in answers it stands in the output.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rendered: String,
}

/// How far a command is, by its own account (`Write-Progress`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Progress {
    /// What it is doing.
    pub activity: String,
    /// Its state, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// 0 to 100, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// Seconds left, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_remaining: Option<u32>,
    /// Whether this activity has ended.
    #[serde(default)]
    pub completed: bool,
}
