//! What nobody uses: idle sign-ins, codes that nobody enters, errors that nobody minds.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_idle_session_is_signed_out_and_the_next_caller_hears_why() {
    let rules = Rules {
        max_idle: Some(seconds(7_200)),
        ..Rules::default()
    };
    let stage = Stage::new(rules);
    let session = stage.signed_in(Module::Teams).await;
    tokio::time::sleep(seconds(7_000)).await;
    stage.run(&session, "'used'").await;
    let used = tokio::time::Instant::now();
    let out = until(&session, |status| !status.authenticated).await;
    let idle = used.elapsed();
    assert!(idle >= seconds(7_199) && idle <= seconds(7_202), "{idle:?}");
    assert_eq!(stage.world.runs("Disconnect-MicrosoftTeams").len(), 1);
    assert!(out.signed_out.unwrap().contains("7200 s without use"));

    // Nor is its process kept for ever.
    let began = tokio::time::Instant::now();
    let gone = until(&session, |status| status.pid.is_none()).await;
    let took = began.elapsed();
    assert!(took >= seconds(898) && took <= seconds(902), "{took:?}");
    assert_eq!(stage.world.running(), 0);
    assert!(gone.signed_out.unwrap().contains("7200 s without use"));

    stage.world.answer(play("Connect-MicrosoftTeams", prompt()));
    let next = stage.run(&session, "'x'").await;
    let message = next.message.unwrap();
    assert!(message.contains("7200 s without use"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_code_that_nobody_enters_is_taken_back() {
    let stage = Stage::new(Rules::default());
    stage.world.answer(play("Connect-MicrosoftTeams", prompt()));
    let session = stage.session(key(Module::Teams));
    let first = stage.run(&session, "'x'").await.device_code.unwrap();
    let shown = tokio::time::Instant::now();
    let status = session.status();
    assert_eq!(status.state, "auth_pending");
    assert_eq!(status.asked_by.as_deref(), Some("tests"));
    assert_eq!(status.device_code.as_ref(), Some(&first));

    let over = until(&session, |status| status.state == "error").await;
    let took = shown.elapsed();
    assert!(took >= seconds(900) && took <= seconds(940), "{took:?}");
    assert_eq!(
        stage.world.runs("cancelled").len(),
        1,
        "the connect goes on"
    );
    assert!(over.last_error.unwrap().contains("nobody entered the code"));
    let again = stage.run(&session, "'x'").await;
    let message = again.message.unwrap();
    assert!(message.contains("nobody entered the code"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn an_error_is_reaped_and_its_reason_kept() {
    let stage = Stage::new(Rules::default());
    let declined = json!([
        {"record": {"record": {"type": "warning", "text": "AADSTS65004: declined"}}},
    ]);
    stage.world.answer(play("Connect-PnPOnline", declined));
    let session = stage.session(key(Module::Pnp));
    let failed = stage.run(&session, "'x'").await;
    assert!(failed.error.unwrap().contains("AADSTS65004"));
    let began = tokio::time::Instant::now();
    assert_eq!(stage.world.running(), 1);
    let reaped = until(&session, |status| status.pid.is_none()).await;
    let took = began.elapsed();
    assert!(took >= seconds(899) && took <= seconds(902), "{took:?}");
    assert_eq!(stage.world.running(), 0);
    assert!(reaped.signed_out.unwrap().contains("AADSTS65004"));

    stage.world.answer(play("Connect-PnPOnline", prompt()));
    let next = stage.run(&session, "'x'").await;
    let message = next.message.unwrap();
    assert!(message.contains("AADSTS65004"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_code_that_is_entered_in_its_last_second_counts() {
    let stage = Stage::new(Rules::default());
    let mut steps = prompt();
    let identity = json!({"type": "json", "text": r#"{"account":"a","tenant_id":"t"}"#});
    steps[1] = json!({"wait_for": {"file": "entered"}});
    let steps = json!([steps[0], steps[1], {"record": {"record": identity}}]);
    stage.world.answer(play("Connect-MicrosoftTeams", steps));
    let session = stage.session(key(Module::Teams));
    assert!(stage.run(&session, "'x'").await.device_code.is_some());
    tokio::time::sleep(seconds(910)).await;
    assert_eq!(
        session.status().expires_in.map(|left| left <= 900),
        Some(true)
    );
    stage.world.make("entered");
    until(&session, |status| status.authenticated).await;
    assert_eq!(stage.run(&session, "'x'").await.error, None);
}
