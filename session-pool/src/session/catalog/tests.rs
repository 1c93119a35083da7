#![allow(clippy::unwrap_used, clippy::panic)]
use super::super::testing::{HOUR, audit, budget, job, journal};
use super::*;
use crate::domain::job::JobState;
use crate::domain::record::Record;

const MB: u64 = 1 << 20;
const GB: u64 = 1 << 30;

struct World {
    catalog: Catalog,
    _directory: tempfile::TempDir,
}

fn world(total: u64) -> World {
    let (budget, directory) = budget(u64::MAX, MB, total);
    let journal = Arc::new(journal(directory.path()));
    World {
        catalog: Catalog::new(HOUR, budget, journal, audit(directory.path())),
        _directory: directory,
    }
}

impl World {
    /// A job with so much output.
    fn job(&self, bytes: usize) -> Arc<Job> {
        let job = job(self.catalog.budget());
        self.catalog.add(&job);
        let line = Record::Output {
            text: "x".repeat(bytes),
        };
        self.catalog.make_room();
        job.append(&[line]).unwrap();
        job
    }

    fn ended(&self, bytes: usize) -> Arc<Job> {
        let job = self.job(bytes);
        assert!(self.catalog.conclude(&job, Ending::Succeeded));
        job
    }

    fn has_expired(&self, job: &Job) -> bool {
        match self.catalog.get(job.id()) {
            Ok(_) => false,
            Err(JobMissing::Expired(_)) => true,
            Err(JobMissing::Unknown(id)) => panic!("{id} is unknown"),
        }
    }
}

#[test]
fn results_go_after_an_hour_and_not_before() {
    let world = world(GB);
    let job = world.ended(10);
    let begun = Instant::now();
    let left = world.catalog.expire_old(begun);
    assert!(left <= HOUR && left > HOUR - Duration::from_secs(60));
    assert!(!world.has_expired(&job));
    let nothing_left = world.catalog.expire_old(begun + HOUR);
    assert!(world.has_expired(&job));
    assert_eq!(nothing_left, HOUR);
    assert_eq!(world.catalog.budget().total(), 0);
}

#[test]
fn past_the_limit_the_oldest_finished_go_first() {
    const EACH: usize = 1 << 20;
    let world = world(10 * MB);
    let running = world.job(EACH);
    let first = world.ended(EACH);
    // Made later and ended earlier than others: what counts is the end.
    let jobs: Vec<_> = (0..20).map(|_| world.ended(EACH)).collect();
    assert!(world.catalog.budget().total() <= 11 * MB);
    assert!(world.has_expired(&first));
    assert!(!world.has_expired(&running), "what runs is not dropped");
    let expired: Vec<_> = jobs.iter().map(|job| world.has_expired(job)).collect();
    assert!(expired.is_sorted_by(|a, b| a >= b), "{expired:?}");
    assert!(expired.iter().any(|gone| !gone));
}

#[test]
fn a_running_job_is_not_stopped_while_finished_results_can_go() {
    let world = world(8 * MB);
    for _ in 0..5 {
        world.ended(3 << 19);
    }
    // Batches of many lines, as a session hands them over: the limit comes in the middle of one.
    let running = job(world.catalog.budget());
    world.catalog.add(&running);
    let line = Record::Output {
        text: "x".repeat(1_000),
    };
    let batch = vec![line; 256];
    for _ in 0..16 {
        world.catalog.make_room();
        running.append(&batch).unwrap();
    }
}

#[test]
fn a_job_that_is_cancelled_in_the_queue_ends_as_any_other() {
    let world = world(GB);
    let job = world.job(10);
    assert!(world.catalog.cancel_if_queued(&job, "a caller"));
    assert!(!world.catalog.conclude(&job, Ending::Succeeded), "once");
    assert_eq!(job.state(), JobState::Cancelled);
    let journalled = world.catalog.journal.jobs();
    assert!(
        journalled
            .iter()
            .all(|entry| entry.state == JobState::Cancelled)
    );
    world.catalog.expire_old(Instant::now() + HOUR);
    assert!(world.has_expired(&job));
}

#[test]
fn a_job_of_an_earlier_life_expires_an_hour_after_its_end() {
    let (budget, directory) = budget(u64::MAX, MB, GB);
    let ended = job(&budget);
    {
        let journal = journal(directory.path());
        let mut entry = JobEntry::of(&ended, &Phase::Queued);
        entry.state = JobState::Succeeded;
        entry.finished_at = Some(Timestamp::now() - jiff::SignedDuration::from_mins(40));
        journal.note_job(entry);
    }
    let catalog = Catalog::new(
        HOUR,
        budget,
        Arc::new(journal(directory.path())),
        audit(directory.path()),
    );
    let left = catalog.expire_old(Instant::now());
    assert!(left <= Duration::from_secs(20 * 60) && left > Duration::from_secs(19 * 60));
    catalog.expire_old(Instant::now() + left);
    assert_eq!(
        catalog.get(ended.id()).unwrap_err(),
        JobMissing::Expired(ended.id())
    );
}
