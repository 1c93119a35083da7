//! Mail and messages through Graph: shown first, sent after a yes to exactly that, once.

use serde_json::{Value, json};

use crate::Case;
use crate::client::{Client, text};
use crate::graph_stage::Stage;

pub const CASES: &[Case] = &[
    ("a_mail_is_shown_and_sent_by_its_code_once", by_code),
    ("confirmed_alone_sends_nothing_but_in_legacy", confirmed),
    ("guards_that_are_off_are_logged", unguarded),
    ("a_changed_call_needs_a_new_preview", changed),
    ("a_batch_is_shown_and_sent_as_a_whole", batch),
    ("a_draft_is_read_again_at_sending", draft),
    ("files_and_mime_are_shown", files),
    ("an_answer_is_shown_with_its_people", answers),
    ("messages_in_teams_are_guarded", teams),
    ("signatures_are_cut_unless_they_are_to_stay", signatures),
];

pub fn mail(text: &str) -> Value {
    json!({"message": {
        "subject": "Lunch?", "body": {"contentType": "Text", "content": text},
        "toRecipients": [{"emailAddress": {"address": "megan.archer@contoso.example"}}],
        "bccRecipients": [{"emailAddress": {"address": "hidden@evil.example"}}],
        "attachments": [{"@odata.type": "#microsoft.graph.fileAttachment", "name": "plan.pdf", "contentBytes": "AAAA"}],
    }})
}

pub fn call(endpoint: &str, body: &Value) -> Value {
    json!({"connection": "contoso", "endpoint": endpoint, "method": "POST", "body": body})
}

pub fn with(mut call: Value, name: &str, value: impl Into<Value>) -> Value {
    call[name] = value.into();
    call
}

pub fn fields(answer: &Value) -> &Value {
    &answer["structuredContent"]
}

/// The answer and its code.
pub fn asked(stage: &Stage, call: &Value) -> (Value, String) {
    let answer = stage.client().call("graph_request", call.clone());
    assert_eq!(
        fields(&answer)["status"],
        "confirmation_required",
        "{answer}"
    );
    assert_eq!(answer["isError"], false);
    let code = fields(&answer)["confirmation"]["code"].as_str();
    let code = code.unwrap_or_default().to_owned();
    (answer, code)
}

pub fn sends(stage: &Stage, call: &Value) -> Value {
    let answer = stage.client().call("graph_request", call.clone());
    assert_eq!(fields(&answer)["status"], "success", "{answer}");
    answer
}

fn by_code() {
    let stage = Stage::signed_in();
    let send = call("/me/sendMail", &mail("At noon.\u{202E}"));
    let (answer, code) = asked(&stage, &send);
    for part in [
        "Connection: contoso | tenant: contoso.example | signed in as: admin@contoso.example",
        "not sent",
        "To: megan.archer@contoso.example",
        "Bcc: hidden@evil.example",
        "Subject: Lunch?",
        "Attachment: plan.pdf",
        "    At noon.⟦U+202E⟧",
        &code,
    ] {
        assert!(text(&answer).contains(part), "{part}: {answer}");
    }
    assert_eq!(fields(&answer)["confirmation"]["by"], "assistant");
    assert_eq!(stage.cloud.counted().sent, 0);
    let again = with(send, "confirmation", code);
    sends(&stage, &again);
    assert_eq!(stage.cloud.counted().sent, 1);
    // Once.
    asked(&stage, &again);
    // And from a shell.
    let body = mail("x").to_string();
    let arguments = ["/me/sendMail", "-X", "POST", "-d", body.as_str()];
    let shown = stage.graph(&arguments);
    assert_eq!(shown.code, 8, "{shown:?}");
    assert!(shown.stderr.contains("--confirmation"), "{shown:?}");
    let code = stage.json(&arguments)["confirmation"]["code"]
        .as_str()
        .unwrap()
        .to_owned();
    let sent = stage.graph(&[&arguments[..], &["--confirmation", &code]].concat());
    assert_eq!((sent.code, stage.cloud.counted().sent), (0, 2), "{sent:?}");
}

fn spawned(stage: &Stage, name: &str, value: &str) -> Client {
    let mut command = stage.command();
    command.env(name, value);
    Client::spawn(command)
}

fn confirmed() {
    let stage = Stage::signed_in();
    let send = with(call("/me/sendMail", &mail("x")), "confirmed", true);
    asked(&stage, &send);
    let mut inside = mail("x");
    inside["confirmed"] = true.into();
    asked(&stage, &call("/me/sendMail", &inside));
    assert_eq!(stage.cloud.counted().sent, 0);
    let mut client = spawned(&stage, "MM_SEND_GUARDS", "legacy");
    let answer = client.call("graph_request", call("/me/sendMail", &mail("x")));
    assert_eq!(
        fields(&answer)["status"],
        "confirmation_required",
        "{answer}"
    );
    let answer = client.call("graph_request", send);
    assert_eq!(fields(&answer)["status"], "success", "{answer}");
    let answer = client.call("graph_request", call("/me/sendMail", &inside));
    assert_eq!(fields(&answer)["status"], "success", "{answer}");
    assert_eq!(stage.cloud.counted().sent, 2);
    assert_eq!(warnings(&stage), 2);
    let mut client = spawned(&stage, "MM_SEND_GUARDS", "perhaps");
    let answer = client.call("graph_request", call("/me/sendMail", &mail("x")));
    assert!(text(&answer).contains("MM_SEND_GUARDS"), "{answer}");
}

fn warnings(stage: &Stage) -> usize {
    let log = stage.home.log();
    log.iter().filter(|line| line["level"] == "WARNING").count()
}

fn unguarded() {
    let stage = Stage::signed_in();
    let send = call("/me/sendMail", &mail("x"));
    let mut client = spawned(&stage, "MM_SEND_GUARDS", "false");
    let answer = client.call("graph_request", send.clone());
    assert_eq!(fields(&answer)["status"], "success", "{answer}");
    assert_eq!(warnings(&stage), 1);
    let mut registry: Value = registry(&stage);
    registry["connections"]["contoso"]["skipSendGuards"] = true.into();
    stage.write_registry(&registry.to_string());
    sends(&stage, &send);
    assert_eq!((warnings(&stage), stage.cloud.counted().sent), (2, 2));
    let log = stage.home.log();
    let line = log.iter().rfind(|line| line["level"] == "WARNING").unwrap();
    assert!(line["message"].as_str().unwrap().contains("skipSendGuards"));
    assert_eq!(line["connection"], "contoso");
    // What only reads is no use of it.
    let mut client = spawned(&stage, "MM_SEND_GUARDS", "false");
    client.call(
        "graph_request",
        json!({"connection": "contoso", "endpoint": "/me"}),
    );
    assert_eq!(warnings(&stage), 2);
}

fn registry(stage: &Stage) -> Value {
    let text = std::fs::read_to_string(stage.path(".m365-connections.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn changed() {
    let stage = Stage::signed_in();
    let send = call("/me/sendMail", &mail("At noon."));
    let (_, code) = asked(&stage, &send);
    let mut other = with(send.clone(), "confirmation", code.clone());
    for (pointer, value) in [
        ("/body/message/subject", json!("Lunch!")),
        (
            "/body/message/toRecipients/0/emailAddress/address",
            json!("evil@evil.example"),
        ),
        ("/body/message/body/content", json!("At noon. ")),
        (
            "/endpoint",
            json!("/users/megan.archer@contoso.example/sendMail"),
        ),
        ("/endpoint", json!("/beta/me/sendMail")),
    ] {
        let before = other.pointer(pointer).unwrap().clone();
        *other.pointer_mut(pointer).unwrap() = value;
        asked(&stage, &other);
        *other.pointer_mut(pointer).unwrap() = before;
    }
    for (name, value) in [
        ("headers", json!({"Prefer": "x"})),
        ("confirmation", json!(format!("{code}A"))),
        ("confirmation", json!("yes")),
    ] {
        let altered = with(other.clone(), name, value);
        asked(&stage, &altered);
    }
    assert_eq!(stage.cloud.counted().sent, 0);
    sends(&stage, &other);
}

fn batch() {
    let stage = Stage::signed_in();
    let requests = |endpoint: &str, text: &str| {
        json!({"requests": [
            {"id": "a", "method": "GET", "url": "/me"},
            {"id": "b", "method": "POST", "url": endpoint, "body": mail("At noon.\n\nBest regards\nAda")},
            {"id": "c", "method": "POST", "url": "/chats/1/messages", "body": {"body": {"content": text}}},
        ]})
    };
    for (batch, endpoint) in [
        ("/%24batch", "/me/sendMail"),
        ("/beta/$BATCH/", "me/send%4Dail"),
        ("/$batch", "/me%2FsendMail%20"),
    ] {
        asked(&stage, &call(batch, &requests(endpoint, "Hi")));
    }
    let send = call("/$batch", &requests("/me/sendMail", "Hi"));
    let (answer, code) = asked(&stage, &send);
    for part in [
        "request b in the batch",
        "Subject: Lunch?",
        "request c in the batch",
        "a message in Teams",
        "    Hi",
    ] {
        assert!(text(&answer).contains(part), "{part}: {answer}");
    }
    let other = call("/$batch", &requests("/me/sendMail", "Bye"));
    asked(&stage, &with(other, "confirmation", code.clone()));
    assert_eq!(stage.cloud.counted().sent, 0);
    sends(&stage, &with(send, "confirmation", code));
    let sent = stage.cloud.sent();
    assert_eq!(sent.len(), 2);
    assert!(
        sent[0].contains("At noon.") && !sent[0].contains("Best regards"),
        "{sent:?}"
    );
}

fn draft() {
    let stage = Stage::signed_in();
    let draft = stage.client().call(
        "graph_request",
        call("/me/messages", &mail("At noon.")["message"]),
    );
    let draft: Value = serde_json::from_str(fields(&draft)["output"].as_str().unwrap()).unwrap();
    let id = draft["id"].as_str().unwrap();
    let send = json!({"connection": "contoso", "endpoint": format!("/me/messages/{id}/send"), "method": "POST"});
    let (answer, code) = asked(&stage, &send);
    for part in [
        "To: megan.archer@contoso.example",
        "Bcc: hidden@evil.example",
        "    At noon.",
        "plan.pdf",
    ] {
        assert!(text(&answer).contains(part), "{part}: {answer}");
    }
    let change = json!({"connection": "contoso", "endpoint": format!("/me/messages/{id}"), "method": "PATCH",
        "body": {"body": {"contentType": "text", "content": "Something else."}}});
    sends(&stage, &change);
    let again = with(send, "confirmation", code);
    let (answer, code) = asked(&stage, &again);
    assert!(text(&answer).contains("Something else."), "{answer}");
    assert_eq!(stage.cloud.counted().sent, 0);
    sends(&stage, &with(again, "confirmation", code));
    assert_eq!(stage.cloud.counted().sent, 1);
    let gone =
        json!({"connection": "contoso", "endpoint": "/me/messages/nothing/send", "method": "POST"});
    let answer = stage.client().call("graph_request", gone);
    assert_eq!(answer["isError"], true, "{answer}");
}

fn files() {
    let stage = Stage::signed_in();
    let write = |name: &str, content: &str| {
        std::fs::write(stage.path("files").join(name), content).unwrap();
    };
    write("mail.json", &mail("From a file.").to_string());
    let mime = "From: a@contoso.example\r\nTo: Ada <ada@contoso.example>\r\nSubject: MIME\r\n\r\nHello\r\n";
    let encoded = base64(mime.as_bytes());
    write("mail.txt", &encoded);
    let send = |name: &str| json!({"connection": "contoso", "endpoint": "/me/sendMail", "method": "POST", "upload_from": name});
    let (answer, code) = asked(&stage, &send("mail.json"));
    for part in [
        "Subject: Lunch?",
        "Bcc: hidden@evil.example",
        "    From a file.",
    ] {
        assert!(text(&answer).contains(part), "{part}: {answer}");
    }
    write("mail.json", &mail("Another.").to_string());
    let (_, second) = asked(&stage, &with(send("mail.json"), "confirmation", code));
    sends(&stage, &with(send("mail.json"), "confirmation", second));
    assert!(stage.cloud.sent()[0].contains("Another."));
    let in_body = json!({"connection": "contoso", "endpoint": "/me/sendMail", "method": "POST",
        "body": encoded, "headers": {"Content-Type": "text/plain"}});
    for call in [send("mail.txt"), in_body] {
        let (answer, code) = asked(&stage, &call);
        for part in [
            "To: ada@contoso.example (Ada)",
            "Subject: MIME",
            "    Hello",
        ] {
            assert!(text(&answer).contains(part), "{part}: {answer}");
        }
        sends(&stage, &with(call, "confirmation", code));
        assert_eq!(stage.cloud.sent().pop().unwrap(), encoded);
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn answers() {
    let stage = Stage::signed_in();
    let list = stage.json(&["/me/messages?$top=1"]);
    let message = &list["output"][0];
    let id = message["id"].as_str().unwrap();
    let from = message["from"]["emailAddress"]["address"].as_str().unwrap();
    let reply = call(
        &format!("/me/messages/{id}/reply"),
        &json!({"comment": "Yes.\n\nBest regards,\nAda"}),
    );
    let (answer, code) = asked(&stage, &reply);
    for part in [&format!("To: {from}"), "it answers: Report", "    Yes."] {
        assert!(text(&answer).contains(part), "{part}: {answer}");
    }
    sends(&stage, &with(reply, "confirmation", code));
    assert_eq!(stage.cloud.sent(), ["{\"comment\":\"Yes.\"}"]);
    let to = json!({"toRecipients": [{"emailAddress": {"address": "x@y.z"}}]});
    let (answer, _) = asked(&stage, &call(&format!("/me/messages/{id}/forward"), &to));
    assert!(text(&answer).contains("a mail on to others") && text(&answer).contains("To: x@y.z"));
}

fn teams() {
    let stage = Stage::signed_in();
    let body = json!({"body": {"contentType": "html", "content": "<p>Hi <b>all</b></p><p>Best regards</p>"}});
    for endpoint in [
        "/chats/19:x@thread.v2/messages",
        "/teams/t/channels/c/messages",
        "/chats/1/messages%2F",
    ] {
        let (answer, _) = asked(&stage, &call(endpoint, &body));
        // It is no mail: nothing is cut.
        assert!(
            text(&answer).contains("    Hi all\n    Best regards"),
            "{answer}"
        );
    }
    let (_, code) = asked(&stage, &call("/chats/1/messages", &body));
    sends(
        &stage,
        &with(call("/chats/1/messages", &body), "confirmation", code),
    );
    assert_eq!(stage.cloud.counted().sent, 1);
}

fn signatures() {
    let stage = Stage::signed_in();
    let send = call("/me/sendMail", &mail("At noon.\n\nKind regards,\nAda"));
    let (answer, code) = asked(&stage, &send);
    assert!(!text(&answer).contains("Kind regards"), "{answer}");
    sends(&stage, &with(send.clone(), "confirmation", code));
    let mut registry = registry(&stage);
    registry["connections"]["contoso"]["skipSignatureStrip"] = true.into();
    stage.write_registry(&registry.to_string());
    let (answer, code) = asked(&stage, &send);
    assert!(text(&answer).contains("Kind regards"), "{answer}");
    sends(&stage, &with(send, "confirmation", code));
    let kept: Vec<bool> = stage
        .cloud
        .sent()
        .iter()
        .map(|sent| sent.contains("Kind regards"))
        .collect();
    assert_eq!(kept, [false, true]);
}
