//! The pages of a collection that were read: a service that leads back to one of them would be
//! followed for ever.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use super::cursor::Place;

/// Pages that a cursor remembers; services that lead in a circle lead back to the same page, or to
/// the one before it.
pub(crate) const REMEMBERED: usize = 4;

/// The pages that this call read, and the last ones of the calls before it.
#[derive(Debug, Default)]
pub(crate) struct Trail(HashSet<u64>);

impl Trail {
    /// The trail that leads to a place.
    pub(crate) fn to(place: &Place) -> Self {
        let here = mark(&place.link);
        Self(place.trail.iter().copied().chain([here]).collect())
    }

    /// Goes on to a page; says whether it is a new one.
    pub(crate) fn goes_on_to(&mut self, link: &str) -> bool {
        self.0.insert(mark(link))
    }
}

/// What stands for a link: links are long, and no two of a collection's will have the same.
pub(crate) fn mark(link: &str) -> u64 {
    let digest = Sha256::digest(link);
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(digest) {
        *to = from;
    }
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_new_once_also_for_later_calls() {
        let mut place = Place {
            link: "a".to_owned(),
            ..Place::default()
        };
        let mut trail = Trail::to(&place);
        assert!(trail.goes_on_to("b") && trail.goes_on_to("c"));
        assert!(!trail.goes_on_to("a") && !trail.goes_on_to("c"));
        place.goes_on_at("b".to_owned());
        place.goes_on_at("c".to_owned());
        let mut later = Trail::to(&place);
        assert!(!later.goes_on_to("a") && !later.goes_on_to("c") && later.goes_on_to("d"));
        for number in 0..100 {
            place.goes_on_at(number.to_string());
        }
        assert_eq!(place.trail.len(), REMEMBERED);
    }
}
