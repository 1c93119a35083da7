//! What holds whatever happens, in whichever order.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// What a world around a session can do next. The number picks one of several outcomes.
#[derive(Clone, Debug)]
enum Act {
    Ask(Wants),
    RegistryChanged,
    ProofReplaced,
    /// The process dies.
    Kill,
    /// What runs comes to an end, one way or another.
    Go(u8),
    /// Time passes up to the next deadline.
    Wait,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => prop_oneof![
            4 => Just(Wants::Command),
            1 => Just(Wants::SignIn),
            1 => Just(Wants::Restore),
            1 => Just(Wants::SignOut),
        ].prop_map(Act::Ask),
        1 => Just(Act::RegistryChanged),
        1 => Just(Act::ProofReplaced),
        1 => Just(Act::Kill),
        12 => (0..8_u8).prop_map(Act::Go),
        2 => Just(Act::Wait),
    ]
}

/// A world that believes nothing the machine says: it keeps its own books.
struct World {
    life: Life,
    now: Moment,
    process: bool,
    /// A connect command runs.
    connect: bool,
    /// An allowed identity is signed in.
    allowed: bool,
    /// What the task is at.
    busy_with: Option<Effect>,
    asked: u64,
    looks: u8,
    commands: BTreeSet<String>,
    owed: BTreeSet<String>,
    ran: BTreeSet<String>,
}

impl World {
    fn new() -> Self {
        let rules = Rules {
            max_idle: Some(seconds(7_200)),
            max_age: Some(seconds(3_600)),
            ..Rules::default()
        };
        Self {
            life: Life::new(rules, 7),
            now: Moment::ZERO,
            process: false,
            connect: false,
            allowed: false,
            busy_with: None,
            asked: 0,
            looks: 0,
            commands: BTreeSet::new(),
            owed: BTreeSet::new(),
            ran: BTreeSet::new(),
        }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Ask(wants) => self.ask(*wants),
            Act::RegistryChanged if self.busy_with.is_none() => {
                self.tell(Event::RegistryChanged);
            }
            Act::ProofReplaced if self.busy_with.is_none() => self.tell(Event::ProofReplaced),
            Act::RegistryChanged | Act::ProofReplaced => {}
            Act::Kill if self.process || self.busy_with == Some(Effect::StartProcess) => {
                let event = self.killed();
                self.tell(event);
            }
            Act::Kill => {}
            Act::Go(outcome) => {
                if let Some(event) = self.outcome(*outcome) {
                    self.tell(event);
                }
            }
            Act::Wait => {
                if self.busy_with.is_none()
                    && let Some((at, due)) = self.life.deadline()
                {
                    self.now = self.now.max(at);
                    self.tell(Event::Due(due));
                }
            }
        }
    }

    fn ask(&mut self, wants: Wants) {
        self.asked += 1;
        let by = self.asked.to_string();
        self.owed.insert(by.clone());
        if wants == Wants::Command {
            self.commands.insert(by.clone());
        }
        self.tell(Event::Asked(Request {
            by: Some(by),
            wants,
        }));
    }

    fn lose_process(&mut self) {
        (self.process, self.connect, self.allowed) = (false, false, false);
    }

    fn killed(&mut self) -> Event {
        self.lose_process();
        match self.busy_with.take() {
            Some(Effect::StartProcess) => Event::StartFailed(Fault::Process("died".to_owned())),
            Some(Effect::Run) => Event::CommandEnded {
                dead: None,
                fate: Fate::Gone,
            },
            Some(Effect::StopConnect | Effect::SignOut) => Event::Left(Fate::Gone),
            _ => Event::ProcessGone("died".to_owned()),
        }
    }

    fn fate(&mut self, alive: bool) -> Fate {
        if alive {
            Fate::Alive
        } else {
            self.lose_process();
            Fate::Gone
        }
    }

    /// How what runs ends.
    fn outcome(&mut self, outcome: u8) -> Option<Event> {
        let alive = outcome.is_multiple_of(2);
        Some(match self.busy_with.take() {
            None if self.connect => self.connect_outcome(outcome),
            None => return None,
            Some(Effect::StartProcess) => match outcome {
                0 => Event::StartFailed(Fault::ProcessLimit("full".to_owned())),
                1 => Event::Interrupted(Fate::Gone),
                _ => {
                    self.process = true;
                    Event::Started
                }
            },
            Some(Effect::Look) => match outcome {
                0 | 1 => Event::Interrupted(self.fate(alive)),
                2 => Event::Found(Some(Err(wrong()))),
                3 | 4 => {
                    self.allowed = true;
                    Event::Found(Some(Ok(who())))
                }
                _ => Event::Found(None),
            },
            Some(Effect::Connect) => match outcome {
                0 | 1 => {
                    self.connect = false;
                    Event::Interrupted(self.fate(alive))
                }
                _ => self.connect_outcome(outcome),
            },
            Some(Effect::StopConnect) => {
                self.connect = false;
                Event::Left(self.fate(alive))
            }
            Some(Effect::SignOut) => {
                (self.connect, self.allowed) = (false, false);
                Event::Left(self.fate(alive))
            }
            Some(Effect::Run) => Event::CommandEnded {
                dead: (outcome < 3).then(|| "AADSTS70043".to_owned()),
                fate: self.fate(outcome != 3),
            },
            Some(Effect::Check) => match outcome {
                0 | 1 => Event::Checked(Check::Dead("AADSTS70043".to_owned())),
                2 => Event::Checked(Check::Silent),
                3 => Event::Checked(Check::Unclear),
                4 => Event::CheckLeft,
                _ => Event::Checked(Check::Alive),
            },
            Some(Effect::Inspect) => Event::Inspected(Inspection {
                resident: Some(u64::from(outcome) * 300_000_000),
                stateful: outcome == 7,
                restorable: alive,
            }),
            Some(effect) => panic!("{effect:?} brings nothing back"),
        })
    }

    fn connect_outcome(&mut self, outcome: u8) -> Event {
        match outcome {
            0..4 => {
                self.connect = true;
                Event::CodeShown(prompt("CODE"))
            }
            4 => {
                self.connect = false;
                Event::Connected(Err(wrong()))
            }
            5 | 6 => {
                self.connect = false;
                let fate = self.fate(outcome == 5);
                Event::ConnectFailed {
                    reason: "declined".to_owned(),
                    fate,
                }
            }
            _ => {
                (self.connect, self.allowed) = (false, true);
                Event::Connected(Ok(who()))
            }
        }
    }

    /// Tells the machine, and does what it says, checking that it may be done.
    fn tell(&mut self, event: Event) {
        let told = format!("{event:?}");
        let at_work = self.busy_with.is_some();
        let effects = self.life.on(event, self.now);
        for effect in &effects {
            assert!(
                !at_work || self.busy_with.is_none() || matches!(effect, Effect::Answer(..)),
                "{told}: {effect:?} while {:?} runs",
                self.busy_with
            );
            self.carry_out(effect);
        }
        self.look_around(&told);
        // Looking at a process takes no time: nothing can come between.
        if self.busy_with == Some(Effect::Inspect) {
            self.looks = self.looks.wrapping_add(1);
            if let Some(event) = self.outcome(self.looks % 8) {
                self.tell(event);
            }
        }
    }

    fn carry_out(&mut self, effect: &Effect) {
        match effect {
            Effect::Answer(request, answer) => self.answered(request, answer),
            Effect::EndProcess | Effect::Retire(_) => {
                assert!(self.process, "there is no process to end");
                self.lose_process();
            }
            Effect::Warn(_) => assert!(self.process),
            effect => {
                assert!(
                    self.busy_with.is_none(),
                    "{effect:?} beside {:?}",
                    self.busy_with
                );
                match effect {
                    Effect::StartProcess => assert!(!self.process, "a second process"),
                    Effect::Connect => {
                        assert!(!self.connect, "a second connect command");
                        self.allowed = false;
                        self.connect = true;
                    }
                    Effect::StopConnect => assert!(self.connect),
                    Effect::SignOut => {}
                    _ => assert!(!self.connect, "{effect:?} beside a connect command"),
                }
                if *effect != Effect::StartProcess {
                    assert!(self.process, "{effect:?} without a process");
                }
                if *effect == Effect::Run {
                    assert!(
                        self.allowed,
                        "a command runs and nobody allowed is signed in"
                    );
                    let State::Running { request, .. } = self.life.state() else {
                        panic!("runs in {:?}", self.life.state());
                    };
                    let by = request.by.clone().unwrap();
                    assert!(self.commands.contains(&by), "it has no command");
                    assert!(self.ran.insert(by), "a command runs twice");
                }
                self.busy_with = Some(effect.clone());
            }
        }
    }

    fn answered(&mut self, request: &Request, answer: &Answer) {
        let Some(by) = &request.by else {
            return; // The session's own.
        };
        assert!(
            self.owed.remove(by),
            "{answer:?} to one who is owed nothing"
        );
        match answer {
            Answer::AuthRequired(shown) => {
                assert!(self.connect, "a code that nothing waits for");
                assert!(
                    matches!(self.life.state(), State::Pending { shown: now, .. } if now == shown)
                );
            }
            Answer::Ran => assert!(self.ran.contains(by)),
            Answer::SignedIn => assert!(self.allowed),
            Answer::SignedOut => assert!(!self.allowed),
            _ => {}
        }
    }

    /// What must be so between two events.
    fn look_around(&self, told: &str) {
        let state = self.life.state();
        let says = format!("{told} led to {state:?}");
        assert_eq!(state.has_process(), self.process, "{says}");
        if state.signed_in().is_some() {
            assert!(self.allowed, "{says}");
        }
        if matches!(state, State::Pending { .. }) {
            assert!(self.connect && self.busy_with.is_none(), "{says}");
        }
        let idle = state.takes_requests();
        let works = self
            .busy_with
            .as_ref()
            .is_some_and(|effect| *effect != Effect::Inspect);
        assert_eq!(idle || *state == State::Stopped, !works, "{says}");
        if idle {
            assert!(self.owed.is_empty(), "{says}: {:?} wait", self.owed);
        }
        if let Some((at, _)) = self.life.deadline() {
            assert!(idle, "{says}: {at:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn nothing_impossible_happens_and_nobody_is_lost(acts in prop::collection::vec(act(), 0..80)) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
        }
        world.busy_with = None;
        world.tell(Event::Stop);
        prop_assert!(world.owed.is_empty());
        prop_assert!(!world.process);
        world.ask(Wants::Command);
        prop_assert!(world.owed.is_empty());
    }

    #[test]
    fn events_out_of_place_change_nothing_that_matters(acts in prop::collection::vec(any_event(), 0..60)) {
        let mut life = Life::new(Rules::default(), 1);
        let mut owed = 0_usize;
        for event in acts.into_iter().chain([Event::Stop]) {
            owed += usize::from(matches!(event, Event::Asked(_)));
            let named = |effect: &&Effect| matches!(effect, Effect::Answer(request, _) if request.by.is_some());
            let answered = life.on(event, Moment::ZERO).iter().filter(named).count();
            prop_assert!(answered <= owed);
            owed -= answered;
        }
        prop_assert_eq!(owed, 0);
    }
}

fn any_event() -> impl Strategy<Value = Event> {
    let wants = prop_oneof![
        Just(Wants::Command),
        Just(Wants::SignIn),
        Just(Wants::Restore),
        Just(Wants::Renewal),
        Just(Wants::SignOut),
    ];
    let mut all = table::events();
    all.retain(|(_, event)| !matches!(event, Event::Asked(_) | Event::Stop));
    prop_oneof![
        wants.prop_map(|wants| Event::Asked(Request {
            by: Some("x".to_owned()),
            wants
        })),
        prop::sample::select(all).prop_map(|(_, event)| event),
    ]
}
