#![allow(clippy::unwrap_used)]
use futures_util::FutureExt as _;

use super::super::ending::Ending;
use super::super::job::Job;
use super::super::testing::{budget, connection, job};
use super::*;

fn push(queue: &QueueSender) -> Result<Arc<Job>, NoPlace> {
    queue.push_with(|| {
        let (budget, _directory) = budget(1, 1, 1);
        let job = job(&budget);
        let work = Work {
            passage: Default::default(),
            trial: None,
            asked: Default::default(),
            job: Arc::clone(&job),
            connection: connection(),
            command: "1".to_owned(),
        };
        (work, job)
    })
}

fn cancel(job: &Job) {
    job.finish_if_queued(Ending::Cancelled { by: "a test" }, drop);
}

#[test]
fn works_come_out_in_the_order_in_which_they_went_in() {
    let (sender, mut receiver) = queue(3);
    let jobs: Vec<_> = (0..3).map(|_| push(&sender).unwrap()).collect();
    assert_eq!(push(&sender).unwrap_err(), NoPlace::Full { waiting: 3 });
    for job in jobs {
        let work = receiver.next().now_or_never().unwrap();
        assert_eq!(work.job.id(), job.id());
    }
    assert!(receiver.next().now_or_never().is_none());
    assert_eq!(sender.waiting(), 0);
}

#[test]
fn a_cancelled_job_gives_its_place_back_and_is_not_served() {
    let (sender, mut receiver) = queue(2);
    let (first, second) = (push(&sender).unwrap(), push(&sender).unwrap());
    cancel(&first);
    assert_eq!(sender.waiting(), 1);
    let third = push(&sender).unwrap();
    assert_eq!(push(&sender).unwrap_err(), NoPlace::Full { waiting: 2 });
    cancel(&second);
    let served = receiver.next().now_or_never().unwrap();
    assert_eq!(served.job.id(), third.id());
}

#[tokio::test]
async fn who_waits_is_woken() {
    let (sender, mut receiver) = queue(1);
    let waiting = tokio::spawn(async move { receiver.next().await.job.id() });
    tokio::task::yield_now().await;
    let job = push(&sender).unwrap();
    assert_eq!(waiting.await.unwrap(), job.id());
}

#[test]
fn a_closed_queue_gives_back_what_waits_and_takes_no_more() {
    let (sender, mut receiver) = queue(2);
    let job = push(&sender).unwrap();
    let left = receiver.close();
    assert!(left.iter().map(|work| work.job.id()).eq([job.id()]));
    assert!(sender.is_closed());
    assert_eq!(push(&sender).unwrap_err(), NoPlace::Closed);
}

#[test]
fn a_queue_without_a_receiver_is_closed() {
    let (sender, receiver) = queue(2);
    drop(receiver);
    assert!(sender.is_closed());
}
