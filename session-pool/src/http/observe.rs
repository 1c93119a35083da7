//! One line in the log and one count for each request, never with a body.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::request_id::RequestId;
use tracing::{Instrument, Span, field};

use crate::domain::trace::TraceParent;

use super::metrics::{InFlight, Metrics};

/// What is known of a request before its handler sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// When it arrived, for waits that count from then.
    pub(super) at: Instant,
    /// The caller's trace.
    pub(super) trace: Option<TraceParent>,
}

/// Watches a request from its head to the head of its answer.
pub(super) async fn observe(mut request: Request, next: Next) -> Response {
    let arrival = Arrival {
        at: Instant::now(),
        trace: traceparent(request.headers()),
    };
    let mut exchange = Exchange::new(&request, arrival);
    let span = exchange.span.clone();
    request.extensions_mut().insert(arrival);
    let mut response = next.run(request).instrument(span).await;
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

/// The caller's trace. One that is not valid is as none: so the standard wants it.
fn traceparent(headers: &HeaderMap) -> Option<TraceParent> {
    let mut values = headers.get_all("traceparent").iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    value.to_str().ok()?.parse().ok()
}

/// A request and what became of it, told when it is dropped: a client that hangs up drops it too.
struct Exchange {
    method: Method,
    route: String,
    began: Instant,
    span: Span,
    answer: Option<StatusCode>,
    _in_flight: InFlight,
}

impl Exchange {
    fn new(request: &Request, arrival: Arrival) -> Self {
        let extensions = request.extensions();
        let id = extensions
            .get::<RequestId>()
            .and_then(|id| id.header_value().to_str().ok());
        // Given at once: what is recorded later, each of the two writers of the log would add.
        let trace = arrival.trace.map(|trace| field::display(trace.trace_id()));
        let span = tracing::info_span!("http", request_id = id, trace_id = trace);
        Self {
            method: request.method().clone(),
            // The path itself could hold anything; a route is one of a few.
            route: extensions
                .get::<MatchedPath>()
                .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned()),
            began: arrival.at,
            span,
            answer: None,
            _in_flight: Metrics::request_began(),
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        let outcome = match self.answer {
            None => "hung_up",
            Some(status) if status.is_server_error() => "failed",
            Some(status) if status.is_client_error() => "refused",
            Some(_) => "ok",
        };
        Metrics::request_ended(&self.route, outcome, took);
        let _in_span = self.span.enter();
        tracing::info!(
            method = %self.method,
            route = %self.route,
            status = self.answer.map(|status| status.as_u16()),
            milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            outcome,
            "request"
        );
    }
}
