//! The jobs there are, a page at a time: an assistant reads all that it is given.

use session_pool::domain::job::JobId;
use session_pool::domain::wire::{JobList, JobSummary};

use super::ArgumentError;

/// Jobs of one page.
const LENGTH: usize = 20;

/// The letter that such a cursor begins with: it tells it from that of a job's output.
const MARK: char = 'j';

/// Some of the jobs, newest first.
#[derive(Debug)]
pub(crate) struct JobPage {
    /// These.
    pub(crate) jobs: Vec<JobSummary>,
    /// How many there are in all.
    pub(crate) all: usize,
    /// How many follow.
    pub(crate) left: usize,
}

impl JobPage {
    /// The page behind this job, or the first. Ids are in the order of their making, so that a page
    /// also follows a job that has been forgotten since.
    pub(crate) fn of(list: JobList, after: Option<JobId>) -> Self {
        let all = list.jobs.len();
        let mut jobs = list.jobs;
        jobs.sort_by_key(|job| std::cmp::Reverse(job.job));
        jobs.retain(|job| after.is_none_or(|after| job.job < after));
        let left = jobs.len().saturating_sub(LENGTH);
        jobs.truncate(LENGTH);
        Self { jobs, all, left }
    }

    /// All of them.
    pub(crate) fn whole(list: JobList) -> Self {
        Self {
            all: list.jobs.len(),
            left: 0,
            jobs: list.jobs,
        }
    }

    /// Where the next page begins, if there is one.
    pub(crate) fn cursor(&self) -> Option<String> {
        let last = self.jobs.last().filter(|_| self.left > 0)?;
        Some(format!("{MARK}{}", last.job))
    }
}

/// Reads a cursor of such a list.
///
/// # Errors
/// Where it is none.
pub(crate) fn read(cursor: &str) -> Result<JobId, ArgumentError> {
    cursor
        .trim()
        .strip_prefix(MARK)
        .and_then(|id| id.parse().ok())
        .ok_or(ArgumentError::Missing {
            names: vec!["id"],
            hint: "the cursor of a job's output needs the job's id beside it",
        })
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use serde_json::json;

    use super::*;

    fn list(count: u32) -> JobList {
        let jobs: Vec<serde_json::Value> = (0..count)
            .rev()
            .map(|number| {
                json!({"job": format!("01a20a74-95e6-7fff-a88b-{number:012x}"), "state": "running",
                    "connection": "c", "module": "exo", "session_id": "c/exo",
                    "created_at": "2026-11-23T10:00:00Z", "characters": number})
            })
            .collect();
        serde_json::from_value(json!({ "jobs": jobs })).unwrap()
    }

    #[test]
    fn pages_follow_each_other_without_a_gap() {
        for count in [0, 1, 19, 20, 21, 40, 41, 45] {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = JobPage::of(list(count), after);
                assert_eq!(page.all, count as usize);
                seen.extend(page.jobs.iter().map(|job| job.characters));
                let Some(cursor) = page.cursor() else { break };
                after = Some(read(&cursor).unwrap());
            }
            let newest_first: Vec<u64> = (0..u64::from(count)).rev().collect();
            assert_eq!(seen, newest_first);
        }
    }

    #[test]
    fn other_cursors_are_refused() {
        for cursor in ["", "r1f", "j", "j1", "01a20a74-95e6-7fff-a88b-a251f06ec9f6"] {
            assert!(read(cursor).is_err(), "{cursor}");
        }
    }
}
