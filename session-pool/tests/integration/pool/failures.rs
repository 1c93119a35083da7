//! What becomes of jobs when something breaks.

use std::time::Duration;

use session_pool::domain::job::JobState;
use session_pool::session::Pool;

use crate::support::stage::{SIGNED_IN, finished, parts, pid, submit};
use crate::support::{Context, Needs, Suite, add, group_is_gone, until};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            a_task_that_panics_ends_its_jobs_and_is_replaced,
            a_job_cancelled_in_the_queue_gives_its_place_back,
            a_session_without_process_says_why,
            a_session_whose_process_was_killed_says_so,
        ]
    );
}

async fn a_task_that_panics_ends_its_jobs_and_is_replaced(cx: &Context) {
    let mut parts = parts(cx, cx.fake(SIGNED_IN));
    // No configuration allows it: an hour from now exists, this does not, and the sum panics.
    parts.limits.command_timeout = Duration::MAX;
    let pool = Pool::new(parts);
    let first = submit(&pool, "1");
    let waiting = submit(&pool, "2");
    until("the session has a process", || {
        pool.status()[0].pid.is_some() || first.is_final()
    })
    .await;
    for (job, says) in [(&first, "How far"), (&waiting, "Nothing was run")] {
        let answer = finished(job).await;
        assert_eq!(answer.state, JobState::Failed);
        assert_eq!(answer.code.as_deref(), Some("session_lost"));
        let error = answer.error.unwrap();
        assert!(error.contains(says), "{error}");
    }
    // The next request finds a session that works as the first one did.
    let again = finished(&submit(&pool, "3")).await;
    assert!(again.error.unwrap().contains("How far"));
    pool.drain(Duration::from_secs(5)).await;
}

async fn a_job_cancelled_in_the_queue_gives_its_place_back(cx: &Context) {
    let pool = Pool::new(parts(cx, cx.fake(SIGNED_IN)));
    let running = submit(&pool, "hang");
    until("the command runs", || running.state() == JobState::Running).await;
    let group = pid(&pool);
    for _ in 0..5 {
        // Two may wait.
        let (one, two) = (submit(&pool, "1"), submit(&pool, "2"));
        assert_eq!(pool.status()[0].queued, 2);
        for job in [one, two] {
            let cancelled = pool.cancel(job.id()).await.unwrap();
            assert_eq!(cancelled.state(), JobState::Cancelled);
        }
        assert_eq!(pool.status()[0].queued, 0);
    }
    pool.cancel(running.id()).await.unwrap();
    assert_eq!(
        finished(&submit(&pool, "3")).await.state,
        JobState::Succeeded
    );
    assert_eq!(pid(&pool), group);
    pool.drain(Duration::from_secs(5)).await;
    assert!(group_is_gone(group));
}

async fn a_session_without_process_says_why(cx: &Context) {
    let pool = Pool::new(parts(cx, cx.fake(SIGNED_IN)));
    let died = finished(&submit(&pool, "die")).await;
    assert_eq!(died.code.as_deref(), Some("session_lost"));
    let status = &pool.status()[0];
    assert_eq!((status.state.as_str(), status.pid), ("error", None));
    let why = status.last_error.as_deref().unwrap();
    assert!(why.contains("exit code 3"), "{why}");
    assert_eq!(
        finished(&submit(&pool, "1")).await.state,
        JobState::Succeeded
    );
    assert_eq!(pool.status()[0].state, "authenticated");
    // An idle process too.
    let pid = rustix::process::Pid::from_raw(pid(&pool).cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    until("the session shows it", || pool.status()[0].state == "error").await;
    let why = pool.status()[0].last_error.clone().unwrap();
    assert!(why.contains("signal 9"), "{why}");
    pool.drain(Duration::from_secs(5)).await;
}

async fn a_session_whose_process_was_killed_says_so(cx: &Context) {
    let mut parts = parts(cx, cx.fake(SIGNED_IN));
    parts.limits.command_timeout = Duration::from_millis(100);
    parts.limits.cancel_grace = Duration::from_millis(100);
    let pool = Pool::new(parts);
    let stuck = finished(&submit(&pool, "stuck")).await;
    assert_eq!(stuck.state, JobState::TimedOut);
    let status = &pool.status()[0];
    assert_eq!((status.state.as_str(), status.pid), ("error", None));
    let why = status.last_error.as_deref().unwrap();
    assert!(why.contains("did not stop"), "{why}");
    pool.drain(Duration::from_secs(5)).await;
}
