//! The API over a pool whose PowerShell never gets ready: its jobs wait until somebody ends them.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use session_pool::domain::paging::PageBudget;
use session_pool::host::Program;
use session_pool::http::{Access, AllowedHosts, App, Metrics, router};
use session_pool::session::{Pool, PoolParts};
use session_pool::token_file::AccessToken;
use tower::ServiceExt as _;

use crate::support::Context;
use crate::support::stage::parts_of;

/// The API over a pool of its own.
pub struct Api {
    pub router: Router,
    pub pool: Pool,
}

/// An answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The refusal's code and sentence.
    pub fn refusal(&self) -> (String, String) {
        let body = self.json();
        assert_eq!(body["status"], "error", "{body}");
        let text = |key: &str| body[key].as_str().unwrap().to_owned();
        (text("code"), text("error"))
    }
}

impl Api {
    pub fn new(cx: &Context) -> Self {
        Self::serving(cx, None, Router::new())
    }

    pub fn serving(cx: &Context, only: Option<&str>, more: Router) -> Self {
        // A program that never says it is ready: jobs stay queued until somebody ends them.
        let silent = Program {
            path: "/bin/sh".into(),
            args: vec!["-c".into(), "exec sleep 600".into()],
        };
        let pool = Pool::new(PoolParts {
            only: only.map(str::to_owned),
            ..parts_of(cx, cx.spec_for(silent), only.unwrap_or("unified"))
        });
        Self::with(pool, more)
    }

    /// The API over this pool.
    pub fn over(pool: Pool) -> Self {
        Self::with(pool, Router::new())
    }

    fn with(pool: Pool, more: Router) -> Self {
        let access = Access::new(
            Some(AccessToken::new("sesame").unwrap()),
            "it is in /state/pool.token".to_owned(),
            AllowedHosts::new(["box.example".to_owned()]),
        );
        let app = App::new(
            pool.clone(),
            access,
            Metrics::install().unwrap(),
            PageBudget::default(),
        );
        Self {
            router: router(app, more),
            pool,
        }
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path).body(Body::empty()).unwrap())
            .await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(posted(path, &body.to_string())).await
    }

    /// Makes a job that stays queued, and returns its id.
    pub async fn queued(&self, connection: &str) -> String {
        let body = json!({
            "connection": connection, "module": "exo", "command": "1", "wait_seconds": 0
        });
        let answer = self.post("/run", &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let answer = answer.json();
        assert_eq!(answer["status"], "running", "{answer}");
        answer["job"].as_str().unwrap().to_owned()
    }

    pub async fn end(self) {
        self.pool.drain(Duration::from_secs(1)).await;
    }
}

/// A request with the token, from this machine.
pub fn request(method: &str, path: &str) -> axum::http::request::Builder {
    stranger(method, path).header("authorization", "Bearer sesame")
}

/// A request without the token.
pub fn stranger(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:5200")
}

pub fn posted(path: &str, body: &str) -> Request<Body> {
    request("POST", path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

pub fn empty(builder: axum::http::request::Builder) -> Request<Body> {
    builder.body(Body::empty()).unwrap()
}
