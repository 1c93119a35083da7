//! Refusals of the service, read and explained.

use reqwest::Response;
use serde_json::Value;
use session_pool::domain::graph::Endpoint;
use session_pool::domain::registry::Connection;

use super::advice::Refused;
use super::body::{self, Kind};
use super::client::Client;
use super::error::{GraphError, Refusal};
use super::redact::redacted;

/// What the service refused, without what names tenants and people; `written` is what the caller
/// wrote beside the endpoint, which may be repeated.
pub(crate) async fn refused(
    response: Response,
    endpoint: &Endpoint,
    client: &Client<'_>,
    written: &str,
) -> GraphError {
    let status = response.status().as_u16();
    let header_id = response
        .headers()
        .get("request-id")
        .or_else(|| response.headers().get("x-ms-request-id"))
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let kind = body::kind(&response);
    let text = body::text(response).await.unwrap_or_default();
    let told = Told::read(&text, kind, status);
    let advice = Refused {
        status,
        code: &told.code,
        message: &told.message,
        path: endpoint.path(),
        app_only: client.connection.authentication.is_app_only(),
    }
    .advice();
    let written = format!("{} {written}", decoded(endpoint.path_and_query()));
    GraphError::Refused(Box::new(Refusal {
        status,
        message: redacted(&told.message, &written, &names(client.connection)),
        detail: told
            .detail
            .filter(|detail| *detail != told.code && is_plain(detail)),
        request_id: told.request_id.or(header_id).filter(|id| is_plain(id)),
        code: if is_plain(&told.code) {
            told.code
        } else {
            format!("status {status}")
        },
        advice,
    }))
}

/// The names that the registry knows the tenant by.
pub(crate) fn names(connection: &Connection) -> Vec<&str> {
    [
        &connection.tenant,
        &connection.delegated_organization,
        &connection.expected_email,
        &connection.sharepoint_name,
    ]
    .into_iter()
    .filter_map(Option::as_deref)
    .collect()
}

/// A refusal inside a batch, for its sub-response: the message without names, and what to do.
pub(crate) fn explained(
    status: u16,
    error: &mut Value,
    path: &str,
    written: &str,
    connection: &Connection,
) -> String {
    let text = |value: &Value, key: &str| {
        let text = value.get(key).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let message = text(error, "message");
    let advice = Refused {
        status,
        code: &text(error, "code"),
        message: &message,
        path,
        app_only: connection.authentication.is_app_only(),
    }
    .advice();
    let written = format!("{} {written}", decoded(path));
    if let Some(told) = error.get_mut("message") {
        *told = redacted(&message, &written, &names(connection)).into();
    }
    advice
}

fn decoded(text: &str) -> String {
    url::form_urlencoded::parse(format!("x={text}").as_bytes())
        .map(|(_, value)| value.into_owned())
        .collect()
}

fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-. ".contains(c);
    !text.is_empty() && text.len() <= 100 && text.chars().all(plain)
}

/// What an error body says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    code: String,
    message: String,
    detail: Option<String>,
    request_id: Option<String>,
}

impl Told {
    fn read(text: &str, kind: Kind, status: u16) -> Self {
        let body: Value = serde_json::from_str(text).unwrap_or_default();
        let error = body.get("error").unwrap_or(&body);
        let of =
            |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let inner = error.get("innerError").or_else(|| error.get("innererror"));
        let code = of(error, "code").or_else(|| body.get("error")?.as_str().map(str::to_owned));
        let message = of(error, "message").or_else(|| of(&body, "error_description"));
        let message = message.unwrap_or_else(|| match kind {
            Kind::Html => {
                "the answer is a web page, so a proxy or a gateway may have given it".to_owned()
            }
            _ => String::new(),
        });
        Self {
            code: code.unwrap_or_else(|| format!("status {status}")),
            message,
            detail: inner.and_then(|inner| of(inner, "code")),
            request_id: inner
                .and_then(|inner| of(inner, "request-id").or_else(|| of(inner, "requestId"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bodies_of_every_shape_are_read() {
        for (text, code, message) in [
            (
                r#"{"error":{"code":"Request_ResourceNotFound","message":"no","innerError":{"request-id":"7"}}}"#,
                "Request_ResourceNotFound",
                "no",
            ),
            (
                r#"{"error":"invalid_request","error_description":"bad"}"#,
                "invalid_request",
                "bad",
            ),
            (r#"{"code":"x","message":"y"}"#, "x", "y"),
            ("<html>", "status 502", ""),
            ("", "status 502", ""),
        ] {
            let told = Told::read(text, Kind::Json, 502);
            assert_eq!(
                (told.code.as_str(), told.message.as_str()),
                (code, message),
                "{text}"
            );
        }
    }
}
