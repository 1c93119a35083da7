//! What the registry no longer has as it was.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_sign_in_whose_entry_has_changed_ends_without_a_caller() {
    let stage = Stage::new(Rules::default());
    let session = stage.signed_in(Module::Exo).await;
    let put = |tenant: &str| {
        let now = Arc::new(registry(tenant));
        stage
            .registry
            .send_modify(|registry| registry.registry = now);
    };
    // The same once more is no change.
    put("contoso.example");
    tokio::time::sleep(seconds(1_000)).await;
    assert!(session.status().authenticated);
    put("fabrikam.example");
    until(&session, |status| status.pid.is_none()).await;
    assert_eq!(stage.world.running(), 0);
    assert!(!session.status().authenticated);
    // What was accepted under the old entry still runs, and what it signed in ends behind it.
    assert_eq!(stage.run(&session, "'late'").await.error, None);
    until(&session, |status| status.pid.is_none()).await;
    assert_eq!(stage.world.running(), 0);
}
