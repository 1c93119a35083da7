#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::super::testing;
use super::*;

fn binding(command: &str) -> Binding {
    Binding::of(
        &testing::key(),
        &testing::connection(),
        command,
        &Facts::default(),
    )
}

/// Whether there was a yes; it is used up.
fn spend(
    all: &Arc<Confirmations>,
    binding: Binding,
    by: ConfirmBy,
    code: Option<&str>,
    now: Instant,
) -> bool {
    all.take(binding, by, code, now).map(Yes::use_up).is_some()
}

fn asked(all: &Arc<Confirmations>, command: &str, by: ConfirmBy) -> ConfirmationRequest {
    all.ask(binding(command), by, command.to_owned(), Instant::now())
        .unwrap()
}

#[test]
fn the_callers_code_is_good_for_one_call_within_ten_minutes() {
    let all = Arc::new(Confirmations::default());
    let by = ConfirmBy::Assistant;
    let code = asked(&all, "a", by).code.unwrap();
    assert!(!spend(&all, binding("a"), by, None, Instant::now()));
    assert!(!spend(&all, binding("b"), by, Some(&code), Instant::now()));
    assert!(spend(&all, binding("a"), by, Some(&code), Instant::now()));
    assert!(!spend(&all, binding("a"), by, Some(&code), Instant::now()));

    let code = asked(&all, "a", by).code.unwrap();
    assert!(!spend(
        &all,
        binding("a"),
        by,
        Some(&code),
        Instant::now() + VALID
    ));
}

#[test]
fn a_persons_yes_needs_no_code_and_a_callers_code_is_no_persons_yes() {
    let all = Arc::new(Confirmations::default());
    let by = ConfirmBy::Person;
    let request = asked(&all, "a", by);
    assert_eq!(request.code, None);
    assert_eq!(asked(&all, "a", by).id, request.id);
    assert!(!spend(
        &all,
        binding("a"),
        by,
        Some(&request.id),
        Instant::now()
    ));
    all.approve(&request.id, Instant::now()).unwrap();
    assert!(!spend(&all, binding("b"), by, None, Instant::now()));
    assert!(spend(&all, binding("a"), by, None, Instant::now()));
    assert!(!spend(&all, binding("a"), by, None, Instant::now()));
    assert_eq!(
        all.approve(&request.id, Instant::now()),
        Err(NothingToConfirm)
    );

    // The policy has become stricter since the code was given out.
    let code = asked(&all, "c", ConfirmBy::Assistant).code;
    assert!(!spend(
        &all,
        binding("c"),
        by,
        code.as_deref(),
        Instant::now()
    ));
}

#[test]
fn a_yes_to_a_call_that_came_to_nothing_is_given_back() {
    let all = Arc::new(Confirmations::default());
    let by = ConfirmBy::Assistant;
    let code = asked(&all, "a", by).code;
    let now = Instant::now();
    let yes = all.take(binding("a"), by, code.as_deref(), now);
    // Nobody else can use it meanwhile.
    assert!(all.take(binding("a"), by, code.as_deref(), now).is_none());
    drop(yes);
    assert!(spend(&all, binding("a"), by, code.as_deref(), now));
    assert!(!spend(&all, binding("a"), by, code.as_deref(), now));
}

#[test]
fn nobody_is_shown_a_code_but_who_asked_for_it() {
    let all = Arc::new(Confirmations::default());
    let request = asked(&all, "a", ConfirmBy::Assistant);
    assert!(request.code.is_some());
    assert_eq!(all.show(&request.id, Instant::now()).unwrap().code, None);
}

#[test]
fn another_account_or_fact_is_another_payload() {
    let mut other = (*testing::connection()).clone();
    other.expected_email = Some("eve@contoso.example".to_owned());
    let facts = Facts::default();
    let of = |connection: &Connection, command| {
        Binding::of(&testing::key(), connection, command, &facts)
    };
    assert_ne!(of(&testing::connection(), "a"), of(&other, "a"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// With the test below: ten thousand altered payloads and codes.
    #[test]
    fn no_altered_payload_is_accepted(command in "[ -~]{1,40}", altered in "[ -~]{1,40}") {
        prop_assume!(command != altered);
        let all = Arc::new(Confirmations::default());
        let by = ConfirmBy::Assistant;
        let code = asked(&all, &command, by).code;
        prop_assert!(!spend(&all, binding(&altered), by, code.as_deref(), Instant::now()));
        prop_assert!(spend(&all, binding(&command), by, code.as_deref(), Instant::now()));
    }

    #[test]
    fn no_altered_code_is_accepted(command in "[ -~]{1,20}", at in 0usize..32, digit in 1u8..16) {
        let all = Arc::new(Confirmations::default());
        let by = ConfirmBy::Assistant;
        let code = asked(&all, &command, by).code.unwrap();
        let mut altered: Vec<char> = code.chars().collect();
        let value = altered[at].to_digit(16).unwrap() ^ u32::from(digit);
        altered[at] = char::from_digit(value, 16).unwrap();
        let altered: String = altered.into_iter().collect();
        prop_assert!(!spend(&all, binding(&command), by, Some(&altered), Instant::now()));
        prop_assert!(!spend(&all, binding(&command), by, Some(""), Instant::now()));
        prop_assert!(spend(&all, binding(&command), by, Some(&code), Instant::now()));
    }
}
