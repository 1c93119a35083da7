//! The pool's access token: where it is, and how it is kept out of sight.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use hyper::header::HeaderValue;

/// No token is as long as this; such a file is something else.
const LONGEST: u64 = 4096;

/// An access token. It is shown to nobody but the pool.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(HeaderValue);

/// The text cannot be a bearer token (RFC 6750, section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is one word of letters, digits and punctuation")]
pub(crate) struct InvalidToken;

impl Token {
    /// Takes the text, without white space around it.
    ///
    /// # Errors
    /// Where it is empty, or has characters that a header cannot hold.
    pub(crate) fn new(text: &str) -> Result<Self, InvalidToken> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidToken);
        }
        let mut value =
            HeaderValue::from_str(&format!("Bearer {text}")).map_err(|_| InvalidToken)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// The value of the header `Authorization`.
    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Where the token comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenSource {
    /// `SESSION_POOL_TOKEN`.
    Given(Token),
    /// A file that the pool makes on its first start.
    File(PathBuf),
}

/// The token's file is there, and cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the pool's token cannot be read from {}: {problem}. Let this user read the file, or name another with SESSION_POOL_TOKEN_FILE", path.display())]
pub(crate) struct TokenError {
    path: PathBuf,
    problem: String,
}

impl TokenSource {
    /// The token as it is now, or `None` where its file does not exist. Read for every request:
    /// the pool may have made or changed it since.
    ///
    /// # Errors
    /// Where the file cannot be read or holds no token.
    pub(crate) fn read(&self) -> Result<Option<Token>, TokenError> {
        match self {
            Self::Given(token) => Ok(Some(token.clone())),
            Self::File(path) => read_file(path),
        }
    }

    /// What a person is to look at when the token is wrong.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Given(_) => "the variable SESSION_POOL_TOKEN".to_owned(),
            Self::File(path) => format!("the file {}", path.display()),
        }
    }
}

fn read_file(path: &Path) -> Result<Option<Token>, TokenError> {
    let fail = |problem: String| TokenError {
        path: path.to_owned(),
        problem,
    };
    let mut text = String::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(LONGEST).read_to_string(&mut text));
    match read {
        Ok(_) => Token::new(&text)
            .map(Some)
            .map_err(|error| fail(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fail(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn a_token_is_trimmed_and_never_shown() {
        let token = Token::new("  abc-123\n").unwrap();
        assert_eq!(token.header().to_str().unwrap(), "Bearer abc-123");
        assert!(!format!("{token:?} {:?}", token.header()).contains("abc"));
        for bad in ["", " \n", "a b", "a\u{e9}", "a\u{0}"] {
            assert_eq!(Token::new(bad), Err(InvalidToken), "{bad:?}");
        }
    }

    #[test]
    fn a_missing_file_is_no_error_and_a_bad_one_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pool.token");
        let source = TokenSource::File(path.clone());
        assert_eq!(source.read().unwrap(), None);
        std::fs::write(&path, "secret\n").unwrap();
        assert_eq!(source.read().unwrap(), Token::new("secret").ok());
        std::fs::write(&path, b"\xff\xfe").unwrap();
        assert!(
            source
                .read()
                .unwrap_err()
                .to_string()
                .contains("pool.token")
        );
        assert!(TokenSource::File(directory.path().into()).read().is_err());
    }
}
