//! Many sessions for many hours: no beat is missed, and the pool's memory does not grow.

use std::process::Command;

use super::*;

const SESSIONS: usize = 50;
const HOURS: u64 = 8;

/// Set in the process that holds nothing but this test.
const ALONE: &str = "SESSION_POOL_SOAK_HOURS";

/// Memory is a process's, and the other tests need some too: the test runs itself again, alone.
#[test]
fn fifty_sessions_for_eight_hours_miss_no_beat_and_take_no_more_memory() {
    if let Ok(hours) = std::env::var(ALONE) {
        return soak(hours.parse().unwrap());
    }
    let long = std::env::var_os("SESSION_POOL_TESTS_LONG").is_some_and(|value| value == "1");
    let hours = if long { 60 * HOURS } else { HOURS };
    let name = std::thread::current().name().unwrap().to_owned();
    let outcome = Command::new(std::env::current_exe().unwrap())
        .args([&name, "--exact", "--nocapture"])
        .env(ALONE, hours.to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&outcome.stdout);
    assert!(outcome.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

fn soak(hours: u64) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(async {
            let stage = Stage::new(Rules::default());
            let mut sessions = Vec::new();
            for number in 0..SESSIONS {
                let module = Module::ALL[number % 4];
                let session = stage.session(key_of(&format!("tenant-{number}"), module));
                assert_eq!(stage.run(&session, "'hello'").await.error, None);
                sessions.push(session);
            }
            stage.world.watch_beats();
            // By then everything has been once that comes again and again.
            tokio::time::sleep(seconds(3_600)).await;
            let before = resident();
            tokio::time::sleep(seconds((hours - 1) * 3_600)).await;
            let after = resident();
            for session in &sessions {
                assert_eq!(session.status().state, "authenticated");
            }
            let beats = stage.world.beats();
            assert_eq!(beats.len(), SESSIONS);
            for (pid, beats) in beats {
                assert!(beats.longest <= seconds(331), "{pid}: {beats:?}");
                let least = hours * 3_600 / 330;
                assert!(u64::from(beats.count) >= least, "{pid}: {beats:?}");
            }
            assert_eq!(stage.world.started() as usize, SESSIONS);
            let grown = after.saturating_sub(before);
            assert!(grown < 512 * 1024, "{before} B grew by {grown} B");
        });
}

/// Resident bytes of this process.
fn resident() -> u64 {
    let own = procfs::process::Process::myself().unwrap();
    own.stat().unwrap().rss * rustix::param::page_size() as u64
}
