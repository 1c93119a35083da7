//! From the first command to the first answer, in every way that a sign-in can go.

use session_pool::demo::modules;
use session_pool::demo::settings::SignIn;
use session_pool::domain::module::Module;
use session_pool::domain::state::IdentityPart;
use session_pool::domain::wire::AnswerStatus;

use crate::support::{Context, Needs, Suite, add};

use super::for_each_module;
use super::stage::{ADMIN, CONTOSO, Stage, answer, kill};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            a_killed_process_loses_nobody,
            an_account_that_the_module_does_not_tell_is_unverified
        ]
    );
    for_each_module!(
        suite,
        [
            everybody_gets_the_same_code_until_somebody_signs_in,
            a_code_that_is_declined_or_expires_is_followed_by_a_new_one,
            another_account_or_tenant_is_signed_out_and_nothing_runs,
            a_module_may_answer_at_once,
            a_prompt_may_be_answered_before_anybody_reads_it
        ]
    );
}

async fn everybody_gets_the_same_code_until_somebody_signs_in(cx: &Context, module: Module) {
    let stage = Stage::new(cx);

    let first = stage.run(module, "'ran'").await;
    assert_eq!(first.status, AnswerStatus::AuthRequired, "{first:?}");
    let second = answer(&stage.submit_as(module, "'ran'", "somebody else").await).await;
    assert_eq!(second.device_code, first.device_code, "{module}");
    assert_eq!(second.asked_by.as_deref(), Some("tests"));
    let message = second.message.unwrap();
    assert!(message.contains("asked for by tests"), "{message}");
    assert!(!first.message.unwrap().contains("asked for by"));
    let left = second.expires_in.unwrap();
    assert!(left <= first.expires_in.unwrap() && left > 800, "{left}");

    let waiting = stage.status(module);
    assert_eq!(waiting.state, "auth_pending");
    assert_eq!(waiting.asked_by.as_deref(), Some("tests"));
    assert_eq!(waiting.device_code, first.device_code);
    assert!(waiting.expires_in.unwrap() <= left);
    assert_eq!(waiting.authenticated_since, None);
    let used = waiting.last_command_at.unwrap();

    stage.complete(&first.device_code.unwrap()).await;
    let signed_in = stage.until(module, "authenticated").await;
    assert_eq!(signed_in.authenticated_as.as_deref(), Some(ADMIN));
    assert_eq!(signed_in.tenant_id.as_deref(), Some(CONTOSO));
    assert_eq!(signed_in.unverified, []);
    assert!(signed_in.authenticated_since.unwrap() >= used);
    assert_eq!((signed_in.expires_in, signed_in.asked_by), (None, None));
    let ran = stage.run(module, "'ran'").await;
    assert_eq!(ran.output, "ran", "{ran:?}");
    assert_eq!(ran.authenticated_as.as_deref(), Some(ADMIN));
    assert_eq!(ran.warnings, [""; 0]);

    stage.end().await;
}

async fn an_account_that_the_module_does_not_tell_is_unverified(cx: &Context) {
    let stage = Stage::new(cx);
    let module = modules::unpack(&stage.directory).unwrap();
    let file = module.join("ExchangeOnlineManagement/Connection.ps1");
    let text = std::fs::read_to_string(&file).unwrap();
    let silent = text.replace("$appOnly ? '' : $Session.Account", "''");
    assert_ne!(silent, text);
    std::fs::write(&file, silent).unwrap();

    stage.sign_in(Module::Exo).await;
    let signed_in = stage.status(Module::Exo);
    assert_eq!(signed_in.unverified, [IdentityPart::Account]);
    assert_eq!(signed_in.tenant_id.as_deref(), Some(CONTOSO));
    let ran = stage.run(Module::Exo, "'ran'").await;
    assert!(ran.output.ends_with("\nran"), "{ran:?}");
    let warning = ran.warnings.first().unwrap();
    assert!(warning.contains("\"expectedEmail\""), "{warning}");
    assert!(!warning.contains("tenant"), "{warning}");
    assert_eq!(stage.status(Module::Exo).state, "authenticated");

    stage.end().await;
}

async fn a_code_that_is_declined_or_expires_is_followed_by_a_new_one(cx: &Context, module: Module) {
    let stage = Stage::new(cx);

    let first = stage.run(module, "'ran'").await.device_code.unwrap();
    stage.entra.decline(&first).unwrap();
    stage.until(module, "error").await;
    stage.sign_ins(SignIn::Expire);
    let second = stage.run(module, "'ran'").await;
    assert_ne!(second.device_code.as_ref(), Some(&first));
    let message = second.message.unwrap();
    assert!(message.contains("AADSTS65004"), "{module}: {message}");

    stage.until(module, "error").await;
    stage.sign_ins(SignIn::Normal);
    let third = stage.run(module, "'ran'").await;
    let message = third.message.unwrap();
    assert!(message.contains("AADSTS70020"), "{module}: {message}");
    stage.complete(&third.device_code.unwrap()).await;
    stage.until(module, "authenticated").await;

    stage.end().await;
}

async fn another_account_or_tenant_is_signed_out_and_nothing_runs(cx: &Context, module: Module) {
    let stage = Stage::new(cx);
    let made = cx.path().join("made");
    let command = format!("Set-Content -Path '{}' -Value x", made.display());
    for (how, expected) in [
        (SignIn::OtherAccount, ADMIN),
        // Where both are others, the account is named.
        (SignIn::OtherTenant, ADMIN),
    ] {
        stage.sign_ins(how);

        let asked = stage.run(module, &command).await;
        stage.complete(&asked.device_code.unwrap()).await;
        let refused = stage.until(module, "error").await;
        let reason = refused.last_error.unwrap();
        assert!(reason.contains(expected), "{module}: {reason}");
        let others = ["megan", "fabrikam", "fab00002"];
        assert!(!others.iter().any(|it| reason.contains(it)), "{reason}");
        // The next caller hears it with the new code, and again nothing has run.
        let again = stage.run(module, &command).await;
        assert!(again.message.unwrap().contains(expected), "{module}");
        stage.entra.decline(&again.device_code.unwrap()).unwrap();
        stage.until(module, "error").await;
    }
    assert!(!made.exists());
    stage.end().await;
}

async fn a_module_may_answer_at_once(cx: &Context, module: Module) {
    let stage = Stage::new(cx);
    stage.sign_ins(SignIn::Instant);

    let ran = stage.run(module, "'ran'").await;
    assert_eq!(ran.output, "ran", "{module}: {ran:?}");

    stage.end().await;
}

async fn a_prompt_may_be_answered_before_anybody_reads_it(cx: &Context, module: Module) {
    let stage = Stage::new(cx);
    stage.sign_ins(SignIn::Immediate);
    // The prompt may be seen first, or the sign-in.
    let ran = stage.run(module, "'ran'").await;
    if ran.status == AnswerStatus::AuthRequired {
        stage.until(module, "authenticated").await;
    } else {
        assert_eq!(ran.output, "ran", "{ran:?}");
    }
    stage.end().await;
}

async fn a_killed_process_loses_nobody(cx: &Context) {
    let stage = Stage::new(cx);
    let module = Module::Exo;
    // While a code waits: the next caller gets a new one, and why.
    let first = stage.run(module, "'ran'").await.device_code.unwrap();
    kill(stage.status(module).pid.unwrap());
    stage.until(module, "error").await;
    let second = stage.run(module, "'ran'").await;
    let code = second.device_code.unwrap();
    assert_ne!(code, first);
    assert!(second.message.unwrap().contains("PowerShell"));
    stage.complete(&code).await;
    // While it is idle and signed in.
    let idle = stage.until(module, "authenticated").await;
    kill(idle.pid.unwrap());
    stage.until(module, "error").await;
    stage.sign_in(module).await;
    // Under a command.
    let job = stage.submit(module, "Start-Sleep 600").await;
    crate::support::until("it runs", || job.summary().started_at.is_some()).await;
    kill(stage.status(module).pid.unwrap());
    let lost = answer(&job).await;
    assert_eq!(lost.code.as_deref(), Some("session_lost"), "{lost:?}");
    assert_eq!(stage.status(module).state, "error");
    // After a failed sign-in.
    stage.sign_ins(SignIn::Expire);
    stage.run(module, "'ran'").await;
    let failed = stage.until(module, "error").await;
    kill(failed.pid.unwrap());
    crate::support::until("it is gone", || stage.status(module).pid.is_none()).await;
    stage.sign_ins(SignIn::Normal);
    assert!(stage.run(module, "'ran'").await.device_code.is_some());
    stage.end().await;
}
