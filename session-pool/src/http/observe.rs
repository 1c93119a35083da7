//! One line in the log and one count for each request, never with a body.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::request_id::RequestId;

use super::metrics::{InFlight, Metrics};

/// When a request arrived, for waits that count from then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival(pub(super) Instant);

/// Watches a request from its head to the head of its answer.
pub(super) async fn observe(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let extensions = request.extensions();
    let exchange = Exchange {
        method: request.method().clone(),
        // The path itself could hold anything; a route is one of a few.
        route: extensions
            .get::<MatchedPath>()
            .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned()),
        id: extensions.get::<RequestId>().cloned(),
        started,
        answer: None,
        _in_flight: Metrics::request_began(),
    };
    request.extensions_mut().insert(Arrival(started));
    let mut exchange = exchange;
    let mut response = next.run(request).await;
    exchange.answer = Some(response.status());
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // Answers hold tenant data and device codes; no cache on the way may keep them.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A request and what became of it, told when it is dropped: a client that hangs up drops it too.
struct Exchange {
    method: Method,
    route: String,
    id: Option<RequestId>,
    started: Instant,
    answer: Option<StatusCode>,
    _in_flight: InFlight,
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let outcome = match self.answer {
            None => "hung_up",
            Some(status) if status.is_server_error() => "failed",
            Some(status) if status.is_client_error() => "refused",
            Some(_) => "ok",
        };
        Metrics::request_ended(&self.route, outcome, took);
        let id = self
            .id
            .as_ref()
            .and_then(|id| id.header_value().to_str().ok())
            .unwrap_or("-");
        tracing::info!(
            method = %self.method,
            route = %self.route,
            status = self.answer.map(|status| status.as_u16()),
            milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            request_id = %id,
            "request {outcome}"
        );
    }
}
