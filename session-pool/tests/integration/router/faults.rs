//! One pool that fails leaves the others alone, and says why.

use std::net::SocketAddr;

use axum::http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Context, Needs, Suite, add};

use super::world::{Routing, Served, pool};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            a_pool_that_is_down_does_not_touch_the_others,
            a_pool_that_comes_back_is_found,
            a_pool_that_breaks_off_is_told_from_one_that_is_down,
            a_wrong_token_is_named_and_a_right_one_taken,
            connections_come_and_go_with_the_registry,
        ]
    );
}

/// An address that nobody listens on.
async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

async fn a_pool_that_is_down_does_not_touch_the_others(cx: &Context) {
    let (contoso, one) = pool(cx, "Contoso").await;
    let backends = [("Contoso", one.address), ("Fabrikam", nobody().await)];
    let routing = Routing::start(cx, &backends).await;
    let job = routing.queued("Contoso").await;
    let answer = routing.run("Fabrikam").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let (code, error) = answer.refusal();
    assert_eq!(code, "backend_down");
    assert!(error.contains("Connection refused"), "{error}");

    assert_eq!(
        routing.get(&format!("/jobs/{job}")).await.status,
        StatusCode::OK
    );
    assert_eq!(routing.backend("Contoso").await.0, "up");
    let (state, reason) = routing.backend("Fabrikam").await;
    assert_eq!(state, "down");
    assert!(reason.contains("Connection refused"), "{reason}");
    let jobs = routing.get("/jobs").await.json();
    assert_eq!(jobs["jobs"][0]["job"], job);
    assert!(jobs["unreachable"]["Fabrikam"].is_string());
    // The registry still knows what the backend would say.
    let connections = routing.get("/connections").await.json();
    assert_eq!(
        connections["connections"]["Fabrikam"]["tenant"],
        "fabrikam.example"
    );
    assert!(connections["unreachable"]["Fabrikam"].is_string());
    let text = routing.get("/metrics?format=prometheus").await.body;
    assert!(
        text.contains("session_pool_router_backend_up{connection=\"Fabrikam\"} 0"),
        "{text}"
    );
    // The job could be in the pool that is down.
    let unknown = routing
        .get("/jobs/0190a5d0-0000-7000-8000-000000000000")
        .await;
    assert_eq!(unknown.status, StatusCode::SERVICE_UNAVAILABLE);
    let (code, error) = unknown.refusal();
    assert_eq!(code, "out_of_reach");
    assert!(error.contains("Fabrikam"), "{error}");
    routing.end().await;
    contoso.end().await;
}

async fn a_pool_that_comes_back_is_found(cx: &Context) {
    let (contoso, one) = pool(cx, "Contoso").await;
    let address = one.address;
    let routing = Routing::start(cx, &[("Contoso", address)]).await;
    let job = routing.queued("Contoso").await;
    drop(one);
    routing.until("Contoso", "down").await;
    let _again = Served::on(address, contoso.router.clone()).await;
    routing.until("Contoso", "up").await;
    let answer = routing.get(&format!("/jobs/{job}")).await;
    assert_eq!(answer.json()["job"], job);
    routing.end().await;
    contoso.end().await;
}

/// Answers looks, and hangs up on everything else.
async fn unreliable(listener: TcpListener) {
    while let Ok((mut stream, _)) = listener.accept().await {
        tokio::spawn(async move { answer_looks(&mut stream).await });
    }
}

async fn answer_looks(stream: &mut TcpStream) {
    let mut request = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut request).await {
        if !request[..length].starts_with(b"GET /connections") {
            return;
        }
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        if stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

async fn a_pool_that_breaks_off_is_told_from_one_that_is_down(cx: &Context) {
    let (contoso, _) = pool(cx, "Contoso").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let backend = tokio::spawn(unreliable(listener));
    let routing = Routing::start(cx, &[("Contoso", address)]).await;
    let answer = routing.run("Contoso").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let (code, error) = answer.refusal();
    assert_eq!(code, "backend_cut_off");
    assert!(error.contains("not known"), "{error}");
    routing.end().await;
    backend.abort();
    contoso.end().await;
}

async fn a_wrong_token_is_named_and_a_right_one_taken(cx: &Context) {
    let (contoso, one) = pool(cx, "Contoso").await;
    let routing = Routing::start(cx, &[("Contoso", one.address)]).await;
    routing.set_token("Contoso", "stale");
    // What it learned at its start still holds; the next look meets the other token.
    routing.until("Contoso", "down").await;
    let answer = routing.run("Contoso").await;
    // Not 401: the client's own token is right.
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let (code, error) = answer.refusal();
    assert_eq!(code, "backend_down");
    assert!(error.contains("state/Contoso/pool.token"), "{error}");
    assert!(!error.contains("stale"), "{error}");
    routing.set_token("Contoso", "sesame");
    routing.until("Contoso", "up").await;
    routing.queued("Contoso").await;
    routing.end().await;
    contoso.end().await;
}

async fn connections_come_and_go_with_the_registry(cx: &Context) {
    let (contoso, one) = pool(cx, "Contoso").await;
    let routing = Routing::start(cx, &[("Contoso", one.address)]).await;
    assert_eq!(
        routing.run("Newcomer").await.refusal().0,
        "unknown_connection"
    );
    let registry = r#"{"connections": {"Newcomer": {"tenant": "new.example"}}}"#;
    std::fs::write(cx.path().join("registry.json"), registry).unwrap();
    // The test's own time limit ends these.
    loop {
        let answer = routing.run("Newcomer").await;
        let (code, error) = answer.refusal();
        if code == "backend_down" {
            assert!(error.contains("state/Newcomer/pool.token"), "{error}");
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(
        routing.run("Fabrikam").await.refusal().0,
        "unknown_connection"
    );
    // Named on the command line, it needs no entry.
    assert_eq!(routing.backend("Contoso").await.0, "up");
    routing.end().await;
    contoso.end().await;
}
