//! `graph_request` and `mm graph`, against the demo's Graph.

use serde_json::{Value, json};

use crate::Case;
use crate::client::MODERN;
use crate::graph_stage::Stage;

pub const CASES: &[Case] = &[
    ("the_first_call_answers_with_a_code_at_once", code_at_once),
    ("a_person_signs_in_and_the_same_call_goes_through", signs_in),
    ("every_era_of_mcp_gets_the_same_answer", eras),
    ("without_arguments_it_lists_the_connections", lists),
    ("wrong_arguments_are_told", wrong_arguments),
    ("pages_are_followed_by_cursors_of_any_process", cursors),
    ("all_pages_come_without_a_gap", all_pages),
    ("a_huge_entity_comes_in_pieces", pieces),
    ("every_kind_of_body_is_told_for_what_it_is", bodies),
    ("files_go_up_and_come_down", files),
    ("reports_come_from_elsewhere_without_the_token", reports),
    ("redirects_into_private_networks_are_refused", redirects),
    ("refusals_say_what_to_do", refusals),
];

fn code_at_once() {
    let stage = Stage::start();
    let done = stage.graph(&["/me"]);
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.stdout.is_empty());
    for part in [
        "sign-in needed",
        "contoso.example",
        "Enter the code",
        "admin@contoso.example",
    ] {
        assert!(done.stderr.contains(part), "{part}: {}", done.stderr);
    }
    let again = stage.json(&["/me"]);
    assert_eq!(again["status"], "auth_required");
    assert!(done.stderr.contains(again["device_code"].as_str().unwrap()));
    assert_eq!(stage.cloud.counted().device_codes, 1);
}

fn signs_in() {
    let stage = Stage::start();
    let prompt = stage.json(&["/me"]);
    assert!(
        stage
            .cloud
            .complete(prompt["device_code"].as_str().unwrap())
    );
    // The rest of the interval is waited for, because the person says that it is done.
    let me = stage.json(&["/me", "--select", "userPrincipalName"]);
    assert_eq!(
        me["output"],
        json!({"userPrincipalName": "admin@contoso.example"}),
        "{me}"
    );
    assert_eq!(me["authenticated_as"], "admin@contoso.example");
}

fn eras() {
    let stage = Stage::signed_in();
    let call = json!({"connection": "contoso", "endpoint": "/me"});
    let mut texts = Vec::new();
    for version in ["2025-03-26", "2025-06-18", "2025-11-25", MODERN] {
        let mut client = stage.client();
        if version != MODERN {
            client.handshake(version);
        }
        let answer = client.call("graph_request", call.clone());
        assert_eq!(answer["isError"], false, "{answer}");
        let text = answer["content"][0]["text"].as_str().unwrap().to_owned();
        assert!(text.starts_with("Connection: contoso | tenant: contoso.example | signed in as: admin@contoso.example | GET /v1.0/me\n"), "{text}");
        assert!(
            text.contains("\"displayName\": \"Demo Administrator\"")
                && !text.contains("odata.context"),
            "{text}"
        );
        texts.push(text);
    }
    texts.dedup();
    assert_eq!(texts.len(), 1);
}

fn lists() {
    let stage = Stage::start();
    let mut client = stage.client();
    let answer = client.call("graph_request", json!({}));
    let text = answer["content"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("Connection: contoso") && text.contains("Connection: fabrikam"),
        "{text}"
    );
    assert!(
        !text.contains("c0000001-a990"),
        "app ids are nobody's business: {text}"
    );
    assert_eq!(
        answer["structuredContent"]["connections"][0]["name"],
        "contoso"
    );
}

fn wrong_arguments() {
    let stage = Stage::signed_in();
    let mut client = stage.client();
    for (arguments, words) in [
        (json!({"connection": "contoso"}), "\"endpoint\" is missing"),
        (json!({"endpoint": "/me"}), "\"connection\" is missing"),
        (
            json!({"connection": "contosso", "endpoint": "/me"}),
            "did you mean \"contoso\"",
        ),
        (
            json!({"connection": "contoso", "endpont": "/me"}),
            "did you mean \"endpoint\"",
        ),
        (
            json!({"connection": "contoso", "endpoint": "https://evil.example/x"}),
            "another host",
        ),
        (
            json!({"connection": "contoso", "endpoint": "/users/../me"}),
            "climbs",
        ),
        (
            json!({"connection": "contoso", "endpoint": "/me", "method": "HEAD"}),
            "no method",
        ),
        (
            json!({"connection": "contoso", "endpoint": "/me", "headers": {"Authorization": "x"}}),
            "cannot be set",
        ),
        (
            json!({"connection": "contoso", "endpoint": "/me", "body": {}}),
            "GET sends no body",
        ),
        (
            json!({"connection": "contoso", "cursor": "x"}),
            "not a cursor",
        ),
        (
            json!({"connection": "contoso", "endpoint": "/me", "max_items": 0}),
            "1 to 1000000",
        ),
    ] {
        let answer = client.call("graph_request", arguments.clone());
        let text = answer["content"][0]["text"].as_str().unwrap();
        assert!(
            answer["isError"] == true && text.contains(words),
            "{arguments}: {text}"
        );
    }
}

fn cursors() {
    let stage = Stage::signed_in();
    let mut ids = Vec::new();
    let mut page = stage.json(&["/users?$top=60&$select=id"]);
    let mut pages = 1;
    loop {
        ids.extend(
            page["output"]
                .as_array()
                .unwrap()
                .iter()
                .map(|user| user["id"].clone()),
        );
        let Some(cursor) = page["cursor"].as_str() else {
            break;
        };
        page = stage.json(&["--cursor", cursor]);
        pages += 1;
    }
    assert_eq!(pages, 5);
    assert_distinct(ids, 241);
    // Another connection cannot use it.
    let page = stage.json(&["/users?$top=5"]);
    let done = stage.home.shell(&[
        "graph",
        "fabrikam",
        "--cursor",
        page["cursor"].as_str().unwrap(),
    ]);
    assert!(done.stderr.contains("belongs to connection"), "{done:?}");
}

fn assert_distinct(mut ids: Vec<Value>, count: usize) {
    assert_eq!(ids.len(), count);
    ids.sort_by_key(Value::to_string);
    ids.dedup();
    assert_eq!(ids.len(), count, "nobody comes twice");
}

fn all_pages() {
    let stage = Stage::signed_in();
    let all = stage.json(&["/users?$top=30", "--all-pages", "--query", "$count=true"]);
    assert_eq!(
        (&all["items"], &all["total_items"]),
        (&json!(241), &json!(241)),
        "{}",
        all["stopped"]
    );
    assert!(all["cursor"].is_null());
    let some = stage.json(&["/users?$top=30", "--all-pages", "--max-items", "100"]);
    assert_eq!(some["items"], 100);
    let rest = stage.json(&["--cursor", some["cursor"].as_str().unwrap()]);
    assert_eq!(
        (&rest["items"], &rest["items_so_far"]),
        (&json!(141), &json!(241))
    );
    let both = [&some, &rest].map(|page| page["output"].as_array().unwrap().clone());
    let ids = both
        .concat()
        .iter()
        .map(|user| user["id"].clone())
        .collect();
    assert_distinct(ids, 241);

    // An assistant's answers are small; together they are the same.
    let mut client = stage.client();
    let mut arguments = json!({"connection": "contoso", "endpoint": "/users", "all_pages": true});
    let mut ids = Vec::new();
    loop {
        let answer = client.call("graph_request", arguments.clone());
        let fields = &answer["structuredContent"];
        let output = fields["output"].as_str().unwrap();
        assert!(output.chars().count() <= 40_000);
        let users: Vec<Value> = serde_json::from_str(output).unwrap();
        ids.extend(users.iter().map(|user| user["id"].clone()));
        let Some(cursor) = fields["cursor"].as_str() else {
            break;
        };
        arguments = json!({"connection": "contoso", "cursor": cursor});
    }
    assert_distinct(ids, 241);
}

fn pieces() {
    let stage = Stage::signed_in();
    let mut client = stage.client();
    let mut arguments = json!({"connection": "contoso", "endpoint": "/demo/huge"});
    let mut whole = String::new();
    loop {
        let answer = client.call("graph_request", arguments.clone());
        let fields = &answer["structuredContent"];
        let piece: Value = serde_json::from_str(fields["output"].as_str().unwrap()).unwrap();
        whole.push_str(piece[0]["fragment"].as_str().unwrap());
        assert_eq!(fields["partial"], true);
        let Some(cursor) = fields["cursor"].as_str() else {
            break;
        };
        arguments = json!({"connection": "contoso", "cursor": cursor});
    }
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole["text"].as_str().unwrap().len(), 200_000);
}

fn bodies() {
    let stage = Stage::signed_in();
    let text = stage.graph(&["/demo/text"]);
    assert_eq!(text.stdout, "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n");
    let html = stage.json(&["/demo/html"]);
    assert_eq!(html["format"], "html");
    let photo = stage.json(&["/me/photo/$value"]);
    assert_eq!(photo["file"]["content_type"], "image/png");
    assert_eq!(photo["file"]["sha256"].as_str().unwrap().len(), 64);
    let count = stage.graph(&["/users/$count"]);
    assert_eq!(count.stdout, "241\n");
    let nothing = stage.graph(&[
        "/users/admin@contoso.example",
        "-X",
        "PATCH",
        "-d",
        "{\"jobTitle\":\"x\"}",
    ]);
    assert!(
        nothing.code == 0 && nothing.stderr.contains("OK (no content"),
        "{nothing:?}"
    );
    let delta = stage.json(&["/users/delta?$top=999"]);
    let endpoint = delta["delta_endpoint"].as_str().unwrap();
    let changes = stage.json(&[endpoint]);
    assert_eq!(changes["output"], json!([]), "{changes}");
    let search = stage.json(&["/users?$search=\"displayName:Megan\"&$top=3"]);
    assert_eq!(
        search["status"], "success",
        "the consistency level is added: {search}"
    );
}

fn files() {
    let stage = Stage::signed_in();
    std::fs::write(stage.path("files/small.txt"), "hello").unwrap();
    let large: Vec<u8> = (0..12_000_000_u32).map(|n| (n % 251) as u8).collect();
    std::fs::write(stage.path("files/large.bin"), &large).unwrap();
    for (name, size) in [("small.txt", 5), ("large.bin", large.len())] {
        let endpoint = format!("/me/drive/root:/My files/{name}:/content");
        let kind = "Content-Type: application/pdf";
        let up = stage.json(&[&endpoint, "-X", "PUT", "--upload-from", name, "-H", kind]);
        assert_eq!(up["output"]["size"], size, "{up}");
        let down = stage.json(&[&endpoint, "--save-to", &format!("back/{name}")]);
        assert_eq!(down["file"]["bytes"], size, "{down}");
    }
    assert_eq!(
        std::fs::read(stage.path("files/back/large.bin")).unwrap(),
        large
    );
    assert_eq!(
        std::fs::read(stage.path("files/back/small.txt")).unwrap(),
        b"hello"
    );
    let users = stage.json(&["/users?$top=50", "--all-pages", "--save-to", "users.json"]);
    assert_eq!(users["items"], 241, "{users}");
    let saved = std::fs::read(stage.path("files/users.json")).unwrap();
    assert_eq!(
        serde_json::from_slice::<Vec<Value>>(&saved).unwrap().len(),
        241
    );
    // Also what cannot be asked for again; a name that is taken stops it before it is sent.
    let batch = json!({"requests": [{"id": 1, "url": "/me"}]}).to_string();
    for (endpoint, body, key) in [
        ("/demo/echo", "{}", "/contentType"),
        ("/$batch", &batch, "/responses/0/body/id"),
    ] {
        let post = [
            endpoint,
            "-X",
            "POST",
            "-d",
            body,
            "--save-to",
            "answer.json",
        ];
        let done = stage.json(&post);
        assert_eq!(done["status"], "success", "{done}");
        let saved = std::fs::read(stage.path("files/answer.json")).unwrap();
        let saved: Value = serde_json::from_slice(&saved).unwrap();
        assert!(saved.pointer(key).unwrap().is_string(), "{saved}");
        let calls = stage.cloud.counted().calls;
        assert_eq!(stage.json(&post)["code"], "file");
        assert_eq!(stage.cloud.counted().calls, calls);
        std::fs::remove_file(stage.path("files/answer.json")).unwrap();
    }
    for name in ["../x", "/tmp/x", ".ssh/x", "users.json"] {
        let refused = stage.json(&["/me", "--save-to", name]);
        assert_eq!(refused["code"], "file", "{refused}");
    }
    let without = stage
        .home
        .shell(&["graph", "contoso", "/me", "--save-to", "x"]);
    assert!(without.stderr.contains("--files-dir"), "{without:?}");
}

fn reports() {
    let stage = Stage::signed_in();
    let report = stage.graph(&["/reports/getOffice365ActiveUserDetail(period='D7')"]);
    assert!(
        report.stdout.starts_with("Report Refresh Date,"),
        "{report:?}"
    );
}

fn redirects() {
    let stage = Stage::signed_in();
    for kind in ["private", "plain", "metadata", "file", "loop"] {
        let answer = stage.json(&[&format!("/demo/redirect/{kind}")]);
        assert_eq!(
            (&answer["status"], &answer["code"]),
            (&json!("error"), &json!("redirect")),
            "{kind}: {answer}"
        );
    }
    assert_eq!(stage.json(&["/demo/redirect/home"])["status"], "success");
}

fn refusals() {
    let stage = Stage::signed_in();
    for (endpoint, words) in [
        ("/users/nobody@contoso.example", "mail alias"),
        ("/auditLogs/signIns", "license"),
        ("/directoryRoles", "PIM"),
        ("/user", "did you mean"),
        ("/demo/status/412", "If-Match"),
        ("/demo/status/500", "the service failed"),
    ] {
        let done = stage.graph(&[endpoint]);
        assert_eq!(done.code, 1, "{done:?}");
        assert!(done.stderr.contains(words), "{endpoint}: {}", done.stderr);
        assert!(done.stderr.contains("request-id"), "{}", done.stderr);
    }
}
