#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::json;
use tempfile::TempDir;

use super::super::pool::PoolParts;
use super::super::registry_watch::RegistryHandle;
use super::super::testing::parts;
use super::*;

fn candidate(pool: &Pool) -> Candidate {
    candidate_of(pool, &pool.connection(Some("contoso")).unwrap())
}

fn candidate_of(pool: &Pool, connection: &Arc<Connection>) -> Candidate {
    let request = serde_json::from_value::<RunRequest>(
        json!({"connection": "contoso", "module": "exo", "command": "1"}),
    );
    let (order, command) = Order::of(request.unwrap(), None, connection, pool.limits()).unwrap();
    let budget = Arc::clone(pool.shared().catalog.budget());
    Candidate {
        job: Arc::new(Job::new(order, budget)),
        connection: Arc::clone(connection),
        command,
        code: None,
        confirmed: false,
        asked: Tellings::default(),
        known: Mutex::new(Known::Nothing),
    }
}

/// A pool whose sessions have one place; their tasks do not come to anything within a test that
/// awaits nothing.
fn stage() -> (Pool, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (Pool::new(parts(directory.path(), 1)), directory)
}

#[tokio::test]
async fn who_has_taken_the_last_place_is_not_told_that_there_is_none() {
    let (pool, _directory) = stage();
    let candidate = candidate(&pool);
    pool.place(&candidate, Passage::default(), None).unwrap();
    assert!(pool.has_room(&candidate.job.order().key).is_err());
    pool.announce(&candidate).unwrap();
    assert_eq!(pool.jobs().len(), 1);
}

#[tokio::test]
async fn who_was_told_that_there_is_no_place_takes_none() {
    let (pool, _directory) = stage();
    let (first, second) = (candidate(&pool), candidate(&pool));
    pool.place(&first, Passage::default(), None).unwrap();
    let told = pool.announce(&second).unwrap_err();
    assert!(matches!(told, Refused::QueueFull { .. }), "{told:?}");
    // A place becomes free, and only now its check is over.
    pool.shared().catalog.cancel_if_queued(&first.job, "a test");
    assert!(pool.place(&second, Passage::default(), None).is_err());
    assert_eq!(pool.jobs().len(), 1);
}

#[tokio::test]
async fn who_knows_of_a_job_hears_there_that_no_place_was_left() {
    let (pool, _directory) = stage();
    let (first, second) = (candidate(&pool), candidate(&pool));
    pool.announce(&second).unwrap();
    pool.place(&first, Passage::default(), None).unwrap();
    pool.place(&second, Passage::default(), None).unwrap();
    assert!(second.job.is_final());
}

#[tokio::test]
async fn the_sessions_of_a_connection_that_is_removed_end_and_none_begins() {
    let directory = tempfile::tempdir().unwrap();
    let parts = parts(directory.path(), 2);
    let (registry, handle) = RegistryHandle::without_file((*parts.registry.registry()).clone());
    let pool = Pool::new(PoolParts {
        registry: handle,
        ..parts
    });
    let (open, late) = (candidate(&pool), candidate(&pool));
    pool.place(&open, Passage::default(), None).unwrap();
    pool.announce(&late).unwrap();
    let watch = pool.clone();
    tokio::spawn(async move { watch.watch_connections().await });
    registry.send_modify(|now| now.registry = Arc::default());
    open.job.finished().await;
    late.job.finished().await;
    assert!(pool.status().is_empty());
    // Its check is over only now.
    let unknown = candidate_of(&pool, &open.connection);
    let refused = pool.place(&unknown, Passage::default(), None).unwrap_err();
    assert!(
        matches!(refused, Refused::UnknownConnection(_)),
        "{refused:?}"
    );
}
