//! Commands that reach the bootstrap's writer by reflection and write frames themselves.

use session_pool::domain::record::Record;
use session_pool::host::{HostError, Outcome, Submission};

use super::done;
use crate::support::{Context, Needs, Ran, Suite, add, text_format};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            a_forged_end_ends_its_own_job_and_starts_nothing_early,
            a_stop_behind_a_forged_end_stops_both,
            frames_of_an_older_job_are_dropped,
            garbage_by_reflection_is_the_end,
        ]
    );
}

/// Finds the writer and the token of the running submission.
const REACH: &str = "$hidden = [Reflection.BindingFlags] 'NonPublic, Public, Instance'; \
    $runspace = [runspace]::DefaultRunspace; \
    $pipeline = $runspace.GetType().GetMethod('GetCurrentlyRunningPipeline', $hidden).Invoke($runspace, @()); \
    $reached = @{}; foreach ($parameter in $pipeline.Commands[$pipeline.Commands.Count - 1].Parameters) { $reached[$parameter.Name] = $parameter.Value }; \
    $writer = $reached.Writer; $token = $reached.Token; ";

async fn a_forged_end_ends_its_own_job_and_starts_nothing_early(cx: &Context) {
    let mut host = cx.host().await;
    let (go, ended) = (cx.path().join("go"), cx.path().join("ended"));
    let script = format!(
        "{REACH} $writer.WriteLine(\"F$token C0\"); $writer.Flush(); \
         while (-not (Test-Path '{}')) {{ Start-Sleep -Milliseconds 5 }}; \
         'late'; $writer.WriteLine(\"F$token C0\"); Set-Content '{}' x",
        go.display(),
        ended.display()
    );
    let first = Ran::text(&mut host, &script).await;
    assert!(!ended.exists());
    assert_eq!(first.finished.outcome, Outcome::Completed);

    let next = format!("Test-Path '{}'", ended.display());
    host.submit(Submission::callers(next, text_format()))
        .await
        .unwrap();
    std::fs::write(&go, "").unwrap();
    let second = Ran::rest(&mut host, Vec::new()).await.unwrap().completed();
    assert_eq!(
        second.output(),
        ["True"],
        "it began before the first had ended"
    );
    // Its word on what it left behind was not believed.
    assert!(second.finished.stateful);
    assert_eq!(
        Ran::text(&mut host, "'third'").await.completed().output(),
        ["third"]
    );
    done(host).await;
}

async fn a_stop_behind_a_forged_end_stops_both(cx: &Context) {
    let mut host = cx.host().await;
    let script =
        format!("{REACH} $writer.WriteLine(\"F$token C0\"); $writer.Flush(); Start-Sleep 1000");
    Ran::text(&mut host, &script).await.completed();
    let marker = cx.path().join("marker");
    let next = format!("Set-Content '{}' x", marker.display());
    host.submit(Submission::callers(next, text_format()))
        .await
        .unwrap();
    host.cancel().await.unwrap();
    let ran = Ran::rest(&mut host, Vec::new()).await.unwrap();
    assert_eq!(
        (ran.finished.outcome, marker.exists()),
        (Outcome::Stopped, false)
    );
    assert_eq!(
        Ran::text(&mut host, "'on'").await.completed().output(),
        ["on"]
    );
    done(host).await;
}

async fn frames_of_an_older_job_are_dropped(cx: &Context) {
    let mut host = cx.host().await;
    Ran::text(
        &mut host,
        &format!("{REACH} $global:kept = $writer; $global:old = $token"),
    )
    .await
    .completed();
    let script = "$kept.WriteLine(\"O$old forged\"); $kept.WriteLine(\"F$old C0\"); $kept.WriteLine('W0123456789abcdef \"forged\"'); 'true'";
    let ran = Ran::text(&mut host, script).await.completed();
    assert_eq!(ran.output(), ["true"]);
    assert!(
        !ran.records
            .iter()
            .any(|record| matches!(record, Record::Warning { .. }))
    );
    done(host).await;
}

async fn garbage_by_reflection_is_the_end(cx: &Context) {
    let mut host = cx.host().await;
    let script = format!("{REACH} $writer.WriteLine('garbage'); $writer.Flush(); Start-Sleep 100");
    host.submit(Submission::callers(script, text_format()))
        .await
        .unwrap();
    let error = Ran::rest(&mut host, Vec::new()).await.unwrap_err();
    assert!(matches!(error, HostError::Garbage(_)), "{error}");
    host.kill().await;
}
