//! Jobs and sessions over HTTP.

use axum::Router;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::{Context, Needs, Suite, add};

use super::api::{Api, empty, posted, request};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            metrics_come_in_two_forms,
            a_job_outlives_its_client,
            a_job_can_be_waited_for_followed_and_cancelled,
            events_can_be_resumed,
            reset_ends_what_runs,
            a_full_queue_says_when_to_come_back,
            a_pool_of_one_connection_fills_it_in
        ]
    );
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
