//! Looking at processes from outside.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Waits for a condition that another process brings about; fails after ten seconds.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "waited in vain until {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The state letter and the group of a process.
fn state(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it is in parentheses and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let letter = fields.next()?.chars().next()?;
    Some((letter, fields.nth(1)?.parse().ok()?))
}

fn pids() -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc");
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// Whether a process runs; one that has ended and was not awaited does not.
pub fn is_alive(pid: u32) -> bool {
    state(pid).is_some_and(|(letter, _)| letter != 'Z' && letter != 'X')
}

/// Whether no process of the group runs.
pub fn group_is_gone(group: u32) -> bool {
    !pids()
        .into_iter()
        .any(|pid| state(pid).is_some_and(|(_, found)| found == group) && is_alive(pid))
}

/// Running processes that have the directory in their environment or command line.
pub fn with_directory(directory: &Path) -> Vec<String> {
    let wanted = directory.as_os_str().as_encoded_bytes();
    let mentions = |pid: u32, file: &str| {
        fs::read(format!("/proc/{pid}/{file}"))
            .is_ok_and(|found| memchr::memmem::find(&found, wanted).is_some())
    };
    pids()
        .into_iter()
        .filter(|pid| *pid != std::process::id() && is_alive(*pid))
        .filter(|pid| mentions(*pid, "environ") || mentions(*pid, "cmdline"))
        .map(|pid| {
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            format!(
                "{pid} {}",
                String::from_utf8_lossy(&command).replace('\0', " ")
            )
        })
        .collect()
}

/// Children of this process that have ended and were not awaited.
pub fn unawaited(parent: u32) -> Vec<u32> {
    let parent_of = |pid: u32| -> Option<(char, u32)> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
    };
    pids()
        .into_iter()
        .filter(|pid| parent_of(*pid) == Some(('Z', parent)))
        .collect()
}

/// Running processes that were started as `program word`.
pub fn children_running(program: &Path, word: &str) -> Vec<u32> {
    let mut wanted = program.as_os_str().as_encoded_bytes().to_vec();
    wanted.push(0);
    wanted.extend_from_slice(word.as_bytes());
    let runs = |pid: &u32| {
        is_alive(*pid)
            && fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|found| found.starts_with(&wanted))
    };
    pids().into_iter().filter(runs).collect()
}
