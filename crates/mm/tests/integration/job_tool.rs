//! The tool `job`: any process follows, reads on, cancels and lists.

use serde_json::json;

use crate::Case;
use crate::client::{Client, Home, meta, text, with_tasks};
use crate::stand_in::StandIn;

pub const CASES: &[Case] = &[
    ("another_process_waits_for_the_end", another_process),
    ("pages_follow_each_other_without_a_gap", pages),
    (
        "reading_on_in_a_running_job_waits_for_more_and_no_longer",
        waits_for_more,
    ),
    (
        "a_sign_in_that_a_job_needs_names_the_call_to_repeat",
        sign_in,
    ),
    (
        "a_sign_in_that_died_in_mid_command_shows_how_far_it_came",
        dead_sign_in,
    ),
    ("it_cancels", cancels),
    (
        "a_cursor_and_a_cancel_are_not_taken_together",
        cursor_and_cancel,
    ),
    ("without_arguments_it_lists_the_jobs", lists),
    ("a_long_list_comes_in_pages", long_list),
    ("a_cursor_that_is_none_is_told", bad_cursor),
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

/// With and without somebody who hears of progress.
fn waits_for_more() {
    for token in [json!(null), json!("token")] {
        let pool = StandIn::start();
        let home = Home::new(&pool.url);
        let id = start_job(&home);
        pool.say(&id, "first\n");
        let mut client = Client::start(&home);
        let first = client.call("job", json!({"id": id, "wait_seconds": 0}));
        let cursor = first["structuredContent"]["cursor"].clone();
        let mut params = client.params("job", json!({"id": id, "cursor": cursor}));
        params["_meta"]["progressToken"] = token;
        let call = client.send("tools/call", params);
        pool.wait_for_request(&format!("&cursor={}", cursor.as_str().unwrap()));
        pool.say(&id, "second\n");
        let answer = client.answer(call);
        let page = &answer["result"]["structuredContent"];
        assert_eq!(page["output"], "second\n", "{answer}");
        assert_eq!(page["status"], "running");
    }
}

/// The same call of `job` would run nothing.
fn sign_in() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let id = start_job(&home);
    pool.finish(&id, "auth_required", "");
    let result = Client::start(&home).call("job", json!({"id": id}));
    assert!(
        text(&result).contains(
            "repeat exactly the same call of `run` (connection Contoso, module exo, the same command)."
        ),
        "{result}"
    );
    let task = Client::start(&home).request(
        "tasks/get",
        json!({"taskId": id, "_meta": meta(&with_tasks())}),
    );
    assert!(
        text(&task["result"]["result"]).contains("the same call of `run`"),
        "{task}"
    );
}

/// What was done is done: the same call again would do it twice.
fn dead_sign_in() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let id = start_job(&home);
    pool.finish(&id, "auth_required", "the first half is done\n");
    let result = Client::start(&home).call("job", json!({"id": id}));
    let followed = home.shell(&["job", &id]);
    let followed = format!("{}{}", followed.stdout, followed.stderr);
    for said in [text(&result), &followed] {
        for part in [
            "the first half is done",
            "ABCD-1234",
            "look first how far",
            "The pool says: sign in",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        for blind in ["same call", "same command", "(no output)"] {
            assert!(!said.contains(blind), "{blind}: {said}");
        }
    }
}

fn cancels() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let id = start_job(&home);
    let result = Client::start(&home).call("job", json!({"id": id, "cancel": true}));
    assert_eq!(pool.state(&id), "cancelled");
    assert!(text(&result).contains("Status: cancelled"), "{result}");
    assert_eq!(result["isError"], false, "a cancel that worked");
    assert_eq!(result["structuredContent"]["state"], "cancelled");
    // One that has failed before was not cancelled.
    let failed = Client::start(&home).call(
        "run",
        json!({"connection": "Contoso", "module": "exo", "command": "throw"}),
    );
    let id = &failed["structuredContent"]["job"];
    let result = Client::start(&home).call("job", json!({"id": id, "cancel": true}));
    assert_eq!(result["isError"], true, "{result}");
}

fn cursor_and_cancel() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let id = start_job(&home);
    let arguments = json!({"id": id, "cancel": true, "cursor": "r1"});
    let result = Client::start(&home).call("job", arguments);
    assert_eq!(result["isError"], true);
    assert!(text(&result).contains("nothing was cancelled"), "{result}");
    assert!(text(&result).starts_with("Connection: Contoso | tenant: contoso.example"));
    assert_eq!(pool.state(&id), "running");
}

fn lists() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let none = Client::start(&home).call("job", json!({}));
    assert!(text(&none).starts_with("Connection: none | tenant: none\nThere are no jobs"));
    let id = start_job(&home);
    let result = Client::start(&home).call("job", json!({}));
    assert!(text(&result).contains(&id) && text(&result).contains("running"));
    assert!(
        text(&result).starts_with("Connection: Contoso | tenant: contoso.example | module: exo"),
        "{result}"
    );
    assert!(
        text(&result).contains("made 2026-11-23T10:00:00Z,"),
        "no more than seconds: {result}"
    );
    let listed = &result["structuredContent"]["jobs"][0];
    assert_eq!(listed["job"], id);
    assert_eq!(listed["tenant"], "contoso.example");
}

fn long_list() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let mut made: Vec<String> = (0..45).map(|_| start_job(&home)).collect();
    let (mut seen, mut arguments) = (Vec::new(), json!({}));
    loop {
        let result = Client::start(&home).call("job", arguments);
        let list = &result["structuredContent"];
        assert_eq!(list["job_count"], 45);
        let jobs = list["jobs"].as_array().unwrap();
        for job in jobs {
            let id = job["job"].as_str().unwrap();
            assert!(text(&result).contains(id));
            seen.push(id.to_owned());
        }
        if list["cursor"].is_null() {
            break;
        }
        assert_eq!(jobs.len(), 20);
        assert!(text(&result).contains(list["cursor"].as_str().unwrap()));
        arguments = json!({"cursor": list["cursor"]});
    }
    made.sort_unstable();
    made.reverse();
    assert_eq!(seen, made);
}

fn bad_cursor() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let id = start_job(&home);
    let result = Client::start(&home).call("job", json!({"id": id, "cursor": "nonsense"}));
    assert_eq!(result["isError"], true);
    let text = text(&result);
    assert!(
        text.starts_with("Connection: Contoso | tenant: contoso.example | module: exo\n"),
        "{text}"
    );
    let result = Client::start(&home).call("job", json!({"cursor": "r1"}));
    assert!(
        crate::client::text(&result).contains("needs the job's id"),
        "{result}"
    );
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
