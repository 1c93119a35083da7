//! The one file for results that do not fit into memory.
//!
//! It is unlinked as soon as it is open: nobody else can read it, and nothing of it outlives the
//! pool. Every job's chunks lie in it, each in an extent of its own; an extent that nobody holds any
//! more is given to later chunks, and the file ends behind the last one that is held.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::own_file;

/// The file, made when it is first needed.
#[derive(Debug)]
pub(super) struct Spool {
    directory: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    file: Option<Arc<File>>,
    space: Space,
}

/// A piece of the file. Dropping it gives its place back.
#[derive(Debug)]
pub(super) struct Extent {
    spool: Arc<Spool>,
    file: Arc<File>,
    offset: u64,
    length: usize,
}

impl Spool {
    /// A spool in this directory, which must exist.
    pub(super) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            inner: Mutex::default(),
        }
    }

    /// Writes a chunk. A few tens of kilobytes into the page cache: not worth a thread.
    pub(super) fn write(self: &Arc<Self>, bytes: &[u8]) -> io::Result<Extent> {
        let extent = self.take(bytes.len())?;
        extent.file.write_all_at(bytes, extent.offset)?;
        Ok(extent)
    }

    fn take(self: &Arc<Self>, length: usize) -> io::Result<Extent> {
        let mut inner = self.lock();
        let file = match &inner.file {
            Some(file) => Arc::clone(file),
            None => {
                let file = tempfile::tempfile_in(&self.directory)?;
                own_file::give(&file, &self.directory)?;
                Arc::clone(inner.file.insert(Arc::new(file)))
            }
        };
        Ok(Extent {
            spool: Arc::clone(self),
            file,
            offset: inner.space.take(length as u64),
            length,
        })
    }

    fn give_back(&self, extent: &Extent) {
        let mut inner = self.lock();
        let end_before = inner.space.end;
        inner.space.give_back(extent.offset, extent.length as u64);
        // Under the lock: a later extent must not be cut off.
        if inner.space.end < end_before
            && let Err(error) = extent.file.set_len(inner.space.end)
        {
            tracing::warn!(%error, "cannot shorten the spool: its disk space is free later");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Extent {
    /// What was written there. Blocks.
    pub(super) fn read(&self) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; self.length];
        self.file.read_exact_at(&mut buffer, self.offset)?;
        Ok(buffer)
    }
}

impl Drop for Extent {
    fn drop(&mut self) {
        self.spool.give_back(self);
    }
}

/// Which parts of the file are held. Free ones have held ones on both sides: neighbours are one,
/// and there is none at the end.
#[derive(Debug, Default)]
struct Space {
    /// Length by offset.
    free: BTreeMap<u64, u64>,
    end: u64,
}

impl Space {
    /// The first free part that is large enough, else one at the end.
    fn take(&mut self, length: u64) -> u64 {
        let found = self.free.iter().find(|(_, free)| **free >= length);
        let Some((&offset, &free)) = found else {
            let offset = self.end;
            self.end += length;
            return offset;
        };
        self.free.remove(&offset);
        if free > length {
            self.free.insert(offset + length, free - length);
        }
        offset
    }

    fn give_back(&mut self, mut offset: u64, mut length: u64) {
        if let Some((&before, &free)) = self.free.range(..offset).next_back()
            && before + free == offset
        {
            self.free.remove(&before);
            (offset, length) = (before, free + length);
        }
        if let Some(free) = self.free.remove(&(offset + length)) {
            length += free;
        }
        if offset + length == self.end {
            self.end = offset;
        } else {
            self.free.insert(offset, length);
        }
    }
}

#[cfg(test)]
mod tests;
