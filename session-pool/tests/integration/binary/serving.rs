//! A pool with a real PowerShell, over HTTP: what is lost says so, what is limited is refused with
//! words, and nothing else is.

use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;
use serde_json::{Value, json};
use session_pool::demo::settings::SignIn;

use crate::support::{Context, Needs, Server, Suite, add, group_is_gone, until};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            a_restart_after_a_kill_says_what_is_lost,
            a_restart_after_a_good_end_says_what_is_lost,
            another_account_or_tenant_is_signed_out,
            pages_come_back_together,
            a_full_queue_and_a_process_too_many_are_refused,
            sigterm_gives_commands_time_and_no_more,
            a_registry_replaced_under_a_mount_is_said,
            sessions_cannot_read_the_pools_environment,
        ]
    );
}

async fn a_restart_says_what_is_lost(cx: &Context, signal: Signal) -> (Value, Value) {
    let server = Server::with(cx, SignIn::Instant, &["--drain-seconds", "0"]).await;
    let done = server.run("'done'").await["job"]
        .as_str()
        .unwrap()
        .to_owned();
    let running = server.begin("Start-Sleep 1000").await;
    let pid = server.session_pid().await;
    server.signal(signal);
    server.ended().await;
    until("its session is gone", || group_is_gone(pid.unsigned_abs())).await;
    let server = Server::start(cx).await;
    let finished = server.get(&format!("/jobs/{done}")).await;
    let unfinished = server.get(&format!("/jobs/{running}")).await;
    server.stop().await;
    (finished, unfinished)
}

async fn a_restart_after_a_kill_says_what_is_lost(cx: &Context) {
    let (finished, unfinished) = a_restart_says_what_is_lost(cx, Signal::KILL).await;
    assert_eq!(
        (&finished["state"], &finished["output_lost"]),
        (&json!("succeeded"), &json!(true))
    );
    assert!(
        !finished["message"]
            .as_str()
            .or(finished["error"].as_str())
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        (&unfinished["state"], &unfinished["status"]),
        (&json!("lost"), &json!("error"))
    );
}

async fn a_restart_after_a_good_end_says_what_is_lost(cx: &Context) {
    let (finished, unfinished) = a_restart_says_what_is_lost(cx, Signal::TERM).await;
    assert_eq!(
        (&finished["state"], &finished["output_lost"]),
        (&json!("succeeded"), &json!(true))
    );
    // It was told to stop, and its end was journalled.
    assert_eq!(
        (&unfinished["state"], &unfinished["output_lost"]),
        (&json!("cancelled"), &json!(true))
    );
}

async fn another_account_or_tenant_is_signed_out(cx: &Context) {
    let path = cx.path().join(".m365-connections.json");
    let only = |key: &str, value: &str| {
        let entry = json!({"tenant": "contoso.example", key: value});
        json!({"connections": {"contoso": entry}}).to_string()
    };
    let tenant = "c0000001-7e57-4000-8000-00000c047050";
    for (sign_in, registry, says) in [
        (
            SignIn::OtherAccount,
            only("expectedEmail", "admin@contoso.example"),
            "another account than admin@contoso.example",
        ),
        (SignIn::OtherTenant, only("tenantId", tenant), tenant),
    ] {
        std::fs::write(&path, registry).unwrap();
        let server = Server::with(cx, sign_in, &[]).await;
        let asked = server.run("'secret'").await;
        assert_eq!(asked["status"], "auth_required", "{asked}");
        let code = asked["device_code"].as_str().unwrap();
        let entra = session_pool::demo::entra::DemoEntra::new(cx.path());
        entra.complete(code).unwrap();
        let mut answer = server.run("'secret'").await;
        // Until the task has seen who it is, the code still stands.
        while answer["device_code"] == code {
            answer = server.run("'secret'").await;
        }
        assert_eq!(answer["code"], "auth_required", "{answer}");
        let sentence = answer["message"].as_str().unwrap();
        let told = sentence.contains("was signed out at once; nothing was run");
        assert!(told && sentence.contains(says), "{sentence}");
        assert_eq!(answer["output"], "");
        server.stop().await;
    }
}

/// Follows the cursors to the end.
async fn pages(server: &Server, first: Value, size: u32) -> Vec<Value> {
    let mut pages = vec![first];
    while let Some(cursor) = pages[pages.len() - 1]["cursor"].as_str() {
        let job = pages[0]["job"].as_str().unwrap();
        let next = format!("/jobs/{job}?max_characters={size}&cursor={cursor}");
        pages.push(server.get(&next).await);
    }
    pages
}

async fn pages_come_back_together(cx: &Context) {
    let server = Server::start(cx).await;
    let size = json!({"max_characters": 500});
    let script = "1..40 | ForEach-Object { \"line $_ \" + 'ä' * 30 }; 'x' * 1200; 'last'";
    let first = server.run_with(script, size.clone()).await;
    assert!(
        first["remaining_characters"].as_u64().unwrap() > 0,
        "{first}"
    );
    let all = pages(&server, first, 500).await;
    let text: String = all
        .iter()
        .map(|page| page["output"].as_str().unwrap())
        .collect();
    let mut expected: String = (1..=40)
        .map(|n| format!("line {n} {}\n", "ä".repeat(30)))
        .collect();
    expected.push_str(&format!("{}\nlast", "x".repeat(1200)));
    assert_eq!(text, expected);
    assert!(
        all.iter()
            .all(|page| page["output"].as_str().unwrap().chars().count() <= 500)
    );
    assert!(all.iter().any(|page| page["partial"] == true));

    let json = json!({"max_characters": 500, "format": "json"});
    let script = "1..20 | ForEach-Object { @{ n = $_; t = 'y' * 40 } }; 'z' * 1200";
    let all = pages(&server, server.run_with(script, json).await, 500).await;
    let (mut elements, mut fragments) = (Vec::new(), String::new());
    for page in &all {
        let array: Vec<Value> = serde_json::from_str(page["output"].as_str().unwrap()).unwrap();
        for element in array {
            match element["fragment"].as_str() {
                Some(fragment) => fragments.push_str(fragment),
                None => elements.push(element["n"].as_u64().unwrap()),
            }
        }
    }
    assert_eq!(elements, (1..=20).collect::<Vec<_>>());
    assert_eq!(
        serde_json::from_str::<String>(&fragments).unwrap(),
        "z".repeat(1200)
    );
    server.stop().await;
}

async fn a_full_queue_and_a_process_too_many_are_refused(cx: &Context) {
    let limits = [
        "--queue-length",
        "1",
        "--max-processes",
        "1",
        "--drain-seconds",
        "0",
    ];
    let server = Server::with(cx, SignIn::Instant, &limits).await;
    let running = server.begin("Start-Sleep 1000").await;
    let body =
        json!({"connection": "contoso", "module": "exo", "command": "'next'", "wait_seconds": 0});
    let (status, _, queued) = server.send("POST", "/run", Some(&body)).await;
    assert_eq!((status, &queued["state"]), (200, &json!("queued")));
    let (status, retry, full) = server.send("POST", "/run", Some(&body)).await;
    assert_eq!((status, &full["code"]), (429, &json!("queue_full")));
    assert!(retry.is_some_and(|seconds| seconds > 0));

    let other = json!({"connection": "fabrikam", "module": "exo", "command": "1"});
    let (status, _, limited) = server.send("POST", "/run", Some(&other)).await;
    assert_eq!(
        (status, &limited["code"]),
        (503, &json!("process_limit")),
        "{limited}"
    );
    assert!(
        limited["error"]
            .as_str()
            .unwrap()
            .contains("--max-processes"),
        "{limited}"
    );

    assert_eq!(
        server
            .send("DELETE", &format!("/jobs/{running}"), None)
            .await
            .0,
        200
    );
    let queued = queued["job"].as_str().unwrap();
    let next = server.get(&format!("/jobs/{queued}?wait_seconds=60")).await;
    assert_eq!(next["output"], "next");
    server.stop().await;
}

async fn sigterm_gives_commands_time_and_no_more(cx: &Context) {
    let go = cx.path().join("go");
    let server = Server::with(cx, SignIn::Instant, &["--drain-seconds", "60"]).await;
    let script = format!(
        "while (-not (Test-Path '{}')) {{ Start-Sleep -Milliseconds 20 }}; 'finished'",
        go.display()
    );
    let job = server.begin(&script).await;
    let path = format!("/jobs/{job}?wait_seconds=60");
    let waiting = server.get(&path);
    let ending = async {
        server.signal(Signal::TERM);
        until("it is stopping", || server.log().contains("stopping")).await;
        std::fs::write(&go, "").unwrap();
    };
    let (answer, ()) = tokio::join!(waiting, ending);
    assert_eq!(
        (&answer["state"], &answer["output"]),
        (&json!("succeeded"), &json!("begun\nfinished"))
    );
    assert_eq!(server.ended().await, Some(0));

    let server = Server::with(cx, SignIn::Instant, &["--drain-seconds", "1"]).await;
    server.run("1").await;
    server.begin("Start-Sleep 1000").await;
    let pid = server.session_pid().await;
    server.stop().await;
    assert!(group_is_gone(pid.unsigned_abs()));
}

/// As in a container whose host has replaced the mounted file: it is open under a name without links.
async fn a_registry_replaced_under_a_mount_is_said(cx: &Context) {
    let path = cx.path().join("registry.json");
    std::fs::write(
        &path,
        r#"{"connections": {"contoso": {"tenant": "contoso.example"}}}"#,
    )
    .unwrap();
    let open = std::fs::File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let here = std::process::id();
    let name = format!("/proc/{here}/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&open));
    let server = Server::with(cx, SignIn::Instant, &["--registry", &name]).await;
    assert!(server.get("/connections").await["connections"]["contoso"].is_object());
    let log = server.log();
    assert!(
        log.contains("replaced on the host") && log.contains("restart the container"),
        "{log}"
    );
    server.stop().await;
}

/// Looked at from the session's own process, before PowerShell: no policy stands between.
async fn sessions_cannot_read_the_pools_environment(cx: &Context) {
    let (found, pwsh) = (cx.path().join("found"), cx.path().join("pwsh"));
    let script = format!(
        "#!/bin/sh\nreads() {{ if head -c 1 /proc/$PPID/$1 >/dev/null 2>&1; then echo open; else echo closed; fi; }}\n\
         echo $(reads environ) $(reads maps) $(sed -n 's/^CapBnd:.//p' /proc/self/status) >{}\n\
         exec {} \"$@\"\n",
        found.display(),
        cx.pwsh().display()
    );
    std::fs::write(&pwsh, script).unwrap();
    std::fs::set_permissions(&pwsh, std::fs::Permissions::from_mode(0o755)).unwrap();
    let arguments = ["--pwsh", pwsh.to_str().unwrap()];
    let server = Server::with(cx, SignIn::Instant, &arguments).await;
    assert_eq!(server.run("1").await["output"], "1");
    let found = std::fs::read_to_string(&found).unwrap();
    let bounding = found.trim().strip_prefix("closed closed ");
    let bounding = u64::from_str_radix(bounding.expect(&found), 16).unwrap();
    if rustix::process::geteuid().is_root() {
        let (ptrace, admin, perfmon) = (1 << 19, 1 << 21, 1 << 38);
        assert_eq!(bounding & (ptrace | admin | perfmon), 0, "{bounding:x}");
    }
    server.stop().await;
}
