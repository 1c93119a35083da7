//! Endpoints: what is refused, and that none ever leads to another host.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use url::Url;

use super::{Endpoint, EndpointError, Query, Service};

const BASE: &str = "https://graph.microsoft.com";
const FLOW_BASE: &str = "https://api.flow.microsoft.com";

fn graph(text: &str) -> Result<Endpoint, EndpointError> {
    Endpoint::new(text, &Query::default(), Service::Graph, BASE)
}

fn query(value: &Value) -> Query {
    Query::new(value.as_object().unwrap()).unwrap()
}

#[test]
fn the_shapes_of_the_documentation_become_urls() {
    let graph_shapes = shapes(include_str!("endpoint_shapes.tsv"));
    assert!(graph_shapes.len() >= 150, "{}", graph_shapes.len());
    for (written, expected) in graph_shapes {
        let endpoint = graph(written).unwrap_or_else(|error| panic!("{written}: {error}"));
        assert_eq!(endpoint.path_and_query(), expected, "{written}");
        assert_eq!(
            endpoint.url().as_str(),
            format!("{BASE}{expected}"),
            "{written}"
        );
        // A URL that was made once stays what it is.
        let again = graph(endpoint.url().as_str()).unwrap();
        assert_eq!(again, endpoint, "{written}");
    }
    for (written, expected) in shapes(include_str!("flow_shapes.tsv")) {
        let endpoint = Endpoint::new(written, &Query::default(), Service::Flow, FLOW_BASE).unwrap();
        assert_eq!(endpoint.path_and_query(), expected, "{written}");
    }
}

fn shapes(table: &str) -> Vec<(&str, &str)> {
    table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once('\t').unwrap())
        .collect()
}

#[test]
fn what_leads_elsewhere_is_refused() {
    for text in [
        "https://evil.example/v1.0/users",
        "http://graph.microsoft.com/v1.0/users",
        "HTTPS://graph.microsoft.com.evil.example/v1.0/users",
        "https://graph.microsoft.com@evil.example/v1.0/users",
        "https://evil.example@graph.microsoft.com/v1.0/users",
        "https://user:secret@graph.microsoft.com/v1.0/users",
        "https://graph.microsoft.com:8443/v1.0/users",
        "https://graph.microsoft.com\\@evil.example/",
        "https://graph.microsoft.us/v1.0/users",
        "//evil.example/v1.0/users",
        "\\\\evil.example\\users",
        "/\\evil.example/users",
        "ftp://graph.microsoft.com/users",
        "javascript://graph.microsoft.com/%0aalert(1)",
        "https:///v1.0/users",
        "https://",
        "users/../../../evil",
        "/v1.0/../beta/users",
        "/users/./x",
        "/users/%2e%2e/me",
        "/users/%252e%252e/me",
        "/users/%2e%2e%2fme",
        "/users/..%5cme",
        "/users/x%00y",
        "/users\n/me",
        "/users\r\nHost: evil.example",
        "/us\0ers",
        "/us\u{85}ers",
        "/me/drive/root:/a\\b:/content",
        "",
        "   ",
        "/",
    ] {
        assert!(graph(text).is_err(), "{text:?}: {:?}", graph(text));
    }
    assert!(graph(&format!("/users?$filter={}", "x".repeat(20_000))).is_err());
}

#[test]
fn a_query_object_is_encoded_as_it_is() {
    let endpoint =
        |text: &str, options: &Value| Endpoint::new(text, &query(options), Service::Graph, BASE);
    for (text, options, expected) in [
        (
            "/users",
            json!({"$select": ["id", "displayName"]}),
            "/v1.0/users?$select=id,displayName",
        ),
        (
            "/users",
            json!({"$top": 5, "$count": true}),
            "/v1.0/users?$count=true&$top=5",
        ),
        (
            "/users",
            json!({"$filter": "displayName eq 'A & B + 100%'"}),
            "/v1.0/users?$filter=displayName%20eq%20%27A%20%26%20B%20%2B%20100%25%27",
        ),
        (
            "/me/messages?$top=2",
            json!({"$search": "\"from:ada@contoso.com\""}),
            "/v1.0/me/messages?$top=2&$search=%22from:ada@contoso.com%22",
        ),
        (
            "/users",
            json!({"$filter": "userPrincipalName eq 'a#EXT#@c.com'"}),
            "/v1.0/users?$filter=userPrincipalName%20eq%20%27a%23EXT%23@c.com%27",
        ),
        ("/me/events", json!({"x": "1=2"}), "/v1.0/me/events?x=1%3D2"),
    ] {
        assert_eq!(endpoint(text, &options).unwrap().path_and_query(), expected);
    }
    assert!(
        endpoint("/users?$top=5", &json!({"top": 3})).is_err(),
        "given twice"
    );
    for options in [
        json!({"a b": 1}),
        json!({"": 1}),
        json!({"a&b": 1}),
        json!({"a": {}}),
        json!({"a": null}),
        json!({"a": "x\ny"}),
    ] {
        assert!(
            Query::new(options.as_object().unwrap()).is_err(),
            "{options}"
        );
    }
}

#[test]
fn a_base_of_ones_own_keeps_its_path() {
    let base = "http://127.0.0.1:9000/cloud/graph";
    let new = |text: &str| Endpoint::new(text, &Query::default(), Service::Graph, base);
    let endpoint = new("users?$top=1").unwrap();
    assert_eq!(
        endpoint.url().as_str(),
        "http://127.0.0.1:9000/cloud/graph/v1.0/users?$top=1"
    );
    assert_eq!(endpoint.path(), "/v1.0/users");
    assert_eq!(
        new("http://127.0.0.1:9000/cloud/graph/beta/me")
            .unwrap()
            .path(),
        "/beta/me"
    );
    assert!(new("http://127.0.0.1:9000/other/beta/me").is_err());
    assert!(Endpoint::given("http://127.0.0.1:9000/cloud/graphs/v1.0/me", base).is_err());
}

#[test]
fn a_next_link_stays_on_its_host() {
    let link = "https://graph.microsoft.com/v1.0/users?$skiptoken=X%274453707402000100000017%27";
    assert_eq!(Endpoint::given(link, BASE).unwrap().url().as_str(), link);
    for link in [
        "https://evil.example/v1.0/users",
        "http://graph.microsoft.com/v1.0/users",
        "https://graph.microsoft.com:444/v1.0/users",
        "https://x@graph.microsoft.com/v1.0/users",
        "/v1.0/users",
        "",
    ] {
        assert!(Endpoint::given(link, BASE).is_err(), "{link}");
    }
}

/// What attackers and typing errors are made of.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(vec![
            "https://", "http://", "//", "/", "\\", "@", ":", "?", "#", "&", "..", ".", "%2e", "%2f",
            "%5c", "%00", "%25", "%", "'", "\"", "(", ")", " ", "\t", "\n", "+", "=", "$", ";", ",",
            "graph.microsoft.com", "evil.example", "127.0.0.1", "[::1]", "v1.0", "beta", "users",
            "root:", "content", ":443", ":8080", "user:secret@", "javascript:", "\u{ff0f}", "\u{3002}",
            "\u{2044}", "xn--", "\0", "\u{feff}", "\u{202e}",
        ]).prop_map(str::to_owned),
        1 => ".{0,6}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn stays(text: &str, base: &str, service: Service) -> Result<(), TestCaseError> {
    let Ok(endpoint) = Endpoint::new(text, &Query::default(), service, base) else {
        return Ok(());
    };
    let own = Url::parse(base).unwrap();
    // Read again from its text, as an HTTP client does.
    let url = Url::parse(endpoint.url().as_str()).unwrap();
    prop_assert_eq!(url.origin(), own.origin(), "{:?}", text);
    prop_assert!(url.username().is_empty() && url.password().is_none());
    prop_assert!(url.path().starts_with(own.path().trim_end_matches('/')));
    prop_assert!(url.fragment().is_none());
    let climbs = url.path().split('/').any(|segment| segment == "..");
    prop_assert!(!climbs, "{:?}", text);
    Ok(())
}

/// Twenty thousand each time; a million in `.ci/long`, by PROPTEST_CASES.
fn many() -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig {
        cases: config.cases.max(20_000),
        ..config
    }
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn no_endpoint_leads_to_another_host(text in pieces()) {
        stays(&text, BASE, Service::Graph)?;
        stays(&text, "http://127.0.0.1:9000/cloud/graph", Service::Graph)?;
        stays(&text, FLOW_BASE, Service::Flow)?;
    }

    #[test]
    fn no_full_url_leads_to_another_host(tail in pieces()) {
        stays(&format!("{BASE}{tail}"), BASE, Service::Graph)?;
    }
}
