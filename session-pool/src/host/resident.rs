//! How much memory a process takes, with everything that it has started.

use procfs::process::all_processes;
use rustix::process::Pid;

/// Resident bytes of a process group; `None` where the system does not tell. What several processes
/// share is counted for each. Reads the system's list of processes: not for an async task.
pub(super) fn of_group(group: Pid) -> Option<u64> {
    let group = group.as_raw_nonzero().get();
    let pages: Vec<_> = all_processes()
        .ok()?
        // One that has ended since the list was made counts for nothing.
        .filter_map(|process| process.ok()?.stat().ok())
        .filter(|stat| stat.pgrp == group)
        .map(|stat| stat.rss)
        // One that was not awaited yet has none.
        .filter(|pages| *pages > 0)
        .collect();
    if pages.is_empty() {
        return None;
    }
    let bytes = u64::try_from(rustix::param::page_size()).ok()?;
    Some(pages.into_iter().sum::<u64>().saturating_mul(bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::zombie_processes)]

    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_group_is_all_its_processes() {
        let script = "sleep 60 & sleep 60 & echo ready; wait";
        let mut leader = Command::new("/bin/sh")
            .args(["-c", script])
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = leader.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).unwrap();
        let group = Pid::from_child(&leader);
        let all = of_group(group).unwrap();
        let own = procfs::process::Process::new(group.as_raw_nonzero().get())
            .unwrap()
            .stat()
            .unwrap()
            .rss;
        let page = u64::try_from(rustix::param::page_size()).unwrap();
        assert!(all > own * page, "{all} of three, {own} pages of the first");
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
        leader.wait().unwrap();
        assert_eq!(of_group(group), None);
    }
}
