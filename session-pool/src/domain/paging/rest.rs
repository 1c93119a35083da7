//! What of a record lies behind a place inside it.

use super::skip_characters;
use crate::domain::record::{ErrorRecord, Record};

/// The record without the characters that a page has already shown of it; its prefix (`WARNING: `)
/// counts among them.
pub fn rest_of(record: Record, offset: u64) -> Record {
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    if offset == 0 {
        return record;
    }
    let rest = |text: &str| skip_characters(text, offset).to_owned();
    let behind = |prefix: &str, text: &str| {
        skip_characters(text, offset.saturating_sub(prefix.len())).to_owned()
    };
    match record {
        Record::Output { text } => Record::Output { text: rest(&text) },
        Record::Json { text } => Record::Json { text: rest(&text) },
        Record::Piece { text, last } => Record::Piece {
            text: rest(&text),
            last,
        },
        Record::Console { stream, text } => Record::Console {
            stream,
            text: rest(&text),
        },
        Record::Information { text, shown } => Record::Information {
            text: rest(&text),
            shown,
        },
        Record::Warning { text } => Record::Warning {
            text: behind("WARNING: ", &text),
        },
        Record::Verbose { text } => Record::Verbose {
            text: behind("VERBOSE: ", &text),
        },
        Record::Debug { text } => Record::Debug {
            text: behind("DEBUG: ", &text),
        },
        Record::Error(error) if error.rendered.is_empty() => Record::Error(ErrorRecord {
            message: rest(&error.message),
            ..error
        }),
        Record::Error(error) => Record::Error(ErrorRecord {
            rendered: rest(error.rendered.trim_end_matches('\n')),
            ..error
        }),
        Record::Progress(progress) => Record::Progress(progress),
    }
}
