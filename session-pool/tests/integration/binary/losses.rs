//! What callers had set is gone with its process: everybody is told of it once, before anything of
//! theirs runs without it.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use session_pool::demo::settings::SignIn;

use crate::support::{Context, Needs, Server, Suite, add, group_is_gone, until};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            lost_variables_are_refused_once_whatever_ended_them,
            everybody_is_told_once_and_what_waited_is_refused,
            a_forged_end_does_not_take_back_what_was_set,
            a_command_that_is_cut_off_has_set_what_its_text_says,
        ]
    );
}

/// Kills the process of the only session.
async fn kill_session(server: &Server) {
    let pid = server.session_pid().await;
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    until("the process is gone", || group_is_gone(pid.unsigned_abs())).await;
}

/// Sets a variable, has something done, and sees that it is missed once.
async fn is_missed_once(server: &Server) {
    let mut refused = server.run("\"got $kept\"").await;
    if refused["code"] == "session_lost" {
        // The pool had not seen the process die when it sent the command.
        refused = server.run("\"got $kept\"").await;
    }
    assert_eq!(refused["code"], "session_replaced", "{refused}");
    assert_eq!(refused["output"], "");
    let again = server.run("\"got $kept\"").await;
    assert_eq!(
        (&again["status"], &again["output"]),
        (&json!("success"), &json!("got "))
    );
}

async fn lost_variables_are_refused_once_whatever_ended_them(cx: &Context) {
    let server = Server::start(cx).await;
    server.run("$kept = 1").await;
    kill_session(&server).await;
    is_missed_once(&server).await;

    server.run("$kept = 1").await;
    let reset = json!({"connection": "contoso"});
    assert_eq!(server.send("POST", "/reset", Some(&reset)).await.0, 200);
    is_missed_once(&server).await;

    server.run("$kept = 1").await;
    server.stop().await;
    let server = Server::start(cx).await;
    is_missed_once(&server).await;

    // Whoever set nothing misses nothing.
    server.stop().await;
    let server = Server::start(cx).await;
    assert_eq!(server.run("1").await["output"], "1");
    server.stop().await;
}

async fn everybody_is_told_once_and_what_waited_is_refused(cx: &Context) {
    let server = Server::start(cx).await;
    let by = |caller: &str| json!({"caller_id": caller});
    server.run_with("$kept = 1", by("one")).await;
    let running = server.begin("Start-Sleep 1000").await;
    let mut waiting = Vec::new();
    for caller in ["one", "one", "two"] {
        let more = json!({"caller_id": caller, "wait_seconds": 0});
        let job = server.run_with("\"got $kept\"", more).await;
        assert_eq!(job["state"], "queued");
        waiting.push(job["job"].as_str().unwrap().to_owned());
    }
    kill_session(&server).await;
    let ended = |job: String| {
        let server = &server;
        async move { server.get(&format!("/jobs/{job}?wait_seconds=120")).await }
    };
    assert_eq!(ended(running).await["code"], "session_lost");
    for job in waiting {
        let refused = ended(job).await;
        assert_eq!(refused["code"], "session_replaced", "{refused}");
    }
    let run = |caller: &str| server.run_with("\"got $kept\"", by(caller));
    for told in ["one", "two"] {
        assert_eq!(run(told).await["output"], "got ");
    }
    // Neither of these has heard of it, and nobody's knowledge is another's.
    for (name, more) in [("three", by("three")), ("nobody", json!({}))] {
        let run = || server.run_with("\"got $kept\"", more.clone());
        assert_eq!(run().await["code"], "session_replaced", "{name}");
        assert_eq!(run().await["output"], "got ", "{name}");
    }
    // A restart of the pool takes nothing more, and forgets nobody who was told.
    server.stop().await;
    let server = Server::start(cx).await;
    let run = |caller: &str| server.run_with("1", by(caller));
    assert_eq!(run("one").await["output"], "1");
    assert_eq!(run("four").await["code"], "session_replaced");
    server.stop().await;
}

/// Finds the writer and the token of the running submission, and ends it with the word that nothing
/// is left of it.
const FORGED: &str = "$hidden = [Reflection.BindingFlags] 'NonPublic, Public, Instance'; \
    $runspace = [runspace]::DefaultRunspace; \
    $pipeline = $runspace.GetType().GetMethod('GetCurrentlyRunningPipeline', $hidden).Invoke($runspace, @()); \
    $reached = @{}; foreach ($parameter in $pipeline.Commands[$pipeline.Commands.Count - 1].Parameters) { $reached[$parameter.Name] = $parameter.Value }; \
    $reached.Writer.WriteLine(\"F$($reached.Token) C0\"); $reached.Writer.Flush(); Start-Sleep 1000";

async fn a_forged_end_does_not_take_back_what_was_set(cx: &Context) {
    let relaxed: String = ["script-from-text", "dangerous-types", "other-types"]
        .iter()
        .map(|rule| format!("[[relax]]\nrule = \"{rule}\"\ndecision = \"allow\"\n"))
        .collect();
    let policy = cx.path().join("policy.toml");
    std::fs::write(&policy, relaxed).unwrap();
    let arguments = ["--policy", policy.to_str().unwrap()];
    let server = Server::with(cx, SignIn::Instant, &arguments).await;
    let forged = server.run(&format!("$kept = 1; {FORGED}")).await;
    assert_eq!(forged["status"], "success", "{forged}");
    kill_session(&server).await;
    is_missed_once(&server).await;
    server.stop().await;
}

async fn a_command_that_is_cut_off_has_set_what_its_text_says(cx: &Context) {
    let server = Server::start(cx).await;
    // The checker knows the alias behind this name.
    server.begin("set kept 1; Start-Sleep 1000").await;
    kill_session(&server).await;
    is_missed_once(&server).await;
    // Nothing is set here.
    server.begin("Start-Sleep 1000").await;
    kill_session(&server).await;
    let mut answer = server.run("'fine'").await;
    if answer["code"] == "session_lost" {
        answer = server.run("'fine'").await;
    }
    assert_eq!(answer["output"], "fine", "{answer}");
    server.stop().await;
}
