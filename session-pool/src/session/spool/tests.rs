#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use proptest::prelude::*;

use super::*;

fn spool() -> (Arc<Spool>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (Arc::new(Spool::new(directory.path().to_owned())), directory)
}

fn length(spool: &Spool) -> u64 {
    let file = spool.lock().file.clone();
    file.map_or(0, |file| file.metadata().unwrap().len())
}

#[test]
fn the_file_has_no_name_and_shrinks_to_nothing() {
    let (spool, directory) = spool();
    let extents: Vec<_> = (0..100_u8)
        .map(|n| spool.write(&[n; 1000]).unwrap())
        .collect();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    assert_eq!(length(&spool), 100_000);
    drop(extents);
    assert_eq!(length(&spool), 0);
}

#[test]
fn what_is_given_back_is_used_again() {
    let (spool, _directory) = spool();
    let mut extents: Vec<_> = (0..10).map(|_| spool.write(&[0; 100]).unwrap()).collect();
    drop(extents.drain(2..5).collect::<Vec<_>>());
    let large = spool.write(&[1; 300]).unwrap();
    assert_eq!((large.offset, length(&spool)), (200, 1000));
}

#[test]
fn a_directory_that_is_gone_is_an_error_and_takes_no_space() {
    let spool = Arc::new(Spool::new("/nonexistent/spool".into()));
    assert!(spool.write(b"x").is_err());
    assert_eq!(spool.lock().space.end, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever is written and dropped, in whatever order: what is held reads as it was written,
    /// and the file is no longer than it has to be at the end.
    #[test]
    fn nothing_is_written_over(
        steps in prop::collection::vec((any::<bool>(), 1..3000_usize, any::<u8>(), any::<prop::sample::Index>()), 1..80),
    ) {
        let (spool, _directory) = spool();
        let mut held: Vec<(Extent, u8)> = Vec::new();
        for (give_back, length, byte, index) in steps {
            if give_back && !held.is_empty() {
                held.swap_remove(index.index(held.len()));
            } else {
                held.push((spool.write(&vec![byte; length]).unwrap(), byte));
            }
            for (extent, byte) in &held {
                prop_assert_eq!(extent.read().unwrap(), vec![*byte; extent.length]);
            }
            let end = held.iter().map(|(extent, _)| extent.offset + extent.length as u64).max();
            prop_assert_eq!(spool.lock().space.end, end.unwrap_or(0));
            prop_assert!(length_at_most(&spool, end.unwrap_or(0)));
        }
    }
}

fn length_at_most(spool: &Spool, end: u64) -> bool {
    length(spool) <= end
}
