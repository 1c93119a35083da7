//! The access token that callers of the pool present, and the file it lies in.
//!
//! Reading is here for both programs; only the pool makes a token.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

/// The token's file in the state directory.
pub const FILE_NAME: &str = "pool.token";

/// Longest token in bytes; more would not be one line of a request.
const LONGEST: usize = 4096;

/// A bearer token (RFC 6750): visible ASCII characters without spaces. It is never shown.
#[derive(Clone)]
pub struct AccessToken(SecretString);

impl AccessToken {
    /// Takes a token; white space around it, such as a file's last line end, is no part of it.
    ///
    /// # Errors
    /// [`MalformedToken`] where it could not be sent in a header.
    pub fn new(text: &str) -> Result<Self, MalformedToken> {
        let token = text.trim();
        if token.is_empty() || token.len() > LONGEST || !token.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(MalformedToken);
        }
        Ok(Self(SecretString::from(token)))
    }

    /// The token's text, to send it or to compare it in constant time.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken([hidden])")
    }
}

/// A text cannot be an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an access token is one line of 1 to 4096 visible ASCII characters without spaces")]
pub struct MalformedToken;

/// The token's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// It cannot be read or written.
    #[error("the access token's file {path} cannot be {deed}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        deed: &'static str,
        /// Why.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{path} does not hold an access token: {source}; the pool's own, pool.token in its state \
             directory, can be deleted: the pool makes a new one when it starts", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        source: MalformedToken,
    },
}

/// Reads a token's file.
///
/// # Errors
/// [`TokenFileError`] where there is none or it holds something else.
pub fn read(path: &Path) -> Result<AccessToken, TokenFileError> {
    let text = std::fs::read_to_string(path).map_err(|source| failed(path, "read", source))?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<AccessToken, TokenFileError> {
    AccessToken::new(text).map_err(|source| TokenFileError::Malformed {
        path: path.to_owned(),
        source,
    })
}

fn failed(path: &Path, deed: &'static str, source: io::Error) -> TokenFileError {
    TokenFileError::Io {
        path: path.to_owned(),
        deed,
        source,
    }
}

#[cfg(feature = "server")]
pub use make::read_or_make;

#[cfg(feature = "server")]
mod make {
    use std::fs::{File, OpenOptions};
    use std::io::{self, Read, Write};
    use std::path::Path;

    use crate::own_file;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::{AccessToken, FILE_NAME, TokenFileError, failed, parse};

    /// Random bytes in a token: 256 bits, so that guessing is out of the question.
    const BYTES: usize = 32;

    /// Reads the token in the state directory, or makes one there on the first start: readable for
    /// its owner only, who is the directory's owner where the pool runs as root, so that the
    /// person whose directory is mounted into a container can read it.
    ///
    /// # Errors
    /// [`TokenFileError`] where the file cannot be read, written, or holds something else.
    pub fn read_or_make(state_directory: &Path) -> Result<AccessToken, TokenFileError> {
        let path = state_directory.join(FILE_NAME);
        match open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match make(state_directory, &path) {
                    // Another pool on the same directory was faster.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(failed(&path, "written", error)),
                    Ok(()) => {}
                }
            }
            Err(error) => return Err(failed(&path, "read", error)),
            Ok(_) => {}
        }
        let mut text = String::new();
        open(&path)
            .and_then(|mut file| {
                own_file::give(&file, state_directory)?;
                file.read_to_string(&mut text)
            })
            .map_err(|error| failed(&path, "read", error))?;
        parse(&path, &text)
    }

    fn open(path: &Path) -> io::Result<File> {
        own_file::private(OpenOptions::new().read(true)).open(path)
    }

    /// Writes the whole file before it gets its name, so that nobody ever reads half a token.
    fn make(directory: &Path, path: &Path) -> io::Result<()> {
        let mut bytes = [0_u8; BYTES];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        // tempfile creates with O_EXCL and mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        writeln!(file, "{}", URL_SAFE_NO_PAD.encode(bytes))?;
        own_file::give(file.as_file(), directory)?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(all(test, feature = "server"))]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_first_start_makes_a_token_and_later_ones_keep_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE_NAME);
        let made = read_or_make(directory.path()).unwrap();
        assert_eq!(made.expose().len(), 43);
        assert_eq!(mode(&path), 0o600);
        assert_eq!(
            read_or_make(directory.path()).unwrap().expose(),
            made.expose()
        );
        assert_eq!(read(&path).unwrap().expose(), made.expose());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

        let other = tempfile::tempdir().unwrap();
        assert_ne!(read_or_make(other.path()).unwrap().expose(), made.expose());
    }

    #[test]
    fn a_file_open_to_others_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE_NAME);
        fs::write(&path, "own-token\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(
            read_or_make(directory.path()).unwrap().expose(),
            "own-token"
        );
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE_NAME);
        for text in ["", " \n", "two words", "two\nlines", "töken", "\0"] {
            fs::write(&path, text).unwrap();
            let error = read_or_make(directory.path()).unwrap_err().to_string();
            assert!(error.contains("does not hold an access token"), "{error}");
        }
        fs::remove_file(&path).unwrap();
        let elsewhere = directory.path().join("elsewhere");
        fs::write(&elsewhere, "another-secret").unwrap();
        symlink(&elsewhere, &path).unwrap();
        assert!(read_or_make(directory.path()).is_err());
        assert!(read_or_make(&directory.path().join("absent")).is_err());
    }

    #[test]
    fn a_token_is_never_shown() {
        let token = AccessToken::new("hunter2").unwrap();
        assert!(!format!("{token:?}").contains("hunter2"));
    }
}
