//! What the router answers when every pool is up.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::routing;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::support::{Context, Needs, Suite, add};

use super::world::{Routing, Served, header, made_up, pool};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            requests_reach_their_pool_with_its_token,
            the_routers_own_token_is_asked_for,
            two_pools_answer_as_one,
            jobs_are_found_in_their_pool,
            what_waits_for_a_yes_is_found_in_its_pool,
            bodies_without_a_connection_are_refused,
            the_description_names_every_route,
        ]
    );
}

/// Says what arrived.
pub async fn echo(request: Request) -> axum::Json<Value> {
    let (head, body) = request.into_parts();
    let headers: serde_json::Map<String, Value> = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()))
        .collect();
    let body = body.collect().await.unwrap().to_bytes();
    axum::Json(json!({
        "method": head.method.as_str(), "uri": head.uri.to_string(), "headers": headers,
        "body": String::from_utf8(body.to_vec()).unwrap(),
    }))
}

async fn requests_reach_their_pool_with_its_token(cx: &Context) {
    let backend = Served::start(made_up(Router::new().fallback(echo))).await;
    let routing = Routing::start(cx, &[("Contoso", backend.address)]).await;
    let body = r#"{ "module": "exo", "connection": "Contoso", "new": [1.50, "ü"] }"#;
    let request = routing
        .request("POST", "/some/later/route?a=b%20c")
        .header("content-type", "application/json")
        .header("connection", "x-hop")
        .header("x-hop", "1")
        .header("x-request-id", "mine")
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
        .body(Body::from(body))
        .unwrap();
    let answer = routing.send(request).await;
    assert_eq!(header(&answer.headers, "x-request-id"), "mine");
    assert_eq!(header(&answer.headers, "cache-control"), "no-store");
    let seen = answer.json();
    assert_eq!(seen["method"], "POST");
    assert_eq!(seen["uri"], "/some/later/route?a=b%20c");
    assert_eq!(seen["body"], body);
    let headers = &seen["headers"];
    assert_eq!(headers["authorization"], "Bearer sesame");
    assert_eq!(headers["host"], backend.address.to_string());
    assert_eq!(headers["x-request-id"], "mine");
    assert!(
        headers["traceparent"]
            .as_str()
            .unwrap()
            .starts_with("00-0af")
    );
    assert_eq!(headers["x-hop"], Value::Null);
    routing.end().await;
}

async fn the_routers_own_token_is_asked_for(cx: &Context) {
    let (api, served) = pool(cx, "Contoso").await;
    let routing = Routing::start(cx, &[("Contoso", served.address)]).await;
    for path in ["/health", "/status", "/metrics", "/openapi.json"] {
        let open = routing.stranger("GET", path).body(Body::empty()).unwrap();
        assert_eq!(routing.send(open).await.status, StatusCode::OK, "{path}");
    }
    for (method, path) in [
        ("GET", "/connections"),
        ("POST", "/run"),
        ("GET", "/jobs"),
        ("GET", "/jobs/0190a5d0-0000-7000-8000-000000000000"),
        ("GET", "/jobs/0190a5d0-0000-7000-8000-000000000000/events"),
        ("POST", "/reset"),
        ("POST", "/sign-in"),
        ("POST", "/sign-out"),
        ("GET", "/no-such-route"),
    ] {
        // The backend's token is not the router's.
        for token in [None, Some("Bearer sesame")] {
            let mut request = routing.stranger(method, path);
            if let Some(token) = token {
                request = request.header("authorization", token);
            }
            let answer = routing.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            let (code, error) = answer.refusal();
            assert_eq!(code, "unauthorized");
            assert!(error.contains("state/pool.token"), "{error}");
        }
    }
    let rebound = routing
        .request("GET", "/jobs")
        .header("host", "evil.example");
    let answer = routing.send(rebound.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let page = routing
        .request("GET", "/jobs")
        .header("origin", "http://evil.example");
    let answer = routing.send(page.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);

    routing.queued("Contoso").await;
    let stranger = routing
        .stranger("GET", "/status")
        .body(Body::empty())
        .unwrap();
    let less = routing.send(stranger).await.json();
    assert_eq!(less["sessions"][0]["session_id"], "Contoso/exo");
    assert_eq!(less["sessions"][0]["last_command"], Value::Null);
    routing.end().await;
    api.end().await;
}

async fn two_pools_answer_as_one(cx: &Context) {
    let (contoso, one) = pool(cx, "Contoso").await;
    let (fabrikam, other) = pool(cx, "Fabrikam").await;
    let backends = [("Contoso", one.address), ("Fabrikam", other.address)];
    let routing = Routing::start(cx, &backends).await;
    let first = routing.queued("Fabrikam").await;
    let second = routing.queued("Contoso").await;

    let status = routing.get("/status").await.json();
    let ids: Vec<_> = status["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| session["session_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["Contoso/exo", "Fabrikam/exo"]);
    assert_eq!(
        status["backends"],
        json!([
            {"connection": "Contoso", "state": "up"}, {"connection": "Fabrikam", "state": "up"}
        ])
    );
    let jobs = routing.get("/jobs").await.json();
    assert_eq!(jobs["jobs"][0]["job"], second);
    assert_eq!(jobs["jobs"][1]["job"], first);
    assert_eq!(jobs["unreachable"], Value::Null);
    let connections = routing.get("/connections").await.json();
    assert_eq!(
        connections["connections"]["Contoso"]["description"],
        "Tests"
    );
    assert_eq!(
        connections["connections"]["Fabrikam"]["tenant"],
        "fabrikam.example"
    );

    let totals = routing.get("/metrics").await.json();
    assert_eq!(totals["sessions"], 2);
    assert_eq!(totals["total_requests"], 2);
    assert_eq!(totals["connections"]["Contoso"]["total_requests"], 1);
    let text = routing.get("/metrics?format=prometheus").await.body;
    for line in [
        "session_pool_router_backend_up{connection=\"Contoso\"} 1",
        "session_pool_jobs_queued{connection=\"Fabrikam\",module=\"exo\"}",
        "session_pool_process_threads{connection=\"Contoso\"} ",
        "session_pool_router_http_requests_total{route=\"/status\",outcome=\"ok\"} 1",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert_eq!(
        text.matches("# TYPE session_pool_process_threads ").count(),
        1
    );

    let reset = json!({"connection": "Contoso"});
    assert_eq!(routing.post("/reset", &reset).await.json()["count"], 1);
    let out = routing.post("/sign-out", &reset).await.json();
    assert_eq!(out["status"], "success", "{out}");
    let unknown = json!({"connection": "Contoso", "modules": ["exchange"]});
    let refused = routing.post("/sign-in", &unknown).await;
    assert_eq!(refused.refusal().0, "unknown_module");
    let status = routing.get("/status").await.json();
    assert_eq!(status["sessions"].as_array().unwrap().len(), 1);
    routing.end().await;
    contoso.end().await;
    fabrikam.end().await;
}

async fn jobs_are_found_in_their_pool(cx: &Context) {
    let (contoso, one) = pool(cx, "Contoso").await;
    let (fabrikam, other) = pool(cx, "Fabrikam").await;
    let backends = [("Contoso", one.address), ("Fabrikam", other.address)];
    let routing = Routing::start(cx, &backends).await;
    // One that the router has seen, and one that it has not.
    for job in [
        routing.queued("Contoso").await,
        fabrikam.queued("Fabrikam").await,
    ] {
        for _ in 0..2 {
            let answer = routing.get(&format!("/jobs/{job}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
            assert_eq!(answer.json()["job"], job);
        }
        let delete = routing.request("DELETE", &format!("/jobs/{job}"));
        let cancelled = routing.send(delete.body(Body::empty()).unwrap()).await;
        assert_eq!(cancelled.json()["state"], "cancelled");
    }
    let unknown = routing
        .get("/jobs/0190a5d0-0000-7000-8000-000000000000")
        .await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.refusal().0, "unknown_job");
    let invalid = routing.get("/jobs/../connections").await;
    assert_ne!(invalid.status, StatusCode::OK);
    let bad = routing.get("/jobs/nonsense").await;
    assert_eq!(bad.refusal().0, "invalid_job_id");
    routing.end().await;
    contoso.end().await;
    fabrikam.end().await;
}

/// A pool in which something waits for a yes under this id.
fn asking(id: &'static str) -> Router {
    let show = async move |Path(asked): Path<String>| {
        if asked == id {
            (StatusCode::OK, id)
        } else {
            (StatusCode::NOT_FOUND, "")
        }
    };
    let routes = Router::new().route("/confirmations/{id}", routing::get(show).post(echo));
    made_up(routes)
}

async fn what_waits_for_a_yes_is_found_in_its_pool(cx: &Context) {
    let contoso = Served::start(asking("c1")).await;
    let fabrikam = Served::start(asking("f1")).await;
    let backends = [("Contoso", contoso.address), ("Fabrikam", fabrikam.address)];
    let routing = Routing::start(cx, &backends).await;
    for (id, backend) in [("c1", &contoso), ("f1", &fabrikam)] {
        let path = format!("/confirmations/{id}");
        assert_eq!(routing.get(&path).await.body, id);
        let yes = routing.request("POST", &path).body(Body::empty()).unwrap();
        let seen = routing.send(yes).await.json();
        assert_eq!(seen["uri"], path);
        assert_eq!(seen["headers"]["host"], backend.address.to_string());
    }
    let unknown = routing.get("/confirmations/x1").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(unknown.refusal().0, "nothing_to_confirm");
    drop(fabrikam);
    routing.until("Fabrikam", "down").await;
    let perhaps = routing.get("/confirmations/x1").await;
    assert_eq!(perhaps.refusal().0, "out_of_reach");
    routing.end().await;
}

async fn bodies_without_a_connection_are_refused(cx: &Context) {
    let (contoso, one) = pool(cx, "Contoso").await;
    let routing = Routing::start(cx, &[("Contoso", one.address)]).await;
    for (body, status, code) in [
        (
            json!({"module": "exo", "command": "1"}),
            400,
            "missing_field",
        ),
        (
            json!({"connection": "", "module": "exo"}),
            400,
            "missing_field",
        ),
        (json!({"connection": 7}), 400, "bad_field"),
        (json!({"connection": "Contosso"}), 404, "unknown_connection"),
        (json!(["Contoso"]), 400, "bad_json"),
        // What the pool refuses, it refuses here too.
        (
            json!({"connection": "Contoso", "module": "exo", "comand": "1"}),
            400,
            "unknown_field",
        ),
    ] {
        let answer = routing.post("/run", &body).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.body);
        assert_eq!(answer.refusal().0, code, "{body}");
    }
    let near = routing
        .post("/run", &json!({"connection": "Contosso"}))
        .await;
    assert!(near.refusal().1.contains("Contoso"));
    let untyped = routing
        .request("POST", "/run")
        .body(Body::from("{}"))
        .unwrap();
    assert_eq!(
        routing.send(untyped).await.refusal().0,
        "unsupported_media_type"
    );
    // Just over 2 MB: hyper closes on a client that still sends much.
    let large = json!({"connection": "Contoso", "command": "x".repeat(2 << 20)});
    assert_eq!(routing.post("/run", &large).await.refusal().0, "too_large");
    assert_eq!(routing.get("/nothing").await.refusal().0, "not_found");
    routing.end().await;
    contoso.end().await;
}

async fn the_description_names_every_route(cx: &Context) {
    let (contoso, one) = pool(cx, "Contoso").await;
    let routing = Routing::start(cx, &[("Contoso", one.address)]).await;
    let description = routing.get("/openapi.json").await.json();
    for path in [
        "/health",
        "/status",
        "/metrics",
        "/connections",
        "/jobs",
        "/jobs/{id}",
        "/jobs/{id}/events",
        "/run",
        "/reset",
        "/sign-in",
        "/sign-out",
        "/policy/check",
        "/confirmations/{id}",
    ] {
        assert!(description["paths"][path].is_object(), "{path}");
    }
    let status = &description["paths"]["/status"]["get"]["responses"]["200"]["content"];
    assert_eq!(
        status["application/json"]["schema"]["$ref"],
        "#/components/schemas/RouterStatus"
    );
    routing.end().await;
    contoso.end().await;
}
