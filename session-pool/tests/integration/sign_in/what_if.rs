//! The preview of a command holds what the command itself says it would do.

use session_pool::domain::module::Module;
use session_pool::domain::wire::AnswerStatus;

use crate::support::{Context, Needs, Suite, add};

use super::stage::Stage;

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            a_command_is_asked_what_it_would_do_and_does_nothing,
            a_missing_command_of_azures_comes_with_what_to_do_instead,
        ]
    );
}

const SAYS: &str = "With -WhatIf it says:\nWhat if: Performing the operation \"Remove File\"";

async fn a_command_is_asked_what_it_would_do_and_does_nothing(cx: &Context) {
    let policy = "[[rule]]\nid = 'ask'\ndecision = 'confirm'\nreason = 'r'\n\
                  commands = ['Remove-Item', 'Get-Mailbox']\n";
    let stage = Stage::with_policy(cx, policy);
    let victim = cx.path().join("victim");
    std::fs::write(&victim, "x").unwrap();
    let path = victim.display();
    let preview = async |command: &str| {
        let asked = stage.run(Module::Exo, command).await;
        assert_eq!(
            asked.status,
            AnswerStatus::ConfirmationRequired,
            "{asked:?}"
        );
        assert!(victim.exists(), "{command}");
        asked.confirmation.unwrap().preview
    };
    let before = preview(&format!("Remove-Item {path}")).await;
    assert!(!before.contains("-WhatIf"), "nobody is signed in: {before}");
    stage.sign_in(Module::Exo).await;
    for command in [
        format!("Remove-Item {path}"),
        format!("ri -Path '{path}' -Force"),
        format!("& 'remove-item' -LiteralPath:\"{path}\" -Confirm:$false"),
    ] {
        let shown = preview(&command).await;
        assert!(shown.contains(SAYS), "{command}: {shown}");
        assert!(shown.contains("admin@contoso.example"), "{shown}");
    }
    // More than one command, a value known only when it runs, no such parameter.
    for command in [
        format!("Remove-Item {path}; Get-Date"),
        format!("$x = '{path}'; Remove-Item $x"),
        format!("Remove-Item (Write-Output {path})"),
        format!("Write-Output {path} | Remove-Item"),
        "Get-Mailbox jane".to_owned(),
    ] {
        let shown = preview(&command).await;
        assert!(!shown.contains("it says"), "{command}: {shown}");
    }
    // It is a question like any other, and asked once.
    let asked = stage.run(Module::Exo, &format!("Remove-Item {path}")).await;
    let request = asked.confirmation.unwrap();
    assert_eq!(request.preview.matches("it says").count(), 1, "{request:?}");
    stage.end().await;
}

async fn a_missing_command_of_azures_comes_with_what_to_do_instead(cx: &Context) {
    let stage = Stage::new(cx);
    stage.sign_in(Module::Azure).await;
    let answer = stage
        .run(
            Module::Azure,
            "Get-AzFluxConfiguration; Get-AzFluxConfiguration",
        )
        .await;
    let hints: Vec<_> = answer
        .warnings
        .iter()
        .filter(|text| text.contains("Invoke-AzRestMethod"))
        .collect();
    assert_eq!(hints.len(), 1, "{answer:?}");
    assert!(hints[0].contains("Get-AzFluxConfiguration"), "{hints:?}");
    let answer = stage.run(Module::Azure, "Get-NoSuchThing").await;
    assert!(answer.warnings.is_empty(), "{answer:?}");
    stage.end().await;
}
