#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::super::testing;
use super::*;

fn binding(command: &str) -> Binding {
    Binding::of(
        &testing::key(),
        &testing::connection(),
        Some("admin@contoso.example"),
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
    all.approve(&request.id, ConfirmedHow::Command, Instant::now())
        .unwrap();
    assert!(!spend(&all, binding("b"), by, None, Instant::now()));
    assert!(spend(&all, binding("a"), by, None, Instant::now()));
    assert!(!spend(&all, binding("a"), by, None, Instant::now()));
    assert_eq!(
        all.approve(&request.id, ConfirmedHow::Command, Instant::now()),
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

/// What a yes is bound to, part by part.
#[derive(Clone, Debug, PartialEq)]
struct Payload {
    connection: &'static str,
    scope: &'static str,
    tenant: Option<&'static str>,
    expected: Option<&'static str>,
    account: Option<&'static str>,
    command: String,
    called: String,
}

impl Payload {
    fn binding(&self) -> Binding {
        let key: SessionKey = serde_json::from_value(
            serde_json::json!({"connection": self.connection, "scope": self.scope}),
        )
        .unwrap();
        let mut connection = (*testing::connection()).clone();
        connection.tenant = self.tenant.map(str::to_owned);
        connection.expected_email = self.expected.map(str::to_owned);
        let facts: Facts = serde_json::from_value(serde_json::json!({"commands": [
            {"name": self.called, "kind": "unknown", "text": "", "line": 1, "column": 1}
        ]}))
        .unwrap();
        Binding::of(&key, &connection, self.account, &self.command, &facts)
    }
}

fn payloads() -> impl Strategy<Value = Payload> {
    let people = || {
        prop::sample::select(vec![
            None,
            Some(""),
            Some("a@contoso.example"),
            Some("b@contoso.example"),
        ])
    };
    (
        prop::sample::select(vec!["contoso", "contoso2"]),
        prop::sample::select(vec!["exo", "azure", "teams"]),
        people(),
        people(),
        people(),
        "[ab ]{1,3}",
        "[ab]{1,2}",
    )
        .prop_map(
            |(connection, scope, tenant, expected, account, command, called)| Payload {
                connection,
                scope,
                tenant,
                expected,
                account,
                command,
                called,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// Ten thousand payloads that differ in one part or more: connection, session, tenant, account,
    /// text, facts.
    #[test]
    fn no_altered_payload_is_accepted(meant in payloads(), altered in payloads()) {
        prop_assume!(meant != altered);
        let all = Arc::new(Confirmations::default());
        for by in [ConfirmBy::Assistant, ConfirmBy::Person] {
            let now = Instant::now();
            let asked = all.ask(meant.binding(), by, String::new(), now).unwrap();
            if by == ConfirmBy::Person {
                all.approve(&asked.id, ConfirmedHow::Command, now).unwrap();
            }
            let code = asked.code.as_deref();
            prop_assert!(!spend(&all, altered.binding(), by, code, now), "{:?}", altered);
            prop_assert!(spend(&all, meant.binding(), by, code, now));
        }
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
