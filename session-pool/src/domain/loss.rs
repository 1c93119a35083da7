//! A process that is gone with what callers had set in it, and who of them knows.

use std::collections::BTreeMap;

/// Callers that are told of one loss. When as many know, it counts as known to all: a client that
/// names itself anew with every call must not be refused for ever.
const MOST_TOLD: usize = 32;

/// How often callers had been told of a loss, of any session's: a point in the pool's time by which
/// a telling and a request can be put in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tellings(u64);

impl Tellings {
    /// One more.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Variables, functions or aliases of callers went with their process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Whom it was told, and when. Who gives no name is one caller.
    told: BTreeMap<String, Tellings>,
}

impl Loss {
    /// A loss that these callers were told of before anything that is asked from now on.
    pub fn told_to(callers: impl IntoIterator<Item = String>) -> Self {
        let told = callers.into_iter();
        Self {
            told: told.map(|caller| (caller, Tellings::default())).collect(),
        }
    }

    /// Whether a request takes the loss into account: its caller had been told when it was sent.
    pub fn was_known_to(&self, caller: Option<&str>, asked: Tellings) -> bool {
        let told = self.told.get(caller.unwrap_or_default());
        told.is_some_and(|told| *told <= asked)
    }

    /// A caller is told. Who was told before keeps that: what it has sent since is no less informed.
    pub fn tell(&mut self, caller: Option<&str>, at: Tellings) {
        let caller = caller.unwrap_or_default().to_owned();
        self.told.entry(caller).or_insert(at);
    }

    /// Whether it can be forgotten.
    pub fn is_known_to_all(&self) -> bool {
        self.told.len() >= MOST_TOLD
    }

    /// Who was told.
    pub fn told(&self) -> impl Iterator<Item = &str> {
        self.told.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_knows_when_it_was_told_before_it_asked() {
        let before = Tellings::default();
        let told = before.next();
        let mut loss = Loss::default();
        assert!(!loss.was_known_to(Some("a"), before));
        loss.tell(Some("a"), told);
        // What it had sent before waits in the queue.
        assert!(!loss.was_known_to(Some("a"), before));
        assert!(loss.was_known_to(Some("a"), told));
        // Another has not heard of it, and neither has who gives no name.
        assert!(!loss.was_known_to(Some("b"), told.next()));
        assert!(!loss.was_known_to(None, told.next()));
        loss.tell(Some("a"), told.next());
        assert!(loss.was_known_to(Some("a"), told));
    }

    #[test]
    fn who_gives_no_name_is_one_caller() {
        let mut loss = Loss::default();
        let told = Tellings::default().next();
        loss.tell(None, told);
        assert!(loss.was_known_to(None, told));
        assert!(loss.was_known_to(Some(""), told));
    }

    #[test]
    fn who_was_told_in_an_earlier_life_knows() {
        let loss = Loss::told_to(["a".to_owned()]);
        assert!(loss.was_known_to(Some("a"), Tellings::default()));
        assert!(!loss.was_known_to(Some("b"), Tellings::default()));
        assert!(loss.told().eq(["a"]));
    }

    #[test]
    fn a_client_with_ever_new_names_is_not_refused_for_ever() {
        let mut loss = Loss::default();
        for call in 0..MOST_TOLD {
            assert!(!loss.is_known_to_all());
            loss.tell(Some(&call.to_string()), Tellings::default());
        }
        assert!(loss.is_known_to_all());
    }
}
