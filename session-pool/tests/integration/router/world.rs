//! A router, backends, and a client.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::http::api::{Answer, Api};
use crate::support::{Context, SESSION_POOL};

/// The router's own token. The backends' is `sesame`.
pub const TOKEN: &str = "open-router";

/// A backend that can be ended.
pub struct Served {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Served {
    pub async fn start(routes: Router) -> Self {
        Self::on("127.0.0.1:0".parse().unwrap(), routes).await
    }

    pub async fn on(address: SocketAddr, routes: Router) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, task }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A pool that serves one connection.
pub async fn pool(cx: &Context, connection: &str) -> (Api, Served) {
    let api = Api::serving(cx, Some(connection), Router::new());
    let served = Served::start(api.router.clone()).await;
    (api, served)
}

/// A backend that answers as the router's looks want it, and otherwise by these routes.
pub fn made_up(routes: Router) -> Router {
    routes.route(
        "/connections",
        axum::routing::get(async || r#"{"connections":{}}"#),
    )
}

/// The router under test.
pub struct Routing {
    child: Child,
    address: SocketAddr,
    client: Client<HttpConnector, Body>,
    state: PathBuf,
}

impl Routing {
    /// Starts it in front of these backends, by connection. The registry is that of [`Api`], if
    /// there is one.
    pub async fn start(cx: &Context, backends: &[(&str, SocketAddr)]) -> Self {
        Self::with(cx, backends, &[]).await
    }

    pub async fn with(cx: &Context, backends: &[(&str, SocketAddr)], more: &[&str]) -> Self {
        let state = cx.path().join("state");
        for (name, _) in backends {
            write_token(&state, name, "sesame");
        }
        std::fs::write(state.join("pool.token"), TOKEN).unwrap();
        let at = |name: &str| cx.path().join(name).into_os_string();
        let mut command = Command::new(SESSION_POOL);
        command
            .arg("router")
            .args(["--port", "0", "--drain-seconds", "1"])
            .args(more)
            .env_clear()
            .env("HOME", cx.path())
            .env("SESSION_POOL_REGISTRY", at("registry.json"))
            .env("SESSION_POOL_STATE_DIR", at("state"))
            .env("SESSION_POOL_LOG_DIR", at("logs"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        for (name, address) in backends {
            command
                .arg("--backend")
                .arg(format!("{name}=http://{address}"));
        }
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next_line().await.unwrap().expect("the router starts");
            if line.contains("routing") {
                let (_, address) = line.split_once("address").unwrap();
                let digits = |c: char| c.is_ascii_digit() || c == '.' || c == ':';
                let text: String = address
                    .trim_start_matches(|c: char| !c.is_ascii_digit())
                    .chars()
                    .take_while(|c| digits(*c))
                    .collect();
                break text.parse().unwrap();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            child,
            address,
            client: Client::builder(TokioExecutor::new()).build_http(),
            state,
        }
    }

    /// Gives the router another token for a backend.
    pub fn set_token(&self, name: &str, token: &str) {
        write_token(&self.state, name, token);
    }

    /// A request with the router's token.
    pub fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        self.stranger(method, path)
            .header("authorization", format!("Bearer {TOKEN}"))
    }

    pub fn stranger(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(format!("http://{}{path}", self.address))
    }

    /// The answer with its body still on the way.
    pub async fn open(&self, request: Request<Body>) -> Response<Incoming> {
        self.client.request(request).await.unwrap()
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.open(request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path).body(Body::empty()).unwrap())
            .await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self
            .request("POST", path)
            .header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    /// Asks for a job that stays queued.
    pub async fn run(&self, connection: &str) -> Answer {
        let body = json!({
            "connection": connection, "module": "exo", "command": "1", "wait_seconds": 0
        });
        self.post("/run", &body).await
    }

    pub async fn queued(&self, connection: &str) -> String {
        let answer = self.run(connection).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()["job"].as_str().unwrap().to_owned()
    }

    /// The state of a backend as `/status` has it, and the reason.
    pub async fn backend(&self, connection: &str) -> (String, String) {
        let status = self.get("/status").await.json();
        let backends = status["backends"].as_array().unwrap();
        let one = backends
            .iter()
            .find(|backend| backend["connection"] == connection)
            .unwrap_or_else(|| panic!("{connection} is not in {status}"));
        let text = |key: &str| one[key].as_str().unwrap_or_default().to_owned();
        (text("state"), text("reason"))
    }

    /// Waits until a backend is in that state.
    pub async fn until(&self, connection: &str, state: &str) {
        // The test's own time limit ends this.
        while self.backend(connection).await.0 != state {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// It ends at SIGTERM, and well.
    pub async fn end(mut self) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = self.child.wait().await.unwrap();
        assert!(status.success(), "{status}");
    }
}

fn write_token(state: &std::path::Path, name: &str, token: &str) {
    let directory = state.join(name);
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("pool.token"), token).unwrap();
}

/// The headers by their names, for assertions.
pub fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers[name].to_str().unwrap()
}
