//! What a refused token lacks: the `claims` of `WWW-Authenticate`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use serde_json::Value;

/// The claims that a new token must satisfy, as JSON.
///
/// Source: learn.microsoft.com, "Claims challenges, claims requests, and client capabilities".
pub(crate) fn claims(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .find_map(in_challenge)
}

/// The claims of several challenges as one; `None` where there are none.
pub(crate) fn merged<'a>(challenges: impl Iterator<Item = &'a String>) -> Option<String> {
    let mut all = Value::Null;
    for claims in challenges {
        merge(&mut all, serde_json::from_str(claims).unwrap_or_default());
    }
    (!all.is_null()).then(|| all.to_string())
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

fn in_challenge(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("claims=\"")?;
    let (claims, _) = rest.split_once('"')?;
    let decoded = STANDARD
        .decode(claims)
        .or_else(|_| URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')))
        .ok()?;
    let text = String::from_utf8(decoded).ok()?;
    serde_json::from_str::<serde_json::Map<String, Value>>(&text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_base64_json_in_quotes() {
        let text = "Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"";
        assert_eq!(in_challenge(text).as_deref(), Some("{\"access_token\":{}}"));
        assert_eq!(in_challenge("Bearer error=\"invalid_token\""), None);
        assert_eq!(in_challenge("Bearer claims=\"bm90IGpzb24=\""), None);
    }

    #[test]
    fn a_second_challenge_adds_to_the_first() {
        let text = |text: &str| text.to_owned();
        let met = [
            text(r#"{"access_token":{"nbf":{"value":"1"}}}"#),
            text(r#"{"access_token":{"acrs":{"value":"c1"},"nbf":{"value":"2"}}}"#),
        ];
        assert_eq!(
            merged(met.iter()).as_deref(),
            Some(r#"{"access_token":{"acrs":{"value":"c1"},"nbf":{"value":"2"}}}"#)
        );
        assert_eq!(merged([].iter()), None);
    }
}
