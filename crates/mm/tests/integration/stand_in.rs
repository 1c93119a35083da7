//! A stand-in for the session pool: the same routes, with commands that do what their name says.

mod events;
mod sign_in;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use session_pool::domain::job::JobId;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The token that the stand-in wants.
pub const TOKEN: &str = "stand-in-token";

/// Characters of a page.
const PAGE: usize = 1000;

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub line: String,
    pub headers: HeaderMap,
    pub body: Value,
}

#[derive(Clone)]
struct Job {
    request: Value,
    state: &'static str,
    output: String,
}

#[derive(Default)]
struct Inner {
    seen: Vec<Seen>,
    jobs: BTreeMap<String, Job>,
    /// How many requests about a job are refused, because the pool is shutting down.
    unavailable: usize,
    /// Whether the command `slow` is held back.
    released: bool,
    /// Whether somebody said yes to the command `send`.
    confirmed: bool,
}

/// The stand-in. It ends with the process.
#[derive(Clone)]
pub struct StandIn {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
    changes: watch::Sender<u64>,
}

impl StandIn {
    /// Starts one on a free port, on a thread of its own.
    pub fn start() -> Self {
        Self::on("127.0.0.1")
    }

    /// Starts one that listens on this address.
    pub fn on(address: &str) -> Self {
        let listener = std::net::TcpListener::bind((address, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let stand_in = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            inner: Arc::default(),
            changes: watch::Sender::new(0),
        };
        let app = router(stand_in.clone());
        on_a_thread(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, app).await.unwrap();
        });
        stand_in
    }

    /// The same pool over TLS: its address, and the certificate to trust, as PEM.
    pub fn over_tls(&self) -> (String, String) {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        let plain = self.url.strip_prefix("http://").unwrap().to_owned();
        on_a_thread(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A client that does not trust the certificate hangs up here.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let mut pool = tokio::net::TcpStream::connect(&plain).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut pool).await;
            }
        });
        (url, certified.cert.pem())
    }

    /// The requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.inner.lock().unwrap().seen.clone()
    }

    /// Waits for a request whose line contains this.
    pub fn wait_for_request(&self, part: &str) -> Seen {
        self.wait_for(|inner| {
            inner
                .seen
                .iter()
                .find(|seen| seen.line.contains(part))
                .cloned()
        })
        .unwrap_or_else(|| panic!("no request with {part:?}: {:?}", self.seen()))
    }

    /// Waits for the only job to be made, and answers with its id.
    pub fn wait_for_job(&self) -> String {
        self.wait_for(|inner| inner.jobs.keys().next().cloned())
            .expect("no job was made")
    }

    /// Waits until there are so many jobs, and answers with the id of the one that runs.
    pub fn wait_for_another_job(&self, count: usize) -> String {
        self.wait_for(|inner| {
            let mut running = inner.jobs.iter().filter(|(_, job)| job.state == "running");
            let id = running.next().map(|(id, _)| id.clone());
            id.filter(|_| inner.jobs.len() == count)
        })
        .expect("no job was made")
    }

    /// The state of a job.
    pub fn state(&self, id: &str) -> &'static str {
        self.inner.lock().unwrap().jobs[id].state
    }

    /// Waits until a job has this state.
    pub fn wait_for_state(&self, id: &str, state: &str) {
        self.wait_for(|inner| (inner.jobs[id].state == state).then_some(()))
            .unwrap_or_else(|| panic!("job is {} and not {state}", self.state(id)));
    }

    /// A job that goes on says more.
    pub fn say(&self, id: &str, output: &str) {
        self.change(|inner| inner.jobs.get_mut(id).unwrap().output.push_str(output));
    }

    /// Refuses the next requests about a job.
    pub fn be_unavailable(&self, times: usize) {
        self.change(|inner| inner.unavailable = times);
    }

    /// Lets go of requests that run `slow`.
    pub fn release(&self) {
        self.change(|inner| inner.released = true);
    }

    /// Ends a job.
    pub fn finish(&self, id: &str, state: &'static str, output: &str) {
        self.change(|inner| {
            let job = inner.jobs.get_mut(id).unwrap();
            job.state = state;
            job.output.push_str(output);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.inner.lock().unwrap());
        self.changes.send_modify(|count| *count += 1);
    }

    fn wait_for<T>(&self, find: impl Fn(&Inner) -> Option<T>) -> Option<T> {
        let mut changes = self.changes.subscribe();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let waiting = async {
                loop {
                    if let Some(found) = find(&self.inner.lock().unwrap()) {
                        return found;
                    }
                    changes.changed().await.unwrap();
                }
            };
            tokio::time::timeout(Duration::from_secs(20), waiting)
                .await
                .ok()
        })
    }
}

fn on_a_thread(future: impl Future<Output = ()> + Send + 'static) {
    std::thread::spawn(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future);
    });
}

fn router(stand_in: StandIn) -> Router {
    Router::new()
        .route("/run", post(run))
        .route("/jobs", get(jobs))
        .route("/jobs/{id}", get(job).delete(cancel))
        .route("/jobs/{id}/events", get(events::events))
        .route("/confirmations/{id}", post(confirm))
        .route("/connections", get(connections))
        .route("/status", get(status))
        .merge(sign_in::routes())
        .fallback(async || {
            refusal(
                StatusCode::NOT_FOUND,
                "not_found",
                "there is nothing at this path",
            )
        })
        .layer(from_fn_with_state(stand_in.clone(), note))
        .with_state(stand_in)
}

/// Notes the request, and refuses it without the token.
async fn note(State(stand_in): State<StandIn>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, 10 << 20).await.unwrap();
    stand_in.change(|inner| {
        inner.seen.push(Seen {
            line: format!("{} {}", head.method, head.uri),
            headers: head.headers.clone(),
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        });
    });
    let expected = format!("Bearer {TOKEN}");
    if head.headers.get("authorization").map(|v| v.as_bytes()) != Some(expected.as_bytes()) {
        return refusal(StatusCode::UNAUTHORIZED, "unauthorized", "token wanted");
    }
    let about_a_job = head.uri.path().starts_with("/jobs/");
    let mut refused = false;
    stand_in.change(|inner| {
        refused = about_a_job && inner.unavailable > 0;
        inner.unavailable -= usize::from(refused);
    });
    if refused {
        let error = "the pool is shutting down and takes no more work";
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "shutting_down", error);
    }
    next.run(Request::from_parts(head, Body::from(bytes))).await
}

fn refusal(status: StatusCode, code: &str, error: &str) -> Response {
    let body = json!({"status": "error", "code": code, "error": error});
    (status, Json(body)).into_response()
}

async fn run(State(stand_in): State<StandIn>, Json(request): Json<Value>) -> Response {
    if request["connection"] == "Nowhere" {
        return refusal(
            StatusCode::NOT_FOUND,
            "unknown_connection",
            "there is no connection \"Nowhere\": did you mean \"Contoso\"?",
        );
    }
    if request["module"] == "word" {
        let error = "there is no module \"word\": use exo, pnp, azure or teams";
        return refusal(StatusCode::BAD_REQUEST, "unknown_module", error);
    }
    let command = request["command"].as_str().unwrap().to_owned();
    if command == "full" {
        let error = "64 PowerShell processes run, and no more are allowed";
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "process_limit", error);
    }
    if command == "slow" {
        let mut changes = stand_in.changes.subscribe();
        while !stand_in.inner.lock().unwrap().released {
            changes.changed().await.unwrap();
        }
    }
    let (state, output) = match command.as_str() {
        "1+1" => ("succeeded", "2\n".to_owned()),
        "nothing" => ("succeeded", String::new()),
        "sign-in" => ("auth_required", String::new()),
        "throw" => ("failed", "before\n".to_owned()),
        "objects" => ("succeeded", "[{\"a\":1}]".to_owned()),
        "send" if stand_in.inner.lock().unwrap().confirmed => ("succeeded", "sent\n".to_owned()),
        _ => match command.split_once(' ') {
            Some(("lines", count)) => ("succeeded", lines(count.parse().unwrap())),
            _ => ("running", String::new()),
        },
    };
    let id = JobId::random(jiff::Timestamp::now()).to_string();
    stand_in.change(|inner| {
        let job = Job {
            request: request.clone(),
            state,
            output,
        };
        inner.jobs.insert(id.clone(), job);
    });
    Json(answer(&stand_in, &id, 0)).into_response()
}

fn lines(count: usize) -> String {
    (1..=count)
        .map(|number| format!("line {number} of the output of a command, as long as most\n"))
        .collect()
}

fn answer(stand_in: &StandIn, id: &str, from: usize) -> Value {
    let job = stand_in.inner.lock().unwrap().jobs[id].clone();
    let status = match job.state {
        "running" => "running",
        "succeeded" => "success",
        "auth_required" => "auth_required",
        "confirmation_required" => "confirmation_required",
        _ => "error",
    };
    let rest = &job.output[from..];
    let page = match rest.get(..PAGE) {
        Some(page) => &page[..page.rfind('\n').unwrap() + 1],
        None => rest,
    };
    let end = from + page.len();
    let is_more = end < job.output.len() || (status == "running" && end > 0);
    let mut answer = json!({
        "status": status, "job": id, "state": job.state,
        "connection": job.request["connection"], "tenant": "contoso.example", "module": "exo",
        "session_id": format!("{}/exo", job.request["connection"].as_str().unwrap()),
        "format": job.request["format"].as_str().unwrap_or("text"),
        "output": page, "errors": [], "warnings": [], "error_count": 0, "warning_count": 0,
        "created_at": "2026-11-23T10:00:00Z", "started_at": "2026-11-23T10:00:01Z",
        "authenticated_as": "ada@contoso.example",
    });
    let mut add = |fields: Value| {
        let Value::Object(fields) = fields else {
            return;
        };
        answer.as_object_mut().unwrap().extend(fields);
    };
    if status != "running" {
        add(json!({"finished_at": "2026-11-23T10:00:02Z"}));
    }
    if is_more {
        add(json!({"cursor": format!("r{end:x}"), "remaining_characters": job.output.len() - end}));
    }
    if job.request["command"] == "progress" && status == "running" {
        add(
            json!({"progress": {"activity": "Reading", "status": "mailboxes", "percent": 40, "completed": false}}),
        );
    }
    if job.request["command"] == "objects" {
        let error = json!({"message": "one is missing", "category": "ObjectNotFound", "id": "X", "exception": "E", "terminating": false});
        add(
            json!({"errors": [error], "error_count": 1, "warnings": ["old module"], "warning_count": 1}),
        );
    }
    if job.state == "confirmation_required" {
        add(
            json!({"confirmation": {"id": "c0ffee", "by": "assistant", "code": "SECRET", "preview": "sends a mail", "expires_in": 600}, "message": "say SECRET"}),
        );
    }
    if job.state == "auth_required" && job.output.is_empty() {
        add(json!({"started_at": null}));
    }
    if job.state == "auth_required" {
        add(
            json!({"device_code": "ABCD-1234", "auth_url": "https://microsoft.com/devicelogin", "expires_in": 899, "expected_account": "ada@contoso.example", "message": "sign in", "authenticated_as": null}),
        );
    }
    if job.state == "failed" {
        let error = json!({"message": "it broke", "category": "OperationStopped", "id": "Y", "exception": "E", "line": 1, "column": 1, "terminating": true});
        add(json!({"errors": [error], "error_count": 1, "error": "it broke"}));
    }
    answer
}

async fn job(
    State(stand_in): State<StandIn>,
    Path(id): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    if !stand_in.inner.lock().unwrap().jobs.contains_key(&id) {
        return refusal(StatusCode::NOT_FOUND, "unknown_job", "there is no such job");
    }
    let from = match query.get("cursor").map(|cursor| cursor.strip_prefix('r')) {
        None => Ok(0),
        Some(place) => usize::from_str_radix(place.unwrap_or_default(), 16),
    };
    let Ok(from) = from else {
        let error = "the query parameter \"cursor\" cannot be that: it is no cursor";
        return refusal(StatusCode::BAD_REQUEST, "bad_parameter", error);
    };
    let wait: u64 = query
        .get("wait_seconds")
        .map_or(0, |text| text.parse().unwrap());
    let mut changes = stand_in.changes.subscribe();
    let more = async {
        while stand_in.state(&id) == "running"
            && (from == 0 || stand_in.inner.lock().unwrap().jobs[&id].output.len() <= from)
        {
            changes.changed().await.unwrap();
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(wait), more).await;
    Json(answer(&stand_in, &id, from)).into_response()
}

async fn cancel(State(stand_in): State<StandIn>, Path(id): Path<String>) -> Response {
    if !stand_in.inner.lock().unwrap().jobs.contains_key(&id) {
        return refusal(StatusCode::NOT_FOUND, "unknown_job", "there is no such job");
    }
    if stand_in.state(&id) == "running" {
        stand_in.finish(&id, "cancelled", "");
    }
    Json(answer(&stand_in, &id, 0)).into_response()
}

async fn confirm(State(stand_in): State<StandIn>, Path(id): Path<String>) -> Json<Value> {
    stand_in.change(|inner| inner.confirmed = true);
    Json(json!({ "confirmed": id }))
}

async fn jobs(State(stand_in): State<StandIn>) -> Json<Value> {
    let inner = stand_in.inner.lock().unwrap();
    let jobs: Vec<Value> = inner
        .jobs
        .iter()
        .map(|(id, job)| {
            json!({"job": id, "state": job.state, "connection": "Contoso", "module": "exo", "session_id": "Contoso/exo", "tenant": "contoso.example", "created_at": "2026-11-23T10:00:00.123456789Z", "characters": job.output.len()})
        })
        .collect();
    Json(json!({ "jobs": jobs }))
}

async fn connections() -> Json<Value> {
    Json(json!({"connections": {
        "Contoso": {"description": "The made-up one", "tenant": "contoso.example", "modules": ["exo", "teams"]},
        "Fabrikam": {"tenant": "fabrikam.example", "modules": ["exo"]}
    }}))
}

async fn status() -> Json<Value> {
    Json(json!({"sessions": [{
        "session_id": "Contoso/exo", "connection": "Contoso", "module": "exo",
        "state": "authenticated", "authenticated": true, "busy": false, "queued": 0,
        "authenticated_as": "ada@contoso.example", "last_command": "Get-Secret"
    }, {
        "session_id": "Contoso/teams", "connection": "Contoso", "module": "teams",
        "state": "auth_pending", "authenticated": false, "busy": false, "queued": 0,
        "device_code": "WXYZ-9", "auth_url": "https://microsoft.com/devicelogin", "expires_in": 600
    }]}))
}
