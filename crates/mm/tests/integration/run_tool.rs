//! The tool `run`: what it asks of the pool, and what it tells.

use serde_json::{Value, json};

use crate::Case;
use crate::client::{Client, Home, meta, text, with_tasks};
use crate::stand_in::StandIn;

pub const CASES: &[Case] = &[
    (
        "without_arguments_it_lists_the_connections",
        lists_connections,
    ),
    (
        "an_answer_begins_with_connection_and_tenant",
        begins_with_tenant,
    ),
    ("text_and_structure_say_the_same", structure),
    (
        "a_failed_command_is_an_error_with_its_output",
        failed_command,
    ),
    ("sign_in_text_stands_alone", sign_in),
    ("a_refusal_of_the_pool_is_passed_on", refusal),
    (
        "unknown_arguments_are_refused_with_the_nearest_name",
        unknown_argument,
    ),
    ("wrong_arguments_are_results", wrong_arguments),
    ("whole_numbers_may_have_a_point", whole_numbers),
    (
        "failures_name_connection_and_tenant_too",
        failures_name_the_tenant,
    ),
    ("arguments_that_are_no_object_are_a_result", no_object),
    ("an_unknown_tool_is_a_protocol_error", unknown_tool),
    ("a_long_answer_says_how_to_go_on", long_answer),
    ("a_command_that_goes_on_is_handed_out_as_a_job", handed_out),
    ("json_has_errors_and_warnings_beside_it", json_format),
    ("everything_is_passed_on_to_the_pool", passed_on),
    ("a_trace_goes_with_every_request_of_a_call", traced),
    ("calls_are_logged_without_what_they_say", logged),
    (
        "a_yes_that_is_wanted_only_after_a_while_is_asked_for_too",
        asked_late,
    ),
];

fn arguments(command: &str) -> Value {
    json!({"connection": "Contoso", "module": "exo", "command": command})
}

fn run(arguments: Value) -> Value {
    let pool = StandIn::start();
    Client::start(&Home::new(&pool.url)).call("run", arguments)
}

/// The command is queued first, and judged while the call waits.
fn asked_late() {
    let yes = json!({"action": "accept", "content": {"confirm": true}});
    let forms = json!({"elicitation": {"form": {}}});
    for version in ["2025-11-25", crate::client::MODERN] {
        let pool = StandIn::start();
        let mut client = Client::start(&Home::new(&pool.url));
        let mut params = json!({"name": "run", "arguments": arguments("send")});
        if version == crate::client::MODERN {
            params["_meta"] = meta(&forms);
        } else {
            client.handshake_with(version, forms.clone());
        }
        let request = client.send("tools/call", params.clone());
        let job = pool.wait_for_job();
        pool.wait_for_request("GET /jobs/");
        pool.finish(&job, "confirmation_required", "");
        let asked = client.receive();
        assert!(!asked.to_string().contains("SECRET"), "{asked}");
        let done = if version == crate::client::MODERN {
            let asked = &asked["result"];
            assert_eq!(asked["resultType"], "input_required", "{asked}");
            params["requestState"] = asked["requestState"].clone();
            params["inputResponses"] = json!({ "confirm": yes });
            client.request("tools/call", params)
        } else {
            assert_eq!(asked["method"], "elicitation/create", "{asked}");
            let line = json!({"jsonrpc": "2.0", "id": asked["id"], "result": yes});
            client.raw(line.to_string().as_bytes());
            client.answer(request)
        };
        assert_eq!(
            done["result"]["structuredContent"]["output"], "sent\n",
            "{done}"
        );
    }
}

fn lists_connections() {
    let result = run(json!({}));
    let text = text(&result);
    assert_eq!(result["isError"], false);
    assert!(text.starts_with("Connection: "), "{text}");
    for part in [
        "Connection: Contoso | tenant: contoso.example | modules: exo, teams",
        "The made-up one",
        "exo: signed in as ada@contoso.example",
        "teams: waits for a sign-in: code WXYZ-9 at https://microsoft.com/devicelogin",
        "Connection: Fabrikam",
        "Nobody is signed in yet",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let list = result["structuredContent"]["connections"]
        .as_array()
        .unwrap();
    assert_eq!(list[0]["name"], "Contoso");
    assert_eq!(
        list[0]["sessions"][0]["authenticated_as"],
        "ada@contoso.example"
    );
    assert!(
        !result.to_string().contains("Get-Secret"),
        "others' commands"
    );
}

fn begins_with_tenant() {
    let result = run(arguments("1+1"));
    let text = text(&result);
    assert!(
        text.starts_with(
            "Connection: Contoso | tenant: contoso.example | module: exo | signed in as: ada@contoso.example | job: "
        ),
        "{text}"
    );
    assert!(text.ends_with("\n\n2\n"), "{text:?}");
    assert!(
        run(arguments("nothing"))["content"][0]["text"]
            .as_str()
            .unwrap()
            .ends_with("(no output)\n")
    );
}

fn structure() {
    let result = run(arguments("1+1"));
    let structured = &result["structuredContent"];
    assert_eq!(structured["status"], "success");
    assert_eq!(structured["output"], "2\n");
    assert_eq!(structured["tenant"], "contoso.example");
    assert!(text(&result).contains(structured["job"].as_str().unwrap()));
}

fn failed_command() {
    let result = run(arguments("throw"));
    assert_eq!(result["isError"], true);
    let text = text(&result);
    assert!(text.contains("Status: failed. it broke"), "{text}");
    assert!(text.contains("before\n"), "{text}");
}

fn sign_in() {
    let result = run(arguments("sign-in"));
    assert_eq!(result["isError"], false);
    let text = text(&result);
    for part in [
        "Connection: Contoso | tenant: contoso.example",
        "sign-in needed",
        "ABCD-1234",
        "https://microsoft.com/devicelogin",
        "as ada@contoso.example",
        "14 more minutes",
        "repeat exactly the same call",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(result["structuredContent"]["status"], "auth_required");
}

fn refusal() {
    let result = run(json!({"connection": "Nowhere", "module": "exo", "command": "1+1"}));
    assert_eq!(result["isError"], true);
    assert!(text(&result).starts_with("Connection: Nowhere | tenant: not known | module: exo\n"));
    assert!(text(&result).contains(
        "did you mean \"Contoso\"? Call `run` without arguments to see the connections."
    ));
    assert_eq!(result["structuredContent"]["code"], "unknown_connection");
}

fn unknown_argument() {
    let result = run(json!({"conection": "Contoso", "command": "1+1"}));
    assert_eq!(result["isError"], true);
    assert!(
        text(&result).contains("did you mean \"connection\""),
        "{result}"
    );
    assert_eq!(result["structuredContent"]["code"], "bad_arguments");
}

fn wrong_arguments() {
    for (wrong, part) in [
        (json!({"command": 5}), "\"command\" must be a string, not 5"),
        (
            json!({"command": "1", "wait_seconds": "soon"}),
            "wait_seconds",
        ),
        (
            json!({"command": "1", "wait_seconds": 3601}),
            "from 0 to 3600, not 3601",
        ),
        (
            json!({"command": "1", "wait_seconds": 5_000_000_000_u64}),
            "from 0 to 3600, not 5000000000",
        ),
        (
            json!({"command": "1", "timeout_seconds": 0}),
            "from 1 to 3600, not 0",
        ),
        (json!({"command": "1", "confirmed": "yes"}), "true or false"),
        (
            json!({"command": "1", "format": "xml"}),
            "\"text\" or \"json\"",
        ),
        (json!({"connection": "Contoso"}), "\"command\" is missing"),
    ] {
        let result = run(wrong);
        assert_eq!(result["isError"], true);
        assert!(text(&result).contains(part), "{result}");
    }
}

fn whole_numbers() {
    let result = run(
        json!({"connection": "Contoso", "module": "exo", "command": "1+1", "wait_seconds": 2.0}),
    );
    assert_eq!(result["isError"], false, "{result}");
    let result = run(json!({"command": "1+1", "wait_seconds": 2.5}));
    assert!(text(&result).contains("not 2.5"), "{result}");
}

fn failures_name_the_tenant() {
    let contoso = "Connection: Contoso | tenant: contoso.example | module: ";
    for (arguments, head) in [
        (
            json!({"connection": "Contoso", "module": "exo", "command": 5}),
            contoso,
        ),
        (
            json!({"connection": "Contoso", "module": "word", "command": "1"}),
            contoso,
        ),
        (
            json!({"connection": "Contoso", "module": "exo", "comand": "1"}),
            contoso,
        ),
        (
            json!({"connection": "Nowhere", "module": "exo", "command": "1"}),
            "Connection: Nowhere | tenant: not known | module: exo\n",
        ),
        (
            json!({"command": "1", "format": "xml"}),
            "Connection: not named | tenant: not known\n",
        ),
        (json!([]), "Connection: not named | tenant: not known\n"),
    ] {
        let result = run(arguments);
        let text = text(&result);
        assert_eq!(result["isError"], true);
        assert!(text.starts_with(head), "{text}");
        assert!(!text.contains("?.") && !text.contains(".."), "{text}");
        if head == contoso {
            assert_eq!(result["structuredContent"]["tenant"], "contoso.example");
        }
    }
}

fn no_object() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    for wrong in [json!([1]), json!("x"), json!(5)] {
        let result = Client::start(&home).call("run", wrong.clone());
        assert_eq!(result["isError"], true, "{result}");
        assert_eq!(result["resultType"], "complete");
        let result = Client::legacy(&home, "2025-06-18").call("run", wrong);
        assert_eq!(result["isError"], true, "{result}");
        assert!(result["resultType"].is_null());
    }
}

fn unknown_tool() {
    let mut client = Client::start(&Home::new("http://127.0.0.1:1"));
    for params in [
        json!({"name": "mm__run", "_meta": meta(&json!({}))}),
        json!({"name": "mm__run", "arguments": [], "_meta": meta(&json!({}))}),
        json!({"name": 5, "_meta": meta(&json!({}))}),
        json!({"_meta": meta(&json!({}))}),
    ] {
        let answer = client.request("tools/call", params);
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    let answer = client.request("tools/cull", json!({"_meta": meta(&json!({}))}));
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
}

fn long_answer() {
    let result = run(arguments("lines 100"));
    let text = text(&result);
    let cursor = result["structuredContent"]["cursor"].as_str().unwrap();
    assert!(text.contains("This is not all"), "{text}");
    assert!(text.contains(cursor), "{text}");
    assert!(text.contains("Next page: call `job` with {"), "{text}");
}

fn handed_out() {
    let pool = StandIn::start();
    let mut client = Client::start(&Home::new(&pool.url));
    for wait in [0, 1] {
        let mut wanted = arguments("hang");
        wanted["wait_seconds"] = json!(wait);
        let result = client.call("run", wanted);
        let text = text(&result);
        assert_eq!(result["isError"], false);
        assert!(text.contains("still running"), "{text}");
        assert!(text.contains("call `job` with {\"id\":\""), "{text}");
        assert_eq!(result["structuredContent"]["status"], "running");
    }
}

fn json_format() {
    let mut wanted = arguments("objects");
    wanted["format"] = json!("json");
    let result = run(wanted);
    let text = text(&result);
    assert!(text.contains("[{\"a\":1}]\n"), "{text}");
    assert!(
        text.contains("Error: one is missing (ObjectNotFound, X)"),
        "{text}"
    );
    assert!(text.contains("Warning: old module"), "{text}");
    assert!(text.contains("with 1 error on the way"), "{text}");
}

fn passed_on() {
    let pool = StandIn::start();
    let mut client = Client::start(&Home::new(&pool.url));
    let params = client.params(
        "run",
        json!({"connection": "Contoso", "module": "pnp", "site": "admin", "command": "1+1",
               "confirmed": true, "format": "json", "timeout_seconds": 7}),
    );
    client.request("tools/call", params);
    let seen = pool.wait_for_request("POST /run");
    for (key, value) in [
        ("connection", json!("Contoso")),
        ("module", json!("pnp")),
        ("site", json!("admin")),
        ("confirmed", json!(true)),
        ("format", json!("json")),
        ("timeout_seconds", json!(7)),
        ("caller_id", json!("modern-client")),
    ] {
        assert_eq!(seen.body[key], value, "{key}");
    }
}

fn traced() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let traces = |number: usize| format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{number:016x}-01");
    let mut count = 0;
    let mut request = |method: &str, mut params: Value| {
        let before = pool.seen().len();
        count += 1;
        params["_meta"] = meta(&with_tasks());
        params["_meta"]["traceparent"] = json!(traces(count));
        let answer = Client::start(&home).request(method, params);
        let seen = pool.seen().split_off(before);
        assert!(!seen.is_empty());
        for seen in seen {
            assert_eq!(seen.headers["traceparent"], traces(count), "{seen:?}");
        }
        answer
    };
    let mut wanted = arguments("hang");
    wanted["wait_seconds"] = json!(1);
    let task = request("tools/call", json!({"name": "run", "arguments": wanted}));
    let id = &task["result"]["taskId"];
    request("tools/call", json!({"name": "run", "arguments": {}}));
    request(
        "tools/call",
        json!({"name": "run", "arguments": {"connection": "Nowhere", "command": "1"}}),
    );
    request("tools/call", json!({"name": "job", "arguments": {}}));
    request("tasks/get", json!({"taskId": id}));
    request("tasks/cancel", json!({"taskId": id}));
    request(
        "tools/call",
        json!({"name": "job", "arguments": {"id": id}}),
    );
    assert!(
        home.log()
            .iter()
            .all(|line| line["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736")
    );
}

fn logged() {
    let pool = StandIn::start();
    let home = Home::new(&pool.url);
    let mut client = Client::legacy(&home, "2025-06-18");
    client.call("run", arguments("lines 3"));
    client.call("run", json!({"command": 5}));
    client.call("run", json!(["lines 3"]));
    client.close_stdin();
    client.wait();
    let log = home.log();
    assert_eq!(log.len(), 3);
    assert_eq!(log[0]["tool"], "run");
    assert_eq!(log[0]["connection"], "Contoso");
    assert_eq!(log[0]["module"], "exo");
    assert_eq!(log[0]["client"], "legacy-client");
    assert_eq!(log[0]["status"], "success");
    assert!(log[0]["duration_ms"].is_u64());
    for wrong in [&log[1], &log[2]] {
        assert_eq!(
            (&wrong["tool"], &wrong["status"]),
            (&json!("run"), &json!("bad_arguments"))
        );
    }
    let all = format!("{log:?}{}", client.stderr());
    assert!(!all.contains("lines 3") && !all.contains("line 1"), "{all}");
}
