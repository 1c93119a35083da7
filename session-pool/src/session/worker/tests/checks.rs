//! Keepalive.

use super::*;

fn keepalive() -> Rules {
    Rules {
        keepalive: Some(seconds(300)),
        ..Rules::default()
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_sign_in_is_kept_alive_in_every_module() {
    for module in Module::ALL {
        let stage = Stage::new(keepalive());
        let session = stage.signed_in(module).await;
        let began = tokio::time::Instant::now();
        tokio::time::sleep(seconds(3_600)).await;
        let beats = stage.world.runs(ping(module));
        assert!((10..=13).contains(&beats.len()), "{module}: {beats:?}");
        let mut last = began;
        for beat in beats {
            let gap = beat - last;
            assert!(
                gap >= seconds(269) && gap <= seconds(331),
                "{module}: {gap:?}"
            );
            last = beat;
        }
        let status = session.status();
        assert_eq!(status.state, "authenticated");
        assert!(status.last_ping_at.is_some());
        assert!(!status.busy, "a check is no command");
    }
}

#[tokio::test(start_paused = true)]
async fn without_keepalive_nobody_is_called() {
    let stage = Stage::new(Rules {
        keepalive: None,
        ..Rules::default()
    });
    let session = stage.signed_in(Module::Exo).await;
    tokio::time::sleep(seconds(36_000)).await;
    assert_eq!(stage.world.runs(ping(Module::Exo)), []);
    assert_eq!(session.status().last_ping_at, None);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_not_signed_in_is_not_checked() {
    let stage = Stage::new(keepalive());
    stage
        .world
        .answer(play("Get-ConnectionInformation", json!([])));
    stage.world.answer(play("Connect-ExchangeOnline", prompt()));
    let session = stage.session(key(Module::Exo));
    let asked = stage.run(&session, "'x'").await;
    assert!(asked.device_code.is_some(), "{asked:?}");
    tokio::time::sleep(seconds(3_600)).await;
    assert_eq!(stage.world.runs(ping(Module::Exo)), []);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_comes_during_a_check_goes_first() {
    let stage = Stage::new(keepalive());
    let session = stage.signed_in(Module::Exo).await;
    stage.world.answer(play(ping(Module::Exo), json!(["hang"])));
    while stage.world.runs(ping(Module::Exo)).is_empty() {
        tokio::time::sleep(seconds(1)).await;
    }
    let came = tokio::time::Instant::now();
    let ran = stage.run(&session, "'me first'").await;
    assert_eq!(ran.error, None);
    assert_eq!(came.elapsed(), Duration::ZERO);
    assert_eq!(stage.world.runs("cancelled").len(), 1);
    assert_eq!(
        stage.world.started(),
        1,
        "the process and its sign-in live on"
    );
    // The next check comes an interval later.
    let next = until(&session, |_| stage.world.runs(ping(Module::Exo)).len() == 2).await;
    assert_eq!(next.state, "authenticated");
    assert!(came.elapsed() >= seconds(269), "{:?}", came.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hears_no_stop_has_its_minute_and_costs_nobody_a_command() {
    let stage = Stage::new(keepalive());
    let session = stage.signed_in(Module::Exo).await;
    stage
        .world
        .answer(play(ping(Module::Exo), json!(["stuck"])));
    while stage.world.runs(ping(Module::Exo)).is_empty() {
        tokio::time::sleep(seconds(1)).await;
    }
    let came = tokio::time::Instant::now();
    let ran = stage.run(&session, "'patient'").await;
    assert_eq!(ran.error, None, "a fresh process runs it");
    assert!(came.elapsed() <= seconds(60), "{:?}", came.elapsed());
    assert_eq!(stage.world.started(), 2);
    assert_eq!(stage.world.runs("'patient'").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_failures_in_a_row_are_a_lost_sign_in_and_the_next_caller_hears_why() {
    for module in Module::ALL {
        let stage = Stage::new(keepalive());
        let session = stage.signed_in(module).await;
        stage.world.answer(play(ping(module), dead()));
        stage.world.answer(play("Connect-", prompt()));
        let began = tokio::time::Instant::now();
        let lost = until(&session, |status| !status.authenticated).await;
        assert!(
            began.elapsed() > seconds(540),
            "{module}: after one failure"
        );
        assert_eq!(stage.world.runs(ping(module)).len(), 2, "{module}");
        assert_eq!(lost.state, "ready");
        let why = lost.signed_out.unwrap();
        assert!(why.contains("AADSTS70043"), "{module}: {why}");

        let next = stage.run(&session, "'x'").await;
        assert!(next.device_code.is_some(), "{module}: {next:?}");
        let message = next.message.unwrap();
        assert!(message.contains("AADSTS70043"), "{module}: {message}");
        assert!(message.contains("needed again"), "{module}: {message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_between_successes_changes_nothing() {
    let stage = Stage::new(keepalive());
    let session = stage.signed_in(Module::Exo).await;
    for _ in 0..5 {
        let so_far = stage.world.runs(ping(Module::Exo)).len();
        stage.world.answer(play(ping(Module::Exo), dead()));
        until(&session, |_| {
            stage.world.runs(ping(Module::Exo)).len() > so_far
        })
        .await;
        stage.world.answer(play(ping(Module::Exo), json!([])));
        until(&session, |_| {
            stage.world.runs(ping(Module::Exo)).len() > so_far + 1
        })
        .await;
    }
    assert_eq!(session.status().state, "authenticated");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_out_of_order_signs_nobody_out() {
    let stage = Stage::new(keepalive());
    let session = stage.signed_in(Module::Exo).await;
    let unavailable = failure("System.Net.Http.HttpRequestException", "503");
    stage.world.answer(play(ping(Module::Exo), unavailable));
    tokio::time::sleep(seconds(3_600)).await;
    assert!(stage.world.runs(ping(Module::Exo)).len() > 9);
    assert_eq!(session.status().state, "authenticated");
}

#[tokio::test(start_paused = true)]
async fn a_service_that_falls_silent_twice_loses_the_sign_in_but_not_what_is_on_disk() {
    let stage = Stage::new(keepalive());
    let session = stage.signed_in(Module::Azure).await;
    stage
        .world
        .answer(play(ping(Module::Azure), json!(["hang"])));
    let lost = until(&session, |status| !status.authenticated).await;
    assert!(lost.signed_out.unwrap().contains("twice in a row"));
    assert_eq!(stage.world.runs("Clear-AzContext"), []);
    assert_eq!(stage.world.running(), 0);
    // What is on disk still works.
    let next = stage.run(&session, "'x'").await;
    assert_eq!(next.error, None, "{next:?}");
    assert_eq!(session.status().signed_out, None);
}
