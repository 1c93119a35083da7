//! Where what is read goes.

use std::io;
use std::pin::Pin;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::body::{self, Blob};
use super::error::GraphError;
use super::files::Saving;

/// Where what is read goes.
pub(crate) enum Target<'t> {
    /// Into the answer.
    Answer,
    /// Into a file.
    File(Box<Written>),
    /// To whoever takes it as it comes, so that nobody has to hold all of it.
    Stream(&'t mut dyn Takes),
}

/// How items are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// Indented, for people.
    #[default]
    Indented,
    /// On one line, for programs.
    Compact,
}

/// Who takes collections (and texts, in the indented form) as they come.
pub(crate) trait Takes: Send {
    /// How it wants items.
    fn form(&self) -> Form;

    /// Takes a piece. Put together, the pieces of a collection are a JSON array; one that broke off
    /// has no end.
    fn take<'a>(
        &'a mut self,
        piece: Bytes,
    ) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>>;
}

impl Target<'_> {
    /// How items are written.
    pub(crate) fn form(&self) -> Form {
        match self {
            Self::Stream(takes) => takes.form(),
            Self::Answer | Self::File(_) => Form::Indented,
        }
    }

    /// Passes a piece on, where it does not stay in the answer.
    ///
    /// # Errors
    /// Where it is not taken.
    pub(crate) async fn pass(&mut self, piece: Bytes) -> Result<(), GraphError> {
        match self {
            Self::Answer => Ok(()),
            Self::File(written) => written.write(&piece),
            Self::Stream(takes) => takes.take(piece).await.map_err(GraphError::NotTaken),
        }
    }
}

/// A file that a collection or an entity is written to.
pub(crate) struct Written {
    saving: Saving,
    bytes: u64,
    hash: Sha256,
}

impl Written {
    /// Nothing yet.
    pub(crate) fn new(saving: Saving) -> Self {
        Self {
            saving,
            bytes: 0,
            hash: Sha256::new(),
        }
    }

    /// Adds to it.
    ///
    /// # Errors
    /// Where the disk does not take it.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), GraphError> {
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
        Ok(self.saving.write(bytes)?)
    }

    /// Keeps it; answers with its path and what it is.
    ///
    /// # Errors
    /// Where the disk does not take it.
    pub(crate) fn finish(self, content_type: String) -> Result<(String, Blob), GraphError> {
        let blob = Blob {
            content_type,
            bytes: self.bytes,
            sha256: body::hex(&self.hash.finalize()),
        };
        Ok((self.saving.finish()?, blob))
    }
}
