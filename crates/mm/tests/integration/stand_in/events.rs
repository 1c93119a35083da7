//! A job's records as events, and streams that break off or never end.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{StreamExt, iter};
use serde_json::{Value, json};

use super::{StandIn, answer, refusal};

/// The output's lines as events, then the end. The command `broken N` breaks off after each line.
pub(super) async fn events(
    State(stand_in): State<StandIn>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !stand_in.inner.lock().unwrap().jobs.contains_key(&id) {
        return refusal(StatusCode::NOT_FOUND, "unknown_job", "there is no such job");
    }
    let from: usize = headers
        .get("last-event-id")
        .map_or(0, |id| id.to_str().unwrap()[1..].parse().unwrap());
    let mut changes = stand_in.changes.subscribe();
    let command = stand_in.inner.lock().unwrap().jobs[&id].request["command"].clone();
    if command == "broken" {
        return broken(&stand_in, &id, from);
    }
    if command == "flood" {
        return flood("output");
    }
    if command == "grumble" {
        return flood("warning");
    }
    while stand_in.state(&id) == "running" {
        changes.changed().await.unwrap();
    }
    let job = stand_in.inner.lock().unwrap().jobs[&id].clone();
    let mut stream: Vec<String> = job
        .output
        .lines()
        .enumerate()
        .skip(from)
        .map(|(number, line)| {
            event(
                number + 1,
                "output",
                &json!({"type": "output", "text": line}),
            )
        })
        .collect();
    if job.state == "failed" {
        stream.push(event(99, "error", &json!({"type": "error", "message": "it broke", "category": "", "id": "", "exception": "", "terminating": true, "rendered": "Exception: it broke"})));
    }
    if command == "objects" {
        stream.push(event(
            98,
            "warning",
            &json!({"type": "warning", "text": "old module"}),
        ));
    }
    let mut end = answer(&stand_in, &id, 0);
    end["output"] = json!("");
    stream.push(event(100, "end", &end));
    // Piece by piece: the client is to stream too.
    let pieces: Vec<String> = stream.chunks(100).map(<[String]>::concat).collect();
    Body::from_stream(iter(pieces.into_iter().map(Ok::<_, Infallible>))).into_response()
}

fn event(id: usize, name: &str, data: &Value) -> String {
    format!("event: {name}\nid: r{id}\ndata: {data}\n\n")
}

/// More lines than a pipe holds, and no end.
fn flood(kind: &str) -> Response {
    let events: String = (1..=5_000)
        .map(|number| {
            let line = json!({"type": kind, "text": format!("line {number} of a flood")});
            event(number, kind, &line)
        })
        .collect();
    let events = futures_util::stream::once(async { Ok::<_, Infallible>(events) });
    Body::from_stream(events.chain(futures_util::stream::pending())).into_response()
}

/// One line, and then the stream breaks off; after three lines the end.
fn broken(stand_in: &StandIn, id: &str, from: usize) -> Response {
    let line = json!({"type": "output", "text": format!("line {}", from + 1)});
    let piece = if from < 3 {
        event(from + 1, "output", &line)
    } else {
        stand_in.finish(id, "succeeded", "");
        event(100, "end", &answer(stand_in, id, 0))
    };
    Body::from(piece).into_response()
}
