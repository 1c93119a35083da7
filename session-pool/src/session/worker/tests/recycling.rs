//! Processes that have become too large or too old.

use std::sync::atomic::Ordering;

use super::*;

const LARGE: u64 = 1_200_000_000;

#[tokio::test(start_paused = true)]
async fn a_large_process_whose_sign_in_comes_back_is_replaced() {
    for module in [Module::Azure, Module::Pnp] {
        let stage = Stage::new(Rules::default());
        let session = stage.signed_in(module).await;
        tokio::time::sleep(seconds(200)).await;
        stage.world.resident.store(LARGE, Ordering::Relaxed);
        let pid = session.status().pid.unwrap();
        let replaced = until(&session, |status| status.pid.is_some_and(|now| now != pid)).await;
        stage.world.resident.store(1, Ordering::Relaxed);
        assert_eq!(replaced.overdue, None);
        until(&session, |status| status.authenticated).await;
        assert_eq!(stage.world.running(), 1);
        let after = stage.run(&session, "'after'").await;
        assert_eq!(after.error, None, "{module}");
        assert_eq!(stage.world.started(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_process_is_replaced_when_its_time_has_come() {
    let stage = Stage::new(Rules {
        max_age: Some(seconds(86_400)),
        ..Rules::default()
    });
    let session = stage.signed_in(Module::Azure).await;
    let began = tokio::time::Instant::now();
    let pid = session.status().pid;
    until(&session, |status| status.pid != pid && status.authenticated).await;
    let age = began.elapsed();
    assert!(age >= seconds(86_399) && age <= seconds(86_402), "{age:?}");
}

#[tokio::test(start_paused = true)]
async fn a_large_process_is_only_warned_of_where_somebody_would_lose_something() {
    for (module, command, why) in [
        (Module::Azure, "variables", "variables"),
        (Module::Exo, "'x'", "a person has to sign in again"),
        (Module::Teams, "'x'", "a person has to sign in again"),
    ] {
        let stage = Stage::new(Rules::default());
        let session = stage.signed_in(module).await;
        stage.run(&session, command).await;
        stage.world.resident.store(LARGE, Ordering::Relaxed);
        let warned = until(&session, |status| status.overdue.is_some()).await;
        let overdue = warned.overdue.unwrap();
        assert!(overdue.contains("1200 MB"), "{overdue}");
        assert!(overdue.contains(why), "{module}: {overdue}");
        assert!(overdue.contains("POST /reset"), "{overdue}");
        assert_eq!(warned.resident_bytes, Some(LARGE));
        assert_eq!(stage.world.started(), 1);
        assert!(warned.authenticated);
        // It became smaller by itself.
        stage.world.resident.store(1, Ordering::Relaxed);
        until(&session, |status| status.overdue.is_none()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_starts_too_large_is_not_replaced_for_ever() {
    let stage = Stage::new(Rules::default());
    stage.world.resident.store(LARGE, Ordering::Relaxed);
    let session = stage.signed_in(Module::Azure).await;
    tokio::time::sleep(seconds(3_600)).await;
    assert_eq!(stage.world.started(), 2, "once an hour");
    assert!(session.status().overdue.unwrap().contains("did not help"));
    assert!(session.status().authenticated);
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_that_does_not_come_back_shows_nobody_a_code() {
    let stage = Stage::new(Rules::default());
    let session = stage.signed_in(Module::Pnp).await;
    stage.world.answer(play("Connect-PnPOnline", prompt()));
    tokio::time::sleep(seconds(200)).await;
    stage.world.resident.store(LARGE, Ordering::Relaxed);
    let out = until(&session, |status| status.signed_out.is_some()).await;
    assert_eq!(out.state, "ready");
    assert_eq!(out.device_code, None);
    let next = stage.run(&session, "'x'").await;
    let message = next.message.unwrap();
    assert!(message.contains("was replaced"), "{message}");
}
