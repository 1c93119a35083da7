//! Query options that come as an object, apart from the endpoint.

use serde_json::{Map, Value};

use super::encode::raw;

/// Query options, encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

/// The query object cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A value has no form in a URL.
    #[error("the query option {0:?} must be a text, a number, true, false, or a list of those")]
    Value(String),
    /// A value has line ends or other control characters.
    #[error("the value of the query option {0:?} must not contain control characters or line ends")]
    Control(String),
    /// A name has no form in a URL.
    #[error("{0:?} cannot be the name of a query option")]
    Name(String),
    /// An option stands in two places.
    #[error("the query option {0:?} is given twice: keep one of the two")]
    Twice(String),
}

impl Query {
    /// Takes an object of options; lists become values separated by commas, as `$select` wants
    /// them.
    ///
    /// # Errors
    /// [`QueryError`], at the first option that cannot be sent.
    pub fn new(object: &Map<String, Value>) -> Result<Self, QueryError> {
        let mut query = Self::default();
        for (name, value) in object {
            query.add(name, &text(name, value)?)?;
        }
        Ok(query)
    }

    /// Adds an option.
    ///
    /// # Errors
    /// [`QueryError::Twice`] where it is there already.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), QueryError> {
        let shown = || name.chars().take(60).collect();
        let odd = |c: char| c.is_control() || c.is_whitespace() || "&=#%?+".contains(c);
        if name.is_empty() || name.contains(odd) {
            return Err(QueryError::Name(shown()));
        }
        if value.chars().any(char::is_control) {
            return Err(QueryError::Control(shown()));
        }
        if self.has(name) {
            return Err(QueryError::Twice(shown()));
        }
        self.0.push((name.to_owned(), raw(value)));
        Ok(())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the option is there, with or without `$`.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| same_option(own, name))
    }

    /// The options, names as they are and values encoded.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Whether two names are the same option to Graph, for which `$` is optional.
pub(super) fn same_option(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.trim_start_matches('$').to_ascii_lowercase();
    plain(one) == plain(other)
}

fn text(name: &str, value: &Value) -> Result<String, QueryError> {
    let wrong = || QueryError::Value(name.chars().take(60).collect());
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Array(items) => {
            let texts: Result<Vec<_>, _> = items
                .iter()
                .map(|item| match item {
                    Value::Array(_) => Err(wrong()),
                    other => text(name, other),
                })
                .collect();
            Ok(texts?.join(","))
        }
        Value::Null | Value::Object(_) => Err(wrong()),
    }
}
