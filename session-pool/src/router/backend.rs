//! One backend: where it is, whether it answers, and how a request gets there.

use std::path::PathBuf;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT, AUTHORIZATION};
use axum::http::uri::{Authority, PathAndQuery, Scheme};
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::TokioExecutor;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::domain::cause::deepest;
use crate::token_file;

use super::error::RouterError;

/// What a connection may take to be made: containers of one host answer within milliseconds.
const CONNECT: Duration = Duration::from_secs(3);

/// A peer that was cut off is noticed after `IDLE` and `PROBES` times `PROBE` without a sign of
/// life; one that does not take what was sent, after `UNTAKEN`.
const IDLE: Duration = Duration::from_secs(10);
const PROBE: Duration = Duration::from_secs(5);
const PROBES: u32 = 3;
const UNTAKEN: Duration = Duration::from_secs(20);

/// How long a kept connection may lie idle: shorter than anything on the way would keep it.
const KEPT: Duration = Duration::from_secs(30);

/// What a whole answer may take that the router itself asks for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of such an answer.
const LARGEST: usize = 64 << 20;

/// A pool that serves one connection.
#[derive(Debug)]
pub(super) struct Backend {
    connection: String,
    address: Authority,
    token_file: PathBuf,
    client: Client<HttpConnector, Body>,
    standing: watch::Sender<Standing>,
    doubt: Notify,
}

/// How a backend is, as far as is known.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// Nobody has looked yet.
    Unknown,
    /// It answers, and this is the header that it lets in.
    Up(HeaderValue),
    /// It does not answer, or does not let the router in.
    Down {
        /// Why.
        reason: String,
        /// What it would let in, if it came back.
        key: Option<HeaderValue>,
    },
}

impl Backend {
    pub(super) fn new(connection: String, address: Authority, token_file: PathBuf) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_keepalive(Some(IDLE));
        connector.set_keepalive_interval(Some(PROBE));
        connector.set_keepalive_retries(Some(PROBES));
        connector.set_tcp_user_timeout(Some(UNTAKEN));
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(KEPT)
            .build(connector);
        Self {
            connection,
            address,
            token_file,
            client,
            standing: watch::Sender::new(Standing::Unknown),
            doubt: Notify::new(),
        }
    }

    pub(super) fn connection(&self) -> &str {
        &self.connection
    }

    pub(super) fn address(&self) -> &Authority {
        &self.address
    }

    /// How it is; waits for the first look at it.
    pub(super) async fn standing(&self) -> Standing {
        let mut standing = self.standing.subscribe();
        let known = standing
            .wait_for(|standing| !matches!(standing, Standing::Unknown))
            .await;
        // The sender is this backend's own, and so is there.
        known.map_or(Standing::Unknown, |known| known.clone())
    }

    /// Resolves when a request has met something else than is known.
    pub(super) async fn doubted(&self) {
        self.doubt.notified().await;
    }

    /// Looks whether it answers and lets the router in.
    pub(super) async fn look(&self) {
        let standing = match self.key().await {
            Err(reason) => Standing::Down { reason, key: None },
            // The cheapest route that asks for the token.
            Ok(key) => match self.fetch("/connections", "*/*", Some(&key)).await {
                Ok(_) => Standing::Up(key),
                Err(reason) => Standing::Down {
                    reason,
                    key: Some(key),
                },
            },
        };
        self.note(standing);
    }

    fn note(&self, standing: Standing) {
        metrics::describe_gauge!(
            "session_pool_backend_up",
            "Whether the pool of a connection answers."
        );
        metrics::gauge!("session_pool_backend_up", "connection" => self.connection.clone())
            .set(f64::from(u8::from(matches!(standing, Standing::Up(_)))));
        self.standing.send_modify(|known| {
            match (&*known, &standing) {
                (Standing::Up(_), Standing::Up(_)) => {}
                (_, Standing::Up(_)) => {
                    tracing::info!(connection = self.connection, "backend is up");
                }
                (Standing::Down { reason: old, .. }, Standing::Down { reason, .. })
                    if old == reason => {}
                (_, Standing::Down { reason, .. }) => {
                    tracing::warn!(connection = self.connection, reason, "backend is down");
                }
                (_, Standing::Unknown) => {}
            }
            *known = standing;
        });
    }

    /// The header with the backend's own token, as its file is now.
    async fn key(&self) -> Result<HeaderValue, String> {
        let file = self.token_file.clone();
        let read = tokio::task::spawn_blocking(move || token_file::read(&file)).await;
        let token = read
            .map_err(|error| error.to_string())?
            .map_err(|error| format!("{error}. The backend makes it when it starts"))?;
        let mut key = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|error| error.to_string())?;
        key.set_sensitive(true);
        Ok(key)
    }

    /// The body of a 200, or the reason why there is none.
    pub(super) async fn fetch(
        &self,
        path: &'static str,
        accept: &'static str,
        key: Option<&HeaderValue>,
    ) -> Result<Bytes, String> {
        let (status, body) = self
            .ask(PathAndQuery::from_static(path), accept, key)
            .await?;
        if status == StatusCode::OK {
            return Ok(body);
        }
        Err(self.refusal(status))
    }

    /// Status and body of what the router itself asks for.
    pub(super) async fn ask(
        &self,
        path: PathAndQuery,
        accept: &'static str,
        key: Option<&HeaderValue>,
    ) -> Result<(StatusCode, Bytes), String> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = self.uri(path);
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        if let Some(key) = key {
            headers.insert(AUTHORIZATION, key.clone());
        }
        let answer = async {
            let response = self.client.request(request).await;
            let (head, body) = response
                .map_err(|error| self.no_answer(&error))?
                .into_parts();
            match Limited::new(body, LARGEST).collect().await {
                Ok(body) => Ok((head.status, body.to_bytes())),
                Err(_) => Err(format!("its answer from http://{} broke off", self.address)),
            }
        };
        timeout(PATIENCE, answer).await.unwrap_or_else(|_| {
            Err(format!(
                "http://{} does not answer within {} s",
                self.address,
                PATIENCE.as_secs()
            ))
        })
    }

    /// Sends a client's request, whose headers are the backend's already but for the token.
    ///
    /// # Errors
    /// Where the backend did not get it, or gave no answer.
    pub(super) async fn send(
        &self,
        mut request: Request<Body>,
    ) -> Result<Response<Incoming>, RouterError> {
        let down = |reason: String| RouterError::Down {
            connection: self.connection.clone(),
            reason,
        };
        let (key, was_up) = match self.standing().await {
            Standing::Up(key) => (key, true),
            // Tried all the same: it may have come back since the last look.
            Standing::Down { key: Some(key), .. } => (key, false),
            Standing::Down { reason, key: None } => return Err(down(reason)),
            Standing::Unknown => return Err(down("nobody has looked at it yet".to_owned())),
        };
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = self.uri(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
        request.headers_mut().insert(AUTHORIZATION, key.clone());
        match self.client.request(request).await {
            Ok(response) if response.status() == StatusCode::UNAUTHORIZED => {
                self.doubt.notify_one();
                Err(down(self.refusal(response.status())))
            }
            Ok(response) => {
                if !was_up {
                    self.doubt.notify_one();
                }
                Ok(response)
            }
            Err(error) if error.is_connect() => {
                let reason = self.no_answer(&error);
                self.note(Standing::Down {
                    reason: reason.clone(),
                    key: Some(key),
                });
                Err(down(reason))
            }
            Err(error) => {
                self.doubt.notify_one();
                tracing::warn!(
                    connection = self.connection,
                    error = deepest(&error),
                    "cut off"
                );
                Err(RouterError::CutOff {
                    connection: self.connection.clone(),
                })
            }
        }
    }

    fn uri(&self, path: PathAndQuery) -> Uri {
        let mut parts = axum::http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.address.clone());
        parts.path_and_query = Some(path);
        // All three parts are there, which is what makes it valid.
        Uri::from_parts(parts).unwrap_or_default()
    }

    fn no_answer(&self, error: &ClientError) -> String {
        format!(
            "http://{} does not answer: {}",
            self.address,
            deepest(error)
        )
    }

    fn refusal(&self, status: StatusCode) -> String {
        match status {
            StatusCode::UNAUTHORIZED => format!(
                "http://{} refuses the token in {}: is that directory its state directory?",
                self.address,
                self.token_file.display()
            ),
            StatusCode::FORBIDDEN => format!(
                "http://{} does not answer to that name: start it with --allowed-host {}",
                self.address,
                self.address.host()
            ),
            other => format!("http://{} answers {other}", self.address),
        }
    }
}
