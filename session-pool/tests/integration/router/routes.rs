//! The router has every route that a pool has.

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use serde_json::Value;

use crate::support::{Context, Needs, Suite, add};

use super::answers::echo;
use super::world::{Routing, Served, made_up, pool};

pub fn trials(suite: &mut Suite) {
    add!(suite, Needs::Nothing, [no_route_of_a_pool_is_forgotten]);
}

/// What the router answers itself, by asking all pools or none.
const ITS_OWN: [&str; 5] = ["/health", "/status", "/metrics", "/connections", "/jobs"];

/// A path with something in the place of its parameters.
fn filled(path: &str) -> String {
    let whole = |part: &str| match part {
        "{id}" => "0190a5d0-0000-7000-8000-000000000000".to_owned(),
        other => other.replace(['{', '}'], ""),
    };
    path.split('/').map(whole).collect::<Vec<_>>().join("/")
}

async fn no_route_of_a_pool_is_forgotten(cx: &Context) {
    let (contoso, one) = pool(cx, "Contoso").await;
    let backend = Served::start(made_up(Router::new().fallback(echo))).await;
    let routing = Routing::start(cx, &[("Contoso", backend.address)]).await;
    let description = axum::http::Request::get(format!("http://{}/openapi.json", one.address));
    let description = routing.send(description.body(Body::empty()).unwrap()).await;
    let routers = routing.get("/openapi.json").await.json();
    let paths = description.json()["paths"].as_object().unwrap().clone();
    let operations = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods
            .filter(|method| *method != "parameters")
            .map(move |method| (path.as_str(), method.as_str()))
    });
    let mut passed_on = 0;
    for (path, method) in operations {
        assert!(
            routers["paths"][path][method].is_object(),
            "{method} {path}"
        );
        let asked = filled(path);
        let request = routing
            .request(&method.to_uppercase(), &asked)
            .header("content-type", "application/json")
            .body(Body::from(r#"{"connection": "Contoso"}"#));
        let answer = routing.send(request.unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{method} {path}");
        if !ITS_OWN.contains(&path) {
            let seen: Value = answer.json();
            assert_eq!(seen["uri"], asked, "{method} {path}");
            assert_eq!(seen["method"], method.to_uppercase());
            passed_on += 1;
        }
    }
    assert!(passed_on >= 8, "only {passed_on} are passed on");
    routing.end().await;
    contoso.end().await;
}
