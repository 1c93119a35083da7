//! What the audit says of commands.

use serde_json::{Value, json};
use session_pool::domain::policy::{ConfirmationRequest, Decision, SendGuards};
use session_pool::domain::wire::AnswerStatus;
use session_pool::session::Pool;

use super::run::{SECRET, SEND, decision, end, pool, pool_of, request, run, run_with};
use crate::http::api::Api;
use crate::support::stage::{SIGNED_IN, lines, submit};
use crate::support::{Context, Needs, Suite, add};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            every_command_is_one_line_that_says_what_became_of_it,
            the_line_says_who_confirmed_and_how,
            a_command_that_its_pool_did_not_survive_is_written_down_at_the_next_start,
            a_yes_to_another_account_is_none,
        ]
    );
}

fn audit(cx: &Context) -> Vec<Value> {
    let file = cx.path().join("logs/audit-unified.jsonl");
    lines(&file)
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn every_command_is_one_line_that_says_what_became_of_it(cx: &Context) {
    let pool = pool(cx, SendGuards::On);
    run(&pool, "Get-Date; gci").await;
    run(&pool, "iex 'a secret text'").await;
    run(&pool, "Remove-Mailbox jane").await;
    let waiting = submit(&pool, "hang");
    pool.cancel(waiting.id()).await.unwrap();
    end(pool).await;

    let found = audit(cx);
    assert_eq!(found.len(), 4, "{found:?}");
    let of = |key: &str| {
        found
            .iter()
            .map(|line| line[key].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("seq"), [1, 2, 3, 4]);
    assert_eq!(
        of("outcome"),
        ["succeeded", "blocked", "succeeded", "cancelled"]
    );
    assert_eq!(of("decision"), ["allow", "block", "warn", "allow"]);
    assert_eq!(of("commands")[0], json!(["Get-Date", "Get-ChildItem"]));
    assert_eq!(of("rules")[1], json!(["invoke-expression"]));
    assert_eq!(of("rules")[2], json!(["remove-mailbox"]));
    for line in &found {
        assert_eq!(
            (
                &line["tool"],
                &line["connection"],
                &line["module"],
                &line["tenant"]
            ),
            (
                &json!("run"),
                &json!("Contoso"),
                &json!("exo"),
                &json!("contoso.example")
            )
        );
        assert_eq!(line["sha256"].as_str().unwrap().len(), 64);
    }
    assert_eq!(found[3]["job"], waiting.id().to_string());
    assert!(found[0]["duration_ms"].is_u64() && found[1].get("duration_ms").is_none());
    let text = std::fs::read_to_string(cx.path().join("logs/audit-unified.jsonl")).unwrap();
    assert!(!text.contains("a secret text"), "{text}");
}

async fn question(pool: &Pool, command: &str) -> ConfirmationRequest {
    let answer = run(pool, command).await;
    let confirmation = answer.confirmation.clone();
    confirmation.unwrap_or_else(|| panic!("{answer:?}"))
}

async fn the_line_says_who_confirmed_and_how(cx: &Context) {
    let pool = pool(cx, SendGuards::On);
    let asked = question(&pool, SEND).await;
    let code = asked.code;
    let mut again = request(SEND);
    again.confirmation = code;
    run_with(&pool, again).await;
    let asked = question(&pool, SECRET).await;
    let api = Api::over(pool.clone());
    let path = format!("/confirmations/{}", asked.id);
    api.post(&path, &json!({"how": "elicitation"})).await.json();
    run(&pool, SECRET).await;
    end(pool).await;

    let said: Vec<_> = audit(cx)
        .iter()
        .map(|line| (line["outcome"].clone(), line.get("confirmation").cloned()))
        .collect();
    assert_eq!(
        said,
        [
            (json!("confirmation_required"), None),
            (
                json!("succeeded"),
                Some(json!({"by": "assistant", "how": "code"}))
            ),
            (json!("confirmation_required"), None),
            (
                json!("succeeded"),
                Some(json!({"by": "person", "how": "elicitation"}))
            ),
        ]
    );
}

async fn a_command_that_its_pool_did_not_survive_is_written_down_at_the_next_start(cx: &Context) {
    let running = json!({
        "kind": "job", "job": "019ad5f0-0000-7000-8000-000000000000",
        "session": {"connection": "Contoso", "scope": "exo"}, "state": "running",
        "created_at": "2026-11-30T10:00:00Z", "started_at": "2026-11-30T10:00:01Z",
        "caller": "me", "asked": {"decision": "allow", "commands": ["Set-Mailbox"], "sha256": "00"}
    });
    std::fs::write(cx.path().join("jobs-unified.jsonl"), format!("{running}\n")).unwrap();
    for _ in 0..2 {
        let pool = pool(cx, SendGuards::On);
        // Its checker has started: only then is it certain that its end leaves nothing.
        assert_eq!(decision(&pool, "Get-Date").await, Decision::Allow);
        end(pool).await;
        let found = audit(cx);
        assert_eq!(found.len(), 1, "told once: {found:?}");
        assert_eq!(
            (
                &found[0]["outcome"],
                &found[0]["commands"],
                &found[0]["caller_id"],
                &found[0]["sha256"]
            ),
            (
                &json!("lost"),
                &json!(["Set-Mailbox"]),
                &json!("me"),
                &json!("00")
            )
        );
    }
}

/// The fake is signed in as somebody whom nobody expected.
async fn a_yes_to_another_account_is_none(cx: &Context) {
    let somebody = SIGNED_IN.replace(
        r#"\"account\":null"#,
        r#"\"account\":\"ann@contoso.example\""#,
    );
    let pool: Pool = pool_of(cx, SendGuards::On, &somebody);
    let first = question(&pool, SEND).await;
    assert!(first.preview.contains("not known as whom"), "{first:?}");
    let mut again = request(SEND);
    again.confirmation = first.code;
    let asked = run_with(&pool, again.clone()).await;
    assert_eq!(
        asked.status,
        AnswerStatus::ConfirmationRequired,
        "{asked:?}"
    );
    let second = asked.confirmation.unwrap();
    assert!(
        second.preview.contains("as ann@contoso.example"),
        "{second:?}"
    );
    // The first yes is no good any more, the second is.
    assert_eq!(
        run_with(&pool, again.clone()).await.status,
        AnswerStatus::ConfirmationRequired
    );
    again.confirmation = second.code;
    assert_eq!(run_with(&pool, again).await.status, AnswerStatus::Success);
    end(pool).await;
}
