//! A sign-in that died: what the command that meets it is told, and what does not count as one.

use session_pool::domain::module::Module;
use session_pool::domain::wire::AnswerStatus;

use crate::support::{Context, Suite};

use super::for_each_module;
use super::stage::Stage;

pub fn trials(suite: &mut Suite) {
    for_each_module!(
        suite,
        [
            a_dead_sign_in_is_answered_with_a_new_code_and_runs_nothing_twice,
            a_text_about_aadsts_signs_nobody_out
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
