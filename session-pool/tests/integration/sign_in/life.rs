//! What happens to sign-ins as time goes by, with short times and a real PowerShell.

use std::time::Duration;

use session_pool::demo::settings::SignIn;
use session_pool::domain::life::Rules;
use session_pool::domain::module::Module;
use session_pool::domain::paging::{Cursor, PageBudget};
use session_pool::domain::wire::AnswerStatus;

use crate::support::{Context, Needs, Suite, add, until};

use super::for_each_module;
use super::stage::{ADMIN, CONTOSO, Stage};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            a_silent_pnp_command_is_said_to_be_silent_and_can_be_cancelled,
            a_large_process_is_replaced_and_signed_in_as_before,
            a_large_process_stays_where_something_would_be_lost
        ]
    );
    for_each_module!(
        suite,
        [
            keepalive_reaches_the_service_and_finds_a_dead_sign_in,
            an_idle_session_is_signed_out_with_its_caches,
            a_code_that_nobody_enters_is_cancelled_and_its_process_reaped
        ]
    );
}

const SHORT: Duration = Duration::from_secs(1);

async fn keepalive_reaches_the_service_and_finds_a_dead_sign_in(cx: &Context, module: Module) {
    let rules = Rules {
        keepalive: Some(SHORT),
        ..Rules::default()
    };
    let stage = Stage::with_rules(cx, rules);
    stage.sign_in(module).await;
    let first = || stage.status(module).last_ping_at;
    until("it is checked", || first().is_some()).await;
    let at = first();
    until("it is checked again", || first() > at).await;
    assert_eq!(stage.status(module).state, "authenticated");

    stage.entra.revoke(module, None, 70043).unwrap();
    let lost = stage.until(module, "ready").await;
    assert_eq!(lost.authenticated_as, None);
    let why = lost.signed_out.unwrap();
    assert!(why.contains("AADSTS70043"), "{why}");
    let asked = stage.run(module, "'ran'").await;
    assert_eq!(asked.status, AnswerStatus::AuthRequired, "{asked:?}");
    let message = asked.message.unwrap();
    assert!(message.contains("sign-in frequency"), "{message}");
    stage.complete(&asked.device_code.unwrap()).await;
    let back = stage.until(module, "authenticated").await;
    assert_eq!(back.signed_out, None);
    stage.end().await;
}

async fn an_idle_session_is_signed_out_with_its_caches(cx: &Context, module: Module) {
    let rules = Rules {
        max_idle: Some(SHORT),
        ..Rules::default()
    };
    let stage = Stage::with_rules(cx, rules);
    stage.sign_in(module).await;
    let out = stage.until(module, "ready").await;
    let why = out.signed_out.unwrap();
    assert!(why.contains("without use"), "{why}");
    // Not from a cache either.
    let asked = stage.run(module, "'ran'").await;
    assert_eq!(asked.status, AnswerStatus::AuthRequired, "{asked:?}");
    let message = asked.message.unwrap();
    assert!(message.contains("without use"), "{message}");
    stage.end().await;
}

async fn a_code_that_nobody_enters_is_cancelled_and_its_process_reaped(
    cx: &Context,
    module: Module,
) {
    let rules = Rules {
        code_shown: SHORT,
        reap_after: SHORT,
        ..Rules::default()
    };
    let stage = Stage::with_rules(cx, rules);
    let first = stage.run(module, "'ran'").await.device_code.unwrap();
    let waiting = || stage.entra.pending().unwrap();
    assert_eq!(waiting().len(), 1);
    until("the connect command is cancelled", || waiting().is_empty()).await;
    until("the process is reaped", || {
        stage.status(module).pid.is_none()
    })
    .await;
    let second = stage.run(module, "'ran'").await;
    let message = second.message.unwrap();
    assert!(message.contains("nobody entered the code"), "{message}");
    assert_ne!(second.device_code.unwrap(), first);
    stage.end().await;
}

async fn a_silent_pnp_command_is_said_to_be_silent_and_can_be_cancelled(cx: &Context) {
    let rules = Rules {
        silence: SHORT,
        ..Rules::default()
    };
    let stage = Stage::with_rules(cx, rules);
    stage.sign_in(Module::Pnp).await;
    stage.sign_ins(SignIn::Silent);
    let job = stage.submit(Module::Pnp, "Get-PnPWeb").await;
    let answer = async || {
        job.answer(Cursor::default(), PageBudget::default())
            .await
            .unwrap()
    };
    while answer().await.warning_count == 0 {
        tokio::task::yield_now().await;
    }
    let running = answer().await;
    assert_eq!(running.status, AnswerStatus::Running);
    let warning = running.warnings.first().unwrap();
    assert!(warning.contains("second device code"), "{warning}");
    let ended = stage.pool.cancel(job.id()).await.unwrap();
    assert!(ended.is_final());
    // The advice: a reset, then a new sign-in. What is cached still works here.
    stage.sign_ins(SignIn::Normal);
    stage
        .pool
        .reset(Some("contoso"), Some("pnp"))
        .await
        .unwrap();
    let ran = stage.run(Module::Pnp, "(Get-PnPWeb).Title").await;
    assert_eq!(ran.status, AnswerStatus::Success, "{ran:?}");
    stage.end().await;
}

/// Every process is too large.
fn too_large() -> Rules {
    Rules {
        keepalive: Some(SHORT),
        max_resident: Some(1),
        replace_again: Duration::ZERO,
        ..Rules::default()
    }
}

async fn a_large_process_is_replaced_and_signed_in_as_before(cx: &Context) {
    for module in [Module::Azure, Module::Pnp] {
        let stage = Stage::with_rules(cx, too_large());
        stage.sign_in(module).await;
        let pid = stage.status(module).pid;
        until("it is replaced and signed in", || {
            let status = stage.status(module);
            status.pid != pid && status.authenticated
        })
        .await;
        let ran = stage.run(module, "$PID").await;
        assert_eq!(ran.authenticated_as.as_deref(), Some(ADMIN), "{ran:?}");
        assert_ne!(ran.output.trim().parse().ok(), pid);
        until("it is signed in", || {
            stage.status(module).tenant_id.as_deref() == Some(CONTOSO)
        })
        .await;
        assert!(stage.entra.pending().unwrap().is_empty(), "{module}");
        stage.end().await;
    }
}

async fn a_large_process_stays_where_something_would_be_lost(cx: &Context) {
    let stage = Stage::with_rules(cx, too_large());
    let module = Module::Exo;
    stage.sign_in(module).await;
    let pid = stage.status(module).pid;
    until("it is warned of", || stage.status(module).overdue.is_some()).await;
    let status = stage.status(module);
    let overdue = status.overdue.unwrap();
    assert!(
        overdue.contains("a person has to sign in again"),
        "{overdue}"
    );
    assert!(status.resident_bytes.unwrap() > 10_000_000);
    stage.run(module, "$kept = 7").await;
    until("it is warned of the variable", || {
        stage
            .status(module)
            .overdue
            .is_some_and(|overdue| overdue.contains("variables"))
    })
    .await;
    assert_eq!(stage.status(module).pid, pid);
    assert_eq!(stage.run(module, "$kept").await.output, "7");
    stage.end().await;
}
