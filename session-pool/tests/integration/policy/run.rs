//! Commands on their way to a session: what is refused, warned of, and asked about.

use std::time::Duration;

use serde_json::json;
use session_pool::domain::policy::{CheckRequest, ConfirmBy, Decision, SendGuards};
use session_pool::domain::wire::{AnswerStatus, JobAnswer, RunRequest};
use session_pool::session::policy_file::{PolicyHandle, PolicyWatcher};
use session_pool::session::{Caller, Guard, GuardParts, Pool, PoolParts};
use tokio_util::sync::CancellationToken;

use crate::http::api::{Answer, Api};
use crate::support::stage::{SIGNED_IN, finished, parts, submit};
use crate::support::{Context, Needs, Suite, add, until};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            a_refused_command_starts_no_session,
            a_warning_stands_before_the_output,
            a_send_runs_with_the_code_of_its_preview_and_only_once,
            what_a_person_confirms_runs_when_it_is_sent_again,
            the_word_of_a_caller_alone_confirms_nothing,
            switched_off_guards_let_sends_through_and_nothing_else,
            a_command_is_explained_while_its_session_is_busy,
            a_policy_that_changed_holds_for_what_still_waits,
            an_answer_says_once_that_the_barrier_is_an_older_one,
        ]
    );
}

pub const SEND: &str = "Send-MailMessage -To a@x.example -Subject Hello -Body Text -SmtpServer s";
pub const SECRET: &str = "Get-AzKeyVaultSecret -VaultName v -Name n";

/// A pool whose sessions are played and whose commands are really checked.
pub fn pool(cx: &Context, sends: SendGuards) -> Pool {
    pool_of(cx, sends, SIGNED_IN)
}

/// The same, whose sessions play this.
pub fn pool_of(cx: &Context, sends: SendGuards, scenario: &str) -> Pool {
    let policy = PolicyWatcher::open(cx.path().join("policy.toml"))
        .unwrap()
        .1;
    let guard = GuardParts {
        spec: cx.spec(),
        reaper: cx.reaper.clone(),
        policy,
        sends,
    };
    Pool::new(PoolParts {
        guard: Guard::start(guard),
        ..parts(cx, cx.fake(scenario))
    })
}

pub fn request(command: &str) -> RunRequest {
    RunRequest {
        connection: Some("Contoso".to_owned()),
        module: Some("exo".to_owned()),
        command: Some(command.to_owned()),
        ..RunRequest::default()
    }
}

pub async fn run(pool: &Pool, command: &str) -> JobAnswer {
    run_with(pool, request(command)).await
}

pub async fn run_with(pool: &Pool, request: RunRequest) -> JobAnswer {
    finished(&pool.submit(request, Caller::default()).await.unwrap()).await
}

pub async fn end(pool: Pool) {
    pool.drain(Duration::from_secs(1)).await;
}

async fn a_refused_command_starts_no_session(cx: &Context) {
    let pool = pool(cx, SendGuards::On);
    let answer = run(&pool, "Get-Date;\n& ('Install' + '-Module') Evil").await;
    assert_eq!(answer.status, AnswerStatus::Blocked, "{answer:?}");
    assert_eq!(answer.code.as_deref(), Some("blocked"));
    let rule = &answer.rules[0];
    assert_eq!(
        (rule.id.as_str(), rule.line, rule.column),
        ("dynamic-command", 2, 1)
    );
    assert!(!rule.instead.is_empty());
    assert_eq!(answer.started_at, None);
    assert!(pool.status().is_empty());
    end(pool).await;
}

async fn a_warning_stands_before_the_output(cx: &Context) {
    let pool = pool(cx, SendGuards::On);
    let answer = run(&pool, "Remove-Mailbox jane").await;
    assert_eq!(answer.status, AnswerStatus::Success, "{answer:?}");
    assert!(answer.warnings[0].contains("remove-mailbox"), "{answer:?}");
    assert_eq!(answer.warning_count, 1);
    end(pool).await;
}

async fn a_send_runs_with_the_code_of_its_preview_and_only_once(cx: &Context) {
    let pool = pool(cx, SendGuards::On);
    let asked = run(&pool, SEND).await;
    assert_eq!(
        asked.status,
        AnswerStatus::ConfirmationRequired,
        "{asked:?}"
    );
    assert_eq!(asked.started_at, None);
    let confirmation = asked.confirmation.unwrap();
    assert_eq!(confirmation.by, ConfirmBy::Assistant);
    for part in ["To: a@x.example", "Subject: Hello", "Text: Text"] {
        assert!(confirmation.preview.contains(part), "{confirmation:?}");
    }
    let with_code = |command: &str| RunRequest {
        confirmation: confirmation.code.clone(),
        ..request(command)
    };
    let other = SEND.replace("a@x", "b@x");
    let other = run_with(&pool, with_code(&other)).await;
    assert_eq!(other.status, AnswerStatus::ConfirmationRequired);
    let sent = run_with(&pool, with_code(SEND)).await;
    assert_eq!(sent.status, AnswerStatus::Success, "{sent:?}");
    let again = run_with(&pool, with_code(SEND)).await;
    assert_eq!(again.status, AnswerStatus::ConfirmationRequired);
    end(pool).await;
}

async fn what_a_person_confirms_runs_when_it_is_sent_again(cx: &Context) {
    let pool = pool(cx, SendGuards::On);
    let asked = run(&pool, SECRET).await.confirmation.unwrap();
    assert_eq!((asked.by, asked.code), (ConfirmBy::Person, None));
    let same = run(&pool, SECRET).await.confirmation.unwrap();
    assert_eq!(same.id, asked.id);

    let api = Api::over(pool.clone());
    let path = format!("/confirmations/{}", asked.id);
    let shown = api.get(&path).await.json();
    assert!(
        shown["preview"].as_str().unwrap().contains(SECRET),
        "{shown}"
    );
    let said: Answer = api.post(&path, &json!({})).await;
    assert_eq!(said.json()["confirmed"], asked.id);

    let ran = run(&pool, SECRET).await;
    assert_eq!(ran.status, AnswerStatus::Success, "{ran:?}");
    assert_eq!(
        run(&pool, SECRET).await.status,
        AnswerStatus::ConfirmationRequired
    );
    let gone = api.post(&path, &json!({})).await;
    assert_eq!(gone.refusal().0, "nothing_to_confirm");
    end(pool).await;
}

async fn the_word_of_a_caller_alone_confirms_nothing(cx: &Context) {
    let confirmed = |command: &str| RunRequest {
        confirmed: Some(true),
        ..request(command)
    };
    let strict = pool(cx, SendGuards::On);
    let answer = run_with(&strict, confirmed(SEND)).await;
    assert_eq!(answer.status, AnswerStatus::ConfirmationRequired);
    end(strict).await;

    let legacy = pool(cx, SendGuards::Legacy);
    let answer = run_with(&legacy, confirmed(SEND)).await;
    assert_eq!(answer.status, AnswerStatus::Success, "{answer:?}");
    // Not for what is a person's to confirm.
    let answer = run_with(&legacy, confirmed(SECRET)).await;
    assert_eq!(answer.status, AnswerStatus::ConfirmationRequired);
    end(legacy).await;
}

async fn switched_off_guards_let_sends_through_and_nothing_else(cx: &Context) {
    let pool = pool(cx, SendGuards::Off);
    assert_eq!(run(&pool, SEND).await.status, AnswerStatus::Success);
    let secret = run(&pool, SECRET).await;
    assert_eq!(secret.status, AnswerStatus::ConfirmationRequired);
    end(pool).await;
}

async fn a_command_is_explained_while_its_session_is_busy(cx: &Context) {
    let pool = pool(cx, SendGuards::On);
    let busy = submit(&pool, "hang");
    let api = Api::over(pool.clone());
    let check =
        |command: &str| json!({"connection": "Contoso", "module": "exo", "command": command});
    let answer = api.post("/policy/check", &check("iex 'x'")).await.json();
    assert_eq!(answer["decision"], "block", "{answer}");
    assert_eq!(answer["rules"][0]["id"], "invoke-expression");
    assert_eq!(answer["rules"][0]["text"], "iex 'x'");
    let answer = api
        .post("/policy/check", &check("Get-Mailbox"))
        .await
        .json();
    assert_eq!(answer, json!({"decision": "allow", "rules": []}));
    assert!(!busy.state().is_final());
    end(pool).await;
}

pub async fn decision(pool: &Pool, command: &str) -> Decision {
    let request = CheckRequest {
        connection: Some("Contoso".to_owned()),
        module: Some("exo".to_owned()),
        command: Some(command.to_owned()),
    };
    pool.check(request).await.unwrap().decision
}

/// A pool that follows its policy file, and what ends that.
struct Followed {
    pool: Pool,
    policy: PolicyHandle,
    file: std::path::PathBuf,
    stop: CancellationToken,
    watching: tokio::task::JoinHandle<()>,
}

impl Followed {
    fn new(cx: &Context) -> Self {
        let file = cx.path().join("policy.toml");
        let (watcher, policy) = PolicyWatcher::open(file.clone()).unwrap();
        let stop = CancellationToken::new();
        let guard = GuardParts {
            spec: cx.spec(),
            reaper: cx.reaper.clone(),
            policy: policy.clone(),
            sends: SendGuards::On,
        };
        Self {
            pool: Pool::new(PoolParts {
                guard: Guard::start(guard),
                ..parts(cx, cx.fake(SIGNED_IN))
            }),
            policy,
            file,
            watching: tokio::spawn(watcher.run(stop.clone())),
            stop,
        }
    }

    async fn change(&self, text: &str) {
        let before = self.policy.policy();
        std::fs::write(&self.file, text).unwrap();
        until("the policy has changed", || {
            !std::sync::Arc::ptr_eq(&before, &self.policy.policy())
        })
        .await;
    }

    async fn end(self) {
        self.stop.cancel();
        self.watching.await.unwrap();
        end(self.pool).await;
    }
}

async fn a_policy_that_changed_holds_for_what_still_waits(cx: &Context) {
    let followed = Followed::new(cx);
    let running = submit(&followed.pool, "hang");
    let waiting = submit(&followed.pool, "Set-Mailbox jane -Type Shared");
    followed.change("read_only = true").await;
    followed.pool.cancel(running.id()).await.unwrap();
    let answer = finished(&waiting).await;
    assert_eq!(answer.status, AnswerStatus::Blocked, "{answer:?}");
    assert_eq!(answer.rules[0].id, "read-only");
    followed.end().await;
}

async fn an_answer_says_once_that_the_barrier_is_an_older_one(cx: &Context) {
    let followed = Followed::new(cx);
    assert_eq!(run(&followed.pool, "Get-Date").await.warning_count, 0);
    let rule = "[[rule]]\nid = 'mine'\ndecision = 'block'\nreason = 'r'\ncommands = ['Set-Mine']";
    followed.change(rule).await;
    let blocked = run(&followed.pool, "Set-Mine").await;
    assert_eq!(blocked.status, AnswerStatus::Blocked);
    let told = run(&followed.pool, "Get-Date").await;
    assert!(told.warnings[0].contains("/reset"), "{told:?}");
    assert_eq!(run(&followed.pool, "Get-Date").await.warning_count, 0);
    followed.end().await;
}
