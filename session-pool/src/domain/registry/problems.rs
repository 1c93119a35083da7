//! What can be wrong with a registry. No message repeats a value: it may be a secret in the wrong
//! place.

use std::fmt;

use crate::domain::nearest::did_you_mean;

/// The registry's text cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// It is not JSON.
    #[error(
        "the registry is not valid JSON: {what} at line {line} column {column}; \
         if it is just being written this passes by itself, else correct it there"
    )]
    Syntax {
        /// What the parser met.
        what: String,
        /// Line, from 1.
        line: usize,
        /// Column in that line, in bytes from 1; 0 at the line's end.
        column: usize,
    },
    /// It is JSON of another shape.
    #[error(
        "the registry must be an object with the key \"connections\", whose value is an object: \
         {{\"connections\": {{\"NAME\": {{\"tenant\": \"…\"}}}}}} (line {line} column {column})"
    )]
    Shape {
        /// Line, from 1.
        line: usize,
        /// Column in that line, in bytes from 1.
        column: usize,
    },
    /// Connections in it are wrong.
    #[error("{0}")]
    Problems(Problems),
}

/// Everything that is wrong with the connections of a registry; at least one problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// `Ok` where there are no problems.
    pub(super) fn none(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self(problems))
        }
    }

    /// The problems, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let plural = if count == 1 { "problem" } else { "problems" };
        write!(f, "the registry has {count} {plural} to correct: ")?;
        for (position, problem) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

/// One thing that is wrong with one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The connection's name as the file has it.
    pub connection: String,
    /// The key in it, `a.b` for one inside another; none where the connection itself is wrong.
    pub key: Option<String>,
    /// What is wrong and what it should be, without the value.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(
                f,
                "connection {:?}, {key:?}: {}",
                self.connection, self.what
            ),
            None => write!(f, "connection {:?}: {}", self.connection, self.what),
        }
    }
}

/// No connection has the given name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownConnection {
    /// The name that was asked for.
    pub name: String,
    /// Names like it, the most similar first.
    pub nearest: Vec<String>,
    /// How many connections there are.
    pub known: usize,
}

impl std::error::Error for UnknownConnection {}

impl fmt::Display for UnknownConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown connection {:?}: ", self.name)?;
        match did_you_mean(&self.nearest) {
            Some(question) => f.write_str(&question),
            None if self.known == 0 => {
                f.write_str("the registry holds none; add it to ~/.m365-connections.json")
            }
            None => f.write_str("the registry has no name like it"),
        }
    }
}
