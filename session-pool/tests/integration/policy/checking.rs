//! The checkers' processes: what becomes of commands when they are slow, gone or not to be had.

use std::time::Duration;

use rustix::process::{Pid, Signal};
use session_pool::domain::job::JobState;
use session_pool::domain::policy::{CheckRequest, Decision, SendGuards};
use session_pool::domain::wire::AnswerStatus;
use session_pool::session::{Caller, Guard, GuardParts, Pool, PoolParts};
use tokio::time::{Instant, timeout};

use super::run::{decision, end, pool, request, run};
use crate::support::stage::{SIGNED_IN, answer, finished, parts, submit};
use crate::support::{Context, Needs, Suite, add, until};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            a_checker_that_died_is_replaced,
            no_answer_from_the_checker_is_a_refusal,
            a_request_waits_no_longer_for_its_check_than_it_says,
            a_slow_check_keeps_no_other_session_waiting,
            a_check_that_nobody_waits_for_keeps_no_checker,
            no_command_overtakes_another_of_its_session,
        ]
    );
    add!(
        suite,
        Needs::Nothing,
        [a_checker_that_cannot_be_had_is_no_word_of_the_policy]
    );
}

/// The checker's process, by its script's name.
fn checker(cx: &Context) -> Option<u32> {
    let found = crate::support::with_directory(cx.path());
    let line = found.iter().find(|line| line.contains("checker.ps1"))?;
    line.split(' ').next()?.parse().ok()
}

/// Stops the checker: it answers nothing from now on.
async fn stop_checker(cx: &Context, pool: &Pool) {
    assert_eq!(decision(pool, "Get-Date").await, Decision::Allow);
    let pid = checker(cx).unwrap();
    signal(pid, Signal::STOP);
    // Its threads stop one after the other.
    until("the checker has stopped", || is_stopped(pid)).await;
}

async fn a_checker_that_died_is_replaced(cx: &Context) {
    let pool = pool(cx, SendGuards::On);
    assert_eq!(decision(&pool, "Get-Date").await, Decision::Allow);
    let first = checker(cx).unwrap();
    signal(first, Signal::KILL);
    until("a fresh checker runs", || {
        checker(cx).is_some_and(|pid| pid != first)
    })
    .await;
    assert_eq!(decision(&pool, "Get-Date").await, Decision::Allow);
    end(pool).await;
}

async fn no_answer_from_the_checker_is_a_refusal(cx: &Context) {
    let pool = pool(cx, SendGuards::On);
    stop_checker(cx, &pool).await;
    let answer = run(&pool, "Get-Date").await;
    assert_eq!(answer.status, AnswerStatus::Blocked);
    assert_eq!(answer.rules[0].id, "no-facts");
    // The next one has a fresh checker.
    assert_eq!(decision(&pool, "Get-Date").await, Decision::Allow);
    end(pool).await;
}

fn is_stopped(pid: u32) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks.flatten().all(|task| {
        let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
        status.contains("\nState:\tT")
    })
}

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

async fn a_request_waits_no_longer_for_its_check_than_it_says(cx: &Context) {
    let pool = pool(cx, SendGuards::On);
    stop_checker(cx, &pool).await;
    let hurried =
        || pool.submit_until(request("Get-Date"), Caller::default(), Some(Instant::now()));
    let job = hurried().await.unwrap();
    // It is a job like others: it waits, it is listed, and it can be cancelled.
    assert_eq!(answer(&job).await.status, AnswerStatus::Running);
    assert_eq!(pool.jobs()[0].state, JobState::Queued);
    let cancelled = pool.cancel(job.id()).await.unwrap();
    assert_eq!(cancelled.state(), JobState::Cancelled);
    assert!(pool.status().is_empty(), "its command began all the same");
    // Who waits as long as it takes hears what becomes of it.
    assert_eq!(run(&pool, "Get-Date").await.status, AnswerStatus::Success);
    end(pool).await;
}

async fn a_slow_check_keeps_no_other_session_waiting(cx: &Context) {
    let pool = pool(cx, SendGuards::On);
    stop_checker(cx, &pool).await;
    // A long text has more time than this test takes.
    let long = format!("'slow' {}", " ".repeat(500_000));
    let slow = pool.submit_until(request(&long), Caller::default(), Some(Instant::now()));
    let slow = slow.await.unwrap();
    let mut elsewhere = request("'quick'");
    elsewhere.connection = Some("Fabrikam".to_owned());
    let quick = finished(&pool.submit(elsewhere, Caller::default()).await.unwrap()).await;
    assert_eq!(quick.status, AnswerStatus::Success);
    assert_eq!(answer(&slow).await.status, AnswerStatus::Running);
    // Whoever comes behind it in its own session waits, unless it is cancelled.
    pool.cancel(slow.id()).await.unwrap();
    assert_eq!(run(&pool, "'next'").await.status, AnswerStatus::Success);
    end(pool).await;
}

async fn a_check_that_nobody_waits_for_keeps_no_checker(cx: &Context) {
    let pool = pool(cx, SendGuards::On);
    // A long text has more time than this test takes.
    let long = format!("'slow' {}", " ".repeat(1_000_000));
    stop_checker(cx, &pool).await;
    let stopped = checker(cx);
    let job = pool.submit_until(request(&long), Caller::default(), Some(Instant::now()));
    pool.cancel(job.await.unwrap().id()).await.unwrap();
    until("another checker runs", || {
        checker(cx).is_some_and(|pid| Some(pid) != stopped)
    })
    .await;
    // A client that hangs up on POST /policy/check drops this.
    stop_checker(cx, &pool).await;
    let stopped = checker(cx);
    let check = pool.check(CheckRequest {
        connection: Some("Contoso".to_owned()),
        module: Some("exo".to_owned()),
        command: Some(long),
    });
    assert!(timeout(Duration::from_millis(500), check).await.is_err());
    until("another checker runs", || {
        checker(cx).is_some_and(|pid| Some(pid) != stopped)
    })
    .await;
    assert_eq!(decision(&pool, "Get-Date").await, Decision::Allow);
    end(pool).await;
}

async fn no_command_overtakes_another_of_its_session(cx: &Context) {
    let pool = pool(cx, SendGuards::On);
    stop_checker(cx, &pool).await;
    let hurried =
        |text: &str| pool.submit_until(request(text), Caller::default(), Some(Instant::now()));
    let first = hurried("$ids = 1").await.unwrap();
    let second = hurried("$ids").await.unwrap();
    let (first, second) = (finished(&first).await, finished(&second).await);
    // The check of the first one came to nothing; only then it was the second one's turn.
    assert_eq!(first.status, AnswerStatus::Blocked);
    assert_eq!(second.status, AnswerStatus::Success);
    assert!(first.finished_at <= second.started_at);
    end(pool).await;
}

async fn a_checker_that_cannot_be_had_is_no_word_of_the_policy(cx: &Context) {
    let parts = parts(cx, cx.fake(SIGNED_IN));
    let guard = GuardParts {
        spec: cx.spec_for(cx.path().join("missing/pwsh")),
        reaper: cx.reaper.clone(),
        policy: session_pool::session::policy_file::PolicyWatcher::open(cx.path().join("p.toml"))
            .unwrap()
            .1,
        sends: SendGuards::On,
    };
    parts.guard.end().await;
    let pool = Pool::new(PoolParts {
        guard: Guard::start(guard),
        ..parts
    });
    for _ in 0..2 {
        let answer = finished(&submit(&pool, "1")).await;
        assert_eq!(answer.code.as_deref(), Some("not_checked"), "{answer:?}");
        let why = answer.error.unwrap();
        let says = why.contains("missing/pwsh") && why.contains("nothing was run");
        assert!(says && why.contains("--pwsh"), "{why}");
    }
    end(pool).await;
}
