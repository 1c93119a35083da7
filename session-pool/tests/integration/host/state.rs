//! Whether callers left something in the session that a fresh process would not have.

use session_pool::host::{Host, Submission};

use super::done;
use crate::support::{Context, Needs, Ran, Suite, add, text_format};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            a_session_keeps_its_variables,
            what_callers_set_is_noticed_and_its_removal_too,
            what_only_asks_leaves_nothing,
            the_pools_own_submissions_do_not_count,
        ]
    );
}

async fn stateful(host: &mut Host, script: &str) -> bool {
    Ran::text(host, script).await.finished.stateful
}

async fn a_session_keeps_its_variables(cx: &Context) {
    let mut host = cx.host().await;
    Ran::text(&mut host, "$a = 41; function Add-One($n) { $n + 1 }")
        .await
        .completed();
    assert_eq!(
        Ran::text(&mut host, "Add-One $a")
            .await
            .completed()
            .output(),
        ["42"]
    );
    done(host).await;
}

async fn what_callers_set_is_noticed_and_its_removal_too(cx: &Context) {
    let mut host = cx.host().await;
    for (set, remove) in [
        ("$a = 1", "Remove-Variable a"),
        ("function f { }", "Remove-Item function:f"),
        ("Set-Alias al Get-Date", "Remove-Alias al"),
        ("$WhatIfPreference = $true", "$WhatIfPreference = $false"),
        (
            "$PSDefaultParameterValues['*:WhatIf'] = $true",
            "$PSDefaultParameterValues.Clear()",
        ),
        (
            "& { $global:deep = 1; throw 'x' }",
            "Remove-Variable deep -Scope Global",
        ),
    ] {
        assert!(stateful(&mut host, set).await, "{set}");
        assert!(!stateful(&mut host, remove).await, "{remove}");
    }
    done(host).await;
}

async fn what_only_asks_leaves_nothing(cx: &Context) {
    let mut host = cx.host().await;
    for script in [
        "1+1",
        "Get-Date | Out-String",
        "'abc' -match 'b'; $Matches",
        "/bin/true; $LASTEXITCODE",
        "Get-NoSuchThing",
        "throw 'x'",
        "1..3 | ForEach-Object { $_ } | Sort-Object",
        "& { $local = 1 }",
        "Import-Module Microsoft.PowerShell.Security",
        "switch (1) { 1 { 'one' } }",
    ] {
        assert!(!stateful(&mut host, script).await, "{script}");
    }
    done(host).await;
}

async fn the_pools_own_submissions_do_not_count(cx: &Context) {
    let mut host = cx.host().await;
    let own = |script: &str| Submission::own(script, text_format());
    let ran = Ran::submission(&mut host, own("$pools = 1; function Connect-It { }")).await;
    assert!(!ran.finished.stateful);
    assert!(stateful(&mut host, "$callers = 1").await);
    // What a caller set before stays a caller's.
    assert!(
        Ran::submission(&mut host, own("$pools2 = 1"))
            .await
            .finished
            .stateful
    );
    assert!(!stateful(&mut host, "Remove-Variable callers").await);
    done(host).await;
}
