//! The demo's Entra and Graph on loopback, and a home whose registry points at them.

use std::process::Command;

use serde_json::{Value, json};
use session_pool::demo::cloud::{CloudServer, DemoCloud};
use session_pool::demo::registry;

use crate::client::{Client, Home, Shell};

/// Entra, Graph and a home.
pub struct Stage {
    pub cloud: DemoCloud,
    pub home: Home,
}

impl Stage {
    /// With nobody signed in.
    pub fn start() -> Self {
        Self::with_people(None)
    }

    pub fn with_people(people: Option<usize>) -> Self {
        let server = CloudServer::with_people(people).unwrap();
        let cloud = server.cloud();
        // It ends with the test's process.
        std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(server.serve());
        });
        let stage = Self {
            cloud,
            home: Home::without_token("http://127.0.0.1:1"),
        };
        let text = registry::registry_json(&stage.cloud.registry_value()).unwrap();
        stage.write_registry(&text);
        std::fs::create_dir(stage.path("files")).unwrap();
        stage.cloud.set_faults(|faults| faults.poll_interval = 1);
        stage
    }

    /// With contoso's administrator signed in.
    pub fn signed_in() -> Self {
        let stage = Self::start();
        stage.sign_in();
        stage
    }

    pub fn sign_in(&self) {
        self.cloud.sign_in_after(std::time::Duration::ZERO);
        let done = self.home.shell(&["sign-in", "contoso"]);
        assert_eq!(done.code, 0, "{done:?}");
    }

    pub fn write_registry(&self, text: &str) {
        std::fs::write(self.path(".m365-connections.json"), text).unwrap();
    }

    pub fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.directory.path().join(name)
    }

    /// `mm` with a directory of files.
    pub fn command(&self) -> Command {
        let mut command = self.home.command();
        command.env("MM_FILES_DIR", self.path("files"));
        command
    }

    /// `mm graph contoso …`.
    pub fn graph(&self, arguments: &[&str]) -> Shell {
        let output = self
            .command()
            .args(["graph", "contoso"])
            .args(arguments)
            .output()
            .unwrap();
        Shell {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The same, with its output as JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let done = self.graph(&[arguments, &["--json"]].concat());
        serde_json::from_str(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"))
    }

    /// Changes the token cache, as time would.
    pub fn expire(&self) {
        let path = self.path(".mm-graph-tokens/contoso.json");
        let mut cache: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for (_, token) in cache["AccessToken"].as_object_mut().unwrap() {
            token["expires_on"] = json!("1");
        }
        std::fs::write(&path, cache.to_string()).unwrap();
    }

    /// An MCP client with files.
    pub fn client(&self) -> Client {
        Client::spawn(self.command())
    }
}
