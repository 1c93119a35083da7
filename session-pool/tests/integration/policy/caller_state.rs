//! Whether a command may leave something in its session, by what the checker reads off it.

use session_pool::domain::caller_state::may_set_state;
use session_pool::host::checker::Checker;

use super::WITHIN;
use crate::support::{Context, Needs, Suite, add};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            a_text_that_may_set_something_is_known,
            a_text_that_only_asks_is_known,
        ]
    );
}

async fn may(checker: &mut Checker, text: &str) -> bool {
    let facts = checker.facts(text, WITHIN).await;
    may_set_state(&facts.unwrap_or_else(|error| panic!("{text}: {error}")))
}

async fn a_text_that_may_set_something_is_known(cx: &Context) {
    let mut checker = Checker::start(&cx.spec(), &cx.reaper).await.unwrap();
    for text in [
        "$ids = Get-Mailbox; Start-Sleep 60",
        "$n++",
        "--$n",
        "$a, $b = 1, 2",
        "[int] $n = 1",
        "$global:n = 1",
        "${n} += 1",
        "$h.x = 1",
        "foreach ($box in Get-Mailbox) { Start-Sleep 1 }",
        "for ($i = 0; $i -lt 3; $i++) { }",
        "param($x = 1)",
        "data d { 1 }",
        "function Get-It { 1 }",
        "filter Get-It { 1 }",
        "set x 1",
        "sv ids 5",
        "Set-Variable x 1",
        "nal ll Get-ChildItem",
        "Set-Item function:x { 1 }",
        "ni variable:x -Value 1",
        "1 > variable:x",
        "1 | tee -Variable x",
        "Get-Mailbox -OutVariable boxes",
        "Get-Mailbox -ov boxes",
        "Get-Mailbox -ErrorV boxes",
        "irm https://example.com -SessionVariable s",
        "ipmo Mine",
        "using module Mine",
        ". ./setup.ps1",
        "./setup.ps1",
        ".\"x\"",
        ". x",
        "& $x",
        "iex $text",
        "Get-Mailbox @p",
        "cd /tmp",
        "pushd /tmp",
        "Az.Accounts\\Set-AzContext -Subscription B",
        "Select-AzSubscription B",
        "[ref] $x",
        "$ExecutionContext.SessionState.PSVariable.Set('x', 1)",
        "$PSDefaultParameterValues.Add('*:WhatIf', $true)",
        "[runspace]::DefaultRunspace",
        "$x.GetType().GetMethod('y').Invoke($x, @())",
    ] {
        assert!(may(&mut checker, text).await, "{text}");
    }
    checker.kill().await;
}

async fn a_text_that_only_asks_is_known(cx: &Context) {
    let mut checker = Checker::start(&cx.spec(), &cx.reaper).await.unwrap();
    for text in [
        "1+1",
        "Get-Mailbox -ResultSize 5",
        "Start-Sleep 60",
        "Get-Date | Out-String",
        "Get-Mailbox | Where-Object { $_.Name -like 'a*' -and $_.Name.StartsWith('ab') } | Sort-Object Name",
        "Get-Mailbox | % { [pscustomobject] @{ Name = $_.Name; Size = [math]::Round(1.5) } }",
        "Set-Mailbox $id -CustomAttribute1 'a = b'",
        "\"$(Get-Date)\"",
        "Get-Mailbox > /tmp/boxes.txt",
        "if (Test-Path x) { 'yes' } else { 'no' }",
        "[datetime]::Now.AddDays(-1).ToString('o')",
    ] {
        assert!(!may(&mut checker, text).await, "{text}");
    }
    checker.kill().await;
}
