//! Query parameters: each is known, given once, and in its range.

use std::convert::Infallible;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use url::form_urlencoded;

use super::error::{ApiError, Unknown};

/// The parameters of a request that have not been taken yet.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Parameters {
    fn parse(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// Takes the one with this name.
    pub(crate) fn take<T>(&mut self, name: &'static str) -> Result<Option<T>, ApiError>
    where
        T: FromStr<Err: Display>,
    {
        let bad = |problem: String| ApiError::BadParameter { name, problem };
        let mut values = self.0.extract_if(.., |(key, _)| key == name);
        let value = values.next();
        if values.next().is_some() {
            return Err(bad("it is given more than once".to_owned()));
        }
        value
            .map(|(_, value)| value.parse())
            .transpose()
            .map_err(|error: T::Err| bad(error.to_string()))
    }

    /// Takes the whole number with this name.
    pub(crate) fn take_number(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, ApiError> {
        let number = self.take::<u64>(name)?;
        number.map(|value| in_range(name, value, range)).transpose()
    }

    /// Refuses what is left: it was meant to do something, and would not.
    pub(crate) fn finish(self, known: &'static [&'static str]) -> Result<(), ApiError> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(ApiError::UnknownParameter(Unknown {
                kind: "query parameter",
                name,
                known,
            })),
        }
    }
}

/// The number, if it is in its range.
pub(super) fn in_range(
    field: &'static str,
    value: u64,
    range: RangeInclusive<u64>,
) -> Result<u64, ApiError> {
    let (min, max) = (*range.start(), *range.end());
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(ApiError::OutOfRange {
            field,
            value,
            min,
            max,
        })
    }
}

/// For routes without query parameters: refuses any.
#[derive(Debug)]
pub(crate) struct NoParameters;

impl<S: Sync> FromRequestParts<S> for NoParameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Parameters::parse(parts.uri.query().unwrap_or_default())
            .finish(&[])
            .map(|()| Self)
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
    fn parameters_are_taken_once_and_checked() {
        let mut parameters = Parameters::parse("wait_seconds=5&curser=r1");
        let wait = parameters.take_number("wait_seconds", 0..=10).unwrap();
        assert_eq!(wait, Some(5));
        assert_eq!(parameters.take::<String>("cursor").unwrap(), None);
        let error = parameters.finish(&["cursor", "wait_seconds"]).unwrap_err();
        assert!(
            error.to_string().contains(r#"did you mean "cursor"?"#),
            "{error}"
        );
    }

    #[test]
    fn bad_values_are_named() {
        for query in ["n=11", "n=-1", "n=x", "n=", "n=1&n=1", "n=1.0"] {
            let error = Parameters::parse(query)
                .take_number("n", 0..=10)
                .unwrap_err()
                .to_string();
            assert!(error.contains("\"n\""), "{query}: {error}");
        }
    }
}
