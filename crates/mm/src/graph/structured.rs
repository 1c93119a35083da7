//! Answers for programs: the same as the text.

use serde_json::{Map, Value, json};
use session_pool::sign_in::DevicePrompt;

use super::accepted::{Accepted, ELSEWHERE};
use super::answer::{Answer, Asked, Content};
use super::body::Blob;
use super::error::GraphError;

/// The answer as an object; `status` is success, auth_required, confirmation_required or error, as
/// for `run`.
pub(crate) fn structured(answer: &Answer) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            fields.insert(name.to_owned(), value);
        }
    };
    put("status", status(&answer.content).into());
    put("connection", answer.connection.clone().into());
    put("tenant", json!(answer.tenant));
    put("authenticated_as", json!(answer.account));
    put("service", answer.service.into());
    put("method", answer.method.as_str().into());
    put("endpoint", answer.call.clone().into());
    let (content, broke) = answer.content.parts();
    match content {
        Content::Shown(shown) => {
            put("http_status", shown.status.into());
            put("format", shown.format.into());
            put("output", json!(shown.output));
            put("items", json!(shown.items));
            put("items_so_far", json!(shown.items.map(|_| shown.delivered)));
            put("total_items", json!(shown.total));
            put("cursor", json!(shown.cursor));
            put("stopped", json!(shown.stopped));
            put(
                "partial",
                if shown.partial {
                    true.into()
                } else {
                    Value::Null
                },
            );
            put("delta_endpoint", json!(shown.delta));
            let beside = shown.beside.as_deref();
            put(
                "beside",
                beside
                    .and_then(|text| serde_json::from_str(text).ok())
                    .unwrap_or_default(),
            );
        }
        Content::Nothing(code) => put("http_status", (*code).into()),
        Content::Blob(code, blob) => {
            put("http_status", (*code).into());
            put("file", file(blob));
        }
        Content::Saved {
            path,
            blob,
            items,
            cursor,
        } => {
            let mut file = file(blob);
            if let Value::Object(file) = &mut file {
                file.insert("path".to_owned(), path.clone().into());
            }
            put("file", file);
            put("items", json!(items));
            put("cursor", json!(cursor));
        }
        Content::SignIn(prompt) => sign_in(answer, prompt, &mut put),
        Content::Confirm(asked) => confirm(asked, &mut put),
        // It is no answer yet, and has its own form on the wire.
        Content::Question(_) => {}
        Content::Failed(error) => {
            if let GraphError::Refused(refusal) = error {
                put("http_status", refusal.status.into());
            }
            failed(error, &mut put);
        }
        // What was read or answered stands apart from what became of it.
        Content::BrokeOff { .. } | Content::Ongoing { .. } => {}
    }
    match answer.content.accepted() {
        Some(Accepted::Endpoint(endpoint)) => put("operation_endpoint", endpoint.clone().into()),
        Some(Accepted::Elsewhere) => put("message", ELSEWHERE.into()),
        None => {}
    }
    match broke {
        Some(GraphError::SignInNeeded(prompt)) => sign_in(answer, prompt, &mut put),
        Some(error) => failed(error, &mut put),
        None => {}
    }
    Value::Object(fields)
}

fn sign_in(answer: &Answer, prompt: &DevicePrompt, put: &mut dyn FnMut(&str, Value)) {
    put("device_code", prompt.code.clone().into());
    put("auth_url", prompt.url.clone().into());
    put("expires_in", prompt.seconds_left.into());
    put("expected_account", json!(answer.expected));
    put("message", json!(prompt.reason));
}

fn failed(error: &GraphError, put: &mut dyn FnMut(&str, Value)) {
    put("error", error.to_string().into());
    put("code", error.code().into());
    if let GraphError::Refused(refusal) = error {
        put("request_id", json!(refusal.request_id));
    }
}

fn confirm(asked: &Asked, put: &mut dyn FnMut(&str, Value)) {
    put("preview", asked.preview.clone().into());
    let mut confirmation = json!({"by": asked.by, "expires_in": asked.expires_in});
    if let Value::Object(fields) = &mut confirmation {
        let named = [("id", &asked.id), ("code", &asked.code)];
        for (name, value) in named {
            fields.extend(value.clone().map(|value| (name.to_owned(), value.into())));
        }
    }
    put("confirmation", confirmation);
}

/// How a call ended, in a word.
pub(crate) fn status(content: &Content) -> &'static str {
    match content {
        Content::Shown(_)
        | Content::Nothing(_)
        | Content::Blob(..)
        | Content::Saved { .. }
        | Content::Ongoing { .. } => "success",
        Content::SignIn(_) => "auth_required",
        Content::Confirm(_) => "confirmation_required",
        Content::Question(_) => "input_required",
        Content::BrokeOff {
            error: GraphError::SignInNeeded(_),
            ..
        } => "auth_required",
        Content::Failed(_) | Content::BrokeOff { .. } => "error",
    }
}

fn file(blob: &Blob) -> Value {
    json!({"bytes": blob.bytes, "content_type": blob.content_type, "sha256": blob.sha256})
}
