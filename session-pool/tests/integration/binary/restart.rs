//! What becomes of sign-ins when the pool ends, however it ends.

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use session_pool::demo::entra::DemoEntra;
use session_pool::demo::settings::SignIn;
use session_pool::domain::module::Module;

use crate::support::{
    Context, Needs, Server, Suite, add, group_is_gone, outcome, session_pool, until,
};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            a_killed_pool_restores_what_needs_no_person_and_names_the_rest,
            a_good_end_restores_the_same,
            what_was_signed_out_stays_signed_out,
            a_pool_killed_in_any_state_comes_back,
            a_powershell_killed_in_any_state_loses_nobody,
            a_shell_signs_in_and_out,
        ]
    );
}

async fn session(server: &Server, id: &str) -> Value {
    let status = server.get("/status").await;
    let sessions = status["sessions"].as_array().unwrap();
    let found = sessions.iter().find(|it| it["session_id"] == id);
    found.cloned().unwrap_or(Value::Null)
}

/// Looks, 10 ms apart: a PowerShell on a busy machine may need ten seconds until it takes commands.
const PATIENCE: usize = 6_000;

/// Waits until a session is in this state.
async fn until_state(server: &Server, id: &str, state: &str) -> Value {
    for _ in 0..PATIENCE {
        let now = session(server, id).await;
        if now["state"] == state {
            return now;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{id} is not {state}: {}", session(server, id).await);
}

async fn run(server: &Server, module: &str, command: &str) -> Value {
    server.run_with(command, json!({"module": module})).await
}

/// Ends the pool by this signal, and waits until its sessions are gone.
async fn end(server: Server, signal: Signal) {
    let status = server.get("/status").await;
    let sessions = status["sessions"].as_array().unwrap();
    let pids: Vec<_> = sessions
        .iter()
        .filter_map(|it| Some(u32::try_from(it["pid"].as_u64()?).unwrap()))
        .collect();
    server.signal(signal);
    server.ended().await;
    until("its sessions are gone", || {
        pids.iter().all(|pid| group_is_gone(*pid))
    })
    .await;
}

fn saved(cx: &Context) -> Value {
    let file = cx.path().join(".m365-state/sessions-unified.json");
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

async fn sign_ins_outlive(cx: &Context, signal: Signal) {
    let server = Server::start(cx).await;
    for module in Module::ALL {
        assert_eq!(
            run(&server, module.as_str(), "'ran'").await["output"],
            "ran"
        );
    }
    end(server, signal).await;

    let server = Server::with(cx, SignIn::Normal, &[]).await;
    for module in ["azure", "pnp"] {
        let id = format!("contoso/{module}");
        let restored = until_state(&server, &id, "authenticated").await;
        assert_eq!(
            restored["authenticated_as"], "admin@contoso.example",
            "{restored}"
        );
        assert_eq!(restored["signed_out_by_restart"], Value::Null);
        assert_eq!(run(&server, module, "'ran'").await["output"], "ran");
    }
    for module in ["exo", "teams"] {
        let id = format!("contoso/{module}");
        let lost = session(&server, &id).await;
        assert_eq!(lost["signed_out_by_restart"], true, "{lost}");
        assert_eq!(lost["state"], "error");
        let reason = lost["last_error"].as_str().unwrap();
        assert!(reason.starts_with("signed out by restart"), "{reason}");
        let asked = run(&server, module, "'ran'").await;
        let message = asked["message"].as_str().unwrap();
        assert!(
            message.contains("ended with a restart of the pool"),
            "{message}"
        );
        // Until somebody has signed in, it stays so.
        assert_eq!(session(&server, &id).await["signed_out_by_restart"], true);
        let code = asked["device_code"].as_str().unwrap();
        DemoEntra::new(cx.path()).complete(code).unwrap();
        let signed_in = until_state(&server, &id, "authenticated").await;
        assert_eq!(signed_in["signed_out_by_restart"], Value::Null);
    }
    let sessions = saved(cx);
    assert_eq!(sessions["version"], 1);
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 4);
    assert!(!sessions.to_string().contains("lost"), "{sessions}");
    server.stop().await;
}

async fn a_killed_pool_restores_what_needs_no_person_and_names_the_rest(cx: &Context) {
    sign_ins_outlive(cx, Signal::KILL).await;
}

async fn a_good_end_restores_the_same(cx: &Context) {
    sign_ins_outlive(cx, Signal::TERM).await;
}

async fn what_was_signed_out_stays_signed_out(cx: &Context) {
    let server = Server::start(cx).await;
    for module in ["azure", "pnp", "exo"] {
        run(&server, module, "1").await;
    }
    let body = json!({"connection": "contoso", "modules": ["azure"]});
    let (status, _, answer) = server.send("POST", "/sign-out", Some(&body)).await;
    assert_eq!(
        (status, &answer["status"]),
        (200, &json!("success")),
        "{answer}"
    );
    let body = json!({"connection": "contoso", "module": "pnp"});
    server.send("POST", "/reset", Some(&body)).await;
    end(server, Signal::KILL).await;
    let server = Server::with(cx, SignIn::Normal, &[]).await;
    assert_eq!(session(&server, "contoso/azure").await, Value::Null);
    assert_eq!(session(&server, "contoso/pnp").await, Value::Null);
    assert_eq!(
        session(&server, "contoso/exo").await["signed_out_by_restart"],
        true
    );
    // One that was lost is forgotten by a sign-out too.
    let body = json!({"connection": "contoso"});
    server.send("POST", "/sign-out", Some(&body)).await;
    let forgotten = session(&server, "contoso/exo").await;
    assert_eq!(
        forgotten["signed_out_by_restart"],
        Value::Null,
        "{forgotten}"
    );
    assert_eq!(saved(cx)["sessions"], json!([]));
    server.stop().await;
}

/// Where a test stops azure's cmdlets: each says that it is there, and waits while it is held.
const PLACES: [(&str, &str, &str); 3] = [
    (
        "look",
        "Context.ps1",
        "[switch] $ListAvailable, [switch] $RefreshContextFromTokenCache)\n",
    ),
    ("connect", "Connection.ps1", "    $cmdlet = $PSCmdlet\n"),
    (
        "sign-out",
        "Context.ps1",
        "[switch] $Force, [string] $Scope, [switch] $PassThru)\n",
    ),
];

fn hold(cx: &Context) {
    for (place, file, behind) in PLACES {
        let path = cx.path().join("modules/Az.Accounts").join(file);
        let text = fs::read_to_string(&path).unwrap();
        let (at, held) = (
            marker(cx.path(), "at", place),
            marker(cx.path(), "hold", place),
        );
        let wait = format!(
            "{behind}    [IO.File]::WriteAllText('{at}', ''); while ([IO.File]::Exists('{held}')) {{ Start-Sleep -Milliseconds 20 }}\n"
        );
        assert_eq!(text.matches(behind).count(), 1, "{file}");
        fs::write(path, text.replace(behind, &wait)).unwrap();
    }
}

/// Waits until azure's session is at this place.
async fn until_at(cx: &Context, place: &str) {
    let at = marker(cx.path(), "at", place);
    for _ in 0..PATIENCE {
        if Path::new(&at).exists() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("nobody is at {place}");
}

fn marker(directory: &Path, what: &str, place: &str) -> String {
    format!("{}/{what}-{place}", directory.display())
}

fn kill(pid: u64) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

/// The states of a session that a kill can meet, and how they are reached.
const STATES: [&str; 8] = [
    "starting",
    "looking",
    "connecting",
    "pending",
    "signed in",
    "running",
    "leaving",
    "failed",
];

/// Brings azure's session into a state. Returns what it is being asked, if it is asked anything.
async fn bring(cx: &Context, server: &Server, state: &str) -> Option<String> {
    let (place, signed_in) = match state {
        "looking" => (Some("look"), false),
        "connecting" => (Some("connect"), false),
        "leaving" => (Some("sign-out"), true),
        "signed in" | "running" => (None, true),
        _ => (None, false),
    };
    if signed_in {
        let asked = run(server, "azure", "1").await;
        let code = asked["device_code"].as_str().unwrap();
        DemoEntra::new(cx.path()).complete(code).unwrap();
        until_state(server, "contoso/azure", "authenticated").await;
    }
    if let Some(place) = place {
        let _ = fs::remove_file(marker(cx.path(), "at", place));
        fs::write(marker(cx.path(), "hold", place), "").unwrap();
    }
    let command = match state {
        "running" => "'begun'; Start-Sleep 600",
        _ => "1",
    };
    let more = json!({"module": "azure", "wait_seconds": 0});
    let job = match state {
        "signed in" => None,
        "pending" | "failed" => {
            let asked = run(server, "azure", "1").await;
            if state == "failed" {
                let code = asked["device_code"].as_str().unwrap();
                DemoEntra::new(cx.path()).decline(code).unwrap();
                until_state(server, "contoso/azure", "error").await;
            }
            None
        }
        "leaving" => {
            let entra = DemoEntra::new(cx.path());
            entra.revoke(Module::Azure, None, 70043).unwrap();
            Some(server.run_with("Get-AzSubscription", more).await)
        }
        _ => Some(server.run_with(command, more).await),
    };
    let id = job.map(|job| job["job"].as_str().unwrap().to_owned());
    if let Some(place) = place {
        until_at(cx, place).await;
    }
    if state == "running" {
        let id = id.as_deref().unwrap();
        let path = format!("/jobs/{id}");
        loop {
            if server.get(&path).await["output"]
                .as_str()
                .unwrap()
                .starts_with("begun")
            {
                break;
            }
        }
    }
    id
}

fn release(cx: &Context) {
    for (place, ..) in PLACES {
        let _ = fs::remove_file(marker(cx.path(), "hold", place));
    }
    let _ = fs::remove_dir_all(cx.path().join("revoked"));
}

async fn a_pool_killed_in_any_state_comes_back(cx: &Context) {
    for state in STATES {
        let server = Server::with(cx, SignIn::Normal, &[]).await;
        hold(cx);
        let job = bring(cx, &server, state).await;
        end(server, Signal::KILL).await;
        release(cx);

        let server = Server::with(cx, SignIn::Normal, &[]).await;
        if let Some(job) = job {
            let lost = server.get(&format!("/jobs/{job}")).await;
            assert_eq!(lost["state"], "lost", "{state}: {lost}");
        }
        if ["signed in", "running"].contains(&state) {
            until_state(&server, "contoso/azure", "authenticated").await;
            assert_eq!(
                run(&server, "azure", "'ran'").await["output"],
                "ran",
                "{state}"
            );
        } else {
            let asked = run(&server, "azure", "'ran'").await;
            // In "leaving" the sign-in was still there when the pool was killed.
            if state != "leaving" {
                assert_eq!(asked["status"], "auth_required", "{state}: {asked}");
            }
        }
        let body = json!({"connection": "contoso"});
        server.send("POST", "/sign-out", Some(&body)).await;
        server.stop().await;
    }
}

async fn a_powershell_killed_in_any_state_loses_nobody(cx: &Context) {
    let server = Server::with(cx, SignIn::Normal, &[]).await;
    hold(cx);
    // One that starts is not the pool's to name yet; host::faults has it.
    for state in STATES.into_iter().filter(|state| *state != "starting") {
        let job = bring(cx, &server, state).await;
        let pid = session(&server, "contoso/azure").await["pid"]
            .as_u64()
            .unwrap();
        kill(pid);
        if let Some(job) = job {
            let ended = server.get(&format!("/jobs/{job}?wait_seconds=60")).await;
            // Its command had run, and the next process goes on with the new sign-in.
            let expected = if state == "leaving" {
                "auth_required"
            } else {
                "failed"
            };
            assert_eq!(ended["state"], expected, "{state}: {ended}");
        }
        release(cx);
        let body = json!({"connection": "contoso"});
        server.send("POST", "/sign-out", Some(&body)).await;
        let asked = run(&server, "azure", "'ran'").await;
        assert_eq!(asked["status"], "auth_required", "{state}: {asked}");
        server.send("POST", "/sign-out", Some(&body)).await;
        server.send("POST", "/reset", Some(&body)).await;
    }
    assert_eq!(saved(cx)["sessions"], json!([]));
    server.stop().await;
}

async fn a_shell_signs_in_and_out(cx: &Context) {
    let server = Server::with(cx, SignIn::Immediate, &[]).await;
    let command = |word: &str, more: &[&str]| {
        let mut command = session_pool(cx, &[word, "--url", server.url()]);
        command.args(more).env("SESSION_POOL_TOKEN", Server::TOKEN);
        command
    };
    let mut signing_in = command(
        "sign-in",
        &["contoso", "fabrikam", "--modules", "exo,azure"],
    );
    let output = signing_in.output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let aside = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}{aside}");
    for (connection, module) in [
        ("contoso", "exo"),
        ("contoso", "azure"),
        ("fabrikam", "exo"),
    ] {
        let done = format!(
            "{connection} ({connection}.example), {module}: signed in as admin@{connection}.example in the tenant "
        );
        assert!(said.contains(&done), "{said}");
    }
    let mut signing_out = command("sign-out", &["contoso"]);
    let output = signing_out.output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(
        said,
        "contoso: signed out of exo, pnp, azure, teams; nothing is kept of it.\n"
    );
    assert_eq!(
        session(&server, "contoso/exo").await["authenticated"],
        false
    );
    assert_eq!(
        session(&server, "fabrikam/exo").await["authenticated"],
        true
    );

    let (code, error) = outcome(command("sign-in", &["nowhere"])).await;
    assert!(code == 64 && error.contains("nowhere"), "{code} {error}");
    let mut wrong = command("sign-in", &["contoso"]);
    wrong.env("SESSION_POOL_TOKEN", "wrong");
    assert_eq!(outcome(wrong).await.0, 77);
    server.stop().await;
    let (code, error) = outcome(session_pool(
        cx,
        &[
            "sign-in",
            "contoso",
            "--url",
            "http://127.0.0.1:9",
            "--token",
            "x",
        ],
    ))
    .await;
    assert!(
        code == 69 && error.contains("MM_SESSION_POOL_URL"),
        "{code} {error}"
    );
}
