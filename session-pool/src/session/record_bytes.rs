//! Records as the bytes of a chunk: a kind, a length, a payload.

use crate::domain::record::Record;

/// Output is most of what there is, and goes without JSON around it.
const OUTPUT: u8 = b'o';
const ELEMENT: u8 = b'j';
const PIECE: u8 = b'p';
const LAST_PIECE: u8 = b'l';
const OTHER: u8 = b'r';

/// Adds a record to a chunk.
pub(super) fn encode(record: &Record, into: &mut Vec<u8>) {
    match record {
        Record::Output { text } => encode_bytes(OUTPUT, text.as_bytes(), into),
        Record::Json { text } => encode_bytes(ELEMENT, text.as_bytes(), into),
        Record::Piece { text, last } => {
            let kind = if *last { LAST_PIECE } else { PIECE };
            encode_bytes(kind, text.as_bytes(), into);
        }
        other => {
            // A record has no map keys that could make this fail; an empty one decodes to nothing.
            let json = serde_json::to_vec(other).unwrap_or_default();
            encode_bytes(OTHER, &json, into);
        }
    }
}

fn encode_bytes(kind: u8, payload: &[u8], into: &mut Vec<u8>) {
    into.reserve(payload.len() + 9);
    into.push(kind);
    into.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    into.extend_from_slice(payload);
}

/// Takes the first record off a chunk; `None` at its end.
pub(super) fn decode(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (payload, rest) = rest.split_at_checked(length)?;
    let text = || String::from_utf8_lossy(payload).into_owned();
    let record = match *kind {
        OUTPUT => Record::Output { text: text() },
        ELEMENT => Record::Json { text: text() },
        PIECE | LAST_PIECE => Record::Piece {
            text: text(),
            last: *kind == LAST_PIECE,
        },
        _ => serde_json::from_slice(payload).ok()?,
    };
    Some((record, rest))
}
