//! `POST /demo/sign-in`: the person's part by HTTP.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::cloud::DemoCloud;
use super::entra::{DemoEntra, EntraError};
use crate::domain::wire::{AnswerStatus, Refusal};

/// Which code, and who enters it; every waiting one as expected where nothing is said.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignInRequest {
    #[serde(default)]
    code: Option<String>,
}

#[derive(Debug, Serialize)]
struct SignInAnswer {
    status: AnswerStatus,
    /// The codes that were entered.
    signed_in: Vec<String>,
}

/// The demo's own routes.
pub(super) fn routes(entra: DemoEntra, cloud: DemoCloud) -> Router {
    Router::new()
        .route("/demo/sign-in", post(sign_in))
        .with_state((entra, cloud))
}

async fn sign_in(
    State((entra, cloud)): State<(DemoEntra, DemoCloud)>,
    body: Option<Json<SignInRequest>>,
) -> Response {
    let request = body.map(|Json(request)| request).unwrap_or_default();
    let in_cloud = cloud_codes(&cloud, request.code.as_deref());
    if request.code.is_some() && !in_cloud.is_empty() {
        return signed_in(in_cloud);
    }
    // A handful of small files, for one person at a demo: not worth a thread.
    let entered = match request.code {
        Some(code) => entra.complete(&code).map(|entered| vec![entered]),
        None => entra.complete_all(),
    };
    match entered {
        Ok(entered) => {
            let mut codes = in_cloud;
            codes.extend(entered.into_iter().map(|entered| entered.code));
            signed_in(codes)
        }
        Err(error) => refusal(&error).into_response(),
    }
}

/// Enters the codes that wait for Graph: this one, or all of them. Answers with those it entered.
fn cloud_codes(cloud: &DemoCloud, code: Option<&str>) -> Vec<String> {
    cloud
        .waiting()
        .into_iter()
        .map(|waiting| waiting.code)
        .filter(|own| code.is_none_or(|code| own.eq_ignore_ascii_case(code.trim())))
        .filter(|own| cloud.complete(own))
        .collect()
}

fn signed_in(codes: Vec<String>) -> Response {
    Json(SignInAnswer {
        status: AnswerStatus::Success,
        signed_in: codes,
    })
    .into_response()
}

fn refusal(error: &EntraError) -> (StatusCode, Json<Refusal>) {
    let (status, code) = match error {
        EntraError::UnknownCode(_) => (StatusCode::NOT_FOUND, "unknown_code"),
        EntraError::File { .. } | EntraError::Json { .. } => {
            (StatusCode::INTERNAL_SERVER_ERROR, "demo_directory")
        }
    };
    let body = Refusal {
        status: AnswerStatus::Error,
        error: error.to_string(),
        code: code.to_owned(),
    };
    (status, Json(body))
}
