//! Stopping a command, whatever it is doing.

use std::time::Duration;

use session_pool::domain::record::Record;
use session_pool::host::Outcome;

use super::done;
use crate::support::{Context, Needs, Ran, Suite, add, group_is_gone};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            every_kind_of_command_stops_and_the_session_goes_on,
            a_flood_of_output_stops,
            a_net_call_that_does_not_stop_is_killed,
            a_stop_that_comes_too_late_stops_nothing,
        ]
    );
}

fn started(record: &Record) -> bool {
    matches!(record, Record::Information { text, .. } if text == "started")
}

async fn every_kind_of_command_stops_and_the_session_goes_on(cx: &Context) {
    let mut host = cx.host().await;
    Ran::text(&mut host, "$kept = 'kept'").await.completed();
    for command in [
        "Start-Sleep 100",
        "while ($true) { }",
        "/bin/sleep 100",
        "1..1000000000 | Where-Object { $false }",
        "try { Start-Sleep 100 } catch { 'caught' }",
        "[pscustomobject]@{ a = 1 }; Start-Sleep 100",
        "ForEach-Object -Parallel { Start-Sleep 100 } -InputObject 1",
    ] {
        let records = Ran::begin(
            &mut host,
            &format!("Write-Host started; {command}"),
            started,
        )
        .await;
        host.cancel().await.unwrap();
        let ran = Ran::rest(&mut host, records).await.unwrap();
        assert_eq!(ran.finished.outcome, Outcome::Stopped, "{command}");
        assert_eq!(
            Ran::text(&mut host, "$kept").await.completed().output(),
            ["kept"],
            "{command}"
        );
    }
    done(host).await;
}

async fn a_flood_of_output_stops(cx: &Context) {
    let mut host = cx.host().await;
    let script = "Write-Host started; while ($true) { 'x' * 1000 }";
    let records = Ran::begin(&mut host, script, started).await;
    host.cancel().await.unwrap();
    let ran = Ran::rest(&mut host, records).await.unwrap();
    assert_eq!(ran.finished.outcome, Outcome::Stopped);
    assert_eq!(
        Ran::text(&mut host, "'on'").await.completed().output(),
        ["on"]
    );
    done(host).await;
}

async fn a_net_call_that_does_not_stop_is_killed(cx: &Context) {
    let mut host = cx.host().await;
    let script = "Write-Host started; [Threading.Thread]::Sleep(100000)";
    Ran::begin(&mut host, script, started).await;
    host.cancel().await.unwrap();
    let quiet = tokio::time::timeout(Duration::from_millis(300), host.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    let group = host.pid();
    host.kill().await;
    assert!(group_is_gone(group));
}

async fn a_stop_that_comes_too_late_stops_nothing(cx: &Context) {
    let mut host = cx.host().await;
    host.cancel().await.unwrap();
    for _ in 0..20 {
        let ran = Ran::text(&mut host, "'a'").await.completed();
        assert_eq!(ran.output(), ["a"]);
        host.cancel().await.unwrap();
    }
    done(host).await;
}
