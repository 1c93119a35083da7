//! What a pool does with the sign-ins of its last life, and how fast.

use std::time::Duration;

use serde_json::{Value, json};
use session_pool::session::registry_watch::RegistryWatcher;
use session_pool::session::{Pool, Remembered};

use crate::support::stage::{fake_behind, lines, parts};
use crate::support::{Context, Needs, Suite, add, until};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            four_powershells_start_at_a_time_and_everybody_comes_back,
            what_asks_for_a_person_is_given_up_without_a_code,
        ]
    );
}

/// Everybody is found signed in.
const FOUND: &str = r#"{
    "commands": [
        {"for": {"contains": "Get-AzContext"}, "steps": [
            {"record": {"record": {"type": "json", "text": "{\"account\":null,\"tenant_id\":null}"}}}
        ]}
    ],
    "otherwise": [{"finish": {"outcome": "completed"}}]
}"#;

/// Nobody is found, and the connect command shows a code.
const ASKS: &str = r#"{
    "commands": [
        {"for": {"contains": "Connect-AzAccount"}, "steps": [
            {"record": {"record": {"type": "information", "shown": true, "text":
                "To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the code ABC123DEF to authenticate."}}},
            "hang"
        ]}
    ],
    "otherwise": [{"finish": {"outcome": "completed"}}]
}"#;

/// A pool in whose last life so many connections were signed in to azure.
fn pool(cx: &Context, scenario: &str, script: &str, count: usize) -> Pool {
    let mut parts = parts(cx, fake_behind(cx, scenario, script));
    let name = |number| format!("c{number}");
    let connections: serde_json::Map<_, _> = (0..count)
        .map(|number| (name(number), json!({"tenant": "contoso.example"})))
        .collect();
    let registry = cx.path().join("many.json");
    std::fs::write(&registry, json!({"connections": connections}).to_string()).unwrap();
    parts.registry = RegistryWatcher::open(registry).1;
    let sessions: Vec<_> = (0..count)
        .map(|number| {
            let session = json!({"connection": name(number), "scope": "azure"});
            json!({"session": session, "since": "2026-11-24T02:00:00Z"})
        })
        .collect();
    let saved = json!({"version": 1, "sessions": sessions});
    std::fs::write(cx.path().join("sessions-unified.json"), saved.to_string()).unwrap();
    parts.remembered = Remembered::open(cx.path(), "unified");
    parts.limits.max_processes = count;
    Pool::new(parts)
}

fn saved(cx: &Context) -> Value {
    serde_json::from_slice(&std::fs::read(cx.path().join("sessions-unified.json")).unwrap())
        .unwrap()
}

async fn four_powershells_start_at_a_time_and_everybody_comes_back(cx: &Context) {
    let (started, gate) = (cx.path().join("started"), cx.path().join("gate"));
    let script = format!(
        "echo x >>{}; until [ -e {} ]; do sleep 0.02; done; exec FAKE",
        started.display(),
        gate.display()
    );
    let pool = pool(cx, FOUND, &script, 20);
    let restoring = tokio::spawn(pool.restore());
    // At once, before any of them is back.
    assert_eq!(pool.status().len(), 20);
    until("four start", || lines(&started).len() == 4).await;
    // Time for a fifth to begin, if one could.
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(lines(&started).len(), 4, "the fifth waits");
    std::fs::write(&gate, "").unwrap();
    restoring.await.unwrap();
    assert_eq!(lines(&started).len(), 20);
    for session in pool.status() {
        assert_eq!(session.state, "authenticated", "{session:?}");
        assert!(!session.signed_out_by_restart);
    }
    assert_eq!(saved(cx)["sessions"].as_array().unwrap().len(), 20);
    pool.drain(Duration::from_secs(5)).await;
    assert_eq!(saved(cx)["sessions"].as_array().unwrap().len(), 20);
}

async fn what_asks_for_a_person_is_given_up_without_a_code(cx: &Context) {
    let pool = pool(cx, ASKS, "exec FAKE", 1);
    pool.restore().await;
    let session = pool.status().remove(0);
    assert!(session.signed_out_by_restart, "{session:?}");
    assert_eq!(session.device_code, None);
    let reason = session.last_error.unwrap();
    assert!(reason.starts_with("signed out by restart"), "{reason}");
    assert_eq!(saved(cx)["sessions"][0]["lost"], true);
    pool.drain(Duration::from_secs(5)).await;
}
