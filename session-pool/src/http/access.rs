//! Who may use the pool: a bearer token (RFC 6750) against other people and processes, and the
//! headers `Host` and `Origin` against web pages in a browser on the same machine.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, Uri, header};
use axum::middleware::Next;
use axum::response::Response;
use subtle::ConstantTimeEq;

use crate::token_file::AccessToken;

use super::error::ApiError;

/// The rules of access; every clone is the same ones.
#[derive(Clone, Debug)]
pub struct Access(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    token: Option<AccessToken>,
    hint: String,
    hosts: AllowedHosts,
}

impl Access {
    /// Asks for this token (`None`: for none) at these hosts. `hint` tells a person
    /// without the token where it lies: "it is in FILE".
    pub fn new(token: Option<AccessToken>, hint: String, hosts: AllowedHosts) -> Self {
        Self(Arc::new(Rules { token, hint, hosts }))
    }

    fn caller(&self, headers: &HeaderMap) -> Result<Caller, ApiError> {
        let Some(token) = &self.0.token else {
            return Ok(Caller::Trusted);
        };
        let Some(given) = headers.get(header::AUTHORIZATION) else {
            return Ok(Caller::Anonymous);
        };
        let is_it = bearer(given.as_bytes()).is_some_and(|given| {
            let expected = token.expose().as_bytes();
            bool::from(given.ct_eq(expected))
        });
        if is_it {
            Ok(Caller::Trusted)
        } else {
            Err(self.unauthorized())
        }
    }

    fn unauthorized(&self) -> ApiError {
        ApiError::Unauthorized {
            hint: self.0.hint.clone(),
        }
    }
}

/// What comes after `Bearer`, whose case does not matter (RFC 9110, section 11.1).
fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}

/// Who makes a request. As an extractor it serves the routes that are open but say more to a
/// caller with the token; a token that is wrong is refused there too, so that its owner learns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Has the token, or the pool asks for none.
    Trusted,
    /// Gave no token.
    Anonymous,
}

impl<S> FromRequestParts<S> for Caller
where
    Access: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Access::from_ref(state).caller(&parts.headers)
    }
}

/// Lets only callers with the token pass.
pub(crate) async fn require_token(
    State(access): State<Access>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    match access.caller(request.headers())? {
        Caller::Trusted => Ok(next.run(request).await),
        Caller::Anonymous => Err(access.unauthorized()),
    }
}

/// Lets only requests pass that were meant for this pool.
///
/// A page on the web can let its own name point to 127.0.0.1 and then reads what the pool says
/// (DNS rebinding): its requests carry that name as `Host`. And it can send requests that it cannot
/// read the answers of: these carry its `Origin`.
pub(super) async fn require_own_host(
    State(access): State<Access>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let host = authority(request.headers(), &header::HOST, request.uri());
    if !host
        .as_ref()
        .is_some_and(|host| access.0.hosts.permit(host.host()))
    {
        let host = host.map_or_else(String::new, |host| host.host().to_owned());
        return Err(ApiError::ForbiddenHost { host });
    }
    for origin in request.headers().get_all(header::ORIGIN) {
        let is_own = host.as_ref().is_some_and(|host| {
            let origin = origin.to_str().ok();
            origin.is_some_and(|origin| is_same_origin(origin, host))
        });
        if !is_own {
            return Err(ApiError::ForbiddenOrigin {
                origin: String::from_utf8_lossy(origin.as_bytes()).into_owned(),
            });
        }
    }
    Ok(next.run(request).await)
}

/// Whether a page of this origin came from the pool itself, by the name in `Host` or, where that is
/// loopback, by another name of loopback with the same port: a person may have typed `localhost`
/// and a program `127.0.0.1`. What else listens there runs on this machine already.
fn is_same_origin(origin: &str, host: &Authority) -> bool {
    let (rest, usual_port) = match (
        origin.strip_prefix("http://"),
        origin.strip_prefix("https://"),
    ) {
        (Some(rest), _) => (rest, 80),
        (None, Some(rest)) => (rest, 443),
        (None, None) => return false,
    };
    let Ok(origin) = rest.parse::<Authority>() else {
        return false;
    };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(usual_port);
    origin == *host
        || is_loopback(&folded(origin.host()))
            && is_loopback(&folded(host.host()))
            && port(&origin) == port(host)
}

/// Whether a name, in lower case and without brackets, is this machine's to itself.
fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

/// The one host that a request names: in its line (RFC 9112, section 3.2.2) or its header.
fn authority(headers: &HeaderMap, name: &HeaderName, uri: &Uri) -> Option<Authority> {
    if let Some(authority) = uri.authority() {
        return Some(authority.clone());
    }
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    value.to_str().ok()?.parse().ok()
}

/// The names under which the pool answers, beside loopback.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts(BTreeSet<String>);

impl AllowedHosts {
    /// This machine's own name and these (`--allowed-host`).
    pub fn of_this_machine(more: impl IntoIterator<Item = String>) -> Self {
        let own = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        Self::new(more.into_iter().chain([own]))
    }

    /// These.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().map(|name| folded(&name)).collect())
    }

    /// Whether a request for this host (without its port) is meant for the pool.
    fn permit(&self, host: &str) -> bool {
        let host = folded(host);
        is_loopback(&host) || self.0.contains(&host)
    }
}

/// Host names do not mind case nor one final dot; an IPv6 address stands in brackets in a URL.
fn folded(host: &str) -> String {
    let host = host.strip_suffix('.').unwrap_or(host);
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host.to_ascii_lowercase()
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
    fn loopback_and_named_hosts_are_meant() {
        let hosts = AllowedHosts::new(["Box.example".to_owned(), "[fd00::1]".to_owned()]);
        for host in [
            "localhost",
            "LocalHost.",
            "127.0.0.1",
            "127.8.8.8",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "box.example",
            "BOX.example.",
            "[fd00::1]",
        ] {
            assert!(hosts.permit(host), "{host}");
        }
        for host in [
            "",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example",
            "0.0.0.0",
            "10.0.0.1",
            "[::]",
            "2130706433",
        ] {
            assert!(!hosts.permit(host), "{host}");
        }
    }

    #[test]
    fn every_name_of_loopback_is_the_same_origin() {
        for (origin, host, same) in [
            ("http://localhost:5200", "localhost:5200", true),
            ("http://localhost:5200", "127.0.0.1:5200", true),
            ("http://127.0.0.1:5200", "[::1]:5200", true),
            ("http://LOCALHOST:5200", "127.0.0.1:5200", true),
            ("http://localhost", "127.0.0.1:80", true),
            ("https://box.example", "box.example", true),
            ("http://localhost:3000", "127.0.0.1:5200", false),
            ("http://localhost", "127.0.0.1:5200", false),
            ("http://localhost:5200", "box.example:5200", false),
            (
                "http://localhost.evil.example:5200",
                "127.0.0.1:5200",
                false,
            ),
            ("http://evil.example:5200", "127.0.0.1:5200", false),
            ("ftp://localhost:5200", "localhost:5200", false),
            ("null", "localhost:5200", false),
        ] {
            let host = host.parse().unwrap();
            assert_eq!(is_same_origin(origin, &host), same, "{origin} {host}");
        }
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        assert_eq!(bearer(b"Bearer abc"), Some(b"abc".as_slice()));
        assert_eq!(bearer(b"bEARER   abc "), Some(b"abc".as_slice()));
        for other in [b"".as_slice(), b"Basic YQ==", b"Bearerabc", b"Bearer"] {
            assert_eq!(bearer(other), None);
        }
    }
}
