//! Requests that are refused: each with its status, a stable code, and a sentence on what to do.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::domain::job::InvalidJobId;
use crate::domain::site::InvalidSite;
use crate::domain::wire::{AnswerStatus, Refusal};
use crate::session::JobMissing;
use crate::session::ResultsError;
use crate::session::{NothingToConfirm, Refused};

/// Most characters of a refusal's sentence.
const LONGEST_SENTENCE: usize = 2_000;

/// Why a request gets a 4xx or 5xx. No job was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("this needs the pool's access token ({hint}): send \"Authorization: Bearer TOKEN\"")]
    Unauthorized { hint: String },
    #[error(
        "the pool does not answer to the host {host:?}: use localhost or this machine's name, or \
         start the pool with --allowed-host {host}"
    )]
    ForbiddenHost { host: String },
    #[error(
        "pages of {origin:?} may not use the pool: a web page reaches it only from its own address"
    )]
    ForbiddenOrigin { origin: String },
    #[error("there is nothing at {path}: see /openapi.json for what there is")]
    NotFound { path: String },
    #[error("{path} does not take {method}: see the header Allow, or /openapi.json")]
    MethodNotAllowed { method: String, path: String },
    #[error("the body must be JSON: send the header \"Content-Type: application/json\"")]
    UnsupportedMediaType,
    #[error("the body is larger than {limit} bytes, and the pool takes no more")]
    TooLarge { limit: usize },
    #[error("the body did not arrive whole: send it again")]
    IncompleteBody,
    #[error("the body is not valid JSON: {problem}")]
    BadJson { problem: String },
    #[error("the body must be a JSON object, such as {{\"connection\": \"NAME\"}}")]
    NoObject,
    #[error("{0}")]
    UnknownField(Unknown),
    #[error("{0}")]
    UnknownParameter(Unknown),
    #[error("the field {field:?} cannot be that: {problem}")]
    BadField { field: String, problem: String },
    #[error("the query parameter {name:?} cannot be that: {problem}")]
    BadParameter { name: &'static str, problem: String },
    #[error("the header {name} cannot be that: {problem}")]
    BadHeader { name: &'static str, problem: String },
    #[error("{field:?} is {value}, but must be {min} to {max}")]
    OutOfRange {
        field: &'static str,
        value: u64,
        min: u64,
        max: u64,
    },
    #[error(transparent)]
    InvalidJobId(#[from] InvalidJobId),
    #[error(transparent)]
    Job(#[from] JobMissing),
    #[error(transparent)]
    Results(#[from] ResultsError),
    #[error(transparent)]
    Confirmation(#[from] NothingToConfirm),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(
        "the pool failed at this request, which is a defect: its log has more under this request id"
    )]
    Internal,
}

/// A name that nothing has, with those that there are.
#[derive(Debug)]
pub(crate) struct Unknown {
    /// `field` or `query parameter`.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) known: &'static [&'static str],
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use crate::domain::nearest::{did_you_mean, nearest};
        let Self { kind, name, known } = self;
        write!(f, "there is no {kind} {name:?}")?;
        if let Some(question) = did_you_mean(&nearest(name, known.iter().copied())) {
            write!(f, ": {question}")
        } else if known.is_empty() {
            write!(f, ": this route takes none")
        } else {
            write!(f, ": use {}", known.join(", "))
        }
    }
}

impl ApiError {
    /// The HTTP status (RFC 9110, section 15; RFC 6585 for 429).
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized { .. } => StatusCode::UNAUTHORIZED,
            Self::ForbiddenHost { .. } | Self::ForbiddenOrigin { .. } => StatusCode::FORBIDDEN,
            Self::NotFound { .. } | Self::Job(JobMissing::Unknown(_)) => StatusCode::NOT_FOUND,
            Self::Confirmation(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::IncompleteBody
            | Self::BadJson { .. }
            | Self::NoObject
            | Self::UnknownField(_)
            | Self::UnknownParameter(_)
            | Self::BadField { .. }
            | Self::BadParameter { .. }
            | Self::BadHeader { .. }
            | Self::OutOfRange { .. }
            | Self::InvalidJobId(_) => StatusCode::BAD_REQUEST,
            Self::Job(JobMissing::Expired(_)) | Self::Results(ResultsError::Expired) => {
                StatusCode::GONE
            }
            Self::Results(ResultsError::BeyondEnd(_)) => StatusCode::CONFLICT,
            Self::Results(ResultsError::ShuttingDown) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Results(ResultsError::Spool(_)) | Self::Internal => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Refused(refused) => refused_status(refused),
        }
    }

    /// A stable word for it, for programs.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Unauthorized { .. } => "unauthorized",
            Self::ForbiddenHost { .. } => "forbidden_host",
            Self::ForbiddenOrigin { .. } => "forbidden_origin",
            Self::NotFound { .. } => "not_found",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::TooLarge { .. } => "too_large",
            Self::IncompleteBody => "incomplete_body",
            Self::BadJson { .. } | Self::NoObject => "bad_json",
            Self::UnknownField(_) => "unknown_field",
            Self::UnknownParameter(_) => "unknown_parameter",
            Self::BadField { .. } => "bad_field",
            Self::BadParameter { .. } => "bad_parameter",
            Self::BadHeader { .. } => "bad_header",
            Self::OutOfRange { .. } => "out_of_range",
            Self::InvalidJobId(_) => "invalid_job_id",
            Self::Job(JobMissing::Unknown(_)) => "unknown_job",
            Self::Job(JobMissing::Expired(_)) | Self::Results(ResultsError::Expired) => "expired",
            Self::Results(ResultsError::BeyondEnd(_)) => "beyond_end",
            Self::Results(ResultsError::Spool(_)) => "spool_failed",
            Self::Results(ResultsError::ShuttingDown) => "shutting_down",
            Self::Confirmation(_) => "nothing_to_confirm",
            Self::Refused(refused) => refused.code(),
            Self::Internal => "internal_error",
        }
    }

    /// The body that says it.
    pub(super) fn body(&self) -> Refusal {
        refusal(self, self.code())
    }

    /// The header that belongs to the status.
    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Unauthorized { .. } => Some((
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"session-pool\""),
            )),
            Self::Refused(Refused::QueueFull { retry_after, .. }) => Some((
                header::RETRY_AFTER,
                HeaderValue::from(retry_after.as_secs().max(1)),
            )),
            _ => None,
        }
    }
}

/// The body of a refusal.
pub(crate) fn refusal(error: &impl std::fmt::Display, code: &str) -> Refusal {
    let mut error = error.to_string();
    // It may quote the request, which may be large.
    if let Some((end, _)) = error.char_indices().nth(LONGEST_SENTENCE) {
        error.truncate(end);
        error.push('…');
    }
    Refusal {
        status: AnswerStatus::Error,
        error,
        code: code.to_owned(),
    }
}

const fn refused_status(refused: &Refused) -> StatusCode {
    match refused {
        Refused::MissingField(_)
        | Refused::WrongConnection { .. }
        | Refused::UnknownModule(_)
        | Refused::InvalidSite(InvalidSite::NotASite { .. })
        | Refused::SiteWithoutPnp
        | Refused::OutOfRange { .. } => StatusCode::BAD_REQUEST,
        Refused::UnknownConnection(_) | Refused::InvalidSite(InvalidSite::OtherHost { .. }) => {
            StatusCode::NOT_FOUND
        }
        // The request is right, and the registry's entry does not allow it.
        Refused::UnusableModule(_) | Refused::InvalidSite(InvalidSite::NoHost { .. }) => {
            StatusCode::CONFLICT
        }
        Refused::QueueFull { .. } => StatusCode::TOO_MANY_REQUESTS,
        Refused::ProcessLimit { .. } | Refused::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(self.body())).into_response();
        if let Some((name, value)) = self.header() {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
