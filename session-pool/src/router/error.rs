//! What the router cannot do, beside what the pool refuses too.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::http::error::{ApiError, refusal};

/// Why a request to the router gets a 4xx or 5xx of its own.
#[derive(Debug, thiserror::Error)]
pub(super) enum RouterError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(
        "the pool of {connection:?} is down, and nothing was sent to it: {reason}. Other connections \
         are not affected"
    )]
    Down { connection: String, reason: String },
    #[error(
        "the pool of {connection:?} was cut off before it answered. Whether it took the request is not \
         known: when it is back (GET /status), GET /jobs tells"
    )]
    CutOff { connection: String },
    #[error(
        "no pool that answers knows {what}, and not every pool answers: {}. Ask again when it is \
         back",
        listed(unreachable)
    )]
    OutOfReach {
        what: String,
        unreachable: BTreeMap<String, String>,
    },
    #[error(
        "this router has no access to Docker: add -f docker-compose.docker-api.yml to its compose \
         command, or start it with --docker unix:///var/run/docker.sock (SESSION_POOL_DOCKER)"
    )]
    NoDocker,
    #[error(
        "no container of this project serves {connection:?}: GET /containers lists those that do"
    )]
    UnknownContainer { connection: String },
    #[error(
        "Docker did not do it: {0}. Is its socket mounted, and may this user's groups (DOCKER_GID) \
         open it?"
    )]
    Docker(#[from] bollard::errors::Error),
}

fn listed(unreachable: &BTreeMap<String, String>) -> String {
    let each: Vec<_> = unreachable
        .iter()
        .map(|(connection, reason)| format!("{connection:?} ({reason})"))
        .collect();
    each.join(", ")
}

impl RouterError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Api(error) => error.status(),
            Self::Down { .. } | Self::CutOff { .. } | Self::OutOfReach { .. } => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::NoDocker => StatusCode::NOT_IMPLEMENTED,
            Self::UnknownContainer { .. } => StatusCode::NOT_FOUND,
            Self::Docker(_) => StatusCode::BAD_GATEWAY,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::Api(error) => error.code(),
            Self::Down { .. } => "backend_down",
            Self::CutOff { .. } => "backend_cut_off",
            Self::OutOfReach { .. } => "out_of_reach",
            Self::NoDocker => "docker_off",
            Self::UnknownContainer { .. } => "unknown_container",
            Self::Docker(_) => "docker_failed",
        }
    }
}

impl IntoResponse for RouterError {
    fn into_response(self) -> Response {
        // The pool's own refusals bring their headers.
        match self {
            Self::Api(error) => error.into_response(),
            error => (error.status(), Json(refusal(&error, error.code()))).into_response(),
        }
    }
}
