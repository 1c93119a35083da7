//! Deadlines.

use super::*;

fn signed_in(rules: Rules) -> Life {
    let mut life = Life::new(rules, 42);
    life.on(Event::Asked(request(Wants::SignIn)), Moment::ZERO);
    life.on(Event::Started, Moment::ZERO);
    life.on(Event::Found(Some(Ok(who()))), Moment::ZERO);
    life
}

#[test]
fn a_cold_session_sleeps_for_ever() {
    assert_eq!(Life::new(Rules::default(), 1).deadline(), None);
}

#[test]
fn eight_hours_of_checks_miss_no_beat_and_keep_apart() {
    let interval = seconds(300);
    let mut firsts = Vec::new();
    for seed in 0..50 {
        let mut life = Life {
            seed,
            ..signed_in(Rules::default())
        };
        let (mut now, mut beats) = (Moment::ZERO, 0_u32);
        // The first beat was set with another seed.
        life.on(Event::Due(Due::Keepalive), now);
        life.on(Event::Checked(Check::Alive), now);
        while now < seconds(8 * 3600) {
            let (at, due) = life.deadline().unwrap();
            assert_eq!(due, Due::Keepalive);
            let gap = at - now;
            assert!(
                gap >= interval * 9 / 10 && gap <= interval * 11 / 10,
                "{gap:?}"
            );
            now = at;
            beats += 1;
            assert_eq!(life.on(Event::Due(due), now), [Effect::Check]);
            life.on(Event::Checked(Check::Alive), now);
        }
        assert!((88..=107).contains(&beats), "{beats}");
        firsts.push(now);
    }
    firsts.sort_unstable();
    firsts.dedup();
    assert!(firsts.len() > 45, "they beat together");
}

#[test]
fn two_failed_checks_in_a_row_end_the_sign_in() {
    let mut life = signed_in(Rules::default());
    let dead = || Event::Checked(Check::Dead("AADSTS70043".to_owned()));
    let due = || Event::Due(Due::Keepalive);
    // What says nothing about the sign-in neither counts nor makes up for anything.
    let silent = || Event::Checked(Check::Silent);
    let unclear = || Event::Checked(Check::Unclear);
    let alive = || Event::Checked(Check::Alive);
    for outcome in [
        dead(),
        alive(),
        silent(),
        unclear(),
        alive(),
        dead(),
        unclear(),
    ] {
        life.on(due(), Moment::ZERO);
        life.on(outcome, Moment::ZERO);
        assert!(life.state().signed_in().is_some());
    }
    let mut other = life.clone();
    life.on(due(), Moment::ZERO);
    assert_eq!(life.on(dead(), Moment::ZERO), [Effect::SignOut]);
    life.on(Event::Left(Fate::Alive), Moment::ZERO);
    let State::Ready { after: Some(after) } = life.state() else {
        panic!("{:?}", life.state());
    };
    assert!(after.contains("AADSTS70043"), "{after}");
    // Where nobody has said that it is dead, what is kept on disk stays.
    other.on(due(), Moment::ZERO);
    assert_eq!(other.on(silent(), Moment::ZERO), [Effect::EndProcess]);
    let State::Cold { after: Some(after) } = other.state() else {
        panic!("{:?}", other.state());
    };
    assert!(after.contains("twice in a row"), "{after}");
}

#[test]
fn without_keepalive_only_the_process_is_looked_at() {
    let rules = Rules {
        keepalive: None,
        ..Rules::default()
    };
    let life = signed_in(rules.clone());
    assert_eq!(life.deadline(), Some((seconds(300), Due::Inspect)));
    let bare = Rules {
        max_resident: None,
        ..rules
    };
    assert_eq!(signed_in(bare).deadline(), None);
}

#[test]
fn idle_time_counts_from_the_last_use_and_not_from_the_last_check() {
    let rules = Rules {
        max_idle: Some(seconds(1_000)),
        ..Rules::default()
    };
    let mut life = signed_in(rules);
    let (at, _) = life.deadline().unwrap();
    life.on(Event::Due(Due::Keepalive), at);
    life.on(Event::Checked(Check::Alive), at);
    life.on(Event::Asked(request(Wants::Command)), seconds(400));
    let ended = Event::CommandEnded {
        dead: None,
        fate: Fate::Alive,
    };
    life.on(ended, seconds(410));
    let mut now = seconds(410);
    loop {
        let (at, due) = life.deadline().unwrap();
        now = now.max(at);
        if due == Due::Idle {
            break;
        }
        life.on(Event::Due(due), now);
        life.on(Event::Checked(Check::Alive), now);
    }
    assert_eq!(now, seconds(1_410));
    assert_eq!(life.on(Event::Due(Due::Idle), now), [Effect::SignOut]);
}

#[test]
fn a_code_and_an_error_each_have_their_time() {
    let mut life = Life::new(Rules::default(), 1);
    life.on(Event::Asked(request(Wants::SignIn)), Moment::ZERO);
    life.on(Event::Started, seconds(1));
    life.on(Event::Found(None), seconds(2));
    assert_eq!(life.deadline(), None, "the task is at work");
    life.on(Event::CodeShown(prompt("A")), seconds(3));
    assert_eq!(life.deadline(), Some((seconds(933), Due::CodeOver)));
    life.on(Event::CodeShown(prompt("B")), seconds(100));
    assert_eq!(life.deadline(), Some((seconds(1_030), Due::CodeOver)));
    let effects = life.on(Event::Due(Due::CodeOver), seconds(1_030));
    assert_eq!(effects, [Effect::StopConnect]);
    life.on(Event::Left(Fate::Alive), seconds(1_031));
    assert_eq!(life.deadline(), Some((seconds(1_931), Due::Reap)));
    let effects = life.on(Event::Due(Due::Reap), seconds(1_931));
    assert_eq!(effects, [Effect::EndProcess]);
    let State::Cold { after: Some(after) } = life.state() else {
        panic!("{:?}", life.state());
    };
    assert_eq!(after, "nobody entered the code in time");
}

#[test]
fn a_large_or_old_process_is_replaced_only_where_nobody_loses_anything() {
    let rules = Rules {
        max_age: Some(seconds(10_000)),
        ..Rules::default()
    };
    let large = Some(1_000_000_001);
    let small = Some(1_000_000_000);
    let replaced = |excess| vec![Effect::Retire(excess), Effect::StartProcess];
    let warned = |excess, obstacle| vec![Effect::Warn(Overdue { excess, obstacle })];
    let size = Excess::Size(1_000_000_001);
    for (resident, stateful, restorable, now, expected) in [
        (small, false, true, 9_999, vec![]),
        (None, false, true, 9_999, vec![]),
        (large, false, true, 60, replaced(size)),
        (small, false, true, 10_000, replaced(Excess::Age)),
        (large, true, true, 60, warned(size, Obstacle::Variables)),
        (large, false, false, 60, warned(size, Obstacle::SignIn)),
        (
            small,
            true,
            true,
            10_000,
            warned(Excess::Age, Obstacle::Variables),
        ),
    ] {
        let mut life = signed_in(rules.clone());
        let inspection = Inspection {
            resident,
            stateful,
            restorable,
        };
        let effects = life.on(Event::Inspected(inspection), seconds(now));
        assert_eq!(effects, expected, "{inspection:?} at {now}");
        let warned = matches!(expected.as_slice(), [Effect::Warn(_)]);
        assert_eq!(life.overdue().is_some(), warned, "{inspection:?} at {now}");
        if warned {
            let again = life.on(Event::Inspected(inspection), seconds(now));
            assert_eq!(again, [], "said once");
        }
    }
}

#[test]
fn a_process_is_not_replaced_again_and_again_for_its_size() {
    let mut life = signed_in(Rules::default());
    let large = || {
        Event::Inspected(Inspection {
            resident: Some(2_000_000_000),
            stateful: false,
            restorable: true,
        })
    };
    let replaced = |life: &mut Life, second| {
        let effects = life.on(large(), seconds(second));
        let retired = matches!(effects.as_slice(), [Effect::Retire(_), _]);
        if retired {
            life.on(Event::Started, seconds(second));
            life.on(Event::Found(Some(Ok(who()))), seconds(second));
        }
        retired
    };
    assert!(replaced(&mut life, 10));
    assert!(!replaced(&mut life, 20));
    let Some(overdue) = life.overdue() else {
        panic!("nobody is warned")
    };
    assert_eq!(overdue.obstacle, Obstacle::Again);
    assert!(!replaced(&mut life, 3_609));
    assert!(replaced(&mut life, 3_610));
}

#[test]
fn a_process_that_is_small_again_is_not_warned_of_any_more() {
    let mut life = signed_in(Rules::default());
    let inspection = |resident| Inspection {
        resident: Some(resident),
        stateful: true,
        restorable: true,
    };
    life.on(Event::Inspected(inspection(2_000_000_000)), seconds(100));
    assert!(life.overdue().is_some());
    life.on(Event::Inspected(inspection(1)), seconds(400));
    assert_eq!(life.overdue(), None);
}

#[test]
fn who_cannot_be_signed_in_again_after_a_replacement_hears_of_it() {
    let mut life = signed_in(Rules::default());
    let seen = Inspection {
        resident: Some(2_000_000_000),
        stateful: false,
        restorable: true,
    };
    life.on(Event::Inspected(seen), seconds(100));
    life.on(Event::Started, seconds(101));
    life.on(Event::Found(None), seconds(102));
    let effects = life.on(Event::CodeShown(prompt("A")), seconds(103));
    assert_eq!(effects, [Effect::StopConnect], "nobody asked for a code");
    life.on(Event::Left(Fate::Alive), seconds(104));
    let State::Ready { after: Some(after) } = life.state() else {
        panic!("{:?}", life.state());
    };
    assert!(after.contains("2000 MB"), "{after}");
}

#[test]
fn commands_that_follow_closely_do_not_each_bring_a_look_at_the_process() {
    let mut life = signed_in(Rules::default());
    let mut looks = 0;
    for second in 0..90 {
        life.on(Event::Asked(request(Wants::Command)), seconds(second));
        let ended = Event::CommandEnded {
            dead: None,
            fate: Fate::Alive,
        };
        if life.on(ended, seconds(second)).contains(&Effect::Inspect) {
            looks += 1;
            let seen = Inspection {
                resident: None,
                stateful: false,
                restorable: false,
            };
            life.on(Event::Inspected(seen), seconds(second));
        }
    }
    assert_eq!(looks, 2);
}

#[test]
fn a_replaced_process_is_no_use_of_the_sign_in() {
    let rules = Rules {
        max_idle: Some(seconds(1_000)),
        ..Rules::default()
    };
    let mut life = signed_in(rules);
    let seen = Inspection {
        resident: Some(2_000_000_000),
        stateful: false,
        restorable: true,
    };
    life.on(Event::Inspected(seen), seconds(900));
    life.on(Event::Started, seconds(901));
    life.on(Event::Found(Some(Ok(who()))), seconds(902));
    assert!(life.state().signed_in().is_some());
    assert_eq!(life.deadline(), Some((seconds(1_000), Due::Idle)));
}
