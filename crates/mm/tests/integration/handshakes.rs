//! Every era of the protocol begins as its specification says.

use serde_json::json;

use crate::Case;
use crate::client::{Client, Home, LEGACY, MODERN, meta, text};
use crate::stand_in::StandIn;

pub const CASES: &[Case] = &[
    ("every_version_with_a_handshake_is_spoken", every_version),
    (
        "an_unknown_version_is_answered_with_the_newest",
        unknown_version,
    ),
    (
        "a_call_without_any_handshake_is_answered",
        without_handshake,
    ),
    ("discover_says_what_there_is", discover),
    (
        "a_client_may_discover_and_then_shake_hands",
        discover_then_handshake,
    ),
    ("a_request_without_its_context_is_refused", without_context),
    ("a_notification_may_come_first", notification_first),
    ("ping_comes_before_everything", ping),
    ("the_tools_teach_and_are_honest", tools),
];

fn every_version() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    for version in LEGACY {
        let mut client = Client::start(&home);
        let hello = client.handshake(version);
        assert_eq!(hello["protocolVersion"], version);
        assert_eq!(hello["serverInfo"]["name"], "mm");
        assert_eq!(hello["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
        assert!(hello["instructions"].as_str().unwrap().contains("`run`"));
        assert!(
            hello["capabilities"]["extensions"].is_null(),
            "tasks are of the later era: {hello}"
        );
        let list = client.request("tools/list", json!({}));
        assert_eq!(list["result"]["tools"].as_array().unwrap().len(), 3);
        for later in ["resultType", "ttlMs", "cacheScope"] {
            assert!(list["result"][later].is_null(), "{version}: {later}");
        }
        let result = client.call(
            "run",
            json!({"connection": "Contoso", "module": "exo", "command": "1+1"}),
        );
        assert!(text(&result).contains("\n2\n"), "{result}");
        assert!(result["resultType"].is_null());
    }
}

fn unknown_version() {
    let home = Home::new("http://127.0.0.1:1");
    for version in ["2026-07-28", "2019-01-01", "nonsense"] {
        let hello = Client::start(&home).handshake(version);
        assert_eq!(hello["protocolVersion"], "2025-11-25", "{version}");
    }
}

fn without_handshake() {
    let pool = StandIn::start();
    let mut client = Client::start(&Home::new(&pool.url));
    let result = client.call(
        "run",
        json!({"connection": "Contoso", "module": "exo", "command": "1+1"}),
    );
    assert_eq!(result["resultType"], "complete");
    assert!(text(&result).ends_with("\n2\n"));
}

fn discover() {
    let mut client = Client::start(&Home::new("http://127.0.0.1:1"));
    let answer = client.request("server/discover", json!({"_meta": meta(&json!({}))}));
    let result = &answer["result"];
    let versions = result["supportedVersions"].as_array().unwrap();
    assert_eq!(versions.len(), 5);
    assert!(versions.contains(&json!(MODERN)));
    assert!(result["capabilities"]["extensions"]["io.modelcontextprotocol/tasks"].is_object());
    assert!(result["instructions"].is_string());
    assert_eq!(result["cacheScope"], "public");
    assert!(result["ttlMs"].as_u64().unwrap() > 0);
    assert_eq!(
        result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
        "mm"
    );
    let list = client.request("tools/list", json!({"_meta": meta(&json!({}))}));
    assert!(list["result"]["ttlMs"].as_u64().unwrap() > 0);
    assert_eq!(list["result"]["cacheScope"], "public");
}

fn discover_then_handshake() {
    let mut client = Client::start(&Home::new("http://127.0.0.1:1"));
    client.request("server/discover", json!({"_meta": meta(&json!({}))}));
    assert_eq!(
        client.handshake("2025-06-18")["protocolVersion"],
        "2025-06-18"
    );
}

fn without_context() {
    let mut client = Client::start(&Home::new("http://127.0.0.1:1"));
    let answer = client.request("tools/list", json!({}));
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    let answer = client.request("server/discover", json!({}));
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    // And it is still there for one who knows how to ask.
    let answer = client.request("tools/list", json!({"_meta": meta(&json!({}))}));
    assert_eq!(answer["result"]["resultType"], "complete");
}

fn notification_first() {
    let mut client = Client::start(&Home::new("http://127.0.0.1:1"));
    client.notify("notifications/cancelled", json!({"requestId": 7}));
    client.notify("notifications/initialized", json!({}));
    client.raw(br#"{"jsonrpc":"2.0","id":3,"result":{}}"#);
    let answer = client.request("tools/list", json!({"_meta": meta(&json!({}))}));
    assert_eq!(answer["result"]["resultType"], "complete");
}

fn ping() {
    let mut client = Client::start(&Home::new("http://127.0.0.1:1"));
    assert!(client.request("ping", json!({}))["result"].is_object());
    client.handshake("2025-11-25");
    assert!(client.request("ping", json!({}))["result"].is_object());
}

fn tools() {
    let mut client = Client::start(&Home::new("http://127.0.0.1:1"));
    let list = client.request("tools/list", json!({"_meta": meta(&json!({}))}));
    let tools = list["result"]["tools"].as_array().unwrap();
    let names: Vec<&str> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["run", "job", "graph_request"]);
    for tool in tools {
        assert!(tool["title"].is_string());
        assert!(tool["description"].as_str().unwrap().len() > 300);
        assert_eq!(tool["inputSchema"]["additionalProperties"], false);
        assert_eq!(tool["outputSchema"]["type"], "object");
        for argument in tool["inputSchema"]["properties"].as_object().unwrap() {
            assert!(argument.1["description"].is_string(), "{}", argument.0);
            assert_ne!(argument.0, "name", "gateways cannot pass that one");
        }
    }
    assert_eq!(tools[0]["annotations"]["readOnlyHint"], false);
    assert_eq!(tools[0]["annotations"]["destructiveHint"], true);
    assert_eq!(tools[0]["annotations"]["openWorldHint"], true);
    assert_eq!(tools[1]["annotations"]["destructiveHint"], false);
}
