//! A client of the pool's HTTP API, over connections that are kept.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::{Method, Request, Response};
use hyper_util::client::legacy::Client as Pooled;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use session_pool::domain::wire::{AnswerStatus, JobAnswer};

use crate::Fallible;

/// An answer that takes longer hangs.
const HANG: Duration = Duration::from_secs(120);

/// A connection and a module of the demo.
pub(crate) type Session = (&'static str, &'static str);

/// Talks to one pool.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: Pooled<HttpConnector, Full<Bytes>>,
    base: String,
    authorization: String,
}

impl Client {
    pub(crate) fn new(port: u16, token: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            http: Pooled::builder(TokioExecutor::new()).build(connector),
            base: format!("http://127.0.0.1:{port}"),
            authorization: format!("Bearer {token}"),
        }
    }

    pub(crate) async fn is_healthy(&self) -> bool {
        self.send(Method::GET, "/health", None).await.is_ok()
    }

    /// Runs a command and waits for its end; anything but success is an error.
    pub(crate) async fn run(&self, session: Session, command: &str) -> Fallible<JobAnswer> {
        let answer = self.post(session, command, &json!({})).await?;
        if answer.status == AnswerStatus::Success {
            Ok(answer)
        } else {
            let JobAnswer {
                state,
                error,
                message,
                ..
            } = answer;
            Err(
                format!("{command:?} on {session:?} ended as {state}: {error:?} {message:?}")
                    .into(),
            )
        }
    }

    /// Runs a command with more keys, whatever becomes of it.
    pub(crate) async fn post(
        &self,
        (connection, module): Session,
        command: &str,
        more: &Value,
    ) -> Fallible<JobAnswer> {
        let mut body = json!({"connection": connection, "module": module, "command": command});
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        self.send_json(Method::POST, "/run", Some(body)).await
    }

    /// `GET /jobs/{id}` with these parameters.
    pub(crate) async fn job(&self, job: &JobAnswer, parameters: &str) -> Fallible<JobAnswer> {
        self.send_json(
            Method::GET,
            &format!("/jobs/{}?{parameters}", job.job),
            None,
        )
        .await
    }

    /// `DELETE /jobs/{id}`.
    pub(crate) async fn cancel(&self, job: &JobAnswer) -> Fallible<JobAnswer> {
        self.send_json(Method::DELETE, &format!("/jobs/{}", job.job), None)
            .await
    }

    /// `GET /jobs/{id}/events`: the stream, once its head is there.
    pub(crate) async fn events(&self, job: &JobAnswer) -> Fallible<Incoming> {
        let path = format!("/jobs/{}/events", job.job);
        let response = self.request(Method::GET, &path, None).await?;
        if response.status().is_success() {
            Ok(response.into_body())
        } else {
            Err(format!("{path}: {}", response.status()).into())
        }
    }

    /// `GET /status`.
    pub(crate) async fn status(&self) -> Fallible<Value> {
        Ok(serde_json::from_slice(
            &self.send(Method::GET, "/status", None).await?,
        )?)
    }

    async fn send_json(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Fallible<JobAnswer> {
        Ok(serde_json::from_slice(
            &self.send(method, path, body).await?,
        )?)
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Fallible<Bytes> {
        let exchange = async {
            let response = self.request(method, path, body).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            if status.is_success() {
                Fallible::Ok(body)
            } else {
                Err(format!("{path}: {status} {}", String::from_utf8_lossy(&body)).into())
            }
        };
        tokio::time::timeout(HANG, exchange)
            .await
            .map_err(|_| format!("{path} hangs"))?
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Fallible<Response<Incoming>> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(
                body.map_or_else(String::new, |body| body.to_string()),
            ))?;
        Ok(self.http.request(request).await?)
    }
}
