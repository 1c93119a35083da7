//! The records of one job, in order, in memory or in an unlinked file.
//!
//! Records are appended to an open chunk. A chunk that is full is sealed: it stays in memory while
//! the budget has room, else it is written to the job's file. Each chunk begins with a whole
//! record, so any place is found by one look in the index and a scan of one chunk.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;

use crate::domain::format::FormatName;
use crate::domain::paging::{Cursor, weight};
use crate::domain::record::Record;

use super::budget::ResultBudget;

/// Bytes of a chunk: large enough to make the index small, small enough to copy for a reader.
const CHUNK_BYTES: usize = 64 * 1024;

/// Why a record could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The job has put out more than one job may.
    #[error(
        "the command put out more than {limit} bytes and was stopped; what came before is kept. \
         Select fewer objects or properties, or raise --max-job-bytes"
    )]
    JobLimit {
        /// The limit in bytes.
        limit: u64,
    },
    /// All running jobs together have put out more than the pool keeps.
    #[error(
        "the pool holds {limit} bytes of running commands' output and takes no more; the command \
         was stopped. Run fewer large commands at a time, or raise --max-spool-bytes"
    )]
    TotalLimit {
        /// The limit in bytes.
        limit: u64,
    },
    /// The file for what does not fit into memory failed.
    #[error(
        "the pool could not write output to its spool: {0}; the command was stopped. Free disk \
         space in the state directory"
    )]
    Spool(#[source] io::Error),
    /// An earlier record was refused: what comes after it would have a hole in front.
    #[error("the output was cut off before")]
    CutOff,
}

/// The records of one job.
#[derive(Debug)]
pub(super) struct Transcript {
    format: FormatName,
    budget: Arc<ResultBudget>,
    sealed: Vec<Chunk>,
    open: Vec<u8>,
    open_at: Position,
    end: Position,
    bytes: u64,
    file: Option<Arc<File>>,
    file_end: u64,
    /// A record was refused: no later one is taken, or there would be a silent hole.
    cut_off: bool,
}

/// A place at the border of two records.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    record: u64,
    weight: u64,
}

#[derive(Debug)]
struct Chunk {
    at: Position,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Memory(Bytes),
    File { offset: u64, length: usize },
}

impl Transcript {
    pub(super) fn new(format: FormatName, budget: Arc<ResultBudget>) -> Self {
        Self {
            format,
            budget,
            sealed: Vec::new(),
            open: Vec::new(),
            open_at: Position::default(),
            end: Position::default(),
            bytes: 0,
            file: None,
            file_end: 0,
            cut_off: false,
        }
    }

    /// Adds a record at the end, or refuses it and all later ones.
    pub(super) fn append(&mut self, record: &Record) -> Result<(), AppendError> {
        if self.cut_off {
            return Err(AppendError::CutOff);
        }
        let appended = self.try_append(record);
        self.cut_off = appended.is_err();
        appended
    }

    fn try_append(&mut self, record: &Record) -> Result<(), AppendError> {
        let limits = self.budget.limits();
        if self.budget.is_exceeded() {
            return Err(AppendError::TotalLimit {
                limit: limits.total_bytes,
            });
        }
        let before = self.open.len();
        encode(record, &mut self.open);
        let grown = (self.open.len() - before) as u64;
        if self.bytes + grown > limits.job_bytes {
            self.open.truncate(before);
            return Err(AppendError::JobLimit {
                limit: limits.job_bytes,
            });
        }
        self.bytes += grown;
        self.budget.take(grown);
        self.end.record += 1;
        self.end.weight += weight(self.format, record);
        if self.open.len() >= CHUNK_BYTES {
            self.seal()?;
        }
        Ok(())
    }

    /// Closes the open chunk; called once more when the job has ended.
    pub(super) fn seal(&mut self) -> Result<(), AppendError> {
        if self.open.is_empty() {
            return Ok(());
        }
        let length = self.open.len();
        let place = if self.budget.try_take_memory(length as u64) {
            Place::Memory(Bytes::from(
                std::mem::take(&mut self.open).into_boxed_slice(),
            ))
        } else {
            let offset = self.spill().map_err(AppendError::Spool)?;
            self.open.clear();
            Place::File { offset, length }
        };
        self.sealed.push(Chunk {
            at: self.open_at,
            place,
        });
        self.open_at = self.end;
        Ok(())
    }

    /// Writes the open chunk to the job's file. 64 KiB into the page cache: not worth a thread.
    fn spill(&mut self) -> io::Result<u64> {
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => Arc::clone(self.file.insert(Arc::new(tempfile::tempfile_in(
                &self.budget.limits().spool,
            )?))),
        };
        file.write_all_at(&self.open, self.file_end)?;
        let offset = self.file_end;
        self.file_end += self.open.len() as u64;
        Ok(offset)
    }

    /// The place behind the last record.
    pub(super) fn end(&self) -> Cursor {
        Cursor::at(self.end.record)
    }

    /// Characters of everything.
    pub(super) fn characters(&self) -> u64 {
        self.end.weight
    }

    /// The chunk that holds a record, to be decoded without holding any lock; `None` at the end.
    pub(super) fn section(&self, record: u64) -> Option<Section> {
        if record >= self.end.record {
            return None;
        }
        let (at, place) = if record >= self.open_at.record {
            (
                self.open_at,
                Place::Memory(Bytes::copy_from_slice(&self.open)),
            )
        } else {
            let after = self
                .sealed
                .partition_point(|chunk| chunk.at.record <= record);
            let chunk = self.sealed.get(after.checked_sub(1)?)?;
            (chunk.at, chunk.place.clone())
        };
        Some(Section {
            format: self.format,
            at,
            wanted: record,
            total_weight: self.end.weight,
            place,
            file: self.file.clone(),
        })
    }
}

impl Drop for Transcript {
    fn drop(&mut self) {
        let in_memory = self.sealed.iter().map(|chunk| match &chunk.place {
            Place::Memory(bytes) => bytes.len() as u64,
            Place::File { .. } => 0,
        });
        self.budget.give_back_memory(in_memory.sum());
        self.budget.give_back(self.bytes);
    }
}

/// One chunk's records from a wanted one on.
#[derive(Debug)]
pub(super) struct Section {
    format: FormatName,
    at: Position,
    wanted: u64,
    total_weight: u64,
    place: Place,
    file: Option<Arc<File>>,
}

/// The decoded records of a [`Section`].
#[derive(Debug)]
pub(super) struct Records {
    pub(super) records: Vec<Record>,
    /// Characters from the first of them to the end of the transcript as it was.
    pub(super) characters_left: u64,
}

impl Section {
    /// Whether reading touches the disk.
    pub(super) fn is_on_disk(&self) -> bool {
        matches!(self.place, Place::File { .. })
    }

    /// Reads and decodes. Blocks where [`Section::is_on_disk`].
    pub(super) fn read(self) -> io::Result<Records> {
        let bytes = match (&self.place, &self.file) {
            (Place::Memory(bytes), _) => bytes.clone(),
            (Place::File { offset, length }, Some(file)) => {
                let mut buffer = vec![0; *length];
                file.read_exact_at(&mut buffer, *offset)?;
                buffer.into()
            }
            (Place::File { .. }, None) => return Err(io::ErrorKind::NotFound.into()),
        };
        let mut rest = bytes.as_ref();
        let mut position = self.at;
        let mut records = Vec::new();
        while let Some((record, tail)) = decode(rest) {
            rest = tail;
            if position.record < self.wanted {
                position.weight += weight(self.format, &record);
            } else {
                records.push(record);
            }
            position.record += 1;
        }
        Ok(Records {
            records,
            characters_left: self.total_weight.saturating_sub(position.weight),
        })
    }
}

/// Output is most of what there is, and goes without JSON around it.
const OUTPUT: u8 = b'o';
const ELEMENT: u8 = b'j';
const OTHER: u8 = b'r';

fn encode(record: &Record, into: &mut Vec<u8>) {
    match record {
        Record::Output { text } => encode_bytes(OUTPUT, text.as_bytes(), into),
        Record::Json { text } => encode_bytes(ELEMENT, text.as_bytes(), into),
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

fn decode(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (kind, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (payload, rest) = rest.split_at_checked(length)?;
    let text = || String::from_utf8_lossy(payload).into_owned();
    let record = match *kind {
        OUTPUT => Record::Output { text: text() },
        ELEMENT => Record::Json { text: text() },
        _ => serde_json::from_slice(payload).ok()?,
    };
    Some((record, rest))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::session::testing::budget;

    fn line(number: u64) -> Record {
        Record::Output {
            text: format!("line {number} {}", "x".repeat(50)),
        }
    }

    fn read_all(transcript: &Transcript) -> Vec<Record> {
        let mut all = Vec::new();
        while let Some(section) = transcript.section(all.len() as u64) {
            all.extend(section.read().unwrap().records);
        }
        all
    }

    #[test]
    fn records_come_back_in_order_from_memory_and_from_disk() {
        let (budget, directory) = budget(u64::MAX, 200_000, u64::MAX);
        let mut transcript = Transcript::new(FormatName::Text, Arc::clone(&budget));
        let mut written: Vec<_> = (0..10_000).map(line).collect();
        written[5_000] = Record::Warning {
            text: "half\nway".into(),
        };
        written
            .iter()
            .for_each(|record| transcript.append(record).unwrap());
        assert_eq!(read_all(&transcript), written);
        assert!(
            transcript
                .section(9_000)
                .is_some_and(|section| section.is_on_disk())
        );
        assert!(budget.in_memory() <= 200_000);
        assert_eq!(
            std::fs::read_dir(directory.path()).unwrap().count(),
            0,
            "spool files have no name"
        );
    }

    #[test]
    fn what_is_left_is_counted_from_any_place() {
        let (budget, _directory) = budget(u64::MAX, u64::MAX, u64::MAX);
        let mut transcript = Transcript::new(FormatName::Text, budget);
        (0..5_000)
            .map(line)
            .for_each(|record| transcript.append(&record).unwrap());
        for from in [0, 1, 2_500, 4_999] {
            let expected: u64 = (from..5_000)
                .map(|n| weight(FormatName::Text, &line(n)))
                .sum();
            let left = transcript
                .section(from)
                .unwrap()
                .read()
                .unwrap()
                .characters_left;
            assert_eq!(left, expected, "from {from}");
        }
        assert!(transcript.section(5_000).is_none());
    }

    #[test]
    fn a_job_that_puts_out_too_much_is_refused_and_keeps_what_it_has() {
        let (budget, _directory) = budget(10_000, u64::MAX, u64::MAX);
        let mut transcript = Transcript::new(FormatName::Text, budget);
        let error = (0..)
            .map(line)
            .find_map(|record| transcript.append(&record).err());
        assert!(matches!(
            error,
            Some(AppendError::JobLimit { limit: 10_000 })
        ));
        assert!(read_all(&transcript).len() > 100);
    }

    #[test]
    fn everything_taken_is_given_back() {
        let (budget, _directory) = budget(u64::MAX, 100_000, u64::MAX);
        let mut transcript = Transcript::new(FormatName::Text, Arc::clone(&budget));
        (0..5_000)
            .map(line)
            .for_each(|record| transcript.append(&record).unwrap());
        transcript.seal().unwrap();
        assert!(budget.total() > 0 && budget.in_memory() > 0);
        drop(transcript);
        assert_eq!((budget.total(), budget.in_memory()), (0, 0));
    }
}
