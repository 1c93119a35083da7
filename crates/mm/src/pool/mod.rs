//! The session pool, as its clients see it.

mod error;
mod events;
mod pauses;
mod transport;

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use session_pool::domain::audit::ConfirmedHow;
use session_pool::domain::job::JobId;
use session_pool::domain::policy::{ConfirmRequest, ConfirmationRequest, Confirmed};
use session_pool::domain::trace::TraceParent;
use session_pool::domain::wire::{
    ConnectionList, JobAnswer, JobList, Refusal, RunRequest, SignInAnswer, SignInRequest,
    SignOutAnswer, SignOutRequest, StatusAnswer,
};
use tokio::time::timeout;

pub(crate) use self::error::PoolError;
pub(crate) use self::events::{Event, Events};
pub(crate) use self::pauses::Pauses;
use self::transport::Transport;
use crate::config::{Config, PoolUrl};
use crate::token::TokenSource;

/// What this program calls itself; the pool writes it into its audit.
const CLIENT: &str = concat!("mm/", env!("CARGO_PKG_VERSION"));

/// What the pool may take to answer a request.
const PATIENCE: Duration = Duration::from_secs(15);

/// What it may take to answer how a job is, beside the wait that the request asks for. With the
/// usual wait the answer still comes before clients give up, at 60 s.
const PATIENCE_BESIDE_WAIT: Duration = Duration::from_secs(10);

/// What it may take until all modules have shown their codes: each may need two minutes, and its
/// session may start first.
const CODES_WITHIN: Duration = Duration::from_secs(300);

/// Bytes of an answer that is read; the largest page the pool makes is smaller.
const LARGEST_ANSWER: usize = 64 << 20;

/// The session pool.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    url: PoolUrl,
    token: TokenSource,
    token_over_http: bool,
    transport: Transport,
    trace: Option<TraceParent>,
}

/// Which page of a job is wanted, and how long to wait for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Where the page begins; from the beginning where left out.
    pub(crate) cursor: Option<String>,
    /// Whole seconds to wait: for the job's end, or with a cursor for what comes after it.
    pub(crate) wait_seconds: u64,
    /// Most characters of the page; the pool's own choice where left out.
    pub(crate) max_characters: Option<u64>,
}

impl Wanted {
    fn path(&self, id: JobId) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("wait_seconds", &self.wait_seconds.to_string());
        if let Some(cursor) = &self.cursor {
            query.append_pair("cursor", cursor);
        }
        if let Some(characters) = self.max_characters {
            query.append_pair("max_characters", &characters.to_string());
        }
        format!("/jobs/{id}?{}", query.finish())
    }
}

impl Pool {
    /// The pool that the configuration names. Nothing is sent yet.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            url: config.pool.clone(),
            token: TokenSource::clone(&config.token),
            token_over_http: config.token_over_http,
            transport: Transport::new(config.pool.is_https()),
            trace: None,
        }
    }

    /// The same pool, with every request in this trace.
    pub(crate) fn in_trace(&self, trace: Option<TraceParent>) -> Self {
        Self {
            trace,
            ..self.clone()
        }
    }

    /// Makes a job and answers with what became of it within the request's `wait_seconds`.
    ///
    /// # Errors
    /// When no job was made, or when it is not known whether one was.
    pub(crate) async fn run(&self, request: &RunRequest) -> Result<JobAnswer, PoolError> {
        let wait = Duration::from_secs(request.wait_seconds.unwrap_or_default().into());
        let request = self.request(Method::POST, "/run", Some(request))?;
        self.answer(request, wait + PATIENCE).await
    }

    /// What became of a job, and one page of its output.
    ///
    /// # Errors
    /// When the pool does not know the job, or cannot be asked.
    pub(crate) async fn job(&self, id: JobId, wanted: &Wanted) -> Result<JobAnswer, PoolError> {
        let path = wanted.path(id);
        let request = self.request(Method::GET, &path, NOTHING)?;
        let wait = Duration::from_secs(wanted.wait_seconds);
        self.answer(request, wait + PATIENCE_BESIDE_WAIT).await
    }

    /// Cancels a job, and answers when it has ended.
    ///
    /// # Errors
    /// When the pool does not know the job, or cannot be asked.
    pub(crate) async fn cancel(&self, id: JobId) -> Result<JobAnswer, PoolError> {
        let request = self.request(Method::DELETE, &format!("/jobs/{id}"), NOTHING)?;
        self.answer(request, PATIENCE).await
    }

    /// What waits for a yes under this id.
    ///
    /// # Errors
    /// When nothing does, or the pool cannot be asked.
    pub(crate) async fn confirmation(&self, id: &str) -> Result<ConfirmationRequest, PoolError> {
        let request = self.request(Method::GET, &format!("/confirmations/{id}"), NOTHING)?;
        self.answer(request, PATIENCE).await
    }

    /// Says yes for a person who has seen the preview, and how it came.
    ///
    /// # Errors
    /// When nothing waits under this id, or the pool cannot be asked.
    pub(crate) async fn confirm(&self, id: &str, how: ConfirmedHow) -> Result<(), PoolError> {
        let path = format!("/confirmations/{id}");
        let said = ConfirmRequest { how: Some(how) };
        let request = self.request(Method::POST, &path, Some(&said))?;
        let _: Confirmed = self.answer(request, PATIENCE).await?;
        Ok(())
    }

    /// The jobs that are still known, newest first.
    ///
    /// # Errors
    /// When the pool cannot be asked.
    pub(crate) async fn jobs(&self) -> Result<JobList, PoolError> {
        let request = self.request(Method::GET, "/jobs", NOTHING)?;
        self.answer(request, PATIENCE).await
    }

    /// The connections that commands can run on.
    ///
    /// # Errors
    /// When the pool cannot be asked.
    pub(crate) async fn connections(&self) -> Result<ConnectionList, PoolError> {
        let request = self.request(Method::GET, "/connections", NOTHING)?;
        self.answer(request, PATIENCE).await
    }

    /// The sessions, and who is signed in.
    ///
    /// # Errors
    /// When the pool cannot be asked.
    pub(crate) async fn status(&self) -> Result<StatusAnswer, PoolError> {
        let request = self.request(Method::GET, "/status", NOTHING)?;
        self.answer(request, PATIENCE).await
    }

    /// Begins sign-ins, and answers when each has a code, is done or has failed.
    ///
    /// # Errors
    /// When nothing was begun, or when it is not known whether anything was.
    pub(crate) async fn sign_in(&self, request: &SignInRequest) -> Result<SignInAnswer, PoolError> {
        let request = self.request(Method::POST, "/sign-in", Some(request))?;
        self.answer(request, CODES_WITHIN).await
    }

    /// Ends sign-ins, and answers when that is done.
    ///
    /// # Errors
    /// As [`Self::sign_in`].
    pub(crate) async fn sign_out(
        &self,
        request: &SignOutRequest,
    ) -> Result<SignOutAnswer, PoolError> {
        let request = self.request(Method::POST, "/sign-out", Some(request))?;
        self.answer(request, CODES_WITHIN).await
    }

    /// A job's records as they come, from behind this one on.
    ///
    /// # Errors
    /// When the pool does not know the job, or cannot be asked.
    pub(crate) async fn events(&self, id: JobId, after: Option<&str>) -> Result<Events, PoolError> {
        let mut request = self.request(Method::GET, &format!("/jobs/{id}/events"), NOTHING)?;
        if let Some(value) = after.and_then(|cursor| cursor.parse().ok()) {
            request.headers_mut().insert("last-event-id", value);
        }
        let response = self.within(PATIENCE, self.send(request)).await?;
        if response.status() != StatusCode::OK {
            let status = response.status();
            let body = self.within(PATIENCE, self.body(response)).await?;
            return Err(self.refused(status, &body));
        }
        Ok(Events::new(self.url.clone(), response.into_body()))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Request<Full<Bytes>>, PoolError> {
        let mut request = Request::builder()
            .method(method)
            .uri(self.url.route(path))
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, CLIENT);
        if let Some(token) = self.token.read()?
            && self.may_send_token()
        {
            request = request.header(AUTHORIZATION, token.header());
        }
        if let Some(trace) = self.trace {
            request = request.header("traceparent", trace.to_string());
        }
        let bytes = match body {
            None => Bytes::new(),
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                serde_json::to_vec(body)
                    .map_err(|error| PoolError::request(&self.url, error))?
                    .into()
            }
        };
        request
            .body(Full::new(bytes))
            .map_err(|error| PoolError::request(&self.url, error))
    }

    fn may_send_token(&self) -> bool {
        self.token_over_http || self.url.is_private()
    }

    async fn answer<T: DeserializeOwned>(
        &self,
        request: Request<Full<Bytes>>,
        patience: Duration,
    ) -> Result<T, PoolError> {
        // One patience for the whole of it, head and body.
        let whole = async {
            let response = self.send(request).await?;
            Ok((response.status(), self.body(response).await?))
        };
        let (status, body) = self.within(patience, whole).await?;
        if status != StatusCode::OK {
            return Err(self.refused(status, &body));
        }
        serde_json::from_slice(&body).map_err(|error| PoolError::not_a_pool(&self.url, error))
    }

    async fn within<T>(
        &self,
        patience: Duration,
        answer: impl Future<Output = Result<T, PoolError>>,
    ) -> Result<T, PoolError> {
        timeout(patience, answer)
            .await
            .map_err(|_| PoolError::silent(&self.url, patience))?
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, PoolError> {
        self.transport
            .send(request)
            .await
            .map_err(|error| PoolError::sending(&self.url, error))
    }

    async fn body(&self, response: Response<Incoming>) -> Result<Bytes, PoolError> {
        let body = Limited::new(response.into_body(), LARGEST_ANSWER);
        body.collect()
            .await
            .map(http_body_util::Collected::to_bytes)
            .map_err(|error| PoolError::broken_off(&self.url, &*error))
    }

    fn refused(&self, status: StatusCode, body: &[u8]) -> PoolError {
        let refusal: Option<Refusal> = serde_json::from_slice(body).ok();
        match refusal {
            _ if status == StatusCode::UNAUTHORIZED => {
                PoolError::unauthorized(&self.url, &self.token, self.may_send_token())
            }
            // The address leads past the routes, such as one with a path of its own.
            Some(refusal)
                if matches!(refusal.code.as_str(), "not_found" | "method_not_allowed") =>
            {
                PoolError::not_a_pool(&self.url, refusal.error)
            }
            Some(refusal) => PoolError::Refused {
                status: status.as_u16(),
                error: refusal.error,
                code: refusal.code,
            },
            None => PoolError::not_a_pool(&self.url, format_args!("it answers {status}")),
        }
    }
}

/// The body of requests that have none.
const NOTHING: Option<&()> = None;
