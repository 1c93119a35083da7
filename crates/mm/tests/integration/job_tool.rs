//! The tool `job`: any process follows, reads on, cancels and lists.

use serde_json::json;

use crate::Case;
use crate::client::{Client, Home, text};
use crate::stand_in::StandIn;

pub const CASES: &[Case] = &[
    ("another_process_waits_for_the_end", another_process),
    ("pages_follow_each_other_without_a_gap", pages),
    ("it_cancels", cancels),
    ("without_arguments_it_lists_the_jobs", lists),
    ("an_id_that_is_none_is_told", bad_id),
];

fn start_job(home: &Home) -> String {
    let result = Client::start(home).call(
        "run",
        json!({"connection": "Contoso", "module": "exo", "command": "hang", "wait_seconds": 0}),
    );
    result["structuredContent"]["job"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn another_process() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let id = start_job(&home);
    let mut client = Client::legacy(&home, "2025-03-26");
    let call = client.send(
        "tools/call",
        json!({"name": "job", "arguments": {"id": id}}),
    );
    pool.wait_for_request(&format!("GET /jobs/{id}?wait_seconds=45"));
    pool.finish(&id, "succeeded", "at last\n");
    let answer = client.answer(call);
    assert!(text(&answer["result"]).contains("at last\n"), "{answer}");
    assert!(text(&answer["result"]).starts_with("Connection: Contoso | tenant: contoso.example"));
}

fn pages() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let first = Client::start(&home).call(
        "run",
        json!({"connection": "Contoso", "module": "exo", "command": "lines 100"}),
    );
    let mut page = first["structuredContent"].clone();
    let mut all = page["output"].as_str().unwrap().to_owned();
    while page["cursor"].is_string() {
        let result =
            Client::start(&home).call("job", json!({"id": page["job"], "cursor": page["cursor"]}));
        page = result["structuredContent"].clone();
        all.push_str(page["output"].as_str().unwrap());
    }
    assert_eq!(all.lines().count(), 100);
    assert!(all.ends_with("line 100 of the output of a command, as long as most\n"));
}

fn cancels() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let id = start_job(&home);
    let result = Client::start(&home).call("job", json!({"id": id, "cancel": true}));
    assert_eq!(pool.state(&id), "cancelled");
    assert!(text(&result).contains("Status: cancelled"), "{result}");
}

fn lists() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    assert!(text(&Client::start(&home).call("job", json!({}))).contains("no jobs"));
    let id = start_job(&home);
    let result = Client::start(&home).call("job", json!({}));
    assert!(text(&result).contains(&id) && text(&result).contains("running"));
    assert_eq!(result["structuredContent"]["jobs"][0]["job"], id);
}

fn bad_id() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    for (wrong, part) in [
        (json!({"id": "../run"}), "is not a job id"),
        (json!({"wait_seconds": 5}), "\"id\" is missing"),
        (json!({"job": "x"}), "there is no argument \"job\""),
        (
            json!({"id": "01997000-0000-7000-8000-000000000000"}),
            "no such job",
        ),
    ] {
        let result = Client::start(&home).call("job", wrong);
        assert_eq!(result["isError"], true);
        assert!(text(&result).contains(part), "{result}");
    }
}
