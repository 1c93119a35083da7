//! Power Automate: environments and flows, to be asked with an `api-version`.

use axum::Router;
use axum::extract::{Path, Query as QueryOf, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::graph::enter;
use super::paging::Query;
use super::{DemoCloud, reply};

pub(super) fn router() -> Router<DemoCloud> {
    Router::new()
        .route(
            "/providers/Microsoft.ProcessSimple/environments",
            get(environments),
        )
        .route(
            "/providers/Microsoft.ProcessSimple/environments/{environment}/flows",
            get(flows),
        )
        .fallback(|| async { reply::not_found("resource") })
}

/// Whether the call may pass: another audience's token is worth nothing here.
async fn checked(cloud: &DemoCloud, headers: &HeaderMap, query: &Query) -> Result<(), Response> {
    let (_, claims) = enter(cloud, headers, "flow").await?;
    if !claims.scp.contains("service.flow") {
        return Err(reply::error(
            axum::http::StatusCode::UNAUTHORIZED,
            "InvalidAuthenticationTokenAudience",
            "The access token has been obtained for the wrong audience.",
        ));
    }
    if !query.contains_key("api-version") {
        return Err(reply::error(
            axum::http::StatusCode::BAD_REQUEST,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        ));
    }
    Ok(())
}

async fn environments(
    State(cloud): State<DemoCloud>,
    QueryOf(query): QueryOf<Query>,
    headers: HeaderMap,
) -> Response {
    match checked(&cloud, &headers, &query).await {
        Ok(()) => reply::ok(
            json!({"value": [{"name": "Default-demo", "properties": {"displayName": "Default"}}]}),
            "environments",
        ),
        Err(response) => response,
    }
}

async fn flows(
    State(cloud): State<DemoCloud>,
    Path(environment): Path<String>,
    QueryOf(query): QueryOf<Query>,
    headers: HeaderMap,
) -> Response {
    match checked(&cloud, &headers, &query).await {
        Ok(()) if environment != "Default-demo" => reply::not_found(&environment),
        Ok(()) => {
            let flows: Vec<Value> = (1..=3)
                .map(|index| {
                    json!({
                        "name": format!("flow-{index}"),
                        "properties": {"displayName": format!("Approve request {index}"), "state": "Started"},
                    })
                })
                .collect();
            reply::ok(json!({"value": flows}), "flows")
        }
        Err(response) => response,
    }
}
