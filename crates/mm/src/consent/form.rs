//! The form that a client shows to a person.

use rmcp::model::{ElicitRequestParams, ElicitationSchema};
use serde_json::Value;

/// The form's name among a call's questions, and its one field.
pub(crate) const FIELD: &str = "confirm";

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// The person accepted the form, and its field says yes.
    Yes,
    /// Anything else: a refusal ends it.
    No,
}

/// The form; none where rmcp does not take the schema.
pub(crate) fn params(message: &str) -> Option<ElicitRequestParams> {
    let schema = ElicitationSchema::builder()
        .required_bool_property(FIELD, |field| {
            field
                .title("Yes, do exactly this")
                .description("Leave it off to refuse.")
                .with_default(false)
        })
        .build()
        .ok()?;
    Some(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: message.to_owned(),
        requested_schema: schema,
    })
}

/// Reads `{"action", "content"}`. Accepting alone is no consent: the field must say so too.
pub(crate) fn reply(answer: &Value) -> Reply {
    let accepted = answer.get("action").and_then(Value::as_str) == Some("accept");
    let confirmed = answer.get("content").and_then(|content| content.get(FIELD));
    if accepted && confirmed == Some(&Value::Bool(true)) {
        Reply::Yes
    } else {
        Reply::No
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn there_is_a_form() {
        assert!(params("Really?").is_some());
    }

    #[test]
    fn only_an_accepted_form_that_says_yes_is_a_yes() {
        for (answer, meant) in [
            (
                json!({"action": "accept", "content": {"confirm": true}}),
                Reply::Yes,
            ),
            (
                json!({"action": "accept", "content": {"confirm": false}}),
                Reply::No,
            ),
            (
                json!({"action": "accept", "content": {"confirm": "true"}}),
                Reply::No,
            ),
            (json!({"action": "accept", "content": {}}), Reply::No),
            (json!({"action": "accept"}), Reply::No),
            (
                json!({"action": "decline", "content": {"confirm": true}}),
                Reply::No,
            ),
            (json!({"action": "cancel"}), Reply::No),
            (json!("accept"), Reply::No),
        ] {
            assert_eq!(reply(&answer), meant, "{answer}");
        }
    }
}
