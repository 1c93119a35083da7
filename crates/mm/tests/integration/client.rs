//! An MCP client that speaks raw lines, and a shell's view of `mm`.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stand_in::TOKEN;

/// Longer than anything here takes; only a hang gets there.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Versions with a handshake.
pub const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// The version without.
pub const MODERN: &str = "2026-07-28";

/// The binary under test.
pub fn mm() -> &'static str {
    env!("CARGO_BIN_EXE_mm")
}

/// A home directory of its own, and a pool's address.
pub struct Home {
    pub directory: Arc<TempDir>,
    pub url: String,
}

impl Home {
    /// With the stand-in's token in its place.
    pub fn new(url: &str) -> Self {
        let home = Self::without_token(url);
        home.write_token(TOKEN);
        home
    }

    /// Without a token.
    pub fn without_token(url: &str) -> Self {
        Self {
            directory: Arc::new(tempfile::tempdir().unwrap()),
            url: url.to_owned(),
        }
    }

    pub fn write_token(&self, token: &str) {
        let state = self.directory.path().join(".m365-state");
        std::fs::create_dir_all(&state).unwrap();
        std::fs::write(state.join("pool.token"), token).unwrap();
    }

    /// `mm` with nothing of this environment.
    pub fn command(&self) -> Command {
        let mut command = Command::new(mm());
        command
            .env_clear()
            .env("HOME", self.directory.path())
            .env("USERPROFILE", self.directory.path())
            .env("MM_SESSION_POOL_URL", &self.url);
        command
    }

    /// The lines of the activity log.
    pub fn log(&self) -> Vec<Value> {
        let path = self.directory.path().join(".m365-logs/mm.jsonl");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// What a shell sees.
    pub fn shell(&self, arguments: &[&str]) -> Shell {
        let output = self.command().args(arguments).output().unwrap();
        Shell {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// What a shell sees.
#[derive(Debug)]
pub struct Shell {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A running server, and a client of it. Ends the server when it is dropped.
pub struct Client {
    pub child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    /// The methods of the requests so far; their ids count from 1.
    methods: Vec<String>,
    version: String,
    /// Kept as long as the server runs.
    home: Option<Arc<TempDir>>,
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Client {
    /// Starts the server.
    pub fn start(home: &Home) -> Self {
        let mut client = Self::spawn(home.command());
        client.home = Some(Arc::clone(&home.directory));
        client
    }

    pub fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines() {
                let Ok(line) = line else { return };
                let value = serde_json::from_str(&line)
                    .unwrap_or_else(|_| panic!("not MCP on standard output: {line}"));
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        Self {
            stdin: child.stdin.take(),
            child,
            lines,
            methods: Vec::new(),
            version: MODERN.to_owned(),
            home: None,
        }
    }

    /// Starts the server and shakes hands, without any capability.
    pub fn legacy(home: &Home, version: &str) -> Self {
        let mut client = Self::start(home);
        client.handshake(version);
        client
    }

    pub fn handshake(&mut self, version: &str) -> Value {
        self.handshake_with(version, json!({}))
    }

    pub fn handshake_with(&mut self, version: &str, capabilities: Value) -> Value {
        self.version = version.to_owned();
        let answer = self.request(
            "initialize",
            json!({
                "protocolVersion": version,
                "capabilities": capabilities,
                "clientInfo": {"name": "legacy-client", "version": "1"}
            }),
        );
        self.notify("notifications/initialized", json!({}));
        answer["result"].clone()
    }

    /// Sends a line as it is.
    pub fn raw(&mut self, line: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(line).unwrap();
        stdin.write_all(b"\n").unwrap();
        stdin.flush().unwrap();
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        let line = json!({"jsonrpc": "2.0", "method": method, "params": params});
        self.raw(line.to_string().as_bytes());
    }

    /// Sends a request without waiting; gives its id.
    pub fn send(&mut self, method: &str, params: Value) -> u64 {
        self.methods.push(method.to_owned());
        let id = self.methods.len() as u64;
        let line = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.raw(line.to_string().as_bytes());
        id
    }

    /// The next line from the server.
    pub fn receive(&self) -> Value {
        let message = self
            .lines
            .recv_timeout(PATIENCE)
            .expect("the server says nothing");
        let method = message["id"]
            .as_u64()
            .and_then(|id| self.methods.get((id as usize).checked_sub(1)?));
        crate::python::remember(method.map(String::as_str), &self.version, &message);
        message
    }

    /// The answer to this request; notifications before it are dropped.
    pub fn answer(&self, id: u64) -> Value {
        loop {
            let message = self.receive();
            if message["id"] == json!(id) {
                return message;
            }
        }
    }

    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        self.answer(id)
    }

    /// Calls a tool in the client's era; `_meta` is added where it needs one.
    pub fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let params = self.params(tool, arguments);
        let answer = self.request("tools/call", params);
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].clone()
    }

    pub fn params(&self, tool: &str, arguments: Value) -> Value {
        let mut params = json!({"name": tool, "arguments": arguments});
        if self.version == MODERN {
            params["_meta"] = meta(&json!({}));
        }
        params
    }

    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits for the end; how it ended, and how long that took.
    pub fn wait(&mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, begun.elapsed());
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether nothing more comes; only after the end.
    pub fn is_silent(&self) -> bool {
        self.lines.recv_timeout(PATIENCE).is_err()
    }

    /// What is left on standard error.
    pub fn stderr(&mut self) -> String {
        let mut text = String::new();
        let stderr = self.child.stderr.as_mut().unwrap();
        stderr.read_to_string(&mut text).unwrap();
        text
    }
}

/// The `_meta` of a request of 2026-07-28 with these capabilities.
pub fn meta(capabilities: &Value) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": capabilities,
        "io.modelcontextprotocol/clientInfo": {"name": "modern-client", "version": "1"}
    })
}

/// Capabilities with the Tasks extension.
pub fn with_tasks() -> Value {
    json!({"extensions": {"io.modelcontextprotocol/tasks": {}}})
}

/// The text of a tool's result.
pub fn text(result: &Value) -> &str {
    assert_eq!(result["content"].as_array().unwrap().len(), 1, "{result}");
    result["content"][0]["text"].as_str().unwrap()
}
