#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use super::*;
use crate::session::testing::budget;

fn line(number: u64) -> Record {
    Record::Output {
        text: format!("line {number} {}", "x".repeat(50)),
    }
}

fn read_all(transcript: &Transcript) -> Vec<Record> {
    let mut all = Vec::new();
    while let Some(section) = transcript.section(all.len() as u64) {
        all.extend(section.read().unwrap().records);
    }
    all
}

#[test]
fn records_come_back_in_order_from_memory_and_from_disk() {
    let (budget, directory) = budget(u64::MAX, 200_000, u64::MAX);
    let mut transcript = Transcript::new(FormatName::Text, Arc::clone(&budget));
    let mut written: Vec<_> = (0..10_000).map(line).collect();
    written[5_000] = Record::Warning {
        text: "half\nway".into(),
    };
    for (number, last) in [(5_001, false), (5_002, true)] {
        let text = "ä".repeat(100_000);
        written[number] = Record::Piece { text, last };
    }
    written
        .iter()
        .for_each(|record| transcript.append(record).unwrap());
    assert_eq!(read_all(&transcript), written);
    assert!(
        transcript
            .section(9_000)
            .is_some_and(|section| section.is_on_disk())
    );
    assert!(budget.in_memory() <= 200_000);
    assert_eq!(
        std::fs::read_dir(directory.path()).unwrap().count(),
        0,
        "spool files have no name"
    );
}

#[test]
fn what_is_left_is_counted_from_any_place() {
    let (budget, _directory) = budget(u64::MAX, u64::MAX, u64::MAX);
    let mut transcript = Transcript::new(FormatName::Text, budget);
    (0..5_000)
        .map(line)
        .for_each(|record| transcript.append(&record).unwrap());
    for from in [0, 1, 2_500, 4_999] {
        let expected: u64 = (from..5_000)
            .map(|n| weight(FormatName::Text, &line(n)))
            .sum();
        let left = transcript
            .section(from)
            .unwrap()
            .read()
            .unwrap()
            .characters_left;
        assert_eq!(left, expected, "from {from}");
    }
    assert!(transcript.section(5_000).is_none());
}

#[test]
fn a_job_that_puts_out_too_much_is_refused_and_keeps_what_it_has() {
    let (budget, _directory) = budget(10_000, u64::MAX, u64::MAX);
    let mut transcript = Transcript::new(FormatName::Text, budget);
    let error = (0..)
        .map(line)
        .find_map(|record| transcript.append(&record).err());
    assert!(matches!(
        error,
        Some(AppendError::JobLimit { limit: 10_000 })
    ));
    assert!(read_all(&transcript).len() > 100);
}

#[test]
fn everything_taken_is_given_back() {
    let (budget, _directory) = budget(u64::MAX, 100_000, u64::MAX);
    let mut transcript = Transcript::new(FormatName::Text, Arc::clone(&budget));
    (0..5_000)
        .map(line)
        .for_each(|record| transcript.append(&record).unwrap());
    transcript.seal().unwrap();
    assert!(budget.total() > 0 && budget.in_memory() > 0);
    drop(transcript);
    assert_eq!((budget.total(), budget.in_memory()), (0, 0));
}

#[test]
fn any_number_of_spilled_jobs_share_one_file() {
    let (budget, _directory) = budget(u64::MAX, 0, u64::MAX);
    let open_files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open_files();
    let jobs: Vec<_> = (0..500)
        .map(|number| {
            let mut transcript = Transcript::new(FormatName::Text, Arc::clone(&budget));
            transcript.append(&line(number)).unwrap();
            transcript.seal().unwrap();
            transcript
        })
        .collect();
    // Other tests open and close files beside this one.
    assert!(open_files() < before + 250, "{before} {}", open_files());
    for (number, transcript) in (0..).zip(&jobs) {
        assert_eq!(read_all(transcript), [line(number)]);
    }
}

#[test]
fn a_reader_keeps_what_it_reads_from_being_written_over() {
    let (budget, _directory) = budget(u64::MAX, 0, u64::MAX);
    let write = |number| {
        let mut transcript = Transcript::new(FormatName::Text, Arc::clone(&budget));
        transcript.append(&line(number)).unwrap();
        transcript.seal().unwrap();
        transcript
    };
    let dropped = write(1);
    let section = dropped.section(0).unwrap();
    drop(dropped);
    let _later = write(2);
    assert_eq!(section.read().unwrap().records, [line(1)]);
}
