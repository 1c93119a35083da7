#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use std::io::{Seek, SeekFrom};

use super::super::testing::{HOUR, budget, job, journal, key};
use super::memory::MOST_EXPIRED;
use super::*;
use crate::domain::format::FormatName;
use crate::domain::job::JobState;
use crate::session::ending::Ending;
use crate::session::job::Job;
use crate::session::phase::Phase;

fn finished(job: &Job, journal: &Journal) {
    job.finish(Ending::Succeeded, |note| journal.note_job(note.entry));
}

fn state_of(journal: &Journal, job: &Job) -> Option<JobState> {
    let jobs = journal.jobs();
    let entry = jobs.iter().find(|entry| entry.job == job.id())?;
    Some(entry.state)
}

#[test]
fn a_restart_knows_how_jobs_ended_and_which_did_not() {
    let (budget, directory) = budget(1, 1, 1);
    let (ended, running) = (job(&budget), job(&budget));
    let first = journal(directory.path());
    finished(&ended, &first);
    running.begin(None, |note| first.note_job(note.entry));
    first.note_held(&key());
    drop(first);
    let second = journal(directory.path());
    assert_eq!(state_of(&second, &ended), Some(JobState::Succeeded));
    assert_eq!(state_of(&second, &running), Some(JobState::Lost));
    assert!(second.is_missed(&key(), None, second.tellings()));
    assert!(!second.is_stateful(&key()));
}

#[test]
fn half_a_line_costs_only_itself() {
    let (budget, directory) = budget(1, 1, 1);
    let (before, behind, last) = (job(&budget), job(&budget), job(&budget));
    let first = journal(directory.path());
    finished(&before, &first);
    {
        // What a full disk leaves of a write.
        let mut state = first.lock();
        state.file.seek(SeekFrom::End(0)).unwrap();
        let half = format!(r#"{{"kind":"job","job":"{}"#, "x".repeat(900));
        state.file.write_all(half.as_bytes()).unwrap();
    }
    finished(&behind, &first);
    finished(&last, &first);
    drop(first);
    let second = journal(directory.path());
    for job in [&before, &behind, &last] {
        assert_eq!(state_of(&second, job), Some(JobState::Succeeded));
    }
}

#[test]
fn what_has_expired_stays_expired_over_a_restart() {
    let (budget, directory) = budget(1, 1, 1);
    let dropped = job(&budget);
    let first = journal(directory.path());
    finished(&dropped, &first);
    first.note_expired(dropped.id());
    drop(first);
    // Twice: the second start reads what the first one wrote anew.
    for _ in 0..2 {
        let later = journal(directory.path());
        assert!(later.has_expired(dropped.id()));
        assert_eq!(state_of(&later, &dropped), None);
    }
}

#[test]
fn what_grew_too_old_while_no_pool_ran_has_expired() {
    let (budget, directory) = budget(1, 1, 1);
    let (old, young) = (job(&budget), job(&budget));
    let first = journal(directory.path());
    let ended = |job: &Job, hours: i64| {
        let now = Timestamp::now() - jiff::SignedDuration::from_hours(hours);
        let mut entry = JobEntry::of(job, &Phase::Queued);
        entry.state = JobState::Succeeded;
        entry.finished_at = Some(now);
        first.note_job(entry);
    };
    ended(&old, 2);
    ended(&young, 0);
    drop(first);
    let second = journal(directory.path());
    assert!(second.has_expired(old.id()) && !second.has_expired(young.id()));
    assert_eq!(state_of(&second, &young), Some(JobState::Succeeded));
}

#[test]
fn a_file_that_has_grown_is_written_anew_and_loses_nothing() {
    let (budget, directory) = budget(1, 1, 1);
    let kept = job(&budget);
    let first = journal(directory.path());
    finished(&kept, &first);
    let mut many = JobEntry::of(&job(&budget), &Phase::Queued);
    many.caller = Some("c".repeat(200_000));
    for _ in 0..50 {
        first.note_job(many.clone());
    }
    let size = fs::metadata(&first.path).unwrap().len();
    assert!(size <= COMPACT_AT, "{size}");
    drop(first);
    assert_eq!(
        state_of(&journal(directory.path()), &kept),
        Some(JobState::Succeeded)
    );
}

#[test]
fn only_the_newest_expired_ids_are_remembered() {
    let mut memory = Memory::default();
    let of_millisecond = |n: usize| {
        let n = i64::try_from(n).unwrap();
        JobId::random(Timestamp::from_millisecond(n).unwrap())
    };
    let ids: Vec<_> = (0..MOST_EXPIRED + 2).map(of_millisecond).collect();
    for job in &ids {
        assert!(memory.take(Line::Expired { job: *job }));
        assert!(!memory.take(Line::Expired { job: *job }), "known already");
    }
    assert!(memory.expired.iter().eq(&ids[2..]));
}

#[test]
fn two_pools_cannot_have_it() {
    let directory = tempfile::tempdir().unwrap();
    let first = journal(directory.path());
    let second = Journal::open(directory.path(), "unified", HOUR);
    assert!(matches!(second, Err(JournalError::InUse(_))));
    drop(first);
    journal(directory.path());
}

#[test]
fn what_was_lost_and_who_knows_outlives_the_pool() {
    let directory = tempfile::tempdir().unwrap();
    let first = journal(directory.path());
    first.note_held(&key());
    // Nothing is lost as long as the process lives.
    assert!(!first.is_missed(&key(), Some("a"), first.tellings()));
    first.note_lost(&key());
    let before = first.tellings();
    first.note_told(&key(), Some("a"));
    assert!(first.is_missed(&key(), Some("a"), before));
    assert!(!first.is_missed(&key(), Some("a"), first.tellings()));
    drop(first);
    let second = journal(directory.path());
    assert!(!second.is_missed(&key(), Some("a"), second.tellings()));
    assert!(second.is_missed(&key(), Some("b"), second.tellings()));
    // What is lost anew is news to everybody.
    second.note_held(&key());
    second.note_lost(&key());
    assert!(second.is_missed(&key(), Some("a"), second.tellings()));
}

#[test]
fn a_process_that_held_nothing_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let journal = journal(directory.path());
    let length = journal.lock().length;
    journal.note_lost(&key());
    journal.note_told(&key(), Some("a"));
    assert!(!journal.is_missed(&key(), Some("a"), journal.tellings()));
    assert_eq!(journal.lock().length, length);
}

#[test]
fn a_bit_of_an_older_pool_is_a_loss() {
    let directory = tempfile::tempdir().unwrap();
    let line = serde_json::json!({"kind": "session", "session": key(), "stateful": true});
    let file = directory.path().join("jobs-unified.jsonl");
    std::fs::write(file, format!("{line}\n")).unwrap();
    let journal = journal(directory.path());
    assert!(journal.is_missed(&key(), None, journal.tellings()));
}

#[test]
fn a_job_of_an_earlier_life_keeps_its_format() {
    let (budget, directory) = budget(1, 1, 1);
    let job = job(&budget);
    let mut entry = JobEntry::of(&job, &Phase::Queued);
    entry.format = FormatName::Json;
    journal(directory.path()).note_job(entry);
    let again = journal(directory.path());
    let remembered = Job::remembered(&again.jobs()[0], &budget);
    assert_eq!(remembered.format(), FormatName::Json);
}
