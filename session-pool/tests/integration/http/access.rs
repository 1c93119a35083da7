//! Who gets in.

use axum::Router;
use axum::http::{Request, StatusCode};

use crate::support::{Context, Needs, Suite, add};

use super::api::{Api, empty, request, stranger};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            four_routes_are_open,
            a_wrong_token_is_refused_where_none_is_needed,
            status_tells_strangers_less,
            foreign_hosts_and_pages_are_refused,
            every_answer_has_the_safety_headers,
            routes_of_a_server_ask_for_the_token
        ]
    );
}

async fn four_routes_are_open(cx: &Context) {
    let api = Api::new(cx);
    for path in ["/health", "/status", "/metrics", "/openapi.json"] {
        let answer = api.send(empty(stranger("GET", path))).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    for (method, path) in [
        ("GET", "/connections"),
        ("POST", "/run"),
        ("GET", "/jobs"),
        ("GET", "/jobs/0190a5d0-0000-7000-8000-000000000000"),
        ("DELETE", "/jobs/0190a5d0-0000-7000-8000-000000000000"),
        ("GET", "/jobs/0190a5d0-0000-7000-8000-000000000000/events"),
        ("POST", "/reset"),
        ("POST", "/sign-in"),
        ("POST", "/sign-out"),
        ("GET", "/no-such-route"),
        ("GET", "/run"),
        ("PUT", "/reset"),
    ] {
        let answer = api.send(empty(stranger(method, path))).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert!(
            answer.headers["www-authenticate"]
                .as_bytes()
                .starts_with(b"Bearer")
        );
        let (code, error) = answer.refusal();
        assert_eq!(code, "unauthorized");
        assert!(error.contains("it is in /state/pool.token"), "{error}");
    }
    let description = api.get("/openapi.json").await.json();
    assert_eq!(description["openapi"], "3.1.0");
    let connections = api.get("/connections").await;
    assert!(!connections.body.contains("1111"), "{}", connections.body);
    assert_eq!(
        connections.json()["connections"]["Contoso"]["description"],
        "Tests"
    );
    api.end().await;
}

async fn a_wrong_token_is_refused_where_none_is_needed(cx: &Context) {
    let api = Api::new(cx);
    for header in [
        "Bearer sesam",
        "Bearer sesamee",
        "Basic c2VzYW1l",
        "sesame",
        "Bearer ",
    ] {
        let wrong = stranger("GET", "/status").header("authorization", header);
        assert_eq!(
            api.send(empty(wrong)).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    let probe = stranger("GET", "/health").header("authorization", "Bearer old");
    assert_eq!(api.send(empty(probe)).await.status, StatusCode::OK);
    api.end().await;
}

async fn status_tells_strangers_less(cx: &Context) {
    let api = Api::new(cx);
    api.queued("Contoso").await;
    let public = api.send(empty(stranger("GET", "/status"))).await.json();
    let session = public["sessions"][0].as_object().unwrap();
    let mut keys: Vec<_> = session.keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "authenticated",
            "busy",
            "connection",
            "module",
            "queued",
            "session_id",
            "state"
        ]
    );
    let whole = api.get("/status").await.json();
    assert_eq!(whole["sessions"][0]["session_id"], "Contoso/exo");
    api.end().await;
}

async fn foreign_hosts_and_pages_are_refused(cx: &Context) {
    let api = Api::new(cx);
    let with = |headers: &[(&str, &str)]| {
        let builder = Request::builder()
            .uri("/health")
            .header("authorization", "Bearer sesame");
        let add = |builder: axum::http::request::Builder, (name, value): &(&str, &str)| {
            builder.header(*name, *value)
        };
        empty(headers.iter().fold(builder, add))
    };
    for (headers, code) in [
        (vec![], "forbidden_host"),
        (vec![("host", "evil.example")], "forbidden_host"),
        (
            vec![("host", "localhost"), ("host", "evil.example")],
            "forbidden_host",
        ),
        (vec![("host", "not a host")], "forbidden_host"),
        (
            vec![("host", "localhost"), ("origin", "http://evil.example")],
            "forbidden_origin",
        ),
        (
            vec![("host", "localhost"), ("origin", "null")],
            "forbidden_origin",
        ),
        (
            vec![
                ("host", "localhost:5200"),
                ("origin", "http://localhost:3000"),
            ],
            "forbidden_origin",
        ),
    ] {
        let answer = api.send(with(&headers)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
        assert_eq!(answer.refusal().0, code, "{headers:?}");
    }
    for headers in [
        vec![("host", "127.0.0.1:5200")],
        vec![("host", "[::1]:5200")],
        vec![("host", "BOX.example")],
        vec![
            ("host", "localhost:5200"),
            ("origin", "http://localhost:5200"),
        ],
        vec![
            ("host", "127.0.0.1:5200"),
            ("origin", "http://localhost:5200"),
        ],
    ] {
        assert_eq!(
            api.send(with(&headers)).await.status,
            StatusCode::OK,
            "{headers:?}"
        );
    }
    api.end().await;
}

async fn every_answer_has_the_safety_headers(cx: &Context) {
    let api = Api::new(cx);
    let answers = [
        api.get("/health").await,
        api.get("/nothing").await,
        api.send(empty(stranger("GET", "/jobs"))).await,
        api.send(empty(Request::builder().uri("/health"))).await,
    ];
    for answer in answers {
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(!answer.headers["x-request-id"].is_empty());
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
    let named = request("GET", "/health").header("x-request-id", "mine");
    assert_eq!(api.send(empty(named)).await.headers["x-request-id"], "mine");
    api.end().await;
}

async fn routes_of_a_server_ask_for_the_token(cx: &Context) {
    let more = Router::new().route("/demo/more", axum::routing::get(async || "more"));
    let api = Api::serving(cx, None, more);
    assert_eq!(api.get("/demo/more").await.body, "more");
    let answer = api.send(empty(stranger("GET", "/demo/more"))).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    api.end().await;
}
