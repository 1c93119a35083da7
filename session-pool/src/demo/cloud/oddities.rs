//! What real services do now and then, to be tried on purpose: below `/demo`.

use axum::body::Bytes;
use axum::extract::{Path, Query as QueryOf, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::graph::{Here, answer_to, enter, url};
use super::paging::Query;
use super::reply;

pub(super) async fn status(
    State(cloud): Here,
    Path(code): Path<u16>,
    headers: HeaderMap,
) -> Response {
    match enter(&cloud, &headers, "/demo/status").await {
        Ok(_) => reply::error(
            StatusCode::from_u16(code).unwrap_or(StatusCode::IM_A_TEAPOT),
            "DemoStatus",
            "This is the status that was asked for.",
        ),
        Err(response) => response,
    }
}

pub(super) async fn throttled(
    State(cloud): Here,
    Path(key): Path<String>,
    QueryOf(query): QueryOf<Query>,
    headers: HeaderMap,
) -> Response {
    let number = |name: &str, default: u32| {
        query
            .get(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let (times, seconds) = (number("times", 2), number("seconds", 1));
    if let Err(response) = enter(&cloud, &headers, "/demo/throttled").await {
        return response;
    }
    let met = cloud
        .faults()
        .throttled(&format!("demo {key}"), times, seconds);
    match answer_to(&cloud, met) {
        None => reply::ok(json!({"id": key}), &url(&cloud, "/$metadata#demo")),
        Some(response) => response,
    }
}

pub(super) async fn redirected(
    State(cloud): Here,
    Path(kind): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(response) = enter(&cloud, &headers, "/demo/redirect").await {
        return response;
    }
    match kind.as_str() {
        "loop" => reply::redirect(&url(&cloud, "/demo/redirect/loop")),
        "private" => reply::redirect("https://10.0.0.1/secret"),
        "plain" => reply::redirect("http://example.com/"),
        "metadata" => reply::redirect("http://169.254.169.254/latest/meta-data/"),
        "file" => reply::redirect("file:///etc/passwd"),
        _ => reply::redirect(&url(&cloud, "/me")),
    }
}

pub(super) async fn text(State(cloud): Here, headers: HeaderMap) -> Response {
    match enter(&cloud, &headers, "/demo/text").await {
        Ok(_) => "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n".into_response(),
        Err(response) => response,
    }
}

pub(super) async fn html(State(cloud): Here, headers: HeaderMap) -> Response {
    match enter(&cloud, &headers, "/demo/html").await {
        Ok(_) => axum::response::Html("<p>A page of a proxy</p>").into_response(),
        Err(response) => response,
    }
}

/// One entity that is larger than an answer to a model can be.
pub(super) async fn huge(State(cloud): Here, headers: HeaderMap) -> Response {
    match enter(&cloud, &headers, "/demo/huge").await {
        Ok(_) => reply::ok(
            json!({"id": "huge", "text": "0123456789".repeat(20_000)}),
            &url(&cloud, "/$metadata#demo"),
        ),
        Err(response) => response,
    }
}

/// Says what arrived.
pub(super) async fn echo(State(cloud): Here, headers: HeaderMap, body: Bytes) -> Response {
    match enter(&cloud, &headers, "/demo/echo").await {
        Ok(_) => {
            let header = |name: &str| {
                headers
                    .get(name)
                    .and_then(|value| value.to_str().ok())
                    .map(str::to_owned)
            };
            reply::ok(
                json!({
                    "contentType": header("content-type"),
                    "ifMatch": header("if-match"),
                    "prefer": header("prefer"),
                    "body": String::from_utf8_lossy(&body),
                }),
                &url(&cloud, "/$metadata#demo"),
            )
        }
        Err(response) => response,
    }
}
