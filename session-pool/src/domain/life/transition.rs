//! The transitions of a session: the table of `docs/sign-in.md`.

use crate::domain::connect::WrongIdentity;
use crate::domain::state::{PendingSignIn, SignedIn};

use super::effect::{Answer, Effect, Fault};
use super::event::{Check, Due, Event, Fate, Inspection, Prompt, Request, Wants};
use super::overdue::{Excess, Obstacle, Overdue};
use super::rules::{LOOK_AGAIN, MISSES};
use super::state::{Leaving, Serving, State};
use super::{Life, Moment};

type Step = (State, Vec<Effect>);

impl Life {
    pub(super) fn step(&mut self, state: State, event: Event, now: Moment) -> Step {
        match event {
            Event::Asked(request) => self.asked(state, request, now),
            Event::RegistryChanged if state.takes_requests() => (COLD, end_process(&state)),
            Event::ProcessGone(reason) => process_gone(state, reason),
            Event::Due(due) => self.due(state, due),
            Event::Inspected(inspection) => self.inspected(state, inspection, now),
            Event::Stop => {
                let mut effects = end_process(&state);
                effects.extend(
                    state
                        .into_request()
                        .map(|request| Effect::Answer(request, Answer::Cancelled)),
                );
                (State::Stopped, effects)
            }
            event => match state {
                State::Starting(serving) => self.starting(serving, event, now),
                State::Looking(serving) => self.looking(serving, event, now),
                State::Connecting(serving) => self.connecting(serving, event, now),
                State::Pending { shown, since } => self.pending(shown, since, event, now),
                // The sign-in goes on until the next caller; the app then signs in anew.
                State::SignedIn { .. } if event == Event::ProofReplaced => {
                    (State::Ready { after: None }, Vec::new())
                }
                State::Running { request, who } => self.running(request, who, event, now),
                State::Checking { who, misses } => self.checking(who, misses, event, now),
                State::Leaving(leaving) => left(leaving, event),
                state => (state, Vec::new()),
            },
        }
    }

    fn asked(&mut self, state: State, request: Request, now: Moment) -> Step {
        if request.wants == Wants::SignOut {
            return sign_out_asked(state, request);
        }
        match state {
            State::Cold { after } => start(Serving { request, after }),
            State::Failed {
                reason,
                process: Fate::Gone,
            } => start(Serving {
                request,
                after: Some(reason),
            }),
            State::Failed {
                reason,
                process: Fate::Alive,
            } => connect(Serving {
                request,
                after: Some(reason),
            }),
            State::Ready { after } => connect(Serving { request, after }),
            State::Pending { shown, since } => {
                let answer = Effect::Answer(request, Answer::AuthRequired(shown.clone()));
                (State::Pending { shown, since }, vec![answer])
            }
            State::SignedIn { who, .. } => self.signed_in(request, who, now),
            State::Stopped => (
                State::Stopped,
                vec![Effect::Answer(request, Answer::Cancelled)],
            ),
            state => (state, vec![Effect::Answer(request, Answer::Busy)]),
        }
    }

    /// Somebody is signed in whom the registry allows: the request has what it wants, or runs.
    fn signed_in(&mut self, request: Request, who: SignedIn, now: Moment) -> Step {
        match request.wants {
            Wants::Command => {
                self.times.used = now;
                (State::Running { request, who }, vec![Effect::Run])
            }
            Wants::SignIn | Wants::Restore | Wants::Renewal | Wants::SignOut => {
                let effects = vec![Effect::Answer(request, Answer::SignedIn)];
                (self.at_rest(who, 0, now), effects)
            }
        }
    }

    /// Signed in, and the next check is due an interval from now.
    fn at_rest(&mut self, who: SignedIn, misses: u8, now: Moment) -> State {
        self.times.beats += 1;
        self.times.beat = self.rules.next_beat(now, self.seed, self.times.beats);
        State::SignedIn { who, misses }
    }

    fn fresh_sign_in(&mut self, request: Option<Request>, who: SignedIn, now: Moment) -> Step {
        // A process that was replaced is no use of the sign-in.
        let restored = matches!(&request, Some(request) if request.wants == Wants::Restore);
        if !restored {
            self.times.used = now;
        }
        match request {
            Some(request) => self.signed_in(request, who, now),
            None => (self.at_rest(who, 0, now), Vec::new()),
        }
    }

    fn starting(&mut self, serving: Serving, event: Event, now: Moment) -> Step {
        match event {
            Event::Started => {
                self.times.born = now;
                self.times.inspected = now;
                self.times.overdue = None;
                (State::Looking(serving), vec![Effect::Look])
            }
            // Says nothing about the sign-in.
            Event::StartFailed(fault) => {
                let Serving { request, after } = serving;
                let answer = Effect::Answer(request, Answer::Failed(fault));
                (State::Cold { after }, vec![answer])
            }
            Event::Interrupted(_) => interrupted(serving, Fate::Gone),
            _ => (State::Starting(serving), Vec::new()),
        }
    }

    fn looking(&mut self, serving: Serving, event: Event, now: Moment) -> Step {
        match event {
            Event::Found(None) => connect(serving),
            Event::Found(Some(Ok(who))) => self.fresh_sign_in(Some(serving.request), who, now),
            // Somebody else's cache is no reason to fail: the right person can still sign in.
            Event::Found(Some(Err(_))) => (
                State::Leaving(Leaving::Reconnect(serving)),
                vec![Effect::SignOut],
            ),
            // Who is signed in is still to be asked, of the next process: else a person would get a
            // code who needs none.
            Event::Interrupted(fate) => {
                let (state, mut effects) = interrupted(serving, Fate::Gone);
                if fate == Fate::Alive {
                    effects.insert(0, Effect::EndProcess);
                }
                (state, effects)
            }
            _ => (State::Looking(serving), Vec::new()),
        }
    }

    fn connecting(&mut self, serving: Serving, event: Event, now: Moment) -> Step {
        match event {
            Event::CodeShown(prompt) => code_shown(serving, prompt, now),
            Event::Connected(Ok(who)) => self.fresh_sign_in(Some(serving.request), who, now),
            Event::Connected(Err(wrong)) => refuse(Some(serving.request), &wrong),
            Event::ConnectFailed { reason, fate } => {
                failed(serving.request, Fault::SignIn(reason), fate)
            }
            Event::Interrupted(fate) => interrupted(serving, fate),
            _ => (State::Connecting(serving), Vec::new()),
        }
    }

    fn pending(&mut self, shown: PendingSignIn, since: Moment, event: Event, now: Moment) -> Step {
        match event {
            // A module may begin anew by itself: then only the new code counts.
            Event::CodeShown(prompt) => {
                let shown = PendingSignIn {
                    code: prompt.code,
                    url: prompt.url,
                    expires_at: prompt.expires_at,
                    ..shown
                };
                (State::Pending { shown, since: now }, Vec::new())
            }
            Event::Connected(Ok(who)) => self.fresh_sign_in(None, who, now),
            Event::Connected(Err(wrong)) => refuse(None, &wrong),
            Event::ConnectFailed { reason, fate } => (
                State::Failed {
                    reason,
                    process: fate,
                },
                Vec::new(),
            ),
            _ => (State::Pending { shown, since }, Vec::new()),
        }
    }

    fn running(&mut self, request: Request, who: SignedIn, event: Event, now: Moment) -> Step {
        let Event::CommandEnded { dead, fate } = event else {
            return (State::Running { request, who }, Vec::new());
        };
        self.times.used = now;
        match (fate, dead) {
            (Fate::Gone, after) => (
                State::Cold { after },
                vec![Effect::Answer(request, Answer::Ran)],
            ),
            (Fate::Alive, None) => (
                self.at_rest(who, 0, now),
                if now >= self.times.inspected + LOOK_AGAIN {
                    vec![Effect::Answer(request, Answer::Ran), Effect::Inspect]
                } else {
                    vec![Effect::Answer(request, Answer::Ran)]
                },
            ),
            // The caller gets its answer with the new code. From here on nothing can run its
            // command again.
            (Fate::Alive, Some(reason)) => {
                let serving = Serving {
                    request: Request {
                        wants: Wants::Renewal,
                        ..request
                    },
                    after: Some(reason),
                };
                (
                    State::Leaving(Leaving::Reconnect(serving)),
                    vec![Effect::SignOut],
                )
            }
        }
    }

    fn checking(&mut self, who: SignedIn, misses: u8, event: Event, now: Moment) -> Step {
        match event {
            Event::Checked(Check::Alive) => (self.at_rest(who, 0, now), vec![Effect::Inspect]),
            Event::Checked(Check::Unclear) => {
                (self.at_rest(who, misses, now), vec![Effect::Inspect])
            }
            Event::Checked(Check::Dead(reason)) if misses + 1 >= MISSES => {
                rest(None, Some(format!("the sign-in no longer works: {reason}")))
            }
            // What is kept of it stays: the service may be what is silent.
            Event::Checked(Check::Silent) if misses + 1 >= MISSES => {
                let after = "the sign-in was given up: its service did not answer twice in a row";
                let after = Some(after.to_owned());
                (State::Cold { after }, vec![Effect::EndProcess])
            }
            Event::Checked(Check::Dead(_) | Check::Silent) => {
                (self.at_rest(who, misses + 1, now), vec![Effect::Inspect])
            }
            Event::CheckLeft => (self.at_rest(who, misses, now), Vec::new()),
            _ => (State::Checking { who, misses }, Vec::new()),
        }
    }

    fn due(&mut self, state: State, due: Due) -> Step {
        match (state, due) {
            (State::Pending { .. }, Due::CodeOver) => {
                let reason = "nobody entered the code in time".to_owned();
                (
                    State::Leaving(Leaving::Expire { reason }),
                    vec![Effect::StopConnect],
                )
            }
            (State::Failed { reason, process }, Due::Reap) => {
                let effects = match process {
                    Fate::Alive => vec![Effect::EndProcess],
                    Fate::Gone => Vec::new(),
                };
                let after = Some(reason);
                (State::Cold { after }, effects)
            }
            (State::Ready { after }, Due::Reap) => {
                (State::Cold { after }, vec![Effect::EndProcess])
            }
            (State::SignedIn { who, misses }, Due::Keepalive) => {
                (State::Checking { who, misses }, vec![Effect::Check])
            }
            (State::SignedIn { .. }, Due::Idle) => {
                let idle = self.rules.max_idle.unwrap_or_default().as_secs();
                rest(
                    None,
                    Some(format!("it was signed out after {idle} s without use")),
                )
            }
            (state @ State::SignedIn { .. }, Due::Inspect) => (state, vec![Effect::Inspect]),
            (state, _) => (state, Vec::new()),
        }
    }

    fn inspected(&mut self, state: State, seen: Inspection, now: Moment) -> Step {
        let State::SignedIn { who, misses } = state else {
            return (state, Vec::new());
        };
        self.times.inspected = now;
        let age = now.saturating_sub(self.times.born);
        let large = seen
            .resident
            .filter(|resident| self.rules.max_resident.is_some_and(|max| *resident > max));
        let old = self.rules.max_age.is_some_and(|max| age >= max);
        let excess = match large {
            Some(bytes) => Excess::Size(bytes),
            None if old => Excess::Age,
            None => {
                self.times.overdue = None;
                return (State::SignedIn { who, misses }, Vec::new());
            }
        };
        let obstacle = if seen.stateful {
            Obstacle::Variables
        } else if !seen.restorable {
            Obstacle::SignIn
        } else if large.is_some() && self.replaced_lately(now) {
            Obstacle::Again
        } else {
            if large.is_some() {
                self.times.replaced = Some(now);
            }
            return retire(excess);
        };
        let overdue = Overdue { excess, obstacle };
        let said = self.times.overdue.replace(overdue);
        let effects = match said {
            Some(said) if said.obstacle == obstacle => Vec::new(),
            _ => vec![Effect::Warn(overdue)],
        };
        (State::SignedIn { who, misses }, effects)
    }

    fn replaced_lately(&self, now: Moment) -> bool {
        let replaced = self.times.replaced;
        replaced.is_some_and(|at| now < at + self.rules.replace_again)
    }
}

const COLD: State = State::Cold { after: None };

fn start(serving: Serving) -> Step {
    (State::Starting(serving), vec![Effect::StartProcess])
}

/// Replaces the process by a fresh one, which is signed in like it.
fn retire(excess: Excess) -> Step {
    let request = Request {
        by: None,
        wants: Wants::Restore,
    };
    // For the case that it is not.
    let after = format!("its PowerShell process, which {excess}, was replaced");
    let (state, mut effects) = start(Serving {
        request,
        after: Some(after),
    });
    effects.insert(0, Effect::Retire(excess));
    (state, effects)
}

fn connect(serving: Serving) -> Step {
    (State::Connecting(serving), vec![Effect::Connect])
}

fn end_process(state: &State) -> Vec<Effect> {
    if state.has_process() {
        vec![Effect::EndProcess]
    } else {
        Vec::new()
    }
}

fn code_shown(serving: Serving, prompt: Prompt, now: Moment) -> Step {
    let Serving { request, after } = serving;
    // Nobody asked for a code: a person would look for it in vain.
    if request.wants == Wants::Restore {
        let leaving = Leaving::Rest {
            request: Some((request, Answer::NotRestored)),
            after,
        };
        return (State::Leaving(leaving), vec![Effect::StopConnect]);
    }
    let shown = PendingSignIn {
        code: prompt.code,
        url: prompt.url,
        expires_at: prompt.expires_at,
        asked_by: request.by.clone(),
        after,
    };
    let answer = Effect::Answer(request, Answer::AuthRequired(shown.clone()));
    (State::Pending { shown, since: now }, vec![answer])
}

/// Another one than the registry expects has signed in.
fn refuse(request: Option<Request>, wrong: &WrongIdentity) -> Step {
    let reason = wrong.to_string();
    (
        State::Leaving(Leaving::Refuse { request, reason }),
        vec![Effect::SignOut],
    )
}

fn failed(request: Request, fault: Fault, process: Fate) -> Step {
    let reason = fault.reason().to_owned();
    (
        State::Failed { reason, process },
        vec![Effect::Answer(request, Answer::Failed(fault))],
    )
}

fn interrupted(serving: Serving, fate: Fate) -> Step {
    let Serving { request, after } = serving;
    let answer = Effect::Answer(request, Answer::Cancelled);
    (without_sign_in(fate, after), vec![answer])
}

/// Nobody is signed in, with a process or without.
fn without_sign_in(process: Fate, after: Option<String>) -> State {
    match process {
        Fate::Alive => State::Ready { after },
        Fate::Gone => State::Cold { after },
    }
}

fn rest(request: Option<(Request, Answer)>, after: Option<String>) -> Step {
    (
        State::Leaving(Leaving::Rest { request, after }),
        vec![Effect::SignOut],
    )
}

fn sign_out_asked(state: State, request: Request) -> Step {
    match state {
        State::Pending { .. }
        | State::Ready { .. }
        | State::SignedIn { .. }
        | State::Failed {
            process: Fate::Alive,
            ..
        } => rest(Some((request, Answer::SignedOut)), None),
        State::Cold { .. } | State::Failed { .. } => {
            (COLD, vec![Effect::Answer(request, Answer::SignedOut)])
        }
        State::Stopped => (
            State::Stopped,
            vec![Effect::Answer(request, Answer::SignedOut)],
        ),
        state => (state, vec![Effect::Answer(request, Answer::Busy)]),
    }
}

fn process_gone(state: State, reason: String) -> Step {
    if !state.has_process() {
        return (state, Vec::new());
    }
    // Who had signed in, or had been told a code, hears why that is worth nothing now.
    let had = state.signed_in().is_some() || matches!(state, State::Pending { .. });
    let after = had.then(|| reason.clone());
    let answer = state
        .into_request()
        .map(|request| Effect::Answer(request, Answer::Failed(Fault::Process(reason))));
    (State::Cold { after }, answer.into_iter().collect())
}

fn left(leaving: Leaving, event: Event) -> Step {
    let Event::Left(fate) = event else {
        return (State::Leaving(leaving), Vec::new());
    };
    match leaving {
        Leaving::Reconnect(serving) => match fate {
            Fate::Alive => connect(serving),
            Fate::Gone => start(serving),
        },
        Leaving::Refuse { request, reason } => {
            let answer = request.map(|request| {
                let fault = Fault::WrongIdentity(reason.clone());
                Effect::Answer(request, Answer::Failed(fault))
            });
            (
                State::Failed {
                    reason,
                    process: fate,
                },
                answer.into_iter().collect(),
            )
        }
        Leaving::Expire { reason } => (
            State::Failed {
                reason,
                process: fate,
            },
            Vec::new(),
        ),
        Leaving::Rest { request, after } => {
            let answer = request.map(|(request, answer)| Effect::Answer(request, answer));
            (without_sign_in(fate, after), answer.into_iter().collect())
        }
    }
}
