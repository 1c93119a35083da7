//! Commands of pnp's that say nothing for long.

use super::*;

async fn run_for(stage: &Stage, module: Module, steps: serde_json::Value) -> JobAnswer {
    let session = stage.signed_in(module).await;
    stage.world.answer(play("Get-Something", steps));
    stage.run(&session, "Get-Something").await
}

fn says(text: &str) -> serde_json::Value {
    json!({"record": {"record": {"type": "output", "text": text}}})
}

#[tokio::test(start_paused = true)]
async fn a_silent_pnp_command_is_said_to_be_silent_while_it_runs_and_goes_on() {
    let stage = Stage::new(Rules::default());
    let session = stage.signed_in(Module::Pnp).await;
    let steps = json!([{"pause": 120_000}, says("late")]);
    stage.world.answer(play("Get-Something", steps));
    let job = stage.submit(&session, "Get-Something");
    tokio::time::sleep(seconds(59)).await;
    assert_eq!(answer(&job).await.warnings, [""; 0]);
    tokio::time::sleep(seconds(2)).await;
    let running = answer(&job).await;
    assert_eq!(running.state.as_str(), "running");
    let warning = running.warnings.first().unwrap();
    for part in [
        "60 s",
        "second device code",
        "cancel this job",
        "sign the connection out",
    ] {
        assert!(warning.contains(part), "{warning}");
    }
    job.finished().await;
    let ended = answer(&job).await;
    assert_eq!(ended.error, None);
    assert!(ended.output.ends_with("\nlate"), "{}", ended.output);
    assert_eq!(ended.warning_count, 1, "said once");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_goes_on_talking_is_not() {
    let stage = Stage::new(Rules::default());
    let steps: Vec<_> = (0..10)
        .flat_map(|_| [json!({"pause": 50_000}), says("still here")])
        .collect();
    let ended = run_for(&stage, Module::Pnp, json!(steps)).await;
    assert_eq!(ended.warnings, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn other_modules_may_be_silent() {
    for module in [Module::Exo, Module::Azure, Module::Teams] {
        let stage = Stage::new(Rules::default());
        let ended = run_for(&stage, module, json!([{"pause": 600_000}])).await;
        assert_eq!(ended.warnings, [""; 0], "{module}");
    }
}
