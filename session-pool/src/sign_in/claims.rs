//! What a token must satisfy: the claims request of OpenID Connect Core, section 5.5.

use serde_json::{Map, Value, json};

/// The claims parameter of every request: that challenges are understood here (`cp1`, continuous
/// access evaluation), and what a challenge asked for.
pub(super) fn request(challenge: Option<&str>) -> String {
    let mut claims = challenge
        .and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok())
        .unwrap_or_default();
    let access = claims
        .entry("access_token")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Some(access) = access.as_object_mut() {
        access.insert("xms_cc".to_owned(), json!({"values": ["cp1"]}));
    }
    Value::Object(claims).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_passed_on() {
        assert_eq!(
            request(None),
            r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#
        );
        assert_eq!(request(Some("no json")), request(None));
        let challenge = r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#;
        assert_eq!(
            request(Some(challenge)),
            r#"{"access_token":{"nbf":{"essential":true,"value":"1"},"xms_cc":{"values":["cp1"]}}}"#
        );
    }
}
