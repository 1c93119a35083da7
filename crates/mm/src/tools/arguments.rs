//! A tool call's arguments, read strictly: a wrong one is told, never dropped.

use std::ops::RangeInclusive;

use rmcp::model::JsonObject;
use serde_json::Value;
use session_pool::domain::nearest::{did_you_mean, nearest};
use session_pool::domain::wire::whole;

/// Arguments that have not been taken yet.
#[derive(Debug)]
pub(crate) struct Arguments(JsonObject);

/// An argument that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArgumentError {
    #[error("the argument {name:?} must be {expected}, not {given}")]
    Type {
        name: &'static str,
        expected: &'static str,
        given: String,
    },
    #[error("the argument {name:?} must be a whole number from {} to {}, not {given}", range.start(), range.end())]
    Range {
        name: &'static str,
        range: RangeInclusive<u32>,
        given: String,
    },
    #[error("there is no argument {name:?}: {hint}")]
    Unknown { name: String, hint: String },
    #[error("the argument{} {} {} missing: {hint}", if names.len() == 1 { "" } else { "s" }, listed(names), if names.len() == 1 { "is" } else { "are" })]
    Missing {
        names: Vec<&'static str>,
        hint: &'static str,
    },
    #[error(transparent)]
    JobId(#[from] session_pool::domain::job::InvalidJobId),
    #[error(
        "the arguments \"cursor\" and \"cancel\" do not go together, and nothing was cancelled: cancel first, then read on with the cursor"
    )]
    CursorAndCancel,
    #[error("\"arguments\" must be a JSON object")]
    NoObject,
}

fn listed(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("{name:?}"))
        .collect::<Vec<_>>()
        .join(", ")
}

impl Arguments {
    /// The arguments of a call; `null` counts as left out.
    pub(crate) fn new(arguments: Option<JsonObject>) -> Self {
        let mut arguments = arguments.unwrap_or_default();
        arguments.retain(|_, value| !value.is_null());
        Self(arguments)
    }

    /// Whether nothing was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A text that is still there, for saying what a wrong call was about.
    pub(crate) fn peek(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Takes a text.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>, ArgumentError> {
        self.take(name, "a string", |value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })
    }

    /// Takes a whole number that is not negative.
    pub(crate) fn number(&mut self, name: &'static str) -> Result<Option<u32>, ArgumentError> {
        self.number_in(name, 0..=u32::MAX)
    }

    /// Takes a whole number of this range; `2.0` is one too.
    pub(crate) fn number_in(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u32>,
    ) -> Result<Option<u32>, ArgumentError> {
        let Some(value) = self.0.remove(name) else {
            return Ok(None);
        };
        value
            .as_number()
            .and_then(whole)
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| range.contains(number))
            .map(Some)
            .ok_or_else(|| ArgumentError::Range {
                name,
                range,
                given: kind(&value),
            })
    }

    /// Takes true or false.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, ArgumentError> {
        self.take(name, "true or false", |value| value.as_bool())
    }

    /// Takes any value.
    pub(crate) fn value(&mut self, name: &'static str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Takes an object; an empty one where it is left out.
    pub(crate) fn object(&mut self, name: &'static str) -> Result<JsonObject, ArgumentError> {
        let object = self.take(name, "an object", |value| match value {
            Value::Object(object) => Some(object),
            // Some clients send objects as JSON text.
            Value::String(text) => serde_json::from_str(&text).ok(),
            _ => None,
        })?;
        Ok(object.unwrap_or_default())
    }

    /// Takes a list of texts, or one text with commas.
    pub(crate) fn texts(&mut self, name: &'static str) -> Result<Vec<String>, ArgumentError> {
        let texts = self.take(name, "a list of strings", |value| match value {
            Value::Array(items) => items
                .into_iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect(),
            Value::String(text) => Some(
                text.split(',')
                    .map(|part| part.trim().to_owned())
                    .filter(|part| !part.is_empty())
                    .collect(),
            ),
            _ => None,
        })?;
        Ok(texts.unwrap_or_default())
    }

    /// Refuses what is left.
    pub(crate) fn finish(self, known: &[&'static str]) -> Result<(), ArgumentError> {
        let Some(name) = self.0.keys().next() else {
            return Ok(());
        };
        let all = format!("this tool takes {}", known.join(", "));
        let hint = match did_you_mean(&nearest(name, known.iter().copied())) {
            Some(question) => format!("{question} ({all})"),
            None => all,
        };
        Err(ArgumentError::Unknown {
            name: name.chars().take(100).collect(),
            hint,
        })
    }

    fn take<T>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<Option<T>, ArgumentError> {
        let Some(value) = self.0.remove(name) else {
            return Ok(None);
        };
        let given = kind(&value);
        read(value).map(Some).ok_or(ArgumentError::Type {
            name,
            expected,
            given,
        })
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
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

    use serde_json::json;

    use super::*;

    fn arguments(value: Value) -> Arguments {
        Arguments::new(value.as_object().cloned())
    }

    #[test]
    fn unknown_names_are_refused_with_the_nearest() {
        let error = arguments(json!({"conection": "x"}))
            .finish(&["connection", "command"])
            .unwrap_err()
            .to_string();
        assert!(error.contains(r#"did you mean "connection""#), "{error}");
        let error = arguments(json!({"cmd": "x"}))
            .finish(&["connection", "command"])
            .unwrap_err()
            .to_string();
        assert!(error.contains(r#"did you mean "command""#), "{error}");
        let error = arguments(json!({"zzz": 1}))
            .finish(&["id"])
            .unwrap_err()
            .to_string();
        assert!(error.contains("takes id"), "{error}");
    }

    #[test]
    fn wrong_types_are_named() {
        for (value, wanted) in [
            (json!({"n": "5"}), "not a string"),
            (json!({"n": -1}), "not -1"),
            (json!({"n": 1.5}), "not 1.5"),
            (json!({"n": 4_294_967_296_u64}), "not 4294967296"),
        ] {
            let error = arguments(value).number("n").unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
        assert_eq!(arguments(json!({"n": null})).number("n"), Ok(None));
        assert_eq!(arguments(json!({"n": 5})).number("n"), Ok(Some(5)));
    }

    #[test]
    fn whole_numbers_are_taken_in_their_range_however_they_are_written() {
        for (value, number) in [(json!(0), 0), (json!(2.0), 2), (json!(36e2), 3600)] {
            let taken = arguments(json!({"n": value})).number_in("n", 0..=3600);
            assert_eq!(taken, Ok(Some(number)));
        }
        for value in [json!(3601), json!(5_000_000_000_u64), json!(-1), json!(0.5)] {
            let error = arguments(json!({"n": value}))
                .number_in("n", 0..=3600)
                .unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("the argument \"n\" must be a whole number from 0 to 3600, not {value}")
            );
        }
    }

    #[test]
    fn what_is_missing_is_said_in_grammar() {
        let missing = |names| {
            ArgumentError::Missing {
                names,
                hint: "give it",
            }
            .to_string()
        };
        assert_eq!(
            missing(vec!["id"]),
            "the argument \"id\" is missing: give it"
        );
        assert_eq!(
            missing(vec!["a", "b"]),
            "the arguments \"a\", \"b\" are missing: give it"
        );
    }
}
