//! The keys that codes and forms are sealed with: one file, for this user alone.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rmcp::model::RequestStateCodec;
use serde::{Deserialize, Serialize};

use super::ConsentError;

/// The file.
pub(super) const FILE: &str = "keys.json";

/// Seconds after which another key seals; the one before still opens.
const SEALS: i64 = 30 * 24 * 3600;

/// Keys that are kept.
const KEPT: usize = 2;

#[derive(Default, Serialize, Deserialize)]
struct Keyring {
    /// The newest last.
    keys: Vec<Key>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Key {
    id: String,
    /// Base64.
    key: String,
    /// Epoch seconds.
    made: i64,
}

/// Seals and opens with the keys of this directory, which are made at first use.
pub(super) fn codec(directory: &Path) -> Result<RequestStateCodec, ConsentError> {
    let failed = |reason: String| failed(directory, &reason);
    let mut ring = match read(directory).map_err(|error| failed(error.to_string()))? {
        Some(ring) => ring,
        None => {
            let ring =
                with_another(Keyring::default()).map_err(|error| failed(error.to_string()))?;
            write(directory, &ring, false).map_err(|error| failed(error.to_string()))?;
            // Another process may have been first.
            let read = read(directory).map_err(|error| failed(error.to_string()))?;
            read.unwrap_or(ring)
        }
    };
    let now = Timestamp::now().as_second();
    if ring.keys.last().is_some_and(|key| now - key.made > SEALS) {
        // Where two processes do so at once, one's codes are void: somebody is asked again.
        ring = with_another(ring).map_err(|error| failed(error.to_string()))?;
        write(directory, &ring, true).map_err(|error| failed(error.to_string()))?;
    }
    let active = ring
        .keys
        .last()
        .map(|key| key.id.clone())
        .unwrap_or_default();
    let keys = ring
        .keys
        .iter()
        .map(|key| Ok((key.id.clone(), STANDARD.decode(&key.key)?)))
        .collect::<Result<Vec<_>, base64::DecodeError>>()
        .map_err(|error| failed(error.to_string()))?;
    RequestStateCodec::new_with_keyring(active, keys).map_err(|error| failed(error.to_string()))
}

pub(super) fn failed(directory: &Path, reason: &str) -> ConsentError {
    ConsentError::Keys {
        path: directory.join(FILE).display().to_string(),
        reason: reason.to_owned(),
    }
}

fn read(directory: &Path) -> io::Result<Option<Keyring>> {
    let path = directory.join(FILE);
    let file = match fs::File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "others than its owner can read or write it",
            ));
        }
    }
    Ok(Some(serde_json::from_reader(file)?))
}

fn with_another(mut ring: Keyring) -> io::Result<Keyring> {
    let mut random = [0_u8; 48];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| io::Error::other("no random numbers"))?;
    let (id, key) = random.split_at(16);
    ring.keys.push(Key {
        id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
        key: STANDARD.encode(key),
        made: Timestamp::now().as_second(),
    });
    let gone = ring.keys.len().saturating_sub(KEPT);
    ring.keys.drain(..gone);
    Ok(ring)
}

/// Whole before it has its name, mode 0600.
fn write(directory: &Path, ring: &Keyring, replace: bool) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(&serde_json::to_vec(ring)?)?;
    file.as_file().sync_all()?;
    let path = directory.join(FILE);
    let done = if replace {
        file.persist(path)
    } else {
        file.persist_noclobber(path)
    };
    match done {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}
