//! Processes that die, are killed, hang up or write garbage.

use session_pool::domain::record::Record;
use session_pool::host::{Host, HostError, HostEvent, Submission};

use super::done;
use crate::support::{Context, Needs, Ran, Suite, add, group_is_gone, text_format, until};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            a_process_that_exits_is_gone_with_its_code,
            a_process_killed_from_outside_is_gone_with_its_signal,
            an_idle_process_that_dies_is_noticed,
            a_dropped_host_leaves_nothing,
            native_grandchildren_end_with_their_session,
            console_text_between_commands_is_discarded,
            last_words_come_before_the_end,
        ]
    );
    add!(
        suite,
        Needs::Nothing,
        [
            garbage_on_the_socket_is_the_end,
            a_socket_that_closes_is_the_end,
            a_stuck_process_can_be_killed,
            a_submission_while_one_runs_is_refused,
        ]
    );
}

async fn gone(host: &mut Host) -> HostError {
    match Ran::rest(host, Vec::new()).await {
        Err(error) => error,
        Ok(ran) => panic!("the command ended as if nothing had happened: {ran:?}"),
    }
}

async fn submit(host: &mut Host, script: &str) {
    host.submit(Submission::callers(script, text_format()))
        .await
        .unwrap();
}

async fn a_process_that_exits_is_gone_with_its_code(cx: &Context) {
    let mut host = cx.host().await;
    submit(&mut host, "[Environment]::Exit(3)").await;
    let error = gone(&mut host).await;
    assert!(
        matches!(error, HostError::Died { .. }) && error.to_string().contains("exit code 3"),
        "{error}"
    );
    let refused = host.submit(Submission::callers("1", text_format())).await;
    assert!(
        matches!(refused, Err(HostError::CannotWrite)),
        "{refused:?}"
    );
    host.kill().await;
}

async fn a_process_killed_from_outside_is_gone_with_its_signal(cx: &Context) {
    let mut host = cx.host().await;
    let started = |record: &Record| matches!(record, Record::Information { .. });
    Ran::begin(&mut host, "Write-Host started; Start-Sleep 100", started).await;
    let pid = rustix::process::Pid::from_raw(host.pid().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let error = gone(&mut host).await;
    assert!(error.to_string().contains("signal 9"), "{error}");
    host.shut_down().await;
}

async fn an_idle_process_that_dies_is_noticed(cx: &Context) {
    let mut host = cx.host().await;
    let pid = rustix::process::Pid::from_raw(host.pid().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    assert!(matches!(
        host.next().await,
        HostEvent::Gone(HostError::Died { .. })
    ));
    assert!(matches!(host.next().await, HostEvent::Gone(_)));
    drop(host);
}

async fn a_dropped_host_leaves_nothing(cx: &Context) {
    let mut host = cx.host().await;
    let started = |record: &Record| matches!(record, Record::Information { .. });
    Ran::begin(&mut host, "Write-Host started; /bin/sleep 1000", started).await;
    let group = host.pid();
    drop(host);
    until("the group is gone", || group_is_gone(group)).await;
}

async fn native_grandchildren_end_with_their_session(cx: &Context) {
    let mut host = cx.host().await;
    // A background process that lets go of everything but its group.
    Ran::text(
        &mut host,
        "/bin/sh -c '/bin/sleep 1000 >/dev/null 2>&1 & echo on'",
    )
    .await
    .completed();
    let group = host.pid();
    host.shut_down().await;
    // Killed by then, but it is for init to reap an orphan.
    until("the group is gone", || group_is_gone(group)).await;
}

async fn console_text_between_commands_is_discarded(cx: &Context) {
    let mut host = cx.host().await;
    let (go, gone) = (cx.path().join("go"), cx.path().join("written"));
    let script = format!(
        "$null = [Diagnostics.Process]::Start('/bin/sh', [string[]] @('-c', 'while [ ! -e {go} ]; do sleep 0.01; done; echo stray; touch {gone}'))",
        go = go.display(),
        gone = gone.display()
    );
    Ran::text(&mut host, &script).await.completed();
    std::fs::write(&go, "").unwrap();
    until("the stray line is written", || gone.exists()).await;
    let ran = Ran::text(&mut host, "'clean'").await.completed();
    assert_eq!((ran.output(), ran.console()), (vec!["clean"], vec![]));
    assert!(host.discarded_console_bytes() >= 6);
    done(host).await;
}

async fn last_words_come_before_the_end(cx: &Context) {
    let mut host = cx.host().await;
    submit(
        &mut host,
        "[Console]::Error.Write('last words'); [Environment]::Exit(1)",
    )
    .await;
    let mut words = Vec::new();
    loop {
        match host.next().await {
            HostEvent::Records(records) => words.extend(records),
            HostEvent::Gone(_) => break,
            HostEvent::Finished(finished) => panic!("{finished:?}"),
        }
    }
    assert!(
        matches!(&words[..], [Record::Console { text, .. }] if text == "last words"),
        "{words:?}"
    );
    host.kill().await;
}

async fn garbage_on_the_socket_is_the_end(cx: &Context) {
    for garbage in ["this is no frame", "J0123456789abcdef", "\u{1}"] {
        let scenario = format!(
            r#"{{"otherwise": [{{"garbage": {{"text": {}}}}}, "hang"]}}"#,
            serde_json::Value::from(garbage)
        );
        let mut host = cx.start(&cx.fake(&scenario)).await.unwrap();
        submit(&mut host, "x").await;
        let error = gone(&mut host).await;
        assert!(matches!(error, HostError::Garbage(_)), "{error}");
        assert!(!error.to_string().contains(garbage), "{error}");
        let group = host.pid();
        host.shut_down().await;
        assert!(group_is_gone(group));
    }
}

async fn a_socket_that_closes_is_the_end(cx: &Context) {
    let mut host = cx
        .start(&cx.fake(r#"{"otherwise": ["close_socket"]}"#))
        .await
        .unwrap();
    submit(&mut host, "x").await;
    let error = gone(&mut host).await;
    assert!(matches!(error, HostError::Died { .. }), "{error}");
    let group = host.pid();
    host.kill().await;
    assert!(group_is_gone(group));
}

async fn a_stuck_process_can_be_killed(cx: &Context) {
    let mut host = cx
        .start(&cx.fake(r#"{"otherwise": ["stuck"]}"#))
        .await
        .unwrap();
    submit(&mut host, "x").await;
    host.cancel().await.unwrap();
    let group = host.pid();
    host.kill().await;
    assert!(group_is_gone(group));
}

async fn a_submission_while_one_runs_is_refused(cx: &Context) {
    let mut host = cx
        .start(&cx.fake(r#"{"otherwise": ["hang"]}"#))
        .await
        .unwrap();
    submit(&mut host, "x").await;
    let refused = host.submit(Submission::callers("y", text_format())).await;
    assert!(matches!(refused, Err(HostError::Busy)), "{refused:?}");
    host.cancel().await.unwrap();
    Ran::rest(&mut host, Vec::new()).await.unwrap();
    done(host).await;
}
