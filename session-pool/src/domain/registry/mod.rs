//! The registry of connections, `~/.m365-connections.json`: read, never written.

mod auth;
mod cloud;
mod connection;
mod fields;
mod name;
mod problems;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;

pub use auth::{Authentication, CertificateFiles, Scope, SecretPath, SecretSource};
pub use cloud::{Cloud, Endpoints};
pub use connection::{Connection, UnusableModule};
pub use name::{ConnectionName, InvalidName};
pub use problems::{Problem, Problems, RegistryError, UnknownConnection};

use super::nearest::nearest;

/// The connections that can be used, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    connections: BTreeMap<ConnectionName, Arc<Connection>>,
}

impl Registry {
    /// Reads the registry's text. Keys that are not known are ignored, wherever they stand.
    ///
    /// # Errors
    /// [`RegistryError`], with every problem of every connection and not only the first.
    pub fn parse(text: &str) -> Result<Self, RegistryError> {
        // Windows editors put a byte order mark in front, which JSON does not know.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let file: File = serde_json::from_str(text).map_err(|error| not_json(&error))?;

        let mut problems = Vec::new();
        let mut connections = BTreeMap::new();
        let mut names = Names::default();
        for (name, value) in &file.connections.0 {
            match ConnectionName::new(name) {
                Ok(valid) => {
                    names.add(&valid, &mut problems);
                    let connection = fields::read(valid.clone(), value, &mut problems);
                    connections.insert(valid, Arc::new(connection));
                }
                Err(what) => problems.push(about_name(name, what.to_owned())),
            }
        }
        Problems::none(problems).map_err(RegistryError::Problems)?;
        Ok(Self { connections })
    }

    /// The connection of exactly that name.
    ///
    /// # Errors
    /// [`UnknownConnection`], with the names that resemble it.
    pub fn get(&self, name: &str) -> Result<&Arc<Connection>, UnknownConnection> {
        self.connections.get(name).ok_or_else(|| UnknownConnection {
            name: name.to_owned(),
            nearest: nearest(name, self.connections.keys().map(ConnectionName::as_str)),
            known: self.connections.len(),
        })
    }

    /// Every connection, in the order of their names.
    pub fn connections(&self) -> impl ExactSizeIterator<Item = &Arc<Connection>> {
        self.connections.values()
    }

    /// Whether it holds no connection.
    pub fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }
}

/// The folded names met so far, and who has them.
#[derive(Default)]
struct Names(BTreeMap<String, ConnectionName>);

impl Names {
    /// Takes a name, or says which earlier one it cannot be told apart from.
    fn add(&mut self, name: &ConnectionName, problems: &mut Vec<Problem>) {
        let folded = name.folded();
        let clash = if let Some(other) = self.0.get(&folded) {
            Some(format!(
                "cannot be told apart from {:?}: both become {folded:?} in file names; rename one",
                other.as_str()
            ))
        } else {
            // `-flow` marks Power Automate's own token cache beside a connection's.
            let with = self.0.get(&format!("{folded}-flow"));
            let without = folded
                .strip_suffix("-flow")
                .and_then(|short| self.0.get(short));
            with.or(without).map(|other| {
                format!(
                    "differs from {:?} only by a final \"-flow\", which names the files for Power \
                     Automate; rename one",
                    other.as_str()
                )
            })
        };
        match clash {
            Some(what) => problems.push(about_name(name.as_str(), what)),
            None => drop(self.0.insert(folded, name.clone())),
        }
    }
}

fn about_name(name: &str, what: String) -> Problem {
    Problem {
        connection: name.to_owned(),
        key: None,
        what,
    }
}

fn not_json(error: &serde_json::Error) -> RegistryError {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        // The parser's words on wrong types repeat the value.
        Category::Data => RegistryError::Shape { line, column },
        Category::Io | Category::Syntax | Category::Eof => {
            let text = error.to_string();
            let what = text
                .split(" at line ")
                .next()
                .unwrap_or_default()
                .to_owned();
            RegistryError::Syntax { what, line, column }
        }
    }
}

/// The registry's text; other keys beside `connections` are ignored.
#[derive(Deserialize)]
struct File {
    connections: Ordered,
}

/// A JSON object that keeps the order of its keys and those that come twice, which a map would
/// lose without a word.
struct Ordered(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Ordered;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}
