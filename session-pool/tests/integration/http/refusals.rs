//! What is refused, and what that says.

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::json;

use crate::support::{Context, Needs, Suite, add};

use super::api::{Api, empty, posted, request};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [refusals_say_what_to_do, large_bodies_are_refused]
    );
}

async fn refusals_say_what_to_do(cx: &Context) {
    let api = Api::new(cx);
    let job = "0190a5d0-0000-7000-8000-000000000000";
    let gets = [
        ("/nothing".to_owned(), 404, "not_found", "/openapi.json"),
        ("/jobs/x".to_owned(), 400, "invalid_job_id", "not a job id"),
        (format!("/jobs/{job}"), 404, "unknown_job", job),
        (
            format!("/jobs/{job}?cursor=x"),
            400,
            "bad_parameter",
            "cursor",
        ),
        (
            format!("/jobs/{job}?curser=r1"),
            400,
            "unknown_parameter",
            "did you mean \"cursor\"?",
        ),
        (
            format!("/jobs/{job}?wait_seconds=3601"),
            400,
            "out_of_range",
            "0 to 3600",
        ),
        (
            format!("/jobs/{job}?max_characters=1"),
            400,
            "out_of_range",
            "200",
        ),
        (
            format!("/jobs/{job}?wait_seconds=1&wait_seconds=2"),
            400,
            "bad_parameter",
            "once",
        ),
        (
            "/jobs?all=1".to_owned(),
            400,
            "unknown_parameter",
            "takes none",
        ),
        (
            "/metrics?format=xml".to_owned(),
            400,
            "bad_parameter",
            "prometheus",
        ),
    ];
    for (path, status, code, says) in gets {
        let answer = api.get(&path).await;
        let (actual, error) = answer.refusal();
        assert_eq!(
            (answer.status.as_u16(), actual.as_str()),
            (status, code),
            "{path}"
        );
        assert!(error.contains(says), "{path}: {error}");
    }
    for (body, status, code, says) in [
        ("{", 400, "bad_json", "line 1 column 1"),
        ("[]", 400, "bad_json", "object"),
        ("{}", 400, "missing_field", "connection"),
        (
            r#"{"comand": "1"}"#,
            400,
            "unknown_field",
            "did you mean \"command\"?",
        ),
        (
            r#"{"connection": "Contoso"}"#,
            400,
            "missing_field",
            "module",
        ),
        (
            r#"{"connection": "Contoso", "module": "exo"}"#,
            400,
            "missing_field",
            "command",
        ),
        (
            r#"{"connection": "Contosso", "module": "exo", "command": "1"}"#,
            404,
            "unknown_connection",
            "Contoso",
        ),
        (
            r#"{"connection": "Contoso", "module": "word", "command": "1"}"#,
            400,
            "unknown_module",
            "exo, pnp, azure, teams",
        ),
        (
            r#"{"connection": "Contoso", "module": "exo", "command": "1", "wait_seconds": 3601}"#,
            400,
            "out_of_range",
            "wait_seconds",
        ),
        (
            r#"{"connection": "Contoso", "module": "exo", "command": "1", "timeout_seconds": 0}"#,
            400,
            "out_of_range",
            "timeout_seconds",
        ),
        (
            r#"{"connection": "Contoso", "module": "exo", "command": "1", "site": "admin"}"#,
            400,
            "invalid_site",
            "pnp",
        ),
    ] {
        let answer = api.send(posted("/run", body)).await;
        let (actual, error) = answer.refusal();
        assert_eq!(
            (answer.status.as_u16(), actual.as_str()),
            (status, code),
            "{body}"
        );
        assert!(error.contains(says), "{body}: {error}");
    }
    let text = request("POST", "/run").header("content-type", "text/plain");
    let answer = api.send(text.body(Body::from("{}")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let answer = api.send(empty(request("PUT", "/jobs"))).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers["allow"], "GET,HEAD");
    assert_eq!(answer.refusal().0, "method_not_allowed");
    assert_eq!(api.get("/jobs").await.json(), json!({"jobs": []}));
    api.end().await;
}

async fn large_bodies_are_refused(cx: &Context) {
    let api = Api::new(cx);
    let answer = api.send(posted("/run", &"x".repeat(3 << 20))).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.refusal().0, "too_large");
    // What a refusal quotes is bounded too.
    let name = "x".repeat(1 << 20);
    let answer = api.post("/run", &json!({ name: 1 })).await;
    assert_eq!(answer.refusal().0, "unknown_field");
    assert!(answer.body.len() < 10_000);
    api.end().await;
}
