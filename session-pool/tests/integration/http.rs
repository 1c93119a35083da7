//! The HTTP API, in process: the router over a pool whose PowerShell never gets ready.

use std::num::{NonZeroU8, NonZeroU16};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use session_pool::domain::paging::PageBudget;
use session_pool::host::Program;
use session_pool::http::{Access, AllowedHosts, App, Metrics, router};
use session_pool::session::registry_watch::RegistryWatcher;
use session_pool::session::{Journal, Launcher, Limits, Pool, PoolParts, ResultLimits};
use session_pool::token_file::AccessToken;
use tower::ServiceExt as _;

use crate::support::{Context, Needs, Suite, add};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            four_routes_are_open,
            a_wrong_token_is_refused_where_none_is_needed,
            status_tells_strangers_less,
            foreign_hosts_and_pages_are_refused,
            refusals_say_what_to_do,
            large_bodies_are_refused,
            every_answer_has_the_safety_headers,
            metrics_come_in_two_forms,
            a_job_outlives_its_client,
            a_job_can_be_waited_for_followed_and_cancelled,
            events_can_be_resumed,
            reset_ends_what_runs,
            a_full_queue_says_when_to_come_back,
            a_pool_of_one_connection_fills_it_in,
            routes_of_a_server_ask_for_the_token,
        ]
    );
}

const REGISTRY: &str = r#"{"connections": {
    "Contoso": {"appId": "11111111-1111-4111-8111-111111111111", "tenant": "contoso.example",
                "description": "Tests", "secret": "hidden"},
    "Fabrikam": {"appId": "22222222-2222-4222-8222-222222222222", "tenant": "fabrikam.example"}
}}"#;

/// The API over a pool of its own.
struct Api {
    router: Router,
    pool: Pool,
}

/// An answer.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The refusal's code and sentence.
    fn refusal(&self) -> (String, String) {
        let body = self.json();
        assert_eq!(body["status"], "error", "{body}");
        let text = |key: &str| body[key].as_str().unwrap().to_owned();
        (text("code"), text("error"))
    }
}

impl Api {
    fn new(cx: &Context) -> Self {
        Self::serving(cx, None, Router::new())
    }

    fn serving(cx: &Context, only: Option<&str>, more: Router) -> Self {
        let registry = cx.path().join("registry.json");
        std::fs::write(&registry, REGISTRY).unwrap();
        // A program that never says it is ready: jobs stay queued until somebody ends them.
        let silent = Program {
            path: "/bin/sh".into(),
            args: vec!["-c".into(), "exec sleep 600".into()],
        };
        let spec = cx.spec_for(silent);
        let pool = Pool::new(PoolParts {
            launcher: Launcher {
                program: spec.program,
                homes: cx.path().join("homes"),
                environment: spec.environment,
                sockets: spec.socket_root,
                ready_within: Duration::from_secs(600),
                reaper: cx.reaper.clone(),
            },
            registry: RegistryWatcher::open(registry).1,
            journal: Journal::open(cx.path(), "unified", Duration::from_secs(3600)).unwrap(),
            limits: Limits {
                results: ResultLimits {
                    job_bytes: 1 << 20,
                    memory_bytes: 1 << 20,
                    total_bytes: 1 << 22,
                    spool: cx.path().to_owned(),
                },
                keep_results: Duration::from_secs(3600),
                queue_length: 2,
                max_processes: 4,
                command_timeout: Duration::from_secs(300),
                cancel_grace: Duration::from_secs(5),
                width: NonZeroU16::new(120).unwrap(),
                depth: NonZeroU8::new(4).unwrap(),
            },
            only: only.map(str::to_owned),
        });
        let access = Access::new(
            Some(AccessToken::new("sesame").unwrap()),
            "it is in /state/pool.token".to_owned(),
            AllowedHosts::new(["box.example".to_owned()]),
        );
        let app = App::new(
            pool.clone(),
            access,
            Metrics::install().unwrap(),
            PageBudget::default(),
        );
        Self {
            router: router(app, more),
            pool,
        }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path).body(Body::empty()).unwrap())
            .await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(posted(path, &body.to_string())).await
    }

    /// Makes a job that stays queued, and returns its id.
    async fn queued(&self, connection: &str) -> String {
        let body = json!({
            "connection": connection, "module": "exo", "command": "1", "wait_seconds": 0
        });
        let answer = self.post("/run", &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let answer = answer.json();
        assert_eq!(answer["status"], "running", "{answer}");
        answer["job"].as_str().unwrap().to_owned()
    }

    async fn end(self) {
        self.pool.drain(Duration::from_secs(1)).await;
    }
}

/// A request with the token, from this machine.
fn request(method: &str, path: &str) -> axum::http::request::Builder {
    stranger(method, path).header("authorization", "Bearer sesame")
}

/// A request without the token.
fn stranger(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:5200")
}

fn posted(path: &str, body: &str) -> Request<Body> {
    request("POST", path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn empty(builder: axum::http::request::Builder) -> Request<Body> {
    builder.body(Body::empty()).unwrap()
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
        ("GET", "/no-such-route"),
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
    ] {
        assert_eq!(
            api.send(with(&headers)).await.status,
            StatusCode::OK,
            "{headers:?}"
        );
    }
    api.end().await;
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

async fn metrics_come_in_two_forms(cx: &Context) {
    let api = Api::new(cx);
    api.queued("Contoso").await;
    let totals = api.get("/metrics").await.json();
    assert_eq!(totals["total_requests"], 1);
    assert_eq!(totals["sessions"], 1);
    assert!(totals["keepalive"]["last_pings"].is_object());
    let scrape = request("GET", "/metrics").header("accept", "text/plain;version=0.0.4;q=0.5");
    let text = api.send(empty(scrape)).await;
    assert!(
        text.headers["content-type"]
            .as_bytes()
            .starts_with(b"text/plain; version=0.0.4")
    );
    for line in [
        "# TYPE session_pool_http_request_duration_seconds histogram",
        "# TYPE session_pool_powershell_processes gauge",
        r#"session_pool_sessions_initializing{connection="Contoso",module="exo"} 1"#,
    ] {
        assert!(text.body.contains(line), "{line} is not in\n{}", text.body);
    }
    let foreign: Vec<_> = text
        .body
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter(|line| !line.starts_with("session_pool_"))
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    api.end().await;
}

async fn a_job_outlives_its_client(cx: &Context) {
    let api = Api::new(cx);
    let body = json!({"connection": "Contoso", "module": "exo", "command": "1"});
    let call = api
        .router
        .clone()
        .oneshot(posted("/run", &body.to_string()));
    let client = tokio::spawn(call);
    let jobs = loop {
        let jobs = api.get("/jobs").await.json()["jobs"].take();
        if jobs.as_array().is_some_and(|jobs| !jobs.is_empty()) {
            break jobs;
        }
        tokio::task::yield_now().await;
    };
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled());
    let id = jobs[0]["job"].as_str().unwrap();
    let job = api.get(&format!("/jobs/{id}")).await.json();
    assert_eq!(job["status"], "running", "{job}");
    api.end().await;
}

async fn a_job_can_be_waited_for_followed_and_cancelled(cx: &Context) {
    let api = Api::new(cx);
    let id = api.queued("Contoso").await;
    let running = api
        .get(&format!("/jobs/{id}?wait_seconds=0&cursor=r0"))
        .await
        .json();
    assert_eq!(running["status"], "running");
    assert_eq!(running["cursor"], "r0");
    let answer = api.get(&format!("/jobs/{id}?cursor=r1")).await;
    let beyond = answer.status == StatusCode::CONFLICT && answer.refusal().0 == "beyond_end";
    assert!(beyond, "{} {}", answer.status, answer.body);

    let router = api.router.clone();
    let path = format!("/jobs/{id}?wait_seconds=600");
    let waiting = tokio::spawn(router.oneshot(empty(request("GET", &path))));
    let gone = api
        .send(empty(request(
            Method::DELETE.as_str(),
            &format!("/jobs/{id}"),
        )))
        .await;
    assert_eq!(gone.status, StatusCode::OK);
    assert_eq!(gone.json()["state"], "cancelled");
    assert_eq!(waiting.await.unwrap().unwrap().status(), StatusCode::OK);
    let again = api
        .send(empty(request("DELETE", &format!("/jobs/{id}"))))
        .await;
    assert_eq!(again.json()["state"], "cancelled");
    api.end().await;
}

async fn events_can_be_resumed(cx: &Context) {
    let api = Api::new(cx);
    let id = api.queued("Contoso").await;
    api.send(empty(request("DELETE", &format!("/jobs/{id}"))))
        .await;
    let path = format!("/jobs/{id}/events");
    let whole = api.get(&path).await;
    assert_eq!(whole.headers["content-type"], "text/event-stream");
    let (head, data) = whole.body.trim_end().rsplit_once("data: ").unwrap();
    assert_eq!(head, "event: end\nid: r0\n");
    let end: Value = serde_json::from_str(data).unwrap();
    assert_eq!((&end["job"], &end["output"]), (&json!(id), &json!("")));
    for (last, status) in [("r0", 200), ("", 200), ("x", 400), ("r9", 409)] {
        let resumed = request("GET", &path).header("last-event-id", last);
        assert_eq!(
            api.send(empty(resumed)).await.status.as_u16(),
            status,
            "{last:?}"
        );
    }
    api.end().await;
}

async fn reset_ends_what_runs(cx: &Context) {
    let api = Api::new(cx);
    let id = api.queued("Contoso").await;
    let other = api.queued("Fabrikam").await;
    let answer = api.post("/reset", &json!({"connection": "Contoso"})).await;
    assert_eq!(
        answer.json(),
        json!({"status": "success", "reset": ["Contoso/exo"], "count": 1})
    );
    let state = |id: String| {
        let api = &api;
        async move { api.get(&format!("/jobs/{id}")).await.json()["state"].take() }
    };
    assert_eq!(state(id).await, "cancelled");
    assert_eq!(state(other).await, "queued");
    for (body, status) in [
        (json!({}), 400),
        (json!({"connection": "Nobody"}), 404),
        (json!({"connection": "Contoso", "module": "word"}), 400),
    ] {
        assert_eq!(
            api.post("/reset", &body).await.status.as_u16(),
            status,
            "{body}"
        );
    }
    api.end().await;
}

async fn a_full_queue_says_when_to_come_back(cx: &Context) {
    let api = Api::new(cx);
    let body = json!({
        "connection": "Contoso", "module": "exo", "command": "1", "wait_seconds": 0
    });
    let full = loop {
        let answer = api.post("/run", &body).await;
        if answer.status != StatusCode::OK {
            break answer;
        }
    };
    assert_eq!(full.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(full.refusal().0, "queue_full");
    let seconds: u64 = full.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(seconds > 0);
    api.end().await;
}

async fn a_pool_of_one_connection_fills_it_in(cx: &Context) {
    let api = Api::serving(cx, Some("Contoso"), Router::new());
    let answer = api
        .post(
            "/run",
            &json!({"module": "exo", "command": "1", "wait_seconds": 0}),
        )
        .await;
    assert_eq!(answer.json()["connection"], "Contoso");
    let other = json!({"connection": "Fabrikam", "module": "exo", "command": "1"});
    let refused = api.post("/run", &other).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.refusal().0, "wrong_connection");
    let connections = api.get("/connections").await.json();
    assert_eq!(connections["connections"].as_object().unwrap().len(), 1);
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
