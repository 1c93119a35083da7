//! Commands that need a yes, with clients that can ask a person: the pool keeps the yes, and its code
//! stays with `mm`.

use serde_json::{Value, json};

use crate::Case;
use crate::client::{Client, meta, text};
use crate::demo::Demo;

/// Tests that need the pool and a PowerShell.
pub const CASES: &[Case] = &[
    ("a_command_is_confirmed_by_a_form", by_form),
    ("an_older_client_is_asked_about_a_command", older),
    ("a_person_confirms_a_command_elsewhere", elsewhere),
];

/// A send: the caller itself might confirm it.
const SEND: &str = "Send-MailMessage -To ada@contoso.example -Subject Hi -Body x -SmtpServer 127.0.0.1 -WarningAction SilentlyContinue -ErrorAction SilentlyContinue; 'done'";

/// Something for a person alone.
const JOB: &str = "$job = Start-Job { 1 }; 'done'";

fn call(command: &str) -> Value {
    json!({"connection": "contoso", "module": "exo", "command": command})
}

fn elicited(demo: &Demo, tool: &str, arguments: &Value, answer: Option<(&Value, Value)>) -> Value {
    let mut params = json!({"name": tool, "arguments": arguments,
        "_meta": meta(&json!({"elicitation": {"form": {}}}))});
    if let Some((asked, reply)) = answer {
        params["requestState"] = asked["requestState"].clone();
        params["inputResponses"] = json!({"confirm": reply});
    }
    let answer = Client::spawn(demo.command()).request("tools/call", params);
    assert!(answer["error"].is_null(), "{answer}");
    answer["result"].clone()
}

fn yes() -> Value {
    json!({"action": "accept", "content": {"confirm": true}})
}

fn by_form() {
    let demo = Demo::signed_in();
    for command in [SEND, JOB] {
        let first = elicited(&demo, "run", &call(command), None);
        assert_eq!(first["resultType"], "input_required", "{first}");
        let message = first["inputRequests"]["confirm"]["params"]["message"].to_string();
        assert!(
            message.contains("contoso") && message.contains("done"),
            "{message}"
        );
        // Another command is another question.
        let other = elicited(
            &demo,
            "run",
            &call(&format!("{command} # x")),
            Some((&first, yes())),
        );
        assert_eq!(other["resultType"], "input_required", "{other}");
        let done = elicited(&demo, "run", &call(command), Some((&first, yes())));
        assert!(text(&done).contains("done"), "{done}");
        let again = elicited(&demo, "run", &call(command), Some((&first, yes())));
        assert_eq!(again["resultType"], "input_required", "{again}");
        let no = json!({"action": "decline"});
        let refused = elicited(&demo, "run", &call(command), Some((&again, no)));
        assert_eq!(
            refused["structuredContent"]["code"], "declined",
            "{refused}"
        );
        // Nor is the code to be had by way of the job.
        let jobs = elicited(&demo, "job", &json!({}), None);
        let jobs = jobs["structuredContent"]["jobs"]
            .as_array()
            .unwrap()
            .clone();
        for job in jobs {
            let answer = elicited(&demo, "job", &json!({"id": job["job"]}), None);
            assert!(
                answer["structuredContent"]["confirmation"]["code"].is_null(),
                "{answer}"
            );
        }
    }
    let said = confirmations(&demo);
    assert_eq!(said, vec![json!({"by": "person", "how": "elicitation"}); 2]);
}

/// Who said yes to commands, and how, as the pool has it in its audit.
fn confirmations(demo: &Demo) -> Vec<Value> {
    let path = demo.home.path().join(".m365-demo/logs/audit-unified.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|line| line["confirmation"].clone())
        .filter(|said| !said.is_null())
        .collect()
}

fn older() {
    let demo = Demo::signed_in();
    for (reply, done) in [(yes(), true), (json!({"action": "cancel"}), false)] {
        let mut client = Client::spawn(demo.command());
        client.handshake_with("2025-11-25", json!({"elicitation": {}}));
        let params = client.params("run", call(SEND));
        let id = client.send("tools/call", params);
        let question = client.receive();
        assert_eq!(question["method"], "elicitation/create", "{question}");
        let line = json!({"jsonrpc": "2.0", "id": question["id"], "result": reply});
        client.raw(line.to_string().as_bytes());
        let answer = client.answer(id);
        let structured = &answer["result"]["structuredContent"];
        assert_eq!(structured["code"] == "declined", !done, "{answer}");
        assert_eq!(answer.to_string().contains("done"), done, "{answer}");
    }
}

fn elsewhere() {
    let demo = Demo::signed_in();
    let run = |command: &str| Client::spawn(demo.command()).call("run", call(command));
    let answer = run(JOB);
    let asked = &answer["structuredContent"]["confirmation"];
    assert_eq!(asked["by"], "person", "{answer}");
    assert!(asked["code"].is_null(), "{answer}");
    let id = asked["id"].as_str().unwrap();
    assert!(text(&answer).contains("aiting for a person"), "{answer}");
    let confirm = |arguments: &[&str]| {
        let output = demo
            .command()
            .arg("confirm")
            .args(arguments)
            .output()
            .unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        (output.status.code().unwrap(), shown)
    };
    let (code, shown) = confirm(&[id]);
    assert!(code == 8 && shown.contains("Start-Job"), "{code} {shown}");
    assert_eq!(
        run(JOB)["structuredContent"]["status"],
        "confirmation_required"
    );
    assert_eq!(confirm(&[id, "--yes"]).0, 0);
    assert!(text(&run(JOB)).contains("done"));
    assert_ne!(confirm(&[id, "--yes"]).0, 0);
    assert_eq!(
        confirmations(&demo),
        [json!({"by": "person", "how": "command"})]
    );
}
