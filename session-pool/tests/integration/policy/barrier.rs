//! The second barrier: names that are refused inside the session, however they are reached.

use session_pool::host::{Host, Outcome};

use crate::support::{Context, Needs, Ran, Suite, add};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            a_refused_name_is_refused_however_it_is_reached,
            the_barrier_cannot_be_taken_down,
            what_is_not_refused_runs_as_before,
        ]
    );
}

const REFUSED: &str = "Refused-By-The-Policy-Of-This-Session";

async fn host(cx: &Context) -> Host {
    let mut spec = cx.spec();
    spec.barrier = vec!["install-module".to_owned(), "get-uptime".to_owned()];
    cx.start(&spec).await.unwrap()
}

async fn is_refused(host: &mut Host, script: &str) -> bool {
    let ran = Ran::text(host, script).await;
    match &ran.finished.outcome {
        Outcome::Failed(error) => error.message.contains(REFUSED),
        Outcome::Completed => ran
            .errors()
            .iter()
            .any(|error| error.message.contains(REFUSED)),
        _ => false,
    }
}

async fn a_refused_name_is_refused_however_it_is_reached(cx: &Context) {
    let mut host = host(cx).await;
    for script in [
        "Get-Uptime",
        "GET-UPTIME",
        "& 'Get-Uptime'",
        "& ('Get-' + 'Uptime')",
        "Uptime",
        "Invoke-Expression 'Get-Uptime'",
        "[scriptblock]::Create('Get-Uptime').Invoke()",
        "Set-Alias u Get-Uptime; u",
        "function u { Get-Uptime }; u",
        "& (Get-Command Get-Uptime)",
        "$ExecutionContext.InvokeCommand.InvokeScript('Get-Uptime')",
        "1 | ForEach-Object { Get-Uptime }",
        "New-Module { function w { Get-Uptime }; Export-ModuleMember w } | Import-Module; w",
        "Install-Module x",
    ] {
        assert!(is_refused(&mut host, script).await, "{script}");
    }
    host.shut_down().await;
}

async fn the_barrier_cannot_be_taken_down(cx: &Context) {
    let mut host = host(cx).await;
    for script in [
        "Set-Alias Get-Uptime Get-Date -Force",
        "Remove-Item alias:Get-Uptime -Force",
        "Remove-Alias Get-Uptime -Force",
        "Set-Item alias:Get-Uptime Get-Date -Force",
        "function Get-Uptime { 'mine' }",
        "function Refused-By-The-Policy-Of-This-Session { 'mine' }",
        "Set-Item function:Refused-By-The-Policy-Of-This-Session { 'mine' } -Force",
        "Remove-Item function:Refused-By-The-Policy-Of-This-Session -Force",
        "Set-Alias Refused-By-The-Policy-Of-This-Session Get-Date -Scope Script",
        "New-Module { function Get-Uptime { 'mine' } } | Import-Module -Force",
        "Import-Module Microsoft.PowerShell.Utility -Force",
    ] {
        Ran::text(&mut host, script).await;
        assert!(is_refused(&mut host, "Get-Uptime").await, "{script}");
    }
    host.shut_down().await;
}

async fn what_is_not_refused_runs_as_before(cx: &Context) {
    let mut host = host(cx).await;
    let script = "Microsoft.PowerShell.Utility\\Get-Uptime | Out-Null; 'ran'";
    // The pool's own calls are qualified.
    assert_eq!(
        Ran::text(&mut host, script).await.completed().output(),
        ["ran"]
    );
    let ran = Ran::text(&mut host, "1+1").await;
    assert!(
        !ran.finished.stateful,
        "the barrier is nothing that callers set"
    );
    assert_eq!(ran.completed().output(), ["2"]);
    host.shut_down().await;
}
