//! Where a long answer goes on: a sealed note that any later process can read, and nobody can
//! change.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use session_pool::domain::graph::Service;

use super::error::GraphError;
use super::request::Request;
use super::trail;

/// The key's file in the token directory. No connection's file ends like this.
const KEY_FILE: &str = "cursor.key";

/// Seconds that a cursor is good for; the links in it rarely live longer.
const LIFE: i64 = 24 * 3600;

/// What the seal is for: nothing else that is sealed with this key can pass for a cursor.
const PURPOSE: &[u8] = b"mm graph cursor 1";

/// In front of every cursor: one that began with `-` would be an option to a shell.
const PREFIX: char = 'g';

/// A place in a long answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The connection.
    #[serde(rename = "c")]
    pub(crate) connection: String,
    /// The account whose answer it was; an app has none.
    #[serde(rename = "a")]
    pub(crate) account: Option<String>,
    /// Whether it is Power Automate's.
    #[serde(rename = "f", default)]
    pub(crate) flow: bool,
    /// The page's address.
    #[serde(rename = "l")]
    pub(crate) link: String,
    /// Items of that page which were delivered.
    #[serde(rename = "i", default)]
    pub(crate) item: usize,
    /// Characters of the next item (or of an answer without items) which were delivered.
    #[serde(rename = "o", default)]
    pub(crate) offset: usize,
    /// Items delivered so far, on all pages.
    #[serde(rename = "n", default)]
    pub(crate) delivered: usize,
    /// Headers of the first call.
    #[serde(rename = "h", default)]
    pub(crate) headers: Vec<(String, String)>,
    /// Properties that are wanted.
    #[serde(rename = "s", default)]
    pub(crate) select: Vec<String>,
    /// Whether pages follow without being asked for.
    #[serde(rename = "p", default)]
    pub(crate) all_pages: bool,
    /// Marks of the pages before this one.
    #[serde(rename = "b", default)]
    pub(crate) trail: Vec<u64>,
    /// When it was made, in epoch seconds.
    #[serde(rename = "t", default)]
    pub(crate) made: i64,
}

/// A cursor that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CursorError {
    #[error("this is not a cursor of graph_request: use the cursor of an earlier answer, as it is")]
    Invalid,
    #[error("the cursor is more than a day old: send the call again from its beginning")]
    Old,
    #[error("the cursor is another account's answer: send the call again from its beginning")]
    OtherAccount,
    #[error("the cursor's key {path} cannot be used: {source}")]
    Key { path: String, source: io::Error },
}

/// Seals and opens cursors.
#[derive(Debug)]
pub(crate) struct Seal(RandomizedNonceKey);

impl Seal {
    /// The seal of this user's token directory, made at first use.
    ///
    /// # Errors
    /// Where the key's file cannot be read or made.
    pub(crate) fn open(directory: &Path) -> Result<Self, CursorError> {
        let path = directory.join(KEY_FILE);
        let failed = |source| CursorError::Key {
            path: path.display().to_string(),
            source,
        };
        let key = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_key(directory, &path).map_err(failed)?;
                fs::read(&path)
            }
            other => other,
        }
        .map_err(failed)?;
        RandomizedNonceKey::new(&AES_256_GCM, &key)
            .map(Self)
            .map_err(|_| failed(io::Error::other("it is damaged; delete it")))
    }

    /// Makes a cursor.
    pub(crate) fn seal(&self, place: &Place) -> Result<String, CursorError> {
        let mut bytes = serde_json::to_vec(place).map_err(|_| CursorError::Invalid)?;
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(PURPOSE), &mut bytes)
            .map_err(|_| CursorError::Invalid)?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.extend_from_slice(&bytes);
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Reads a cursor of this user's.
    pub(crate) fn read(&self, cursor: &str, now: Timestamp) -> Result<Place, CursorError> {
        let text = cursor.trim().strip_prefix(PREFIX);
        let mut bytes = text
            .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
            .ok_or(CursorError::Invalid)?;
        let (nonce, sealed) = bytes
            .split_at_mut_checked(NONCE_LEN)
            .ok_or(CursorError::Invalid)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| CursorError::Invalid)?;
        let opened = self
            .0
            .open_in_place(nonce, Aad::from(PURPOSE), sealed)
            .map_err(|_| CursorError::Invalid)?;
        let place: Place = serde_json::from_slice(opened).map_err(|_| CursorError::Invalid)?;
        if now.as_second() - place.made > LIFE {
            return Err(CursorError::Old);
        }
        Ok(place)
    }
}

impl Place {
    /// The beginning of another page.
    pub(crate) fn goes_on_at(&mut self, link: String) {
        self.trail.push(trail::mark(&self.link));
        let forgotten = self.trail.len().saturating_sub(trail::REMEMBERED);
        self.trail.drain(..forgotten);
        self.link = link;
        (self.item, self.offset) = (0, 0);
    }

    /// Whether what stands beside a cursor says the same as the call that it goes on with.
    ///
    /// # Errors
    /// [`GraphError::Request`], with what says something else.
    pub(crate) fn agrees_with(&self, request: &Request) -> Result<(), GraphError> {
        let headers = request.headers.iter().all(|header| {
            let own = self.headers.iter().find(|(name, _)| name == header.name);
            own.is_some_and(|(_, value)| *value == header.value)
        });
        let others = [
            ("headers", headers),
            (
                "select_fields",
                request.select.is_empty() || request.select == self.select,
            ),
            ("all_pages", !request.all_pages || self.all_pages),
            // `graph` is what is meant where nothing is said.
            (
                "resource",
                request.service == Service::Graph || request.service == self.service(),
            ),
        ];
        match others.iter().find(|(_, agrees)| !agrees) {
            None => Ok(()),
            Some((name, _)) => Err(GraphError::Request(format!(
                "the cursor goes on as its call began, and {name:?} says something else: give \
                 connection and cursor alone, or begin anew with an endpoint"
            ))),
        }
    }

    /// The service it is a place of.
    pub(crate) fn service(&self) -> Service {
        if self.flow {
            Service::Flow
        } else {
            Service::Graph
        }
    }
}

fn make_key(directory: &Path, path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)?;
    let mut key = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut key).map_err(|_| io::Error::other("no random numbers"))?;
    // Whole before it has its name, mode 0600, and never in place of another process's.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(&key)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use session_pool::domain::graph::Header;

    use super::*;

    fn place() -> Place {
        Place {
            connection: "contoso".to_owned(),
            account: Some("ada@contoso.com".to_owned()),
            flow: false,
            link: "https://graph.microsoft.com/v1.0/users?$skiptoken=x".to_owned(),
            item: 3,
            offset: 0,
            delivered: 103,
            headers: Vec::new(),
            select: Vec::new(),
            all_pages: true,
            trail: vec![7],
            made: 1_000_000,
        }
    }

    #[test]
    fn a_cursor_is_read_by_a_later_process_and_by_nobody_else() {
        let directory = tempfile::tempdir().unwrap();
        let cursor = Seal::open(directory.path())
            .unwrap()
            .seal(&place())
            .unwrap();
        let later = Seal::open(directory.path()).unwrap();
        let now = Timestamp::from_second(1_000_001).unwrap();
        assert_eq!(later.read(&cursor, now).unwrap(), place());
        assert!(!cursor.contains("contoso"));

        let other = tempfile::tempdir().unwrap();
        let stranger = Seal::open(other.path()).unwrap();
        assert!(matches!(
            stranger.read(&cursor, now),
            Err(CursorError::Invalid)
        ));
        let old = Timestamp::from_second(1_000_000 + LIFE + 1).unwrap();
        assert!(matches!(later.read(&cursor, old), Err(CursorError::Old)));
    }

    #[test]
    fn a_changed_cursor_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let seal = Seal::open(directory.path()).unwrap();
        let cursor = seal.seal(&place()).unwrap();
        let now = Timestamp::from_second(1_000_001).unwrap();
        for position in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[position] = if changed[position] == b'A' {
                b'B'
            } else {
                b'A'
            };
            let changed = String::from_utf8(changed).unwrap();
            assert!(seal.read(&changed, now).is_err(), "{position}");
        }
        for text in ["", "x", "r1", "AAAA"] {
            assert!(seal.read(text, now).is_err());
        }
    }
    #[test]
    fn what_stands_beside_a_cursor_must_say_the_same() {
        let mut place = place();
        place.headers = vec![("Prefer".to_owned(), "x".to_owned())];
        place.select = vec!["id".to_owned()];
        let header = |value: &str| vec![Header::new("prefer", value).unwrap()];
        let same = Request {
            headers: header("x"),
            select: vec!["id".to_owned()],
            all_pages: true,
            ..Request::default()
        };
        place.agrees_with(&same).unwrap();
        place.agrees_with(&Request::default()).unwrap();
        let other = |request: Request| place.agrees_with(&request).unwrap_err().to_string();
        let with = Request::default;
        for (request, name) in [
            (
                Request {
                    headers: header("y"),
                    ..with()
                },
                "headers",
            ),
            (
                Request {
                    select: vec!["mail".to_owned()],
                    ..with()
                },
                "select_fields",
            ),
            (
                Request {
                    service: Service::Flow,
                    ..with()
                },
                "resource",
            ),
        ] {
            assert!(other(request).contains(name));
        }
        place.all_pages = false;
        let more = Request {
            all_pages: true,
            ..with()
        };
        assert!(place.agrees_with(&more).is_err());
    }
}
