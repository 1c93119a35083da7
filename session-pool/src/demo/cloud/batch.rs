//! `$batch`: each sub-request goes through the same router as a call of its own.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tower::ServiceExt;

use super::{DemoCloud, graph, reply};

/// Most sub-requests of one call, as in Graph.
const MOST: usize = 20;

/// Largest body of a sub-response.
const LARGEST: usize = 4 * 1024 * 1024;

pub(super) async fn run(
    State(cloud): State<DemoCloud>,
    headers: HeaderMap,
    Json(batch): Json<Value>,
) -> Response {
    let requests = batch.get("requests").and_then(Value::as_array);
    let Some(requests) = requests else {
        return reply::bad_request("Invalid batch payload format.");
    };
    if requests.len() > MOST {
        return reply::bad_request(
            "Number of batch request steps exceeds the maximum value of 20.",
        );
    }
    let mut responses = Vec::with_capacity(requests.len());
    for request in requests {
        responses.push(one(&cloud, &headers, request).await);
    }
    Json(json!({"responses": responses})).into_response()
}

async fn one(cloud: &DemoCloud, headers: &HeaderMap, request: &Value) -> Value {
    let id = request.get("id").cloned().unwrap_or_default();
    let text = |key: &str| request.get(key).and_then(Value::as_str).unwrap_or_default();
    let url = text("url");
    let path = if url.starts_with('/') {
        format!("/v1.0{url}")
    } else {
        format!("/v1.0/{url}")
    };
    let mut sub = Request::builder()
        .method(text("method"))
        .uri(path.replace(' ', "%20"));
    if let Some(token) = headers.get(header::AUTHORIZATION) {
        sub = sub.header(header::AUTHORIZATION, token);
    }
    if let Some(own) = request.get("headers").and_then(Value::as_object) {
        for (name, value) in own {
            sub = sub.header(name, value.as_str().unwrap_or_default());
        }
    }
    let body = match request.get("body") {
        Some(body) => Body::from(body.to_string()),
        None => Body::empty(),
    };
    let Ok(sub) = sub.body(body) else {
        return json!({"id": id, "status": 400, "body": {"error": {"code": "BadRequest", "message": "Invalid sub-request"}}});
    };
    let router = graph::router().with_state(cloud.clone());
    let response = match router.oneshot(sub).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    answered(id, response).await
}

async fn answered(id: Value, response: Response) -> Value {
    let status = response.status();
    let mut headers = Map::new();
    for name in [header::CONTENT_TYPE, header::RETRY_AFTER, header::LOCATION] {
        if let Some(value) = response
            .headers()
            .get(&name)
            .and_then(|value| value.to_str().ok())
        {
            headers.insert(name.to_string(), value.into());
        }
    }
    let bytes = to_bytes(response.into_body(), LARGEST)
        .await
        .unwrap_or_default();
    let mut answer = json!({"id": id, "status": status.as_u16(), "headers": headers});
    if status != StatusCode::NO_CONTENT && !bytes.is_empty() {
        // What is no JSON goes as base64, as in Graph.
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(STANDARD.encode(&bytes)));
        if let Some(object) = answer.as_object_mut() {
            object.insert("body".to_owned(), body);
        }
    }
    answer
}
