#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::super::{AuditReader, Found};
use super::*;
use crate::domain::audit::Gap;

fn entry(job: &str) -> AuditEntry {
    AuditEntry {
        tool: "run".to_owned(),
        connection: "contoso".to_owned(),
        job: Some(job.to_owned()),
        outcome: "succeeded".to_owned(),
        ..AuditEntry::default()
    }
}

fn small(directory: &Path) -> AuditFile {
    AuditFile {
        limit: 2_000,
        ..AuditFile::new(directory, "unified")
    }
}

fn found(file: &AuditFile) -> Vec<Found> {
    let mut all = Vec::new();
    let reader = AuditReader::new(file.clone());
    reader
        .read(|found| {
            all.push(found);
            true
        })
        .unwrap();
    all
}

fn numbers(file: &AuditFile) -> Vec<u64> {
    found(file)
        .into_iter()
        .map(|found| match found {
            Found::Line(line) => line.seq,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn lines_are_numbered_through_every_file_and_the_oldest_go() {
    let directory = tempfile::tempdir().unwrap();
    let file = small(&directory.path().join("logs"));
    for number in 0..200 {
        file.append(entry(&format!("job-{number}"))).unwrap();
    }
    let kept = numbers(&file);
    assert_eq!(*kept.last().unwrap(), 200);
    assert!(
        kept.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "{kept:?}"
    );
    assert!(kept[0] > 1, "the oldest have gone");
    let files: Vec<_> = file.all().filter(|path| path.exists()).collect();
    assert_eq!(files.len(), FILES_KEPT as usize + 1);
    for path in files {
        assert!(fs::metadata(path).unwrap().len() <= 2_000);
    }
}

#[test]
fn many_writers_tear_no_line_and_use_no_number_twice() {
    let directory = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let file = AuditFile::new(directory.path(), "graph");
            scope.spawn(move || {
                for number in 0..50 {
                    let text = Some("x".repeat(5_000 + number));
                    let entry = AuditEntry {
                        text,
                        ..entry(&writer.to_string())
                    };
                    file.append(entry).unwrap();
                }
            });
        }
    });
    let file = AuditFile::new(directory.path(), "graph");
    assert_eq!(numbers(&file), (1..=400).collect::<Vec<u64>>());
}

#[test]
fn half_a_line_is_cut_off_and_shows_as_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    let file = AuditFile::new(directory.path(), "unified");
    for job in ["a", "b"] {
        file.append(entry(job)).unwrap();
    }
    let whole = fs::read(file.path()).unwrap();
    fs::write(file.path(), &whole[..whole.len() - 20]).unwrap();
    file.append(entry("c")).unwrap();
    let text = fs::read_to_string(file.path()).unwrap();
    assert!(text.lines().all(|line| line.ends_with('}')), "{text}");
    let found = found(&file);
    assert!(
        matches!(&found[..], [Found::Line(a), Found::Gap(gap), Found::Line(c)]
            if a.seq == 1 && gap.from == 2 && gap.to == 2 && c.seq == 3),
        "{found:?}"
    );
}

#[test]
fn lines_that_were_taken_out_show_as_gaps_also_at_the_end_and_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let file = AuditFile::new(directory.path(), "unified");
    for job in ["a", "b", "c"] {
        file.append(entry(job)).unwrap();
    }
    let text = fs::read_to_string(file.path()).unwrap();
    let first = text.lines().next().unwrap();
    fs::write(file.path(), format!("{first}\n")).unwrap();
    let shown = found(&file);
    assert!(
        matches!(
            &shown[..],
            [Found::Line(_), Found::Gap(Gap { from: 2, to: 3 })]
        ),
        "{shown:?}"
    );
    fs::remove_file(file.path()).unwrap();
    assert_eq!(found(&file), [Found::Gap(Gap { from: 1, to: 3 })]);
    AuditFile::new(directory.path(), "unified")
        .append(entry("d"))
        .unwrap();
    let text = fs::read_to_string(file.path()).unwrap();
    assert!(text.starts_with(r#"{"seq":4,"#), "{text}");
}

#[test]
fn without_the_file_of_numbers_the_lines_tell_where_to_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let file = small(directory.path());
    for _ in 0..30 {
        file.append(entry("a")).unwrap();
    }
    fs::write(file.numbers_path(), [0xff, 0xfe]).unwrap();
    file.append(entry("b")).unwrap();
    fs::remove_file(file.numbers_path()).unwrap();
    file.append(entry("b")).unwrap();
    assert_eq!(*numbers(&file).last().unwrap(), 32);
}

#[test]
fn what_somebody_else_wrote_is_told_and_does_not_hide_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let file = AuditFile::new(directory.path(), "unified");
    file.append(entry("a")).unwrap();
    let mut text = fs::read_to_string(file.path()).unwrap();
    text.push_str("not ours\n");
    fs::write(file.path(), text).unwrap();
    file.append(entry("b")).unwrap();
    let found = found(&file);
    assert!(
        matches!(
            &found[..],
            [
                Found::Line(_),
                Found::Garbled { line: 2, .. },
                Found::Line(_)
            ]
        ),
        "{found:?}"
    );
}

#[test]
fn all_files_of_a_directory_are_found() {
    let directory = tempfile::tempdir().unwrap();
    assert!(
        AuditReader::all(&directory.path().join("none"))
            .unwrap()
            .is_empty()
    );
    for scope in ["unified", "graph", "contoso"] {
        AuditFile::new(directory.path(), scope)
            .append(entry("a"))
            .unwrap();
    }
    fs::remove_file(directory.path().join("audit-contoso.jsonl")).unwrap();
    assert_eq!(AuditReader::all(directory.path()).unwrap().len(), 3);
}

#[cfg(unix)]
#[test]
fn the_files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let file = AuditFile::new(&directory.path().join("logs"), "unified");
    file.check().unwrap();
    file.append(entry("a")).unwrap();
    for path in [file.path().to_owned(), file.numbers_path()] {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}
