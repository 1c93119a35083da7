//! `graph_request` where the service does not do what it should: pages that fail, lead in circles
//! or to other hosts, redirects that cannot be read, challenges without end.

use serde_json::{Value, json};

use crate::Case;
use crate::graph_stage::Stage;

pub const CASES: &[Case] = &[
    ("a_page_that_fails_is_told_with_what_was_read", failing),
    ("a_file_keeps_what_was_read_before_a_failure", failing_file),
    ("a_shell_does_not_wait_without_end", patience),
    ("a_revoked_sign_in_in_mid_read_asks_for_a_person", revoked),
    ("links_that_lead_back_or_away_end_a_read", links),
    ("a_circle_is_noticed_across_calls", circle),
    ("redirects_are_read_in_any_encoding", redirects),
    ("challenges_are_met_and_their_number_is_bounded", challenges),
    ("what_stands_beside_a_cursor_is_not_ignored", beside),
    ("a_batch_stays_on_its_host_and_names_nobody", batch),
    ("errors_name_connection_and_tenant", tenant),
];

fn ids(answer: &Value) -> Vec<&str> {
    let items = answer["output"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect()
}

fn failing() {
    let stage = Stage::signed_in();
    let broken = stage.json(&["/demo/pages/failing", "--all-pages"]);
    assert_eq!(broken["status"], "error", "{broken}");
    assert_eq!(broken["code"], "UnknownError");
    assert_eq!(ids(&broken), ["1-1", "1-2", "1-3"]);
    let error = broken["error"].as_str().unwrap();
    let id = broken["request_id"].as_str().unwrap();
    for part in ["status 500", "What to do", id] {
        assert!(error.contains(part), "{error}");
    }
    assert!(!error.contains("Contoso Ltd"), "{error}");
    let rest = stage.json(&["--cursor", broken["cursor"].as_str().unwrap()]);
    assert_eq!(ids(&rest), ["2-1", "2-2", "2-3"]);
    assert_eq!(
        (&rest["status"], &rest["items_so_far"]),
        (&json!("success"), &json!(6))
    );

    // A person and an assistant are told the same.
    let done = stage.graph(&["/demo/pages/failing", "--all-pages"]);
    assert_eq!(done.code, 1);
    assert_eq!(
        serde_json::from_str::<Value>(&done.stdout).unwrap()[2]["id"],
        "1-3"
    );
    assert!(
        done.stderr.contains("UnknownError") && done.stderr.contains("--cursor"),
        "{done:?}"
    );
    stage.json(&["/demo/pages/failing?page=2"]);
    let mut client = stage.client();
    let call =
        json!({"connection": "contoso", "endpoint": "/demo/pages/failing", "all_pages": true});
    let answer = client.call("graph_request", call);
    assert_eq!(answer["isError"], true);
    let text = answer["content"][0]["text"].as_str().unwrap();
    for part in ["1-3", "UnknownError", "Next page: call `graph_request`"] {
        assert!(text.contains(part), "{text}");
    }
    let garbled = stage.json(&["/demo/pages/garbled", "--all-pages"]);
    assert_eq!(
        (&garbled["code"], ids(&garbled).len()),
        (&json!("garbled"), 3)
    );
}

fn failing_file() {
    let stage = Stage::signed_in();
    let broken = stage.json(&[
        "/demo/pages/failing",
        "--all-pages",
        "--save-to",
        "some.json",
    ]);
    assert_eq!(
        (&broken["status"], &broken["items"]),
        (&json!("error"), &json!(3)),
        "{broken}"
    );
    assert!(broken["cursor"].is_string() && broken["code"] == "UnknownError");
    let saved = std::fs::read(stage.path("files/some.json")).unwrap();
    assert_eq!(
        serde_json::from_slice::<Vec<Value>>(&saved).unwrap().len(),
        3
    );
}

/// Longer than a shell waits for one request.
fn patience() {
    let stage = Stage::signed_in();
    let broken = stage.json(&["/demo/pages/patience", "--all-pages"]);
    assert_eq!(
        (&broken["code"], ids(&broken).len()),
        (&json!("throttled"), 3),
        "{broken}"
    );
    assert!(broken["error"].as_str().unwrap().contains("400 s") && broken["cursor"].is_string());
}

fn revoked() {
    let stage = Stage::signed_in();
    let done = stage.graph(&["/demo/pages/revoked", "--all-pages", "--json"]);
    let broken: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        (done.code, &broken["status"]),
        (3, &json!("auth_required")),
        "{broken}"
    );
    assert_eq!(ids(&broken).len(), 3);
    assert!(broken["device_code"].is_string() && broken["cursor"].is_string());
}

fn links() {
    let stage = Stage::signed_in();
    for (kind, code, items) in [
        ("foreign", "foreign_link", 3),
        ("circle", "page_circle", 6),
        ("self", "page_circle", 6),
    ] {
        let answer = stage.json(&[&format!("/demo/pages/{kind}?page=1"), "--all-pages"]);
        assert_eq!(
            (&answer["status"], &answer["code"]),
            (&json!("error"), &json!(code)),
            "{answer}"
        );
        assert_eq!(ids(&answer).len(), items, "{kind}");
        assert!(answer["cursor"].is_null(), "there is nothing to go on with");
    }
    // Also where only one page was asked for.
    let answer = stage.json(&["/demo/pages/foreign"]);
    assert_eq!(
        (&answer["code"], ids(&answer).len()),
        (&json!("foreign_link"), 3)
    );
    assert!(answer["error"].as_str().unwrap().contains("evil.example"));
}

fn circle() {
    let stage = Stage::signed_in();
    let first = stage.json(&["/demo/pages/circle?page=1"]);
    let second = stage.json(&["--cursor", first["cursor"].as_str().unwrap()]);
    assert_eq!(second["code"], "page_circle", "{second}");
    assert_eq!(ids(&second), ["2-1", "2-2", "2-3"]);
}

fn redirects() {
    let stage = Stage::signed_in();
    let answer = stage.json(&["/demo/redirect/umlaut"]);
    assert_eq!(answer["output"]["id"], "\u{fc}", "{answer}");
    let answer = stage.json(&["/demo/redirect/nowhere"]);
    assert_eq!(answer["code"], "redirect", "{answer}");
    // The token does not come back to the service through another host.
    let answer = stage.json(&["/demo/redirect/back"]);
    assert_eq!(answer["http_status"], 401, "{answer}");
    std::fs::write(stage.path("files/a.txt"), "hello").unwrap();
    let endpoint = "/me/drive/root:/Gr\u{f6}\u{df}e \u{4e2d}.txt:/content";
    let up = stage.json(&[endpoint, "-X", "PUT", "--upload-from", "a.txt"]);
    assert_eq!(up["status"], "success", "{up}");
    let down = stage.json(&[endpoint, "--save-to", "b.txt"]);
    assert_eq!(down["file"]["bytes"], 5, "{down}");
}

fn challenges() {
    let stage = Stage::signed_in();
    for times in [1, 2] {
        let answer = stage.json(&[&format!("/demo/challenge/{times}")]);
        assert_eq!(answer["output"]["met"], times, "{answer}");
    }
    let refreshes = stage.cloud.counted().refreshes;
    let answer = stage.json(&["/demo/challenge/50"]);
    assert_eq!(answer["code"], "claims_challenge", "{answer}");
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .contains("Conditional Access")
    );
    assert_eq!(stage.cloud.counted().refreshes, refreshes + 2);
}

fn beside() {
    let stage = Stage::signed_in();
    let page = stage.json(&["/users?$top=5", "--select", "id"]);
    let cursor = page["cursor"].as_str().unwrap();
    for (others, words) in [
        (vec!["--query", "$top=3"], "stands for the whole call"),
        (vec!["--select", "mail"], "select_fields"),
        (vec!["--all-pages"], "all_pages"),
        (vec!["-H", "Prefer: x"], "headers"),
        (vec!["--resource", "flow"], "resource"),
        (vec!["-X", "POST"], "stands for the whole call"),
    ] {
        let done = stage.graph(&[vec!["--cursor", cursor], others].concat());
        assert!(done.code == 2 && done.stderr.contains(words), "{done:?}");
    }
    let same = stage.json(&["--cursor", cursor, "--select", "id", "--max-items", "2"]);
    assert_eq!(
        (&same["status"], &same["items"]),
        (&json!("success"), &json!(2)),
        "{same}"
    );
}

fn batch() {
    let stage = Stage::signed_in();
    let run = |requests: Value| {
        let body = json!({"requests": requests}).to_string();
        stage.json(&["/$batch", "-X", "POST", "-d", &body])
    };
    for url in [
        "https://evil.example/v1.0/me",
        "//evil.example/me",
        "/beta/me",
    ] {
        let answer = run(json!([{"id": 1, "method": "GET", "url": url}]));
        assert_eq!(answer["code"], "bad_arguments", "{answer}");
        assert!(
            answer["error"]
                .as_str()
                .unwrap()
                .contains("request 1 of the batch")
        );
    }
    let answer = run(json!([
        {"id": 1, "method": "GET", "url": "/v1.0/me"},
        {"id": 2, "method": "GET", "url": "/users/nobody@contoso.example"},
        {"id": 3, "method": "GET", "url": "/demo/pages/failing?page=2"},
    ]));
    let responses = &answer["output"]["responses"];
    assert_eq!(responses[0]["status"], 200, "{answer}");
    assert!(
        responses[1]["advice"]
            .as_str()
            .unwrap()
            .contains("mail alias"),
        "{answer}"
    );
    assert_eq!(
        responses[2]["body"]["error"]["message"],
        "The tenant '[name]' is busy."
    );
}

fn tenant() {
    let stage = Stage::signed_in();
    let mut client = stage.client();
    for arguments in [
        json!({"connection": "contoso"}),
        json!({"connection": "contoso", "endpoint": "https://evil.example/x"}),
        json!({"connection": "contoso", "cursor": "x"}),
        json!({"connection": "contoso", "endpont": "/me"}),
        json!({"connection": "contoso", "endpoint": "/user"}),
        json!({"connection": "contoso", "endpoint": "/me", "save_to": "../x"}),
    ] {
        let answer = client.call("graph_request", arguments.clone());
        let text = answer["content"][0]["text"].as_str().unwrap();
        let head = "Connection: contoso | tenant: contoso.example";
        assert!(
            answer["isError"] == true && text.starts_with(head),
            "{arguments}: {text}"
        );
        assert_eq!(answer["structuredContent"]["tenant"], "contoso.example");
    }
    let done = stage.graph(&["https://evil.example/x"]);
    assert!(
        done.stderr.starts_with("mm: contoso (contoso.example): "),
        "{done:?}"
    );
    let done = stage.json(&["https://evil.example/x"]);
    assert_eq!(
        (&done["connection"], &done["tenant"]),
        (&json!("contoso"), &json!("contoso.example"))
    );
}
