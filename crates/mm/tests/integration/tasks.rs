//! Jobs as tasks: made by one process, polled by a second, cancelled by a third.

use serde_json::{Value, json};

use crate::Case;
use crate::client::{Client, Home, LEGACY, meta, with_tasks};
use crate::stand_in::StandIn;

pub const CASES: &[Case] = &[
    ("a_job_that_goes_on_becomes_a_task", becomes_a_task),
    ("a_task_completes_with_the_tools_answer", completes),
    ("a_third_process_cancels", cancels),
    ("who_does_not_declare_tasks_gets_text", undeclared),
    ("the_older_eras_get_text", older_eras),
    ("a_task_nobody_knows_is_refused", unknown),
    ("what_is_asked_of_tasks_is_logged", logged),
    (
        "cancelling_the_request_does_not_cancel_the_task",
        late_cancel,
    ),
];

fn request(home: &Home, method: &str, mut params: Value) -> Value {
    params["_meta"] = meta(&with_tasks());
    Client::start(home).request(method, params)
}

fn run(home: &Home, command: &str) -> Value {
    let answer = request(
        home,
        "tools/call",
        json!({"name": "run", "arguments": {"connection": "Contoso", "module": "exo", "command": command, "wait_seconds": 0}}),
    );
    answer["result"].clone()
}

fn becomes_a_task() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let task = run(&home, "hang");
    assert_eq!(task["resultType"], "task", "{task}");
    assert_eq!(task["status"], "working");
    assert_eq!(task["taskId"], pool.wait_for_job());
    assert_eq!(
        task["statusMessage"],
        "Connection: Contoso | tenant: contoso.example | module: exo | running"
    );
    assert!(task["pollIntervalMs"].is_u64() && task["ttlMs"].is_u64());
    assert!(task["createdAt"].is_string() && task["lastUpdatedAt"].is_string());
    // A quick command needs none.
    assert_eq!(run(&home, "1+1")["resultType"], "complete");
}

fn completes() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let id = run(&home, "hang")["taskId"].clone();
    let working = request(&home, "tasks/get", json!({"taskId": id}));
    assert_eq!(working["result"]["status"], "working", "{working}");
    assert_eq!(working["result"]["resultType"], "complete");
    for (state, is_error) in [
        ("succeeded", false),
        ("failed", true),
        ("auth_required", false),
    ] {
        let id = run(&home, "hang")["taskId"].as_str().unwrap().to_owned();
        pool.finish(&id, state, "out\n");
        let task = request(&home, "tasks/get", json!({"taskId": id}))["result"].clone();
        assert_eq!(task["status"], "completed", "{task}");
        assert_eq!(task["result"]["isError"], is_error, "{task}");
        assert_eq!(task["result"]["structuredContent"]["state"], state);
    }
}

fn cancels() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let id = run(&home, "hang")["taskId"].as_str().unwrap().to_owned();
    let done = request(&home, "tasks/cancel", json!({"taskId": id}));
    assert_eq!(done["result"]["resultType"], "complete", "{done}");
    assert_eq!(pool.state(&id), "cancelled");
    let task = request(&home, "tasks/get", json!({"taskId": id}));
    assert_eq!(task["result"]["status"], "cancelled");
    let update = request(
        &home,
        "tasks/update",
        json!({"taskId": id, "inputResponses": {}}),
    );
    assert_eq!(update["result"]["resultType"], "complete", "{update}");
}

fn undeclared() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let mut client = Client::start(&home);
    let result = client.call(
        "run",
        json!({"connection": "Contoso", "module": "exo", "command": "hang", "wait_seconds": 0}),
    );
    assert_eq!(result["resultType"], "complete");
    let answer = client.request(
        "tasks/get",
        json!({"taskId": pool.wait_for_job(), "_meta": meta(&json!({}))}),
    );
    assert_eq!(answer["error"]["code"], -32021, "{answer}");
}

fn older_eras() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    for version in LEGACY {
        let mut client = Client::start(&home);
        client.handshake_with(version, with_tasks());
        let answer = client.request(
            "tools/call",
            json!({"name": "run", "arguments": {"connection": "Contoso", "module": "exo", "command": "hang", "wait_seconds": 0}}),
        );
        assert!(
            answer["result"]["content"][0]["text"].is_string(),
            "{version}: {answer}"
        );
    }
}

fn unknown() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    for id in ["nonsense", "01997000-0000-7000-8000-000000000000"] {
        for method in ["tasks/get", "tasks/cancel", "tasks/update"] {
            let answer = request(&home, method, json!({"taskId": id, "inputResponses": {}}));
            assert_eq!(answer["error"]["code"], -32602, "{method}: {answer}");
        }
    }
    let answer = request(
        &Home::new("http://127.0.0.1:1"),
        "tasks/get",
        json!({"taskId": "01997000-0000-7000-8000-000000000000"}),
    );
    assert_eq!(answer["error"]["code"], -32603, "{answer}");
}

fn logged() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let id = run(&home, "hang")["taskId"].clone();
    let wanted = json!({"taskId": id, "inputResponses": {}});
    for (method, status) in [
        ("tasks/get", "running"),
        ("tasks/update", "running"),
        ("tasks/cancel", "cancelled"),
    ] {
        request(&home, method, wanted.clone());
        let log = home.log();
        let last = log.last().unwrap();
        assert_eq!(last["tool"], method);
        assert_eq!(last["status"], status);
        assert_eq!(last["connection"], "Contoso");
        assert_eq!(last["module"], "exo");
        assert_eq!(last["client"], "modern-client");
    }
    request(&home, "tasks/get", json!({"taskId": "nonsense"}));
    assert_eq!(home.log().last().unwrap()["status"], "bad_arguments");
}

fn late_cancel() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let mut client = Client::start(&home);
    let id = client.send(
        "tools/call",
        json!({"name": "run", "arguments": {"connection": "Contoso", "module": "exo", "command": "hang", "wait_seconds": 0}, "_meta": meta(&with_tasks())}),
    );
    assert_eq!(client.answer(id)["result"]["resultType"], "task");
    client.notify("notifications/cancelled", json!({"requestId": id}));
    // Answered after the notification was read.
    client.request("tools/list", json!({"_meta": meta(&json!({}))}));
    client.close_stdin();
    client.wait();
    assert_eq!(pool.state(&pool.wait_for_job()), "running");
}
