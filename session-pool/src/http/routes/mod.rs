//! One handler a route, each with its description for `/openapi.json`.

pub(super) mod confirmations;
pub(super) mod connections;
pub(super) mod events;
pub(crate) mod health;
pub(super) mod jobs;
pub(crate) mod metrics;
pub(super) mod policy;
pub(super) mod reset;
pub(super) mod run;
pub(super) mod sign_in;
pub(super) mod status;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::domain::job::{InvalidJobId, JobId};

use super::error::ApiError;

/// The id in the path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JobPath(pub(crate) JobId);

impl<S: Send + Sync> FromRequestParts<S> for JobPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        // A path that is not UTF-8 behind its percent signs holds no id either.
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| InvalidJobId(parts.uri.path().to_owned()))?;
        Ok(Self(id.parse()?))
    }
}
