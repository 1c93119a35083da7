//! Bodies flow, and nobody waits for their end.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use http_body_util::BodyExt as _;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use crate::support::{Context, Needs, Suite, add};

use super::world::{Routing, Served, made_up, pool};

const JOB: &str = "/jobs/0190a5d0-0000-7000-8000-000000000000";

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            bodies_are_passed_on_piece_by_piece,
            a_client_that_hangs_up_is_heard_by_the_pool,
            events_come_through_to_their_end,
        ]
    );
}

/// A backend whose stream is what the test sends.
async fn streaming() -> (Served, mpsc::Sender<Bytes>) {
    let (sender, receiver) = mpsc::channel(1);
    let receiver = Arc::new(Mutex::new(Some(receiver)));
    let events = async move || {
        let receiver = receiver.lock().unwrap().take().unwrap();
        Body::from_stream(ReceiverStream::new(receiver).map(Ok::<Bytes, Infallible>))
    };
    let routes = Router::new()
        .route("/jobs/{id}", get(async || "{}"))
        .route("/jobs/{id}/events", get(events));
    (Served::start(made_up(routes)).await, sender)
}

async fn bodies_are_passed_on_piece_by_piece(cx: &Context) {
    let (backend, sender) = streaming().await;
    let routing = Routing::start(cx, &[("Contoso", backend.address)]).await;
    let request = routing.request("GET", &format!("{JOB}/events"));
    let response = routing.open(request.body(Body::empty()).unwrap()).await;
    let mut body = response.into_body();
    // Each piece is sent only when the one before has arrived.
    for piece in ["one", "two", "three"] {
        sender.send(Bytes::from(piece)).await.unwrap();
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), piece);
    }
    drop(sender);
    assert!(body.frame().await.is_none());
    routing.end().await;
}

async fn a_client_that_hangs_up_is_heard_by_the_pool(cx: &Context) {
    let (backend, sender) = streaming().await;
    let routing = Routing::start(cx, &[("Contoso", backend.address)]).await;
    let request = routing.request("GET", &format!("{JOB}/events"));
    let mut response = routing.open(request.body(Body::empty()).unwrap()).await;
    sender.send(Bytes::from("one")).await.unwrap();
    response.body_mut().frame().await.unwrap().unwrap();
    drop(response);
    sender.closed().await;
    routing.end().await;
}

async fn events_come_through_to_their_end(cx: &Context) {
    let (api, served) = pool(cx, "Contoso").await;
    let routing = Routing::start(cx, &[("Contoso", served.address)]).await;
    let job = routing.queued("Contoso").await;
    let request = routing.request("GET", &format!("/jobs/{job}/events"));
    let response = routing.open(request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let cancel = routing.request("DELETE", &format!("/jobs/{job}"));
    routing.send(cancel.body(Body::empty()).unwrap()).await;
    let events = response.into_body().collect().await.unwrap().to_bytes();
    let events = String::from_utf8(events.to_vec()).unwrap();
    assert!(events.contains("event: end\n"), "{events}");
    assert!(events.contains("\"cancelled\""), "{events}");
    routing.end().await;
    api.end().await;
}
