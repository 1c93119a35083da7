//! Who says yes to a send: the person by a form or elsewhere, as the policy file has it; and what is
//! left of it in the audit.

use std::process::Command;

use serde_json::{Value, json};

use crate::Case;
use crate::client::{meta, mm, text};
use crate::graph_sends::{asked, call, fields, mail, sends, with};
use crate::graph_stage::Stage;
use crate::python::interpreter;

pub const CASES: &[Case] = &[
    ("one_process_asks_and_another_is_answered", two_processes),
    ("a_refusal_ends_it", refusals),
    ("an_older_client_is_asked_in_the_middle_of_the_call", older),
    ("a_person_says_yes_elsewhere", person),
    (
        "the_policy_file_says_who_confirms_and_what_only_reads",
        policy,
    ),
    ("every_call_leaves_a_line_in_the_audit", audit),
];

pub const WITH_PYTHON: &[Case] = &[
    ("the_official_client_asks_by_a_form_in_auto_mode", auto),
    ("the_official_client_asks_by_a_form_in_legacy_mode", legacy),
];

/// A call of a client of 2026-07-28 that shows forms, perhaps with an answer to one.
fn elicited(stage: &Stage, call: &Value, answer: Option<(&Value, Value)>) -> Value {
    let mut params = json!({"name": "graph_request", "arguments": call,
        "_meta": meta(&json!({"elicitation": {}}))});
    if let Some((asked, reply)) = answer {
        params["requestState"] = asked["requestState"].clone();
        params["inputResponses"] = json!({"confirm": reply});
    }
    let answer = stage.client().request("tools/call", params);
    assert!(answer["error"].is_null(), "{answer}");
    answer["result"].clone()
}

fn yes() -> Value {
    json!({"action": "accept", "content": {"confirm": true}})
}

fn two_processes() {
    let stage = Stage::signed_in();
    let send = call("/me/sendMail", &mail("At noon."));
    let first = elicited(&stage, &send, None);
    assert_eq!(first["resultType"], "input_required", "{first}");
    let question = &first["inputRequests"]["confirm"];
    assert_eq!(question["method"], "elicitation/create");
    let message = question["params"]["message"].as_str().unwrap();
    for part in ["contoso", "Bcc: hidden@evil.example", "    At noon."] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(
        question["params"]["requestedSchema"]["required"],
        json!(["confirm"])
    );
    // The state is no code.
    let state = first["requestState"].clone();
    asked(&stage, &with(send.clone(), "confirmation", state.clone()));
    // A yes to something else asks anew.
    let other = call("/me/sendMail", &mail("Changed."));
    let second = elicited(&stage, &other, Some((&first, yes())));
    assert_eq!(second["resultType"], "input_required", "{second}");
    assert_eq!(stage.cloud.counted().sent, 0);
    let done = elicited(&stage, &send, Some((&first, yes())));
    assert_eq!(fields(&done)["status"], "success", "{done}");
    assert_eq!(stage.cloud.counted().sent, 1);
    // Once.
    let again = elicited(&stage, &send, Some((&first, yes())));
    assert_eq!(again["resultType"], "input_required", "{again}");
    // A code that a client without forms got is none for one with.
    let (_, code) = asked(&stage, &send);
    let answer = elicited(&stage, &with(send, "confirmation", code), None);
    assert_eq!(answer["resultType"], "input_required", "{answer}");
    assert_eq!(stage.cloud.counted().sent, 1);
}

fn refusals() {
    let stage = Stage::signed_in();
    let send = call("/me/sendMail", &mail("At noon."));
    for reply in [
        json!({"action": "accept", "content": {"confirm": false}}),
        json!({"action": "accept"}),
        json!({"action": "decline"}),
        json!({"action": "cancel"}),
        json!("yes"),
    ] {
        let first = elicited(&stage, &send, None);
        let answer = elicited(&stage, &send, Some((&first, reply.clone())));
        assert_eq!(answer["isError"], true, "{reply}: {answer}");
        assert_eq!(fields(&answer)["code"], "declined", "{answer}");
        // It was a refusal; a yes with the same state comes too late.
        let late = elicited(&stage, &send, Some((&first, yes())));
        assert_eq!(late["resultType"], "input_required", "{late}");
    }
    assert_eq!(stage.cloud.counted().sent, 0);
}

fn older() {
    let stage = Stage::signed_in();
    for (version, reply, done) in [
        ("2025-11-25", yes(), "success"),
        ("2025-06-18", yes(), "success"),
        (
            "2025-11-25",
            json!({"action": "accept", "content": {"confirm": false}}),
            "error",
        ),
        ("2025-11-25", json!({"action": "decline"}), "error"),
    ] {
        let mut client = stage.client();
        client.handshake_with(version, json!({"elicitation": {}}));
        let params = client.params("graph_request", call("/me/sendMail", &mail("At noon.")));
        let id = client.send("tools/call", params);
        let question = client.receive();
        assert_eq!(question["method"], "elicitation/create", "{question}");
        let message = question["params"]["message"].as_str().unwrap();
        assert!(message.contains("Bcc: hidden@evil.example"), "{message}");
        let line = json!({"jsonrpc": "2.0", "id": question["id"], "result": reply});
        client.raw(line.to_string().as_bytes());
        let answer = client.answer(id);
        assert_eq!(
            answer["result"]["structuredContent"]["status"], done,
            "{answer}"
        );
    }
    assert_eq!(stage.cloud.counted().sent, 2);
    // Without the capability nobody is asked.
    let mut client = stage.client();
    client.handshake("2025-11-25");
    let answer = client.call("graph_request", call("/me/sendMail", &mail("At noon.")));
    assert_eq!(fields(&answer)["status"], "confirmation_required");
}

fn write_policy(stage: &Stage, text: &str) {
    std::fs::create_dir_all(stage.path(".m365-policy")).unwrap();
    std::fs::write(stage.path(".m365-policy/policy.toml"), text).unwrap();
}

fn person() {
    let stage = Stage::signed_in();
    write_policy(&stage, "confirm_by = \"person\"\n");
    let send = call("/me/sendMail", &mail("At noon."));
    let (answer, code) = asked(&stage, &send);
    assert!(code.is_empty(), "{answer}");
    assert_eq!(fields(&answer)["confirmation"]["by"], "person");
    let id = fields(&answer)["confirmation"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(text(&answer).contains("waiting for a person"), "{answer}");
    // Still waiting, and the same.
    let (answer, _) = asked(&stage, &send);
    assert_eq!(fields(&answer)["confirmation"]["id"], json!(id));
    let shown = stage.home.shell(&["confirm", &id]);
    assert_eq!(shown.code, 8, "{shown:?}");
    assert!(
        shown.stdout.contains("Bcc: hidden@evil.example"),
        "{shown:?}"
    );
    asked(&stage, &send);
    let said = stage.home.shell(&["confirm", &id, "--yes"]);
    assert_eq!(said.code, 0, "{said:?}");
    asked(&stage, &call("/me/sendMail", &mail("Changed.")));
    assert_eq!(stage.cloud.counted().sent, 0);
    sends(&stage, &send);
    let (answer, _) = asked(&stage, &send);
    assert_ne!(fields(&answer)["confirmation"]["id"], json!(id));
    for wrong in [id.as_str(), "g00", "../x", "nothing"] {
        let said = stage.home.shell(&["confirm", wrong, "--yes"]);
        assert_ne!(said.code, 0, "{said:?}");
    }
    assert_eq!(stage.cloud.counted().sent, 1);
    // By a form, too.
    let first = elicited(&stage, &send, None);
    let done = elicited(&stage, &send, Some((&first, yes())));
    assert_eq!(fields(&done)["status"], "success", "{done}");
}

fn policy() {
    let stage = Stage::signed_in();
    write_policy(&stage, "[connection.contoso]\nread_only = true\n");
    let error = |call: Value| {
        let answer = stage.client().call("graph_request", call);
        assert_eq!(answer["isError"], true, "{answer}");
        text(&answer).to_owned()
    };
    let change = json!({"connection": "contoso", "endpoint": "/users/admin@contoso.example", "method": "PATCH", "body": {"jobTitle": "x"}});
    assert!(error(change.clone()).contains("only read"));
    assert!(error(call("/me/sendMail", &mail("x"))).contains("only read"));
    assert!(
        error(call(
            "/$batch",
            &json!({"requests": [{"id": "1", "method": "DELETE", "url": "/users/x"}]})
        ))
        .contains("only read")
    );
    sends(
        &stage,
        &call(
            "/$batch",
            &json!({"requests": [{"id": "1", "method": "GET", "url": "/me"}]}),
        ),
    );
    sends(&stage, &json!({"connection": "contoso", "endpoint": "/me"}));
    write_policy(
        &stage,
        "[[relax]]\nrule = \"graph-send\"\ndecision = \"block\"\n",
    );
    assert!(error(call("/me/sendMail", &mail("x"))).contains("graph-send"));
    sends(&stage, &change);
    write_policy(&stage, "confirm_by = \"nobody\"\n");
    assert!(error(change).contains("line 1"));
    assert_eq!(stage.cloud.counted().sent, 0);
}

fn audit() {
    let stage = Stage::signed_in();
    let send = call("/me/sendMail", &mail("At noon."));
    let (_, code) = asked(&stage, &send);
    sends(&stage, &with(send, "confirmation", code));
    sends(
        &stage,
        &json!({"connection": "contoso", "endpoint": "/me?$select=id"}),
    );
    let first = elicited(
        &stage,
        &call("/chats/1/messages", &json!({"body": {"content": "Hi"}})),
        None,
    );
    elicited(
        &stage,
        &call("/chats/1/messages", &json!({"body": {"content": "Hi"}})),
        Some((&first, yes())),
    );
    stage.graph(&["/users/nobody"]);
    let text = std::fs::read_to_string(stage.path(".m365-logs/audit-graph.jsonl")).unwrap();
    assert!(
        !text.contains("At noon.") && !text.contains("Lunch?"),
        "{text}"
    );
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let column = |name: &str| {
        lines
            .iter()
            .map(|line| line[name].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(column("seq"), (1..=6).map(Value::from).collect::<Vec<_>>());
    assert_eq!(
        column("outcome"),
        [
            "confirmation_required",
            "succeeded",
            "succeeded",
            "confirmation_required",
            "succeeded",
            "failed"
        ]
    );
    let sent = &lines[1];
    assert_eq!(sent["commands"], json!(["POST /v1.0/me/sendMail"]));
    assert_eq!(
        sent["confirmation"],
        json!({"by": "assistant", "how": "code"})
    );
    assert_eq!(
        (&sent["decision"], &sent["rules"]),
        (&json!("confirm"), &json!(["graph-send"]))
    );
    assert_eq!(sent["account"], "admin@contoso.example");
    assert_eq!(
        (&sent["client"], &sent["tenant"]),
        (&json!("modern-client"), &json!("contoso.example"))
    );
    assert_eq!(sent["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(
        lines[4]["confirmation"],
        json!({"by": "person", "how": "elicitation"})
    );
    assert_eq!(
        (&lines[5]["client"], lines[5]["code"].is_string()),
        (&json!("mm graph"), true)
    );
}

fn auto() {
    official("auto");
}

fn legacy() {
    official("legacy");
}

/// The official client, with a person who agrees, one who declines, and without a form.
fn official(mode: &str) {
    let stage = Stage::signed_in();
    let mut command = Command::new(interpreter());
    for (name, value) in stage.command().get_envs() {
        command.env(name, value.unwrap());
    }
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/integration/official_sends.py"
    );
    let send = call("/me/sendMail", &mail("At noon.")).to_string();
    let output = command
        .arg(script)
        .args([mode, mm(), &send])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(seen["agreed"]["structured"]["status"], "success", "{seen}");
    assert_eq!(seen["declined"]["structured"]["code"], "declined", "{seen}");
    assert_eq!(
        seen["unchecked"]["structured"]["code"], "declined",
        "{seen}"
    );
    assert!(
        seen["messages"][0]
            .as_str()
            .unwrap()
            .contains("Bcc: hidden@evil.example")
    );
    assert_eq!(
        seen["plain"]["structured"]["status"], "confirmation_required",
        "{seen}"
    );
    assert_eq!(seen["coded"]["structured"]["status"], "success", "{seen}");
    assert_eq!(stage.cloud.counted().sent, 2);
    assert!(
        !seen["agreed"]["text"].as_str().unwrap().contains("rs2."),
        "{seen}"
    );
}
