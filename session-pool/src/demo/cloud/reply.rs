//! Answers as Graph words them.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Graph's error object.
pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Response {
    let id = uuid::Uuid::now_v7().to_string();
    let date = jiff::Timestamp::now().to_string();
    let body = json!({"error": {
        "code": code,
        "message": message,
        "innerError": {"date": date, "request-id": id, "client-request-id": id},
    }});
    let mut response = (status, Json(body)).into_response();
    put(response.headers_mut(), "request-id", &id);
    response
}

pub(super) fn not_found(what: &str) -> Response {
    error(
        StatusCode::NOT_FOUND,
        "Request_ResourceNotFound",
        &format!(
            "Resource '{what}' does not exist or one of its queried reference-property objects are not present."
        ),
    )
}

pub(super) fn bad_request(message: &str) -> Response {
    error(StatusCode::BAD_REQUEST, "BadRequest", message)
}

/// An entity or a collection, with Graph's noise.
pub(super) fn ok(mut value: Value, context: &str) -> Response {
    if let Some(object) = value.as_object_mut() {
        object.insert("@odata.context".to_owned(), context.into());
    }
    let mut response = Json(value).into_response();
    let id = uuid::Uuid::now_v7().to_string();
    put(response.headers_mut(), "request-id", &id);
    response
}

pub(super) fn created(value: Value) -> Response {
    (StatusCode::CREATED, Json(value)).into_response()
}

pub(super) fn accepted() -> Response {
    StatusCode::ACCEPTED.into_response()
}

pub(super) fn no_content() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// Leads elsewhere; what is no ASCII goes as it is, which real services do now and then.
pub(super) fn redirect(to: &str) -> Response {
    let mut response = StatusCode::FOUND.into_response();
    if let Ok(value) = HeaderValue::from_bytes(to.as_bytes()) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

pub(super) fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
