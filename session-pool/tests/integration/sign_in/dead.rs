//! A sign-in that died: what the command that meets it is told, and what does not count as one.

use session_pool::domain::module::Module;
use session_pool::domain::wire::AnswerStatus;

use crate::support::{Context, Suite, until};

use super::for_each_module;
use super::stage::{Stage, answer};

pub fn trials(suite: &mut Suite) {
    for_each_module!(
        suite,
        [
            a_dead_sign_in_is_answered_with_a_new_code_and_runs_nothing_twice,
            a_text_about_aadsts_signs_nobody_out,
            a_sign_in_may_die_under_a_running_command,
            a_command_may_sign_out_its_own_session
        ]
    );
}

const fn cheap(module: Module) -> &'static str {
    match module {
        Module::Exo => "Get-EXOMailbox -ResultSize 1",
        Module::Azure => "Get-AzSubscription",
        Module::Teams => "Get-Team",
        Module::Pnp => "Get-PnPWeb",
    }
}

async fn a_dead_sign_in_is_answered_with_a_new_code_and_runs_nothing_twice(
    cx: &Context,
    module: Module,
) {
    let stage = Stage::new(cx);
    let made = cx.path().join("made");
    stage.sign_in(module).await;
    stage.entra.revoke(module, None, 70043).unwrap();

    let command = format!(
        "Add-Content -Path '{}' -Value x; {}",
        made.display(),
        cheap(module)
    );
    let asked = stage.run(module, &command).await;
    assert_eq!(asked.status, AnswerStatus::AuthRequired, "{asked:?}");
    let message = asked.message.unwrap();
    assert!(message.contains("AADSTS70043"), "{message}");
    assert!(message.contains("sign-in frequency"), "{message}");
    assert!(message.contains("not run again"), "{message}");

    stage.complete(&asked.device_code.unwrap()).await;
    stage.until(module, "authenticated").await;
    let lines = std::fs::read_to_string(&made).unwrap();
    assert_eq!(lines.lines().count(), 1);
    assert_eq!(stage.run(module, "'ran'").await.output, "ran");
    stage.end().await;
}

async fn a_text_about_aadsts_signs_nobody_out(cx: &Context, module: Module) {
    let stage = Stage::new(cx);
    stage.sign_in(module).await;
    let mail = "AADSTS70043: The refresh token has expired";
    for command in [
        format!("'{mail}'"),
        format!("Write-Warning '{mail}'"),
        format!("Write-Error '{mail}'"),
        format!("throw '{mail}'"),
        format!("[Console]::Error.WriteLine('{mail}')"),
    ] {
        stage.run(module, &command).await;
        assert_eq!(stage.status(module).state, "authenticated", "{command}");
    }
    stage.end().await;
}

const fn disconnect(module: Module) -> &'static str {
    match module {
        Module::Exo => "Disconnect-ExchangeOnline -Confirm:$false",
        Module::Azure => "$null = Disconnect-AzAccount",
        Module::Teams => "Disconnect-MicrosoftTeams",
        Module::Pnp => "Disconnect-PnPOnline",
    }
}

async fn a_sign_in_may_die_under_a_running_command(cx: &Context, module: Module) {
    let stage = Stage::new(cx);
    let go = cx.path().join("go");
    stage.sign_in(module).await;
    let cheap = cheap(module);
    let command = format!(
        "$null = {cheap}; 'alive'; while (-not (Test-Path '{}')) {{ Start-Sleep -Milliseconds 20 }}; {cheap}",
        go.display()
    );
    let job = stage.submit(module, &command).await;
    until("it has begun", || job.summary().characters > 0).await;
    stage.entra.revoke(module, None, 50173).unwrap();
    std::fs::write(&go, "").unwrap();
    let asked = answer(&job).await;
    assert_eq!(asked.status, AnswerStatus::AuthRequired, "{asked:?}");
    assert!(asked.output.starts_with("alive\n"), "{}", asked.output);
    let reason = asked.reason.unwrap();
    assert!(reason.contains("AADSTS50173"), "{reason}");
    stage.complete(&asked.device_code.unwrap()).await;
    stage.until(module, "authenticated").await;
    stage.end().await;
}

async fn a_command_may_sign_out_its_own_session(cx: &Context, module: Module) {
    let stage = Stage::new(cx);
    stage.sign_in(module).await;
    let left = stage.run(module, disconnect(module)).await;
    assert_eq!(left.status, AnswerStatus::Success, "{left:?}");
    let asked = stage.run(module, cheap(module)).await;
    match asked.device_code {
        Some(code) => drop(stage.complete(&code).await),
        // What pnp keeps on disk still works: nobody has to do anything.
        None => assert_eq!(module, Module::Pnp, "{asked:?}"),
    }
    stage.until(module, "authenticated").await;
    let back = stage.run(module, cheap(module)).await;
    assert_eq!(back.status, AnswerStatus::Success, "{back:?}");
    stage.end().await;
}
