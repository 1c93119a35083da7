//! How sessions end, and that nothing comes before their end.

use std::time::{Duration, Instant};

use session_pool::domain::job::JobState;
use session_pool::session::Pool;

use crate::support::stage::{SIGNED_IN, answer, fake_behind, finished, lines, parts, pid, submit};
use crate::support::{Context, Needs, Suite, add, group_is_gone, until};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            a_session_starts_when_the_one_before_is_gone,
            a_reset_during_a_start_waits_for_the_end_of_the_process,
            a_second_reset_waits_as_the_first_does,
            a_drain_waits_for_sessions_that_were_reset,
            a_drain_without_time_kills_what_lingers,
        ]
    );
}

async fn running(pool: &Pool, command: &str) -> std::sync::Arc<session_pool::session::Job> {
    let job = submit(pool, command);
    until("the command runs", || job.state() == JobState::Running).await;
    job
}

async fn a_session_starts_when_the_one_before_is_gone(cx: &Context) {
    let log = cx.path().join("overlaps");
    let spec = fake_behind(
        cx,
        SIGNED_IN,
        &format!(
            "if [ -e $HOME/owner ] && kill -0 $(cat $HOME/owner); then echo two >>{log}; fi
             echo $$ >$HOME/owner; exec FAKE",
            log = log.display()
        ),
    );
    let mut parts = parts(cx, spec);
    parts.limits.cancel_grace = Duration::from_secs(1);
    let pool = Pool::new(parts);
    let stuck = running(&pool, "stuck").await;
    let reset = tokio::spawn({
        let pool = pool.clone();
        async move { pool.reset(Some("Contoso"), None).await }
    });
    until("the session is closed", || pool.status().is_empty()).await;
    let next = submit(&pool, "next");
    assert_eq!(finished(&next).await.state, JobState::Succeeded);
    assert_eq!(answer(&stuck).await.state, JobState::Cancelled);
    assert_eq!(reset.await.unwrap().unwrap(), ["Contoso/exo"]);
    assert_eq!(lines(&log), [""; 0]);
    pool.drain(Duration::from_secs(1)).await;
}

async fn a_reset_during_a_start_waits_for_the_end_of_the_process(cx: &Context) {
    let started = cx.path().join("started");
    let silent = format!("echo $$ >{}; exec sleep 600", started.display());
    let pool = Pool::new(parts(cx, fake_behind(cx, SIGNED_IN, &silent)));
    let job = submit(&pool, "1");
    until("the process starts", || !lines(&started).is_empty()).await;
    let group = lines(&started)[0].parse().unwrap();
    pool.reset(Some("Contoso"), None).await.unwrap();
    assert!(group_is_gone(group));
    assert_eq!(answer(&job).await.state, JobState::Cancelled);
}

async fn a_second_reset_waits_as_the_first_does(cx: &Context) {
    let mut parts = parts(cx, cx.fake(SIGNED_IN));
    parts.limits.cancel_grace = Duration::from_secs(1);
    let pool = Pool::new(parts);
    running(&pool, "stuck").await;
    let group = pid(&pool);
    let first = tokio::spawn({
        let pool = pool.clone();
        async move { pool.reset(Some("Contoso"), None).await }
    });
    until("the session is closed", || pool.status().is_empty()).await;
    let second = pool.reset(Some("Contoso"), Some("exo")).await.unwrap();
    assert!(group_is_gone(group));
    assert_eq!(second, ["Contoso/exo"]);
    assert_eq!(first.await.unwrap().unwrap(), ["Contoso/exo"]);
    assert_eq!(pool.reset(Some("Contoso"), None).await.unwrap(), [""; 0]);
    pool.drain(Duration::from_secs(1)).await;
}

async fn a_drain_waits_for_sessions_that_were_reset(cx: &Context) {
    let mut parts = parts(cx, cx.fake(SIGNED_IN));
    // Longer than this test may take.
    parts.limits.cancel_grace = Duration::from_secs(600);
    let pool = Pool::new(parts);
    let stuck = running(&pool, "stuck").await;
    let group = pid(&pool);
    let reset = tokio::spawn({
        let pool = pool.clone();
        async move { pool.reset(Some("Contoso"), None).await }
    });
    until("the session is closed", || pool.status().is_empty()).await;
    pool.drain(Duration::from_secs(1)).await;
    assert!(group_is_gone(group));
    assert_eq!(answer(&stuck).await.state, JobState::Cancelled);
    reset.await.unwrap().unwrap();
}

async fn a_drain_without_time_kills_what_lingers(cx: &Context) {
    // The process goes on when its socket has closed.
    let spec = fake_behind(cx, SIGNED_IN, "FAKE & exec sleep 600");
    let pool = Pool::new(parts(cx, spec));
    finished(&submit(&pool, "1")).await;
    let group = pid(&pool);
    let begun = Instant::now();
    pool.drain(Duration::ZERO).await;
    // A farewell is two seconds.
    assert!(begun.elapsed() < Duration::from_millis(1500));
    assert!(group_is_gone(group));
}
