//! The table of `docs/sign-in.md`, made from the code itself.

use std::fmt::Write as _;

use super::*;

/// One of each kind of event, with its name for people.
pub(super) fn events() -> Vec<(&'static str, Event)> {
    let inspection = |resident, stateful| {
        Event::Inspected(Inspection {
            resident: Some(resident),
            stateful,
            restorable: true,
        })
    };
    let ended = |dead: Option<&str>, fate| Event::CommandEnded {
        dead: dead.map(str::to_owned),
        fate,
    };
    let failed = |fate| Event::ConnectFailed {
        reason: "why".to_owned(),
        fate,
    };
    vec![
        ("a command", Event::Asked(request(Wants::Command))),
        (
            "a sign-in is asked for",
            Event::Asked(request(Wants::SignIn)),
        ),
        (
            "a restore is asked for",
            Event::Asked(request(Wants::Restore)),
        ),
        (
            "a sign-out is asked for",
            Event::Asked(request(Wants::SignOut)),
        ),
        ("the registry's entry changes", Event::RegistryChanged),
        (
            "the certificate or secret is replaced",
            Event::ProofReplaced,
        ),
        ("the process takes commands", Event::Started),
        (
            "the process does not start",
            Event::StartFailed(Fault::Process("why".to_owned())),
        ),
        ("nobody is found", Event::Found(None)),
        ("the right one is found", Event::Found(Some(Ok(who())))),
        ("another one is found", Event::Found(Some(Err(wrong())))),
        ("a code is shown", Event::CodeShown(prompt("NEW"))),
        ("the right one signs in", Event::Connected(Ok(who()))),
        ("another one signs in", Event::Connected(Err(wrong()))),
        ("the connect command fails", failed(Fate::Alive)),
        (
            "the connect command fails, and the process ends",
            failed(Fate::Gone),
        ),
        ("the caller cancels", Event::Interrupted(Fate::Alive)),
        (
            "the caller cancels, and the process ends",
            Event::Interrupted(Fate::Gone),
        ),
        ("the command ends", ended(None, Fate::Alive)),
        (
            "the command ends: the sign-in is dead",
            ended(Some("why"), Fate::Alive),
        ),
        ("the command ends the process", ended(None, Fate::Gone)),
        ("the service answers", Event::Checked(Check::Alive)),
        (
            "the answer says nothing about the sign-in",
            Event::Checked(Check::Unclear),
        ),
        (
            "the sign-in is dead",
            Event::Checked(Check::Dead("why".to_owned())),
        ),
        ("there is no answer", Event::Checked(Check::Silent)),
        ("a command comes meanwhile", Event::CheckLeft),
        ("it is done", Event::Left(Fate::Alive)),
        (
            "it is done, and the process has ended",
            Event::Left(Fate::Gone),
        ),
        (
            "the process ends by itself",
            Event::ProcessGone("why".to_owned()),
        ),
        ("the process is small", inspection(1, false)),
        ("the process is too large", inspection(u64::MAX, false)),
        (
            "the process is too large, and holds variables",
            inspection(u64::MAX, true),
        ),
        ("nobody has entered the code", Event::Due(Due::CodeOver)),
        ("its time is over", Event::Due(Due::Reap)),
        ("the next check is due", Event::Due(Due::Keepalive)),
        ("nobody has used it for long", Event::Due(Due::Idle)),
        ("a look at the process is due", Event::Due(Due::Inspect)),
        ("the session is to end", Event::Stop),
    ]
}

fn states() -> Vec<(&'static str, State)> {
    let command = Wants::Command;
    let leaving = |leaving| State::Leaving(leaving);
    vec![
        ("cold", State::Cold { after: None }),
        ("starting", State::Starting(serving(command))),
        ("looking", State::Looking(serving(command))),
        ("connecting", State::Connecting(serving(command))),
        (
            "connecting (to restore)",
            State::Connecting(serving(Wants::Restore)),
        ),
        (
            "pending",
            State::Pending {
                shown: shown(),
                since: Moment::ZERO,
            },
        ),
        ("ready", State::Ready { after: None }),
        (
            "signed in",
            State::SignedIn {
                who: who(),
                misses: 0,
            },
        ),
        (
            "running",
            State::Running {
                request: request(command),
                who: who(),
            },
        ),
        (
            "checking",
            State::Checking {
                who: who(),
                misses: 0,
            },
        ),
        (
            "checking (one has failed)",
            State::Checking {
                who: who(),
                misses: 1,
            },
        ),
        (
            "leaving (for a new code)",
            leaving(Leaving::Reconnect(serving(Wants::Renewal))),
        ),
        (
            "leaving (another one)",
            leaving(Leaving::Refuse {
                request: Some(request(command)),
                reason: "why".to_owned(),
            }),
        ),
        (
            "leaving (no code entered)",
            leaving(Leaving::Expire {
                reason: "why".to_owned(),
            }),
        ),
        (
            "leaving (signed out)",
            leaving(Leaving::Rest {
                request: Some((request(Wants::SignOut), Answer::SignedOut)),
                after: None,
            }),
        ),
        (
            "failed",
            State::Failed {
                reason: "why".to_owned(),
                process: Fate::Alive,
            },
        ),
        (
            "failed (no process)",
            State::Failed {
                reason: "why".to_owned(),
                process: Fate::Gone,
            },
        ),
        ("stopped", State::Stopped),
    ]
}

fn words(effect: &Effect) -> String {
    match effect {
        Effect::StartProcess => "start a process".to_owned(),
        Effect::EndProcess => "end the process".to_owned(),
        Effect::Look => "look for a cached sign-in".to_owned(),
        Effect::Connect => "run the connect command".to_owned(),
        Effect::StopConnect => "stop the connect command".to_owned(),
        Effect::SignOut => "sign out, delete caches".to_owned(),
        Effect::Run => "**run the command**".to_owned(),
        Effect::Check => "call the service".to_owned(),
        Effect::Inspect => "look at the process".to_owned(),
        Effect::Retire(_) => "end the process, which is replaced".to_owned(),
        Effect::Warn(_) => "warn".to_owned(),
        Effect::Answer(_, answer) => format!(
            "answer: {}",
            match answer {
                Answer::Ran => "the result",
                Answer::SignedIn => "signed in",
                Answer::AuthRequired(_) => "the code",
                Answer::SignedOut => "signed out",
                Answer::NotRestored => "not restored",
                Answer::Failed(_) => "the failure",
                Answer::Cancelled => "cancelled",
                Answer::Busy => "busy",
            }
        ),
    }
}

/// A transition that is not worth a row: nothing happens, the caller is put off because another one
/// is served (which the session's task never lets happen), or the end of everything.
fn is_plain(before: &State, event: &Event, after: &State, effects: &[Effect]) -> bool {
    let nothing = effects.is_empty() && before == after;
    let busy = matches!(effects, [Effect::Answer(_, Answer::Busy)]);
    nothing || busy || *event == Event::Stop || *before == State::Stopped
}

fn table() -> String {
    let mut table = String::from("| state | when | next | what is done |\n|---|---|---|---|\n");
    for (name, state) in states() {
        for (when, event) in events() {
            let mut life = Life::new(Rules::default(), 0);
            life.state = state.clone();
            let effects = life.on(event.clone(), Duration::from_secs(3_600));
            if is_plain(&state, &event, &life.state, &effects) {
                continue;
            }
            let done: Vec<_> = effects.iter().map(words).collect();
            let next = life.state.name();
            writeln!(table, "| {name} | {when} | {next} | {} |", done.join("; ")).unwrap();
        }
    }
    table
}

#[test]
fn the_document_has_the_table_of_the_code() {
    let document = include_str!("../../../../../docs/sign-in.md");
    let table = table();
    assert!(
        document.contains(&table),
        "docs/sign-in.md must contain this table:\n{table}"
    );
}

#[test]
fn every_state_can_be_ended_and_answers_whom_it_serves() {
    for (name, state) in states() {
        let mut life = Life::new(Rules::default(), 0);
        let serves = state.clone().into_request().is_some();
        let process = state.has_process();
        life.state = state;
        let effects = life.on(Event::Stop, Moment::ZERO);
        assert_eq!(life.state, State::Stopped, "{name}");
        assert_eq!(effects.contains(&Effect::EndProcess), process, "{name}");
        let answers = effects
            .iter()
            .any(|effect| matches!(effect, Effect::Answer(..)));
        assert_eq!(answers, serves, "{name}");
    }
}

#[test]
fn a_process_that_does_not_start_says_nothing_about_the_sign_in() {
    let mut life = Life::new(Rules::default(), 0);
    life.state = State::Cold {
        after: Some("nobody entered the code in time".to_owned()),
    };
    let before = life.state.clone();
    life.on(Event::Asked(request(Wants::Command)), Moment::ZERO);
    let full = Fault::ProcessLimit("8 processes run".to_owned());
    let effects = life.on(Event::StartFailed(full.clone()), Moment::ZERO);
    assert_eq!(life.state, before);
    let answer = Effect::Answer(request(Wants::Command), Answer::Failed(full));
    assert_eq!(effects, [answer]);
}
