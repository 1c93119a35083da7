//! The real binary, serving the demo's tenants on loopback.

use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use session_pool::demo::settings::{Settings, SignIn};
use session_pool::demo::{DIRECTORY_VARIABLE, modules, registry};
use session_pool::domain::module::Module;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::context::{Context, SESSION_POOL};

const TOKEN: &str = "sesame";

/// A pool in a process of its own. Its places are the test's, so that the next one finds them.
pub struct Server {
    child: Child,
    pid: Pid,
    url: String,
    http: reqwest::Client,
    log: Arc<Mutex<String>>,
}

/// The binary with an environment that holds nothing but the test's places.
pub fn session_pool(cx: &Context, arguments: &[&str]) -> Command {
    let mut command = Command::new(SESSION_POOL);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", cx.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs it to its end.
pub async fn outcome(mut command: Command) -> (i32, String) {
    let ended = tokio::time::timeout(Duration::from_secs(30), command.output()).await;
    let Output { status, stderr, .. } = ended.expect("it goes on").expect("start the binary");
    (
        status.code().expect("an exit code"),
        String::from_utf8_lossy(&stderr).into_owned(),
    )
}

impl Server {
    /// Its access token.
    pub const TOKEN: &str = TOKEN;

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everybody is signed in without being asked.
    pub async fn start(cx: &Context) -> Self {
        Self::with(cx, SignIn::Instant, &[]).await
    }

    /// Every sign-in goes this way; the arguments come on top.
    pub async fn with(cx: &Context, sign_in: SignIn, arguments: &[&str]) -> Self {
        let modules = modules::unpack(cx.path()).unwrap();
        let settings = Settings {
            sign_in: Module::ALL
                .iter()
                .map(|module| (*module, sign_in))
                .collect(),
            ..Settings::default()
        };
        settings.save(cx.path()).unwrap();
        let path = cx.path().join(".m365-connections.json");
        if !path.exists() {
            std::fs::write(path, registry::registry_json(&Value::Null).unwrap()).unwrap();
        }
        let mut command = session_pool(cx, &["serve", "--port", "0"]);
        command
            .args(["--pass-env", DIRECTORY_VARIABLE])
            .args(arguments)
            .env("SESSION_POOL_TOKEN", TOKEN)
            .env("SESSION_POOL_PWSH", cx.pwsh())
            .env("PSModulePath", modules)
            .env(DIRECTORY_VARIABLE, cx.path())
            .stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let pid = i32::try_from(child.id().unwrap())
            .ok()
            .and_then(Pid::from_raw);
        let log = Arc::new(Mutex::new(String::new()));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next_line().await.unwrap().expect("a line of the log");
            let port: Option<String> = line
                .split_once("127.0.0.1:")
                .filter(|_| line.contains("listening"))
                .map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect());
            log.lock().unwrap().push_str(&format!("{line}\n"));
            if let Some(port) = port {
                break port;
            }
        };
        let rest = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                rest.lock().unwrap().push_str(&format!("{line}\n"));
            }
        });
        Self {
            child,
            pid: pid.unwrap(),
            url: format!("http://127.0.0.1:{port}"),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            log,
        }
    }

    /// The port that it took.
    pub fn port(&self) -> &str {
        self.url.rsplit(':').next().unwrap()
    }

    /// What it has logged to its standard output.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// A request: the status, `Retry-After`, and the body.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Option<u64>, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {TOKEN}"));
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let retry = response.headers().get("retry-after");
        let retry = retry.and_then(|value| value.to_str().ok()?.parse().ok());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        (status, retry, body)
    }

    /// `GET`, which has to be answered with 200.
    pub async fn get(&self, path: &str) -> Value {
        let (status, _, body) = self.send("GET", path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// `POST /run` on contoso's exo with more keys.
    pub async fn run_with(&self, command: &str, more: Value) -> Value {
        let mut body = json!({"connection": "contoso", "module": "exo", "command": command});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let (status, _, answer) = self.send("POST", "/run", Some(&body)).await;
        assert_eq!(status, 200, "{command}: {answer}");
        answer
    }

    /// `POST /run` on contoso's exo.
    pub async fn run(&self, command: &str) -> Value {
        self.run_with(command, json!({})).await
    }

    /// Starts a command and returns its job when it has printed `begun`.
    pub async fn begin(&self, command: &str) -> String {
        let job = self
            .run_with(&format!("'begun'; {command}"), json!({"wait_seconds": 0}))
            .await;
        let id = job["job"].as_str().unwrap().to_owned();
        let mut job = job;
        let mut output = String::new();
        loop {
            output.push_str(job["output"].as_str().unwrap());
            if output.starts_with("begun") {
                break;
            }
            assert_eq!(job["status"], "running", "{job}");
            let cursor = job["cursor"].as_str().unwrap();
            job = self
                .get(&format!("/jobs/{id}?wait_seconds=30&cursor={cursor}"))
                .await;
        }
        id
    }

    /// The process of the only session, as soon as it has one.
    pub async fn session_pid(&self) -> i32 {
        loop {
            let status = self.get("/status").await;
            if let Some(pid) = status["sessions"][0]["pid"].as_i64() {
                return i32::try_from(pid).unwrap();
            }
            tokio::task::yield_now().await;
        }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    /// Waits for its end; the exit code, or none where a signal ended it.
    pub async fn ended(mut self) -> Option<i32> {
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        ended.expect("the pool goes on").unwrap().code()
    }

    /// Ends it as an operator would.
    pub async fn stop(self) {
        self.signal(Signal::TERM);
        assert_eq!(self.ended().await, Some(0));
    }
}
