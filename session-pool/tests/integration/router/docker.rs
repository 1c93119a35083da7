//! The routes over Docker's API, with a real container.

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{Context, Needs, Suite, add};

use super::world::Routing;
use crate::http::api::Answer;

const SOCKET: &str = "unix:///var/run/docker.sock";
const IMAGE: &str = "mm-ci/debian:bookworm";

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [without_docker_the_routes_say_how_to_turn_them_on]
    );
    add!(
        suite,
        Needs::Docker,
        [containers_of_this_project_are_restarted_and_no_others]
    );
}

async fn post(routing: &Routing, path: &str) -> Answer {
    let request = routing.request("POST", path).body(Body::empty()).unwrap();
    routing.send(request).await
}

async fn without_docker_the_routes_say_how_to_turn_them_on(cx: &Context) {
    std::fs::create_dir_all(cx.path().join("state")).unwrap();
    let routing = Routing::start(cx, &[]).await;
    for answer in [
        routing.get("/containers").await,
        routing.get("/container/contoso/logs").await,
        post(&routing, "/container/contoso/restart").await,
    ] {
        assert_eq!(answer.status, StatusCode::NOT_IMPLEMENTED);
        let (code, error) = answer.refusal();
        assert_eq!(code, "docker_off");
        assert!(error.contains("docker-compose.docker-api.yml"), "{error}");
    }
    routing.end().await;
}

/// A container that writes a line and stays, removed when dropped.
struct Labelled(String);

impl Labelled {
    async fn start(labels: &[String]) -> Self {
        let mut command = Command::new("docker");
        command.args(["run", "-d", "--init", "--network", "none"]);
        for label in labels {
            command.args(["--label", label]);
        }
        command.args([IMAGE, "sh", "-c", "echo begun; exec sleep 600"]);
        let output = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        Self(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }
}

impl Drop for Labelled {
    fn drop(&mut self) {
        let _gone = std::process::Command::new("docker")
            .args(["rm", "-f", &self.0])
            .output();
    }
}

async fn containers_of_this_project_are_restarted_and_no_others(cx: &Context) {
    std::fs::create_dir_all(cx.path().join("state")).unwrap();
    let name = |what: &str| format!("{what}-{}", std::process::id());
    let (ours, others) = (name("ours"), name("others"));
    let label = |connection: &str| format!("m365.connection={connection}");
    let project = "m365.project=m365-session-pool".to_owned();
    let _ours = Labelled::start(&[project, label(&ours)]).await;
    let _others = Labelled::start(&[label(&others)]).await;
    let routing = Routing::with(cx, &[], &["--docker", SOCKET]).await;

    let state = async || -> Value {
        let all = routing.get("/containers").await.json();
        let all = all["containers"].as_array().unwrap().clone();
        assert!(!all.iter().any(|one| one["connection"] == others));
        let found = all.iter().find(|one| one["connection"] == ours).unwrap();
        found["state"].clone()
    };
    assert_eq!(state().await, "running");
    for (deed, then) in [
        ("stop", "exited"),
        ("start", "running"),
        ("restart", "running"),
    ] {
        let answer = post(&routing, &format!("/container/{ours}/{deed}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.json(), json!({"connection": ours, "done": deed}));
        assert_eq!(state().await, then);
    }
    let log = routing
        .get(&format!("/container/{ours}/logs?lines=2"))
        .await;
    assert_eq!(log.body, "begun\nbegun\n");

    let answer = post(&routing, &format!("/container/{others}/stop")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.refusal().0, "unknown_container");
    let answer = post(&routing, &format!("/container/{ours}/kill")).await;
    assert_eq!(answer.refusal().0, "not_found");
    routing.end().await;
}
