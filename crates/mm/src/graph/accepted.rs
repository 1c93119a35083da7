//! Work that the service goes on with after it has answered: status 202.

use reqwest::header::LOCATION;
use reqwest::{Response, StatusCode};
use session_pool::domain::graph::{Endpoint, Query, Service, location};

/// Where the service tells how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Accepted {
    /// At an endpoint of its own.
    Endpoint(String),
    /// At another host, which may name the tenant, by an address that may be good for itself: it is
    /// not told.
    Elsewhere,
}

/// What is said of work that is told of elsewhere.
pub(crate) const ELSEWHERE: &str = "The service goes on with it, and tells how far it is at another \
host, which is not asked from here: look for the result itself in a while.";

impl Accepted {
    /// What an answer to a call says of it; nothing where it is done, or where it says nothing.
    pub(crate) fn of(
        response: &Response,
        called: &Endpoint,
        service: Service,
        base: &str,
    ) -> Option<Self> {
        let version = called.path().split('/').nth(1).unwrap_or("v1.0");
        if response.status() != StatusCode::ACCEPTED {
            return None;
        }
        let mut named = ["operation-location", LOCATION.as_str()]
            .into_iter()
            .filter_map(|name| response.headers().get(name))
            .map(|value| Self::named(&location(value.as_bytes()), version, service, base));
        let first = named.next()?;
        Some(match first {
            Self::Endpoint(_) => first,
            Self::Elsewhere => named.next().unwrap_or(first),
        })
    }

    /// Graph names some places in full, and others without host and version.
    pub(crate) fn named(text: &str, version: &str, service: Service, base: &str) -> Self {
        let relative = || match service {
            Service::Graph => Endpoint::in_batch(text, version, base),
            Service::Flow => Endpoint::new(text, &Query::default(), service, base),
        };
        let whole = || Endpoint::new(text, &Query::default(), service, base);
        Endpoint::given(text, base)
            .or_else(|_| relative())
            .or_else(|_| whole())
            .map_or(Self::Elsewhere, |endpoint| {
                Self::Endpoint(endpoint.path_and_query().to_owned())
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_on_the_services_host_is_an_endpoint_and_any_other_is_not_told() {
        let base = "https://graph.microsoft.com";
        for (text, endpoint) in [
            (
                "/teams('1')/operations('2')",
                Some("/beta/teams('1')/operations('2')"),
            ),
            ("/v1.0/x/operations/2", Some("/v1.0/x/operations/2")),
            (
                "https://graph.microsoft.com/v1.0/x/operations/2?a=b",
                Some("/v1.0/x/operations/2?a=b"),
            ),
            ("https://contoso.sharepoint.com/_api/v2.0/monitor/4", None),
            ("https://graph.microsoft.com@evil.example/v1.0/x", None),
            ("http://graph.microsoft.com/v1.0/x", None),
            ("//evil.example/x", None),
            ("/x/../../y", None),
            ("", None),
        ] {
            let expected = endpoint.map_or(Accepted::Elsewhere, |endpoint| {
                Accepted::Endpoint(endpoint.to_owned())
            });
            let named = Accepted::named(text, "beta", Service::Graph, base);
            assert_eq!(named, expected, "{text}");
        }
    }
}
