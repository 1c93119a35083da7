//! Signing in ahead of need, and signing out.

use session_pool::domain::job::JobState;
use session_pool::domain::module::Module;
use session_pool::domain::wire::{AnswerStatus, SignInRequest, SignOutRequest};

use crate::support::{Context, Needs, Suite, add, until};

use super::stage::{ADMIN, CONTOSO, Stage, answer};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            a_sign_in_ahead_of_need_gives_the_code_that_commands_get,
            a_sign_in_that_fails_says_why,
            a_sign_out_ends_what_runs_and_deletes_what_is_kept,
            a_sign_out_needs_no_session,
        ]
    );
}

fn ahead(modules: &[Module]) -> SignInRequest {
    SignInRequest {
        connection: Some("contoso".to_owned()),
        modules: Some(modules.iter().map(ToString::to_string).collect()),
        caller_id: Some("ada".to_owned()),
    }
}

fn out(modules: &[Module]) -> SignOutRequest {
    SignOutRequest {
        connection: Some("contoso".to_owned()),
        modules: Some(modules.iter().map(ToString::to_string).collect()),
    }
}

async fn a_sign_in_ahead_of_need_gives_the_code_that_commands_get(cx: &Context) {
    let stage = Stage::new(cx);
    let both = ahead(&[Module::Teams, Module::Exo]);
    let asked = stage.pool.sign_in(both.clone()).await.unwrap();
    assert_eq!(asked.status, AnswerStatus::AuthRequired);
    let modules: Vec<_> = asked.sessions.iter().map(|it| it.module).collect();
    assert_eq!(modules, [Module::Exo, Module::Teams]);
    for session in &asked.sessions {
        assert_eq!(session.status, AnswerStatus::AuthRequired, "{session:?}");
        assert_eq!(session.asked_by.as_deref(), Some("ada"));
        assert_eq!(session.expected_account.as_deref(), Some(ADMIN));
        let code = session.device_code.as_deref().unwrap();
        assert!(session.message.as_ref().unwrap().contains(code));
        let command = stage.run(session.module, "'ran'").await;
        assert_eq!(command.device_code.as_deref(), Some(code));
        let again = stage.pool.sign_in(ahead(&[session.module])).await.unwrap();
        assert_eq!(again.sessions[0].device_code.as_deref(), Some(code));
        stage.complete(code).await;
        stage.until(session.module, "authenticated").await;
    }
    let done = stage.pool.sign_in(both).await.unwrap();
    assert_eq!(done.status, AnswerStatus::Success);
    for session in &done.sessions {
        assert_eq!(session.authenticated_as.as_deref(), Some(ADMIN));
        assert_eq!(session.tenant_id.as_deref(), Some(CONTOSO));
    }
    // A command that runs is not waited for.
    let job = stage.submit(Module::Exo, "Start-Sleep 600").await;
    until("it runs", || job.summary().started_at.is_some()).await;
    let busy = stage.pool.sign_in(ahead(&[Module::Exo])).await.unwrap();
    assert_eq!(busy.status, AnswerStatus::Success);
    stage.end().await;
}

async fn a_sign_in_that_fails_says_why(cx: &Context) {
    let stage = Stage::new(cx);
    stage.sign_ins(session_pool::demo::settings::SignIn::Decline);
    let asked = stage.pool.sign_in(ahead(&[Module::Exo])).await.unwrap();
    // The code is shown before it is declined, or not.
    if asked.status == AnswerStatus::Error {
        let error = asked.sessions[0].error.as_deref().unwrap();
        assert!(error.contains("AADSTS65004"), "{error}");
    }
    let failed = stage.until(Module::Exo, "error").await;
    assert!(failed.last_error.unwrap().contains("AADSTS65004"));
    let mut unknown = ahead(&[Module::Exo]);
    unknown.modules = Some(vec!["exchange".to_owned()]);
    let refused = stage.pool.sign_in(unknown).await.unwrap_err();
    assert_eq!(refused.code(), "unknown_module");
    stage.end().await;
}

async fn a_sign_out_ends_what_runs_and_deletes_what_is_kept(cx: &Context) {
    let stage = Stage::new(cx);
    for module in [Module::Azure, Module::Pnp, Module::Exo] {
        stage.sign_in(module).await;
    }
    let home = cx.path().join("homes/contoso");
    let kept = [".Azure", ".m365pnppowershell"].map(|name| home.join(name));
    assert!(kept.iter().all(|path| path.exists()));
    let running = stage.submit(Module::Azure, "Start-Sleep 600").await;
    until("it runs", || running.summary().started_at.is_some()).await;
    let waiting = stage.submit(Module::Azure, "'ran'").await;

    let done = stage.pool.sign_out(out(&[Module::Azure])).await.unwrap();
    assert_eq!(done.status, AnswerStatus::Success, "{done:?}");
    assert_eq!(done.signed_out, ["contoso/azure"]);
    assert_eq!(done.caches_deleted, [Module::Azure]);
    assert_eq!(kept.each_ref().map(|path| path.exists()), [false, true]);
    for job in [running, waiting] {
        let ended = answer(&job).await;
        assert_eq!(ended.state, JobState::Cancelled, "{ended:?}");
        assert!(ended.error.unwrap().contains("a sign-out"));
    }
    assert_eq!(stage.status(Module::Azure).state, "ready");
    assert_eq!(stage.status(Module::Exo).state, "authenticated");
    // While a code waits, it is taken back.
    let code = stage.run(Module::Azure, "'ran'").await.device_code.unwrap();
    stage.pool.sign_out(out(&[Module::Azure])).await.unwrap();
    until("nothing waits for it", || {
        !stage
            .entra
            .pending()
            .unwrap()
            .iter()
            .any(|it| it.code == code)
    })
    .await;
    stage.end().await;
}

async fn a_sign_out_needs_no_session(cx: &Context) {
    let stage = Stage::new(cx);
    stage.sign_in(Module::Azure).await;
    stage.sign_in(Module::Pnp).await;
    stage.pool.reset(Some("contoso"), None).await.unwrap();
    assert_eq!(stage.pool.status(), []);

    let all = SignOutRequest {
        connection: Some("contoso".to_owned()),
        modules: None,
    };
    let done = stage.pool.sign_out(all).await.unwrap();
    assert_eq!(done.signed_out, [""; 0]);
    assert_eq!(done.caches_deleted, Module::ALL);
    for module in [Module::Azure, Module::Pnp] {
        let asked = stage.run(module, "'ran'").await;
        assert_eq!(asked.status, AnswerStatus::AuthRequired, "{module}");
    }
    stage.end().await;
}
