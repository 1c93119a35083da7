//! `graph_request` under throttling, refused tokens and guards.

use std::io::Read;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::Case;
use crate::client::MODERN;
use crate::graph_stage::Stage;

pub const CASES: &[Case] = &[
    ("a_batch_of_any_size_is_split", batches),
    ("a_storm_of_429_is_waited_out", storm),
    ("a_client_hears_of_the_wait", waits),
    ("twenty_processes_refresh_once", twenty),
    ("a_revoked_sign_in_asks_for_a_person", revoked),
    ("power_automate_has_its_own_audience", flow),
    ("writes_are_never_repeated_blindly", writes),
    ("signing_out_forgets", sign_out),
    ("a_shell_gets_pages_as_they_come", streams),
    ("a_reader_that_has_enough_ends_the_call", enough),
    ("a_part_that_is_lost_is_sent_again", resumed),
];

fn batches() {
    let stage = Stage::signed_in();
    let requests: Vec<Value> = (0..45)
        .map(|id| json!({"id": id, "method": "GET", "url": format!("/demo/throttled/{id}?times={}&seconds=1", id % 2)}))
        .collect();
    let body = json!({"requests": requests}).to_string();
    let answer = stage.json(&["/$batch", "-X", "POST", "-d", &body]);
    let responses = answer["output"]["responses"].as_array().unwrap();
    assert_eq!(responses.len(), 45, "{answer}");
    for (position, response) in responses.iter().enumerate() {
        assert_eq!(response["id"], position.to_string());
        assert_eq!(response["status"], 200, "{response}");
    }
    let nested = json!({"requests": [{"id": "1", "method": "POST", "url": "/$batch"}]}).to_string();
    let refused = stage.graph(&["/$batch", "-X", "POST", "-d", &nested]);
    assert!(
        refused.stderr.contains("cannot hold a batch"),
        "{refused:?}"
    );
}

/// 500 calls, each of which meets two 429: all succeed, and none comes before it may.
fn storm() {
    let stage = Stage::signed_in();
    stage.cloud.set_faults(|faults| {
        faults.throttle = 2;
        faults.retry_after = 1;
    });
    let mut client = stage.client();
    for number in 0..500 {
        let endpoint = format!("/users/nobody-{number}");
        let call = json!({"connection": "contoso", "endpoint": endpoint});
        let params = client.params("graph_request", call);
        client.send("tools/call", params);
    }
    for _ in 0..500 {
        let answer = client.receive();
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("Request_ResourceNotFound"), "{text}");
    }
    let counted = stage.cloud.counted();
    assert_eq!((counted.throttled, counted.early), (1000, 0));
}

fn waits() {
    let stage = Stage::signed_in();
    for version in ["2025-11-25", MODERN] {
        let mut client = stage.client();
        if version != MODERN {
            client.handshake(version);
        }
        let endpoint = "/demo/throttled/one?times=1&seconds=1";
        let call = json!({"connection": "contoso", "endpoint": endpoint});
        let mut params = client.params("graph_request", call);
        params["_meta"]["progressToken"] = json!("token");
        let request = client.send("tools/call", params);
        let heard = client.receive();
        assert_eq!(heard["method"], "notifications/progress", "{heard}");
        let message = heard["params"]["message"].as_str().unwrap();
        assert!(message.contains("waiting 1 s"), "{message}");
        let answer = client.answer(request);
        assert_eq!(answer["result"]["structuredContent"]["status"], "success");
    }
}

fn twenty() {
    let stage = Stage::signed_in();
    stage.expire();
    let mut children: Vec<_> = (0..20)
        .map(|_| {
            stage
                .command()
                .args(["graph", "contoso", "/me"])
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(stage.cloud.counted().refreshes, 1);
    assert_eq!(stage.json(&["/me"])["status"], "success");
}

fn revoked() {
    let stage = Stage::signed_in();
    let done = stage.json(&["/me/revokeSignInSessions", "-X", "POST"]);
    assert_eq!(done["output"], json!({"value": true}), "{done}");
    let needed = stage.json(&["/me"]);
    assert_eq!(needed["status"], "auth_required", "{needed}");
    assert!(
        needed["message"].as_str().unwrap().contains("AADSTS50173"),
        "{needed}"
    );
    // The code is answered by itself here; the same call goes through.
    let begun = Instant::now();
    while stage.json(&["/me"])["status"] != "success" {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}

fn flow() {
    let stage = Stage::signed_in();
    let endpoint = "/providers/Microsoft.ProcessSimple/environments/Default-demo/flows";
    let flows = stage.json(&[endpoint, "--resource", "flow"]);
    assert_eq!(flows["output"].as_array().unwrap().len(), 3, "{flows}");
    assert!(
        flows["endpoint"]
            .as_str()
            .unwrap()
            .ends_with("api-version=2016-11-01")
    );
}

fn writes() {
    let stage = Stage::signed_in();
    stage.cloud.set_faults(|faults| faults.unavailable = 1);
    let read = stage.json(&["/me"]);
    assert_eq!(read["status"], "success");
    let calls = stage.cloud.counted().calls;
    let failed = stage.json(&["/demo/echo", "-X", "POST", "-d", "{}"]);
    assert_eq!(failed["status"], "success");
    assert_eq!(stage.cloud.counted().calls, calls + 1);
    let echoed = stage.json(&[
        "/demo/echo",
        "-X",
        "PUT",
        "-d",
        "plain text",
        "-H",
        "Content-Type: text/plain",
        "-H",
        "If-Match: W/\"1\"",
    ]);
    assert_eq!(
        echoed["output"],
        json!({"contentType": "text/plain", "ifMatch": "W/\"1\"", "prefer": null, "body": "plain text"})
    );
}

fn sign_out() {
    let stage = Stage::signed_in();
    let done = stage.home.shell(&["sign-out", "contoso"]);
    assert!(
        done.code == 0 && done.stdout.contains("signed out"),
        "{done:?}"
    );
    stage.cloud.sign_in_after(Duration::from_secs(600));
    assert_eq!(stage.graph(&["/me"]).code, 3);
}

/// A shell sees what there is while more is on its way.
fn streams() {
    for json in [false, true] {
        let stage = Stage::signed_in();
        let endpoint = "/users?$top=100";
        let mut command = stage.command();
        command.args(["graph", "contoso", endpoint, "--all-pages"]);
        if json {
            command.arg("--json");
        }
        let pages = Arc::new(Semaphore::new(2));
        let given = Arc::clone(&pages);
        stage.cloud.set_faults(|faults| faults.pages = Some(given));
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut text = Vec::new();
        let mut buffer = [0; 1 << 16];
        while String::from_utf8_lossy(&text)
            .matches("\"displayName\"")
            .count()
            < 200
        {
            let read = stdout.read(&mut buffer).unwrap();
            assert!(read > 0, "it ended before the third page");
            text.extend_from_slice(&buffer[..read]);
        }
        assert!(child.try_wait().unwrap().is_none(), "it goes on");
        pages.add_permits(1);
        stdout.read_to_end(&mut text).unwrap();
        assert!(child.wait().unwrap().success());
        let value: Value = serde_json::from_slice(&text).unwrap();
        let users = if json { &value["output"] } else { &value };
        assert_eq!(users.as_array().unwrap().len(), 241);
        assert_eq!(value["items"], if json { json!(241) } else { Value::Null });
    }
}

/// A reader that has enough ends the call.
fn enough() {
    let stage = Stage::signed_in();
    let mut child = stage
        .command()
        .args(["graph", "contoso", "/users?$top=5", "--all-pages"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(141));
}

/// Parts that come half and are answered with 502: the upload goes on where the service has it.
fn resumed() {
    let stage = Stage::signed_in();
    let large: Vec<u8> = (0..9_000_000_u32).map(|n| (n % 241) as u8).collect();
    std::fs::write(stage.path("files/large.bin"), &large).unwrap();
    let endpoint = "/me/drive/root:/large.bin:/content";
    let up = |lost| {
        stage.cloud.set_faults(|faults| faults.lost_parts = lost);
        stage.json(&[endpoint, "-X", "PUT", "--upload-from", "large.bin"])
    };
    let done = up(3);
    assert_eq!(done["output"]["size"], large.len(), "{done}");
    let down = stage.json(&[endpoint, "--save-to", "back.bin"]);
    assert_eq!(down["status"], "success", "{down}");
    assert!(std::fs::read(stage.path("files/back.bin")).unwrap() == large);
}
