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
        life.on(Event::Checked(Ok(())), now);
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
            life.on(Event::Checked(Ok(())), now);
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
    let failed = || Event::Checked(Err("no answer".to_owned()));
    let due = || Event::Due(Due::Keepalive);
    for outcome in [failed(), Event::Checked(Ok(())), failed()] {
        life.on(due(), Moment::ZERO);
        life.on(outcome, Moment::ZERO);
        assert!(life.state().signed_in().is_some());
    }
    life.on(due(), Moment::ZERO);
    assert_eq!(life.on(failed(), Moment::ZERO), [Effect::SignOut]);
    life.on(Event::Left(Fate::Alive), Moment::ZERO);
    let State::Ready { after: Some(after) } = life.state() else {
        panic!("{:?}", life.state());
    };
    assert!(after.contains("no answer"), "{after}");
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
    life.on(Event::Checked(Ok(())), at);
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
        life.on(Event::Checked(Ok(())), now);
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
    assert_eq!(*life.state(), State::Cold { after: None });
}

#[test]
fn a_large_or_old_process_is_replaced_only_where_nobody_loses_anything() {
    let rules = Rules {
        max_age: Some(seconds(10_000)),
        ..Rules::default()
    };
    let large = Some(1_000_000_001);
    let small = Some(1_000_000_000);
    for (resident, stateful, restorable, now, expected) in [
        (small, false, true, 9_999, vec![]),
        (None, false, true, 9_999, vec![]),
        (
            large,
            false,
            true,
            1,
            vec![Effect::EndProcess, Effect::StartProcess],
        ),
        (
            small,
            false,
            true,
            10_000,
            vec![Effect::EndProcess, Effect::StartProcess],
        ),
        (large, true, true, 1, vec![Effect::WarnOfSize]),
        (large, false, false, 1, vec![Effect::WarnOfSize]),
        (small, true, true, 10_000, vec![Effect::WarnOfSize]),
    ] {
        let mut life = signed_in(rules.clone());
        let inspection = Inspection {
            resident,
            stateful,
            restorable,
        };
        let effects = life.on(Event::Inspected(inspection), seconds(now));
        assert_eq!(effects, expected, "{inspection:?} at {now}");
        if expected == [Effect::WarnOfSize] {
            let again = life.on(Event::Inspected(inspection), seconds(now));
            assert_eq!(again, [], "said once");
        }
    }
}
