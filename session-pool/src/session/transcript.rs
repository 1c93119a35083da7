//! The records of one job, in order, in memory or in the spool.
//!
//! Records are appended to an open chunk. A chunk that is full is sealed: it stays in memory while
//! the budget has room, else it is written to the spool. Each chunk begins with a whole record, so any place is found by one look in the index and a scan of one chunk.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::domain::format::FormatName;
use crate::domain::paging::{Cursor, weight};
use crate::domain::record::Record;

use super::budget::ResultBudget;
use super::record_bytes::{decode, encode};
use super::spool::Extent;

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
    Disk(Arc<Extent>),
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
            self.open = Vec::new();
            return Ok(());
        }
        let length = self.open.len();
        let place = if self.budget.try_take_memory(length as u64) {
            Place::Memory(Bytes::from(
                std::mem::take(&mut self.open).into_boxed_slice(),
            ))
        } else {
            let extent = self.budget.spool().write(&self.open);
            let extent = extent.map_err(AppendError::Spool)?;
            // A finished job keeps its transcript for an hour: what a large record needed goes.
            self.open = Vec::new();
            Place::Disk(Arc::new(extent))
        };
        self.sealed.push(Chunk {
            at: self.open_at,
            place,
        });
        self.open_at = self.end;
        Ok(())
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
        })
    }
}

impl Drop for Transcript {
    fn drop(&mut self) {
        let in_memory = self.sealed.iter().map(|chunk| match &chunk.place {
            Place::Memory(bytes) => bytes.len() as u64,
            Place::Disk(_) => 0,
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
        matches!(self.place, Place::Disk(_))
    }

    /// Reads and decodes. Blocks where [`Section::is_on_disk`].
    pub(super) fn read(self) -> io::Result<Records> {
        let bytes = match &self.place {
            Place::Memory(bytes) => bytes.clone(),
            Place::Disk(extent) => extent.read()?.into(),
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

#[cfg(test)]
mod tests;
