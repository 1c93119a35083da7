//! Request bodies: JSON objects whose mistakes are named.

use axum::body::{Bytes, HttpBody as _};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use crate::domain::policy::{CheckRequest, ConfirmRequest};
use crate::domain::wire::{ResetRequest, RunRequest, SignInRequest, SignOutRequest};

use super::error::{ApiError, Unknown};

/// The largest body in bytes.
pub(crate) const LIMIT: usize = 2 * 1024 * 1024;

/// A body, parsed.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

/// A type of body: an object of optional fields, so that each can be tried alone.
pub(super) trait Fields: DeserializeOwned {
    /// Its fields.
    const NAMES: &'static [&'static str];

    /// Whether no body is as good as an empty object.
    const MAY_BE_MISSING: bool = false;
}

impl Fields for RunRequest {
    const NAMES: &'static [&'static str] = &[
        "connection",
        "module",
        "site",
        "command",
        "caller_id",
        "format",
        "width",
        "depth",
        "timeout_seconds",
        "wait_seconds",
        "max_characters",
        "confirmation",
        "confirmed",
    ];
}

impl Fields for CheckRequest {
    const NAMES: &'static [&'static str] = &["connection", "module", "command"];
}

impl Fields for ConfirmRequest {
    const NAMES: &'static [&'static str] = &["how"];
    const MAY_BE_MISSING: bool = true;
}

impl Fields for ResetRequest {
    const NAMES: &'static [&'static str] = &["connection", "module"];
}

impl Fields for SignInRequest {
    const NAMES: &'static [&'static str] = &["connection", "modules", "caller_id"];
}

impl Fields for SignOutRequest {
    const NAMES: &'static [&'static str] = &["connection", "modules"];
}

impl<S: Send + Sync, T: Fields> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if T::MAY_BE_MISSING && request.body().is_end_stream() {
            return parse(b"{}").map(Self);
        }
        parse(&json_bytes(request, state).await?).map(Self)
    }
}

/// The whole body of a request that says it is JSON.
pub(crate) async fn json_bytes<S: Send + Sync>(
    request: Request,
    state: &S,
) -> Result<Bytes, ApiError> {
    if !is_json(request.headers()) {
        return Err(ApiError::UnsupportedMediaType);
    }
    Bytes::from_request(request, state).await.map_err(|error| {
        match error.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge { limit: LIMIT },
            _ => ApiError::IncompleteBody,
        }
    })
}

/// Whether the body says that it is JSON. That also keeps web pages out: a browser asks before it
/// sends this type across origins, and is not answered.
fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn parse<T: Fields>(body: &[u8]) -> Result<T, ApiError> {
    let bad_json = |error: serde_json::Error| ApiError::BadJson {
        problem: error.to_string(),
    };
    must_be_object(body)?;
    let error = match serde_json::from_slice(body) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    // JSON, but not this object? Serde tells the position; people look for the field.
    let object = serde_json::from_slice::<Map<String, Value>>(body).map_err(bad_json)?;
    if let Some(name) = object
        .keys()
        .find(|name| !T::NAMES.contains(&name.as_str()))
    {
        return Err(ApiError::UnknownField(Unknown {
            kind: "field",
            name: name.clone(),
            known: T::NAMES,
        }));
    }
    let wrong = object.into_iter().find_map(|(field, value)| {
        let alone = Map::from_iter([(field.clone(), value)]);
        let problem = serde_json::from_value::<T>(alone.into()).err()?;
        Some(ApiError::BadField {
            field,
            problem: problem.to_string(),
        })
    });
    // Each field is right alone: one stands there twice.
    Err(wrong.unwrap_or_else(|| bad_json(error)))
}

/// Serde would also take an array with the fields' values in their order.
fn must_be_object(body: &[u8]) -> Result<(), ApiError> {
    if body.trim_ascii_start().starts_with(b"{") {
        return Ok(());
    }
    match serde_json::from_slice::<IgnoredAny>(body) {
        Ok(_) => Err(ApiError::NoObject),
        Err(error) => Err(ApiError::BadJson {
            problem: error.to_string(),
        }),
    }
}

/// The connection that a body names, whatever else it holds: its reader judges that.
pub(crate) fn named_connection(body: &[u8]) -> Result<Option<String>, ApiError> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        connection: Option<Value>,
    }
    must_be_object(body)?;
    let named: Named = serde_json::from_slice(body).map_err(|error| ApiError::BadJson {
        problem: error.to_string(),
    })?;
    match named.connection {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) => Ok(Some(name).filter(|name| !name.is_empty())),
        Some(_) => Err(ApiError::BadField {
            field: "connection".to_owned(),
            problem: "it must be a string, the name of a connection".to_owned(),
        }),
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

    use proptest::prelude::*;

    use super::*;

    fn refusal(body: &str) -> (String, String) {
        let refusal = parse::<RunRequest>(body.as_bytes()).unwrap_err().body();
        (refusal.code, refusal.error)
    }

    #[test]
    fn the_names_are_those_of_the_types() {
        fn expected<T: Fields + std::fmt::Debug>() -> String {
            serde_json::from_str::<T>(r#"{"?": 1}"#)
                .unwrap_err()
                .to_string()
        }
        for (message, names) in [
            (expected::<RunRequest>(), RunRequest::NAMES),
            (expected::<ResetRequest>(), ResetRequest::NAMES),
            (expected::<SignInRequest>(), SignInRequest::NAMES),
            (expected::<SignOutRequest>(), SignOutRequest::NAMES),
        ] {
            let list = names.join("`, `");
            let two = names.join("` or `");
            assert!(
                message.contains(&format!("`{list}`")) || message.contains(&format!("`{two}`")),
                "{message}"
            );
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (body, code, says) in [
            ("", "bad_json", "line 1 column 0"),
            ("{\n \"module\": exo}", "bad_json", "line 2 column 12"),
            ("[]", "bad_json", "must be a JSON object"),
            (
                r#"{"comand": "1"}"#,
                "unknown_field",
                r#"did you mean "command"?"#,
            ),
            (r#"{"xyz": "1"}"#, "unknown_field", "use connection, module"),
            (r#"{"width": "wide"}"#, "bad_field", r#"field "width""#),
            (r#"{"width": 70000}"#, "bad_field", r#"field "width""#),
            (r#"{"format": "xml"}"#, "bad_field", r#"field "format""#),
            (
                r#"{"width": 80, "width": 80}"#,
                "bad_json",
                "duplicate field `width`",
            ),
        ] {
            let (actual, error) = refusal(body);
            assert_eq!(actual, code, "{body}");
            assert!(error.contains(says), "{body}: {error}");
        }
    }

    #[test]
    fn only_json_is_json() {
        let json = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
            is_json(&headers)
        };
        assert!(json("application/json"));
        assert!(json("Application/JSON; charset=utf-8"));
        assert!(!json("text/plain"));
        assert!(!json("application/jsonp"));
        assert!(!is_json(&HeaderMap::new()));
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse::<RunRequest>(&body);
        }
    }
}
