use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use crate::domain::wire::PoolTotals;
use crate::http::App;
use crate::http::error::ApiError;
use crate::http::openapi::{AnyCaller, Parameterized};
use crate::http::parameters::Parameters;

/// The form of the exposition (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
pub(crate) const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
pub(crate) enum Form {
    Prometheus,
    Json,
}

impl std::str::FromStr for Form {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "prometheus" => Ok(Self::Prometheus),
            "json" => Ok(Self::Json),
            _ => Err("use prometheus or json"),
        }
    }
}

/// What the pool counts
///
/// An `Accept` header that names text/plain or OpenMetrics, as Prometheus sends it, gets Prometheus
/// text; anything else JSON.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "pool",
    params((
        "format" = inline(Option<Form>), Query,
        description = "Decides the form whatever `Accept` says."
    )),
    responses(
        (status = 200, description = "The counts.", content(
            (PoolTotals = "application/json"),
            (String = "text/plain")
        )),
        AnyCaller, Parameterized
    ),
    security(())
)]
pub(in crate::http) async fn metrics(
    State(app): State<App>,
    headers: HeaderMap,
    mut parameters: Parameters,
) -> Result<Response, ApiError> {
    let format = parameters.take::<Form>("format")?;
    parameters.finish(&["format"])?;
    let sessions = app.pool().status();
    Ok(match format.unwrap_or_else(|| accepted(&headers)) {
        Form::Prometheus => {
            let text = app
                .metrics()
                .prometheus(&sessions, app.pool().result_bytes());
            ([(header::CONTENT_TYPE, EXPOSITION)], text).into_response()
        }
        Form::Json => Json(app.metrics().totals(&sessions, app.pool().keepalive())).into_response(),
    })
}

/// The form that the client wants.
pub(crate) fn accepted(headers: &HeaderMap) -> Form {
    let names_text = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .map(str::trim)
        .any(|range| {
            range.eq_ignore_ascii_case("text/plain")
                || range.eq_ignore_ascii_case("application/openmetrics-text")
        });
    if names_text {
        Form::Prometheus
    } else {
        Form::Json
    }
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
    fn curl_gets_json_and_prometheus_text() {
        for (accept, form) in [
            (None, Form::Json),
            (Some("*/*"), Form::Json),
            (Some("application/json"), Form::Json),
            (Some("text/html, */*;q=0.8"), Form::Json),
            (Some("text/plain"), Form::Prometheus),
            (
                Some(
                    "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
                ),
                Form::Prometheus,
            ),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(accepted(&headers), form, "{accept:?}");
        }
    }
}
