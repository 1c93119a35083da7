//! The name of a connection.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest name in characters; safe names become parts of file and directory names.
const LONGEST: usize = 100;

/// A connection's name as the registry has it: one line of visible text without a slash, which
/// separates the parts of a session's id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionName(String);

impl ConnectionName {
    /// Takes a name, or says what is wrong with it.
    pub(super) fn new(name: &str) -> Result<Self, &'static str> {
        if name.is_empty() {
            Err("a connection needs a name: \"\" is none")
        } else if name.trim() != name {
            Err("the name must not begin or end with white space")
        } else if name.chars().any(char::is_control) {
            Err("the name must not contain control characters")
        } else if name.contains('/') {
            Err("the name must not contain a slash, which separates connection and module")
        } else if name.chars().nth(LONGEST).is_some() {
            Err("the name must not be longer than 100 characters")
        } else {
            Ok(Self(name.to_owned()))
        }
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in files and directories: every character outside `[A-Za-z0-9_-]` is `_`.
    pub fn safe_name(&self) -> String {
        let safe = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        self.0
            .chars()
            .map(|c| if safe(c) { c } else { '_' })
            .collect()
    }

    /// The safe name in lower case: what two connections must not have in common, because file
    /// systems and container names may ignore case.
    pub fn folded(&self) -> String {
        self.safe_name().to_ascii_lowercase()
    }
}

/// The given text cannot be the name of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidName(&'static str);

impl FromStr for ConnectionName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text).map_err(InvalidName)
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ConnectionName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for ConnectionName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Serialize for ConnectionName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ConnectionName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::new(&name).map_err(serde::de::Error::custom)
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
    fn names_become_safe_for_files() {
        for (name, safe, folded) in [
            ("Contoso-GA", "Contoso-GA", "contoso-ga"),
            ("Contoso GA", "Contoso_GA", "contoso_ga"),
            ("a.b\\c", "a_b_c", "a_b_c"),
            ("..", "__", "__"),
            ("Zürich", "Z_rich", "z_rich"),
            ("O'Neill", "O_Neill", "o_neill"),
        ] {
            let name = ConnectionName::new(name).unwrap();
            assert_eq!(
                (name.safe_name().as_str(), name.folded().as_str()),
                (safe, folded)
            );
        }
    }

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        let long = "x".repeat(101);
        for name in [
            "",
            " a",
            "a ",
            "a\nb",
            "a\0",
            "a/b",
            "a\u{85}b",
            long.as_str(),
        ] {
            assert!(ConnectionName::new(name).is_err(), "{name:?}");
        }
        assert!(ConnectionName::new(&"ü".repeat(100)).is_ok());
    }
}
