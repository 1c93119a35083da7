//! `session-pool compose`, and what its file means to Docker Compose.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use session_pool::demo::registry::registry_json;

use crate::support::{Context, Needs, Suite, add, outcome, session_pool};

/// The file in the repository.
const OURS: &str = include_str!("../../../../docker-compose.isolated.yml");

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            the_repositorys_file_is_what_the_demo_tenants_give,
            ports_stay_when_connections_come_and_go,
            a_file_that_cannot_be_read_stays,
            a_directory_of_somebody_else_is_a_start_up_error,
        ]
    );
    add!(
        suite,
        Needs::Compose,
        [compose_takes_the_file_and_keeps_connections_apart]
    );
}

fn register(cx: &Context, names: &[&str]) {
    let connections: serde_json::Map<String, Value> = names
        .iter()
        .map(|name| ((*name).to_owned(), json!({"tenant": "contoso.example"})))
        .collect();
    let registry = json!({ "connections": connections }).to_string();
    fs::write(cx.path().join(".m365-connections.json"), registry).unwrap();
}

/// Writes the file and returns it.
async fn written(cx: &Context) -> String {
    let file = cx.path().join("compose.yml");
    let mut command = session_pool(cx, &["compose", "--output"]);
    command.arg(&file);
    assert_eq!(outcome(command).await, (0, String::new()));
    fs::read_to_string(file).unwrap()
}

async fn the_repositorys_file_is_what_the_demo_tenants_give(cx: &Context) {
    let registry = registry_json(&Value::Null).unwrap();
    fs::write(cx.path().join(".m365-connections.json"), registry).unwrap();
    let mut command = session_pool(cx, &["compose", "--owner", "1000:1000", "--output", "-"]);
    let text = String::from_utf8(command.output().await.unwrap().stdout).unwrap();
    assert!(
        text == OURS,
        "docker-compose.isolated.yml is not what `session-pool compose` writes:\n{text}"
    );
}

async fn ports_stay_when_connections_come_and_go(cx: &Context) {
    register(cx, &["beta", "gamma $1"]);
    let first = written(cx).await;
    assert!(first.contains("127.0.0.1:5211:5200"), "{first}");
    register(cx, &["alpha", "gamma $1"]);
    let second = written(cx).await;
    let (_, alpha) = second.split_once("  m365-alpha:\n").unwrap();
    let (alpha, gamma) = alpha.split_once("  m365-gamma__1:\n").unwrap();
    assert!(alpha.contains("127.0.0.1:5210:5200"), "{alpha}");
    assert!(gamma.contains("127.0.0.1:5211:5200"), "{gamma}");
    assert!(!second.contains("beta"), "{second}");
    for directory in [
        ".m365-state/gamma__1",
        ".m365-logs/gamma__1",
        ".m365-secrets/alpha",
        ".m365-policy",
    ] {
        let metadata = fs::metadata(cx.path().join(directory)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o700, "{directory}");
    }
}

async fn a_file_that_cannot_be_read_stays(cx: &Context) {
    register(cx, &["alpha"]);
    let file = cx.path().join("compose.yml");
    fs::write(&file, "services: [").unwrap();
    let mut command = session_pool(cx, &["compose", "--output"]);
    command.arg(&file);
    let (code, said) = outcome(command).await;
    assert_ne!(code, 0);
    assert!(said.contains("ports in it cannot be read"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "services: [");
}

async fn a_directory_of_somebody_else_is_a_start_up_error(cx: &Context) {
    for (subcommand, flag) in [("serve", "--state-dir"), ("router", "--log-dir")] {
        let mut command = session_pool(cx, &[subcommand, "--port", "0", flag, "/usr"]);
        // Root may use everybody's.
        if rustix::process::geteuid().is_root() {
            command.uid(20_000).gid(20_001);
        }
        command.current_dir("/");
        let (code, said) = outcome(command).await;
        assert_eq!(code, 64, "{said}");
        assert!(said.contains("belongs to the user 0:0"), "{said}");
        assert!(said.contains("UID_GID=0:0"), "{said}");
    }
}

async fn compose_takes_the_file_and_keeps_connections_apart(cx: &Context) {
    let file = cx.path().join("docker-compose.yml");
    fs::write(&file, OURS).unwrap();
    let output = tokio::process::Command::new("docker-compose")
        .args(["-f", file.to_str().unwrap(), "config"])
        .env("HOME", "/home/me")
        .env_remove("UID_GID")
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let config: Value = serde_saphyr::from_str(&String::from_utf8(output.stdout).unwrap()).unwrap();
    let services = config["services"].as_object().unwrap();
    assert_eq!(
        services.keys().collect::<Vec<_>>(),
        ["m365-contoso", "m365-fabrikam", "router"]
    );
    for (name, service) in services {
        assert_eq!(service["user"], "1000:1000", "{name}");
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["init"], true, "{name}");
        assert_eq!(service["security_opt"], json!(["no-new-privileges:true"]));
        assert_eq!(service["labels"]["m365.project"], "m365-session-pool");
        assert_eq!(service["cap_add"], Value::Null);
    }
    let sources = |name: &str| -> Vec<String> {
        let volumes = services[name]["volumes"].as_array().unwrap();
        volumes
            .iter()
            .map(|volume| {
                let source = volume["source"].as_str().unwrap();
                Path::new(source)
                    .strip_prefix("/home/me")
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    assert_eq!(
        sources("m365-contoso"),
        [
            ".m365-connections.json",
            ".m365-policy",
            ".m365-state/contoso",
            ".m365-logs/contoso",
            ".m365-secrets/contoso"
        ]
    );
    assert_eq!(
        services["m365-contoso"]["environment"]["M365_CONNECTION"],
        "contoso"
    );
}
