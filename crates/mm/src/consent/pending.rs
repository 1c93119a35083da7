//! What waits for a person elsewhere: a file with what they are to see.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Binding, VALID, keyring};

/// Most calls that wait at once.
const MOST: usize = 1_000;

/// Age after which nothing here is good for anything.
const OVER: Duration = Duration::from_secs(3_600);

/// Nothing can wait, or nothing does.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PendingError {
    #[error(
        "nothing waits for a yes under this id: it was used, or it is older than 10 minutes. Send the call again for a new one"
    )]
    Nothing,
    #[error("{MOST} calls wait for a yes already: let them be confirmed, or wait 10 minutes")]
    TooMany,
    #[error(
        "what waits for a yes cannot be kept: {0}. Check the directory's owner, mode and space"
    )]
    File(#[from] io::Error),
}

/// What a person is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) id: String,
    /// What would be done.
    pub(crate) preview: String,
    /// Seconds until it is too late.
    pub(crate) expires_in: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pending {
    pub(super) id: String,
    /// The hash of what a yes would be bound to.
    binding: String,
    preview: String,
    /// Epoch seconds.
    made: i64,
}

impl Pending {
    pub(super) fn new(id: String, binding: Binding, preview: &str) -> Self {
        Self {
            id,
            binding: binding.hex(),
            preview: preview.to_owned(),
            made: Timestamp::now().as_second(),
        }
    }

    /// All that are not too old.
    pub(super) fn all(directory: &Path) -> Result<Vec<Self>, PendingError> {
        let mut all = Vec::new();
        for entry in fs::read_dir(directory)? {
            let name = entry?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".wait"));
            // Another process may remove it in between.
            all.extend(id.and_then(|id| Self::read(directory, id).ok()));
        }
        Ok(all)
    }

    pub(super) fn read(directory: &Path, id: &str) -> Result<Self, PendingError> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(PendingError::Nothing);
        }
        let text = match fs::read(directory.join(format!("{id}.wait"))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(PendingError::Nothing);
            }
            read => read?,
        };
        let pending: Self = serde_json::from_slice(&text).map_err(|_| PendingError::Nothing)?;
        if pending.id != id || pending.left() == 0 {
            return Err(PendingError::Nothing);
        }
        Ok(pending)
    }

    pub(super) fn write(&self, directory: &Path) -> Result<(), PendingError> {
        if Self::all(directory)?.len() >= MOST {
            return Err(PendingError::TooMany);
        }
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&serde_json::to_vec(self).map_err(io::Error::from)?)?;
        file.persist_noclobber(directory.join(format!("{}.wait", self.id)))
            .map_err(|error| error.error)?;
        Ok(())
    }

    pub(super) fn is_for(&self, binding: Binding) -> bool {
        self.binding == binding.hex()
    }

    pub(super) fn is_approved(&self, directory: &Path) -> bool {
        directory.join(format!("{}.yes", self.id)).exists()
    }

    pub(super) fn approve(&self, directory: &Path) -> Result<(), PendingError> {
        private()
            .create(true)
            .write(true)
            .truncate(true)
            .open(directory.join(format!("{}.yes", self.id)))?;
        Ok(())
    }

    pub(super) fn waiting(&self) -> Waiting {
        Waiting {
            id: self.id.clone(),
            preview: self.preview.clone(),
            expires_in: self.left(),
        }
    }

    fn left(&self) -> u64 {
        let age = Timestamp::now().as_second().saturating_sub(self.made);
        // One from the future was made under another clock.
        u64::try_from(age).map_or(0, |age| VALID.as_secs().saturating_sub(age))
    }
}

/// How files of this directory are opened.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Removes what is over, mails that were shown among it. What cannot be removed stays.
pub(super) fn sweep(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let kind = Path::new(&name).extension().and_then(|kind| kind.to_str());
        let age = match kind {
            _ if name == keyring::FILE => continue,
            Some("wait") => VALID,
            // Marks, longer than what they mark is good for; and what a process that was killed had
            // begun to write.
            _ => OVER,
        };
        let is_over = entry
            .metadata()
            .and_then(|about| about.modified())
            .is_ok_and(|time| time.elapsed().is_ok_and(|own| own > age));
        if is_over {
            let _ = fs::remove_file(entry.path());
        }
    }
}
