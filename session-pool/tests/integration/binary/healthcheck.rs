//! `session-pool healthcheck`, as Docker runs it.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::http::api::Api;
use crate::support::{Context, Needs, Suite, add, outcome, session_pool};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            a_pool_that_answers_is_healthy,
            what_does_not_answer_as_a_pool_is_not,
        ]
    );
}

async fn checked(cx: &Context, host: &str, port: u16) -> (i32, String) {
    let mut command = session_pool(cx, &["healthcheck"]);
    // As in a container: the settings of the server itself.
    command
        .env("SESSION_POOL_HOST", host)
        .env("SESSION_POOL_PORT", port.to_string());
    outcome(command).await
}

async fn serving(routes: Router) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    port
}

async fn a_pool_that_answers_is_healthy(cx: &Context) {
    let api = Api::new(cx);
    let port = serving(api.router.clone()).await;
    for host in ["127.0.0.1", "0.0.0.0"] {
        assert_eq!(checked(cx, host, port).await, (0, String::new()), "{host}");
    }
    api.end().await;
}

async fn what_does_not_answer_as_a_pool_is_not(cx: &Context) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (code, said) = checked(cx, "127.0.0.1", port).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("Connection refused"), "{said}");
    assert!(said.contains("SESSION_POOL_PORT"), "{said}");

    let ill = get(async || StatusCode::SERVICE_UNAVAILABLE);
    let port = serving(Router::new().route("/health", ill)).await;
    let (code, said) = checked(cx, "127.0.0.1", port).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("503"), "{said}");
}
