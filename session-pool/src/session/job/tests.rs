#![allow(clippy::unwrap_used)]
use super::super::testing::{budget, job};
use super::*;

#[test]
fn an_end_is_written_down_before_anybody_can_know_of_it() {
    let (budget, _directory) = budget(1, 1, 1);
    let job = job(&budget);
    let waiter = job.changed.subscribe();
    let mut noted = None;
    job.finish(Ending::Succeeded, |note| {
        assert!(!waiter.has_changed().unwrap(), "nobody is awake");
        assert!(job.inner.try_lock().is_err(), "nobody can look");
        noted = Some(note.entry.state);
    });
    assert_eq!(noted, Some(JobState::Succeeded));
    assert!(waiter.has_changed().unwrap() && job.is_final());
}

#[tokio::test]
async fn events_go_on_inside_a_line() {
    let (budget, _directory) = budget(1000, 1000, 1000);
    let job = job(&budget);
    let line = |text: &str| Record::Output {
        text: text.to_owned(),
    };
    job.append(&[line("first"), line("second")]).unwrap();
    let inside = Cursor {
        record: 0,
        offset: 2,
    };
    assert_eq!(
        job.records(inside).await.unwrap(),
        [
            (Cursor::at(1), line("rst")),
            (Cursor::at(2), line("second"))
        ]
    );
    let behind = Cursor {
        record: 2,
        offset: 1,
    };
    let refused = job.records(behind).await.unwrap_err();
    assert!(matches!(refused, ResultsError::BeyondEnd(at) if at == behind));
}

#[test]
fn a_job_begins_once_and_ends_once() {
    let (budget, _directory) = budget(1, 1, 1);
    let cancelled = || Ending::Cancelled { by: "a test" };
    let job = job(&budget);
    assert!(job.begin(None, drop));
    assert!(!job.begin(None, drop), "it runs");
    assert!(!job.finish_if_queued(cancelled(), drop), "it runs");
    assert!(job.finish(Ending::Succeeded, drop));
    assert!(!job.finish(cancelled(), |_| unreachable!("it has ended")));
    assert!(!job.begin(None, |_| unreachable!("it has ended")));
    assert_eq!(job.state(), JobState::Succeeded);
}
