//! Passing a request on: which headers go with it, and which come back.

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    CONNECTION, EXPECT, HOST, HeaderMap, HeaderName, ORIGIN, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use axum::response::Response;

use super::backend::Backend;
use super::error::RouterError;

/// Headers that belong to one connection and not to the request (RFC 9110, section 7.6.1), beside
/// those that `Connection` names.
static HOP_BY_HOP: [HeaderName; 7] = [
    CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Sends the request to the backend and answers as it does. Both bodies flow as they come; when the
/// client hangs up, so does the router.
///
/// # Errors
/// Where the backend did not get it, or gave no answer.
pub(super) async fn pass_on(
    backend: &Backend,
    mut request: Request,
) -> Result<Response, RouterError> {
    let headers = request.headers_mut();
    strip(headers);
    // The router has judged these, and has an address of its own. The client's token is replaced.
    for own in [HOST, ORIGIN, EXPECT] {
        headers.remove(own);
    }
    let (mut head, body) = backend.send(request).await?.into_parts();
    strip(&mut head.headers);
    Ok(Response::from_parts(head, Body::new(body)))
}

fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn headers_of_one_connection_stay_there() {
        let mut headers: HeaderMap = [
            ("connection", "close, X-Mine"),
            ("keep-alive", "timeout=5"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("x-mine", "1"),
            ("last-event-id", "r1"),
            ("traceparent", "00-1-1-00"),
        ]
        .into_iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
        strip(&mut headers);
        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["last-event-id", "traceparent"]);
    }
}
