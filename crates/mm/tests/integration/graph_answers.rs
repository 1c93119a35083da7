//! `graph_request` where answers are not what they are called, or not the end: CSV called bytes,
//! work that goes on, attachments in parts, hosts that there are not.

use serde_json::{Value, json};

use crate::Case;
use crate::graph_stage::Stage;

pub const CASES: &[Case] = &[
    ("csv_that_is_called_bytes_is_shown", csv),
    ("work_that_goes_on_is_told_with_its_place", accepted),
    ("headers_beside_a_batch_are_refused", batch_headers),
    ("a_large_attachment_goes_up_in_parts", attachment),
    ("a_download_host_is_not_named", download_host),
];

fn csv() {
    let stage = Stage::signed_in();
    let endpoint = "/reports/getOffice365ActiveUserDetail(period='D7')";
    let report = stage.json(&[endpoint]);
    assert_eq!(
        (&report["status"], &report["format"]),
        (&json!("success"), &json!("csv")),
        "{report}"
    );
    let text = report["output"].as_str().unwrap();
    assert!(text.starts_with("Report Refresh Date"), "{text}");
    let done = stage.graph(&[endpoint]);
    assert!(
        done.code == 0 && done.stdout.starts_with("Report Refresh Date"),
        "{done:?}"
    );
    let saved = stage.json(&[endpoint, "--save-to", "report.csv"]);
    let path = saved["file"]["path"].as_str().unwrap();
    assert!(path.ends_with("/report.csv"), "{saved}");

    // A name is not enough: what is no text stays a file.
    for (bytes, shown) in [
        (&b"a,b\n1,\xc3\xa9\n"[..], true),
        (b"a,b\n\xff\xfe", false),
        (b"PK\x03\x04\0\0", false),
    ] {
        std::fs::write(stage.path("files/up"), bytes).unwrap();
        let endpoint = "/me/drive/root:/List.CSV:/content";
        let up = stage.json(&[endpoint, "-X", "PUT", "--upload-from", "up"]);
        assert_eq!(up["status"], "success", "{up}");
        let down = stage.json(&[endpoint]);
        assert_eq!(down["output"].is_string(), shown, "{down}");
        assert_eq!(down["file"].is_object(), !shown, "{down}");
    }
}

fn accepted() {
    let stage = Stage::signed_in();
    for kind in ["relative", "full"] {
        let answer = stage.json(&[&format!("/beta/demo/accepted/{kind}"), "-X", "POST"]);
        assert_eq!(
            (&answer["status"], &answer["http_status"]),
            (&json!("success"), &json!(202)),
            "{answer}"
        );
        let operation = answer["operation_endpoint"].as_str().unwrap();
        let version = if kind == "full" { "v1.0" } else { "beta" };
        assert_eq!(operation, format!("/{version}/demo/kept/operation"));
        assert_eq!(stage.json(&[operation])["output"]["id"], "operation");
    }
    let done = stage.graph(&["/demo/accepted/relative", "-X", "POST"]);
    let next = "How far it is: mm graph contoso /v1.0/demo/kept/operation";
    assert!(done.code == 0 && done.stderr.contains(next), "{done:?}");

    let mut client = stage.client();
    let mut call = |kind: &str| {
        let endpoint = format!("/demo/accepted/{kind}");
        let call = json!({"connection": "contoso", "endpoint": endpoint, "method": "POST"});
        client.call("graph_request", call)
    };
    let answer = call("elsewhere");
    let text = answer["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("at another host"), "{text}");
    let whole = answer.to_string();
    assert!(
        !whole.contains("monitor") && !whole.contains("localhost"),
        "{answer}"
    );
    let answer = call("nowhere");
    assert!(!answer.to_string().contains("goes on"), "{answer}");
}

fn batch_headers() {
    let stage = Stage::signed_in();
    let body = json!({"requests": [{"id": 1, "method": "GET", "url": "/me"}]}).to_string();
    let call = ["/$batch", "-X", "POST", "-d", &body];
    let refused = stage.json(&[&call[..], &["-H", "Prefer: x"]].concat());
    assert_eq!(refused["code"], "bad_arguments", "{refused}");
    let words = refused["error"].as_str().unwrap();
    assert!(words.contains("each request inside it"), "{words}");
    assert_eq!(stage.json(&call)["status"], "success");

    // What leads to other hosts is not told there either, and counting needs no header.
    let body = json!({"requests": [
        {"id": 1, "method": "POST", "url": "/demo/accepted/elsewhere"},
        {"id": 2, "method": "POST", "url": "/demo/accepted/relative"},
        {"id": 3, "method": "GET", "url": "/reports/getX(period='D7')"},
        {"id": 4, "method": "GET", "url": "/users/$count"},
    ]})
    .to_string();
    let answer = stage.json(&["/$batch", "-X", "POST", "-d", &body]);
    let responses = &answer["output"]["responses"];
    for (at, advice) in [(0, "look for the result"), (2, "on its own")] {
        let said = responses[at]["advice"].as_str().unwrap();
        assert!(said.contains(advice), "{answer}");
        assert_eq!(responses[at]["headers"].get("location"), None, "{answer}");
    }
    assert_eq!(responses[1]["headers"]["location"], "/demo/kept/operation");
    assert_eq!(responses[3]["status"], 200, "{answer}");
}

fn attachment() {
    let stage = Stage::signed_in();
    let draft = stage.json(&[
        "/me/messages",
        "-X",
        "POST",
        "-d",
        "{\"subject\": \"Plan\"}",
    ]);
    let id = draft["output"]["id"].as_str().unwrap();
    let size = 9 * 1024 * 1024 + 7;
    std::fs::write(stage.path("files/plan.bin"), vec![b'x'; size]).unwrap();
    let attachments = format!("/me/messages/{id}/attachments");
    let endpoint = format!("{attachments}/createUploadSession");
    let up = |body: Option<Value>| {
        let mut call = vec![&endpoint, "-X", "POST", "--upload-from", "plan.bin"];
        let body = body.map(|body| body.to_string());
        if let Some(body) = &body {
            call.extend(["-d", body]);
        }
        stage.json(&call)
    };
    // Parts that are lost are sent again, although mailboxes count in their own way.
    stage.cloud.set_faults(|faults| faults.lost_parts = 1);
    let own = json!({"AttachmentItem": {"attachmentType": "file", "name": "a.bin", "size": size}});
    let done = up(Some(own));
    assert_eq!(
        (&done["status"], &done["http_status"]),
        (&json!("success"), &json!(201)),
        "{done}"
    );
    assert_eq!(up(None)["status"], "success");
    let list = stage.json(&[&attachments]);
    let mut names: Vec<&str> = list["output"]
        .as_array()
        .unwrap()
        .iter()
        .inspect(|item| assert_eq!(item["size"], size))
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["a.bin", "plan.bin"]);

    std::fs::write(stage.path("files/none"), "").unwrap();
    let empty = stage.json(&[&endpoint, "-X", "POST", "--upload-from", "none"]);
    assert_eq!(empty["code"], "bad_arguments", "{empty}");
    let wrong = up(Some(json!({"AttachmentItem": {"name": "a.bin"}})));
    assert_eq!(wrong["http_status"], 400, "{wrong}");
    assert_eq!(up(Some(json!([1])))["code"], "bad_arguments");
    let elsewhere = [
        "/me/drive/root:/x:/content",
        "-X",
        "PUT",
        "--upload-from",
        "plan.bin",
    ];
    let refused = stage.graph(&[&elsewhere[..], &["-d", "{}"]].concat());
    assert!(
        refused.code == 2 && refused.stderr.contains("/createUploadSession"),
        "{refused:?}"
    );
}

fn download_host() {
    let stage = Stage::signed_in();
    let answer = stage.json(&["/demo/redirect/gone"]);
    assert_eq!(answer["code"], "unreachable", "{answer}");
    let words = answer["error"].as_str().unwrap();
    assert!(words.contains("another host"), "{words}");
    assert!(!answer.to_string().contains("contoso-demo"), "{answer}");
}
