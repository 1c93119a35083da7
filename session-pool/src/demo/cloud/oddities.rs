//! What real services do now and then, to be tried on purpose: below `/demo`.

use axum::body::Bytes;
use axum::extract::{Path, Query as QueryOf, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::graph::{Here, answer_to, enter, unauthorized, url};
use super::paging::Query;
use super::{files, reply};

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
        // As some servers write it: not encoded at all.
        "umlaut" => reply::redirect(&url(&cloud, "/demo/kept/\u{fc}")),
        "nowhere" => StatusCode::FOUND.into_response(),
        // Another host that leads back must not get the token again.
        "back" => reply::redirect(&files::back_url(&cloud)),
        // A host that there is not (RFC 6761, section 6.4).
        "gone" => reply::redirect("https://contoso-demo.invalid/file?sig=demo"),
        _ => reply::redirect(&url(&cloud, "/me")),
    }
}

/// Takes work on, and says where it tells of it.
pub(super) async fn accepted(
    State(cloud): Here,
    Path(kind): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(response) = enter(&cloud, &headers, "/demo/accepted").await {
        return response;
    }
    let mut response = reply::accepted();
    let told = response.headers_mut();
    match kind.as_str() {
        // As teams are made: without host and version.
        "relative" => reply::put(told, "location", "/demo/kept/operation"),
        "full" => reply::put(
            told,
            "operation-location",
            &url(&cloud, "/demo/kept/operation"),
        ),
        // As files are copied.
        "elsewhere" => reply::put(told, "location", &files::monitor_url(&cloud)),
        _ => {}
    }
    response
}

/// Says which key it was asked for.
pub(super) async fn kept(
    State(cloud): Here,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Response {
    match enter(&cloud, &headers, "/demo/kept").await {
        Ok(_) => reply::ok(json!({"id": key}), &url(&cloud, "/$metadata#demo")),
        Err(response) => response,
    }
}

/// A collection of two pages, of which the second is not what it should be.
pub(super) async fn pages(
    State(cloud): Here,
    Path(kind): Path<String>,
    QueryOf(query): QueryOf<Query>,
    headers: HeaderMap,
) -> Response {
    if let Err(response) = enter(&cloud, &headers, "/demo/pages").await {
        return response;
    }
    let page = query.get("page").map_or("1", String::as_str);
    let to = |page: &str| url(&cloud, &format!("/demo/pages/{kind}?page={page}"));
    let next = match (kind.as_str(), page) {
        ("foreign", _) => Some("https://evil.example/v1.0/users?page=2".to_owned()),
        ("circle", "2") => Some(to("1")),
        ("circle", "1") | (_, "1") => Some(to("2")),
        ("self", page) => Some(to(page)),
        _ => None,
    };
    match (kind.as_str(), page) {
        ("revoked", "1") => cloud.revoke(),
        // Every other time, so that it can be gone on with.
        ("failing", "2") => {
            let met = cloud.faults().throttled("demo page", 1, 0);
            if answer_to(&cloud, met).is_some() {
                return reply::error(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "UnknownError",
                    "The tenant 'Contoso Ltd' is busy.",
                );
            }
        }
        ("patience", "2") => {
            let met = cloud.faults().throttled("demo patience", 1, 400);
            if let Some(response) = answer_to(&cloud, met) {
                return response;
            }
        }
        ("garbled", "2") => {
            return ([(header::CONTENT_TYPE, "application/json")], "{\"value\":[").into_response();
        }
        _ => {}
    }
    let items: Vec<Value> = (1..=3)
        .map(|n| json!({"id": format!("{page}-{n}")}))
        .collect();
    let mut answer = json!({"value": items});
    if let (Some(next), Some(object)) = (next, answer.as_object_mut()) {
        object.insert("@odata.nextLink".to_owned(), next.into());
    }
    reply::ok(answer, &url(&cloud, "/$metadata#demo"))
}

/// Refuses a good token so many times, as a policy does that has just been changed.
pub(super) async fn challenged(
    State(cloud): Here,
    Path(times): Path<u32>,
    headers: HeaderMap,
) -> Response {
    if let Err(response) = enter(&cloud, &headers, "/demo/challenge").await {
        return response;
    }
    let met = cloud
        .faults()
        .throttled(&format!("demo challenge {times}"), times, 0);
    if answer_to(&cloud, met).is_none() {
        return reply::ok(json!({"met": times}), &url(&cloud, "/$metadata#demo"));
    }
    let id = uuid::Uuid::now_v7();
    unauthorized(Some(
        json!({"access_token": {"acrs": {"essential": true, "value": id}}}),
    ))
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
