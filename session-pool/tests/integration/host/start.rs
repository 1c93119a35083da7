//! Starting: what can go wrong, whose environment it is, and what the reaper does.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use session_pool::host::{Environment, HostError, UserIds};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use super::done;
use crate::support::{Context, Needs, Ran, Suite, add, group_is_gone, until};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            the_version_is_known_without_another_process,
            home_and_environment_are_the_sessions_own,
            another_user_runs_it,
            nothing_outlives_a_killed_pool,
        ]
    );
    add!(
        suite,
        Needs::Nothing,
        [
            a_program_that_is_not_there_is_named,
            a_process_that_never_dials_back_is_ended,
            a_process_that_dies_at_its_start_is_quoted,
            a_wrong_nonce_is_refused,
            an_old_powershell_is_refused,
            a_killed_reaper_is_replaced,
        ]
    );
}

async fn the_version_is_known_without_another_process(cx: &Context) {
    let mut host = cx.host().await;
    let version = host.version().to_string();
    assert_eq!(
        Ran::text(&mut host, "\"$($PSVersionTable.PSVersion)\"")
            .await
            .output(),
        [version]
    );
    done(host).await;
}

async fn home_and_environment_are_the_sessions_own(cx: &Context) {
    let mut spec = cx.spec();
    let vars = [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", "/home/joe"),
        ("SECRET", "no"),
        ("MINE", "yes"),
    ];
    spec.environment = Environment::from_vars(
        vars.map(|(name, value)| (name.into(), value.into())),
        &["MINE".to_owned()],
    );
    let mut host = cx.start(&spec).await.unwrap();
    let script = "$HOME; \"[$env:SECRET]\"; $env:MINE; ($env:PSModulePath -split ':') -contains '/home/joe/.local/share/powershell/Modules'; $PWD.Path";
    let ran = Ran::text(&mut host, script).await.completed();
    let home = spec.home.to_str().unwrap();
    assert_eq!(ran.output(), [home, "[]", "yes", "True", home]);
    done(host).await;
}

async fn another_user_runs_it(cx: &Context) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let mut spec = cx.spec();
    spec.user = Some(UserIds {
        uid: 54321,
        gid: 54321,
    });
    cx.open_to_other_users();
    let mut host = cx.start(&spec).await.unwrap();
    let ran = Ran::text(&mut host, "/usr/bin/id -u; /usr/bin/id -G")
        .await
        .completed();
    assert_eq!(ran.output(), ["54321", "54321"]);
    done(host).await;
}

/// Runs this very test program as a pool, kills it, and looks what is left.
async fn nothing_outlives_a_killed_pool(cx: &Context) {
    let mut pool = Command::new(std::env::current_exe().unwrap())
        .env("SESSION_POOL_TEST_VICTIM", cx.path().join("victim"))
        .env("SESSION_POOL_PWSH", cx.pwsh())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(pool.stdout.take().unwrap()).lines();
    let group: u32 = lines
        .next_line()
        .await
        .unwrap()
        .expect("the victim's group")
        .parse()
        .unwrap();
    assert!(!group_is_gone(group));
    pool.kill().await.unwrap();
    until("the group is gone", || group_is_gone(group)).await;
}

async fn a_program_that_is_not_there_is_named(cx: &Context) {
    let spec = cx.spec_for(PathBuf::from("/nonexistent/pwsh"));
    let error = cx.start(&spec).await.unwrap_err();
    assert!(matches!(error, HostError::CannotStart { .. }), "{error}");
    assert!(error.to_string().contains("/nonexistent/pwsh"), "{error}");
}

async fn a_process_that_never_dials_back_is_ended(cx: &Context) {
    let mut spec = cx.fake(r#"{"start": "silent"}"#);
    spec.ready_within = Duration::from_millis(500);
    let error = cx.start(&spec).await.unwrap_err();
    assert!(matches!(error, HostError::NotReady { .. }), "{error}");
}

async fn a_process_that_dies_at_its_start_is_quoted(cx: &Context) {
    let error = cx
        .start(&cx.fake(r#"{"start": {"dies": "no such runtime"}}"#))
        .await
        .unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, HostError::DiedAtStart { .. }), "{error}");
    assert!(
        message.contains("exit code 1") && message.contains("no such runtime"),
        "{message}"
    );
}

async fn a_wrong_nonce_is_refused(cx: &Context) {
    let error = cx
        .start(&cx.fake(r#"{"start": "wrong_nonce"}"#))
        .await
        .unwrap_err();
    assert!(matches!(error, HostError::WrongPeer(_)), "{error}");
}

async fn an_old_powershell_is_refused(cx: &Context) {
    let error = cx
        .start(&cx.fake(r#"{"version": "7.3.12"}"#))
        .await
        .unwrap_err();
    assert!(matches!(error, HostError::Version(_)), "{error}");
    assert!(error.to_string().contains("7.3.12"), "{error}");
}

async fn a_killed_reaper_is_replaced(cx: &Context) {
    let host = cx.start(&cx.fake("{}")).await.unwrap();
    let helpers = cx.reaper_pids();
    for pid in &helpers {
        let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    }
    let second = cx.start(&cx.fake("{}")).await.unwrap();
    until("another helper runs", || {
        let now = cx.reaper_pids();
        !now.is_empty() && now.iter().all(|pid| !helpers.contains(pid))
    })
    .await;
    done(host).await;
    done(second).await;
}
