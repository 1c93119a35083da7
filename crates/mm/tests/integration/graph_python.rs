//! Graph with other people's programs: the official MCP client, and PyPI `msal` on the same cache.

use std::process::Command;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::Case;
use crate::client::mm;
use crate::graph_stage::Stage;
use crate::python::interpreter;

pub const CASES: &[Case] = &[
    ("the_official_client_calls_graph_in_auto_mode", auto),
    ("the_official_client_calls_graph_in_legacy_mode", legacy),
];

pub const WITH_MSAL: &[Case] = &[
    ("msal_uses_the_sign_in_of_mm", msal_reads),
    ("mm_uses_the_sign_in_of_msal", msal_writes),
];

/// Whether there is a Python with MSAL.
pub fn has_msal() -> bool {
    static THERE: LazyLock<bool> = LazyLock::new(|| {
        Command::new(interpreter())
            .args(["-c", "import msal"])
            .output()
            .is_ok_and(|output| output.status.success())
    });
    *THERE
}

fn python(stage: &Stage, script: &str, arguments: &[&str]) -> Value {
    let mut command = Command::new(interpreter());
    for (name, value) in stage.command().get_envs() {
        command.env(name, value.unwrap());
    }
    let path = format!("{}/tests/integration/{script}", env!("CARGO_MANIFEST_DIR"));
    let output = command.arg(path).args(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn auto() {
    official("auto");
}

fn legacy() {
    official("legacy");
}

/// From the first code to the last page, one process a call.
fn official(mode: &str) {
    let stage = Stage::start();
    stage
        .cloud
        .sign_in_after(std::time::Duration::from_millis(1));
    let seen = python(&stage, "official_graph.py", &[mode, mm()]);
    assert_eq!(seen["needed"]["structured"]["status"], "auth_required");
    assert!(
        seen["needed"]["text"]
            .as_str()
            .unwrap()
            .contains("Enter the code")
    );
    assert_eq!(
        seen["me"]["structured"]["authenticated_as"],
        "admin@contoso.example"
    );
    assert_eq!(seen["users"], 241);
    assert_eq!(seen["refused"]["error"], true);
    assert!(
        seen["refused"]["text"]
            .as_str()
            .unwrap()
            .contains("another host")
    );
}

fn msal(stage: &Stage, what: &str) -> Value {
    let login = stage.cloud.registry_value()["login"]
        .as_str()
        .unwrap()
        .to_owned();
    let cache = stage.path(".mm-graph-tokens/contoso.json");
    python(
        stage,
        "msal_cache.py",
        &[what, &login, cache.to_str().unwrap()],
    )
}

fn msal_reads() {
    let stage = Stage::signed_in();
    let seen = msal(&stage, "silent");
    assert_eq!(seen["accounts"], json!(["admin@contoso.example"]));
    assert_eq!(seen["from_cache"], true, "{seen}");
    // MSAL refreshes with the refresh token of mm, and mm goes on with what MSAL wrote.
    stage.expire();
    let seen = msal(&stage, "silent");
    assert_eq!(seen["from_cache"], false, "{seen}");
    assert_eq!(stage.cloud.counted().refreshes, 1);
    assert_eq!(stage.json(&["/me"])["status"], "success");
    assert_eq!(
        stage.cloud.counted().refreshes,
        1,
        "mm took the token of MSAL"
    );
}

fn msal_writes() {
    let stage = Stage::start();
    stage
        .cloud
        .sign_in_after(std::time::Duration::from_millis(1));
    std::fs::create_dir(stage.path(".mm-graph-tokens")).unwrap();
    let seen = msal(&stage, "device");
    assert_eq!(seen["accounts"], json!(["admin@contoso.example"]));
    let me = stage.json(&["/me"]);
    assert_eq!(me["authenticated_as"], "admin@contoso.example", "{me}");
    assert_eq!(stage.cloud.counted().device_codes, 1, "no second sign-in");
    stage.expire();
    assert_eq!(stage.json(&["/me"])["status"], "success");
    assert_eq!(stage.cloud.counted().refreshes, 1);
}
