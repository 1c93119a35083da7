//! Hundreds of commands with the decision that is expected of the default policy.

use session_pool::domain::policy::Decision;

use super::Judge;
use super::rewriting::{Call, Chance};
use crate::support::{Context, LONG, Needs, Suite, add};

const HARMLESS: &str = include_str!("../../corpus/harmless.txt");
const EVASIONS: &str = include_str!("../../corpus/evasions.txt");

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            harmless_commands_run,
            no_evasion_is_allowed,
            what_stands_around_a_command_does_not_weaken_the_decision,
            writing_a_command_differently_does_not_weaken_the_decision,
        ]
    );
}

fn cases(corpus: &str) -> Vec<(Decision, &str)> {
    corpus
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (decision, command) = line.split_once(' ').unwrap();
            let decision = serde_json::from_value(decision.into()).unwrap();
            (decision, command)
        })
        .collect()
}

async fn wrong(cx: &Context, cases: &[(Decision, &str)]) -> Vec<String> {
    let mut judge = Judge::new(cx, "").await;
    let mut wrong = Vec::new();
    for (expected, command) in cases {
        let verdict = judge.decide(command).await;
        if verdict.decision != *expected {
            let rules: Vec<_> = verdict.rules.iter().map(|hit| hit.id.as_str()).collect();
            wrong.push(format!(
                "{command}\n    is {} by {rules:?}, not {expected}",
                verdict.decision
            ));
        }
    }
    judge.end().await;
    wrong
}

async fn harmless_commands_run(cx: &Context) {
    let cases = cases(HARMLESS);
    assert!(cases.len() >= 200, "{} commands", cases.len());
    let stopped = cases
        .iter()
        .filter(|(decision, _)| decision.stops())
        .count();
    assert!(stopped * 50 <= cases.len(), "{stopped} are stopped");
    let wrong = wrong(cx, &cases).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn no_evasion_is_allowed(cx: &Context) {
    let cases = cases(EVASIONS);
    assert!(cases.len() >= 100, "{} commands", cases.len());
    assert!(
        cases
            .iter()
            .all(|(decision, _)| *decision != Decision::Allow)
    );
    let wrong = wrong(cx, &cases).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Ways to write the same command. What stands in front of or around it must not matter.
const WRITINGS: [fn(&str) -> String; 10] = [
    |command| format!("  {command}  "),
    |command| format!("\n\n{command}\n"),
    |command| format!("# a comment\n{command} # another"),
    |command| format!("& {{ {command} }}"),
    |command| format!(". {{ {command} }}"),
    |command| format!("if ($true) {{ {command} }}"),
    |command| format!("$null = $({command})"),
    |command| format!("Get-Date; {command}; Get-Date"),
    |command| format!("try {{ {command} }} catch {{ }} finally {{ }}"),
    |command| format!("foreach ($one in 1) {{ {command} }}"),
];

async fn what_stands_around_a_command_does_not_weaken_the_decision(cx: &Context) {
    let mut judge = Judge::new(cx, "").await;
    for (expected, command) in cases(EVASIONS).into_iter().chain(cases(HARMLESS)) {
        // A `using` statement stands first or not at all, and a background job ends its line.
        if command.starts_with("using") || command.ends_with('&') {
            continue;
        }
        for write in WRITINGS {
            let written = write(command);
            let decision = judge.decide(&written).await.decision;
            assert!(
                decision >= expected,
                "{written}\n    is {decision}, not {expected}"
            );
        }
    }
    judge.end().await;
}

/// Other ways to write each command of the corpus; the long form tries many more.
const REWRITINGS: u64 = 2;
const REWRITINGS_LONG: u64 = 200;

/// Case, aliases, backticks, white space, quotes, qualifiers, dashes, abbreviated parameters and
/// splatting, by chance.
async fn writing_a_command_differently_does_not_weaken_the_decision(cx: &Context) {
    let (rounds, first) = match std::env::var_os(LONG) {
        Some(_) => (REWRITINGS_LONG, std::process::id().into()),
        None => (REWRITINGS, 1),
    };
    let mut judge = Judge::new(cx, "").await;
    let mut weaker = Vec::new();
    let mut written = 0;
    for (number, (expected, command)) in cases(EVASIONS)
        .into_iter()
        .chain(cases(HARMLESS))
        .enumerate()
    {
        // Every command of a pipeline that a script has one of, from its name to its end.
        let parts: Vec<&str> = command.split(" | ").collect();
        let calls: Option<Vec<_>> = parts.iter().map(|part| Call::read(part)).collect();
        let Some(calls) = calls.filter(|_| !command.contains([';', '&', '=', '>', '<', ',']))
        else {
            continue;
        };
        for round in 0..rounds {
            let seed = first + number as u64 * rounds + round;
            let mut chance = Chance::new(seed);
            let texts: Vec<_> = calls.iter().map(|call| call.rewrite(&mut chance)).collect();
            // A definition or a table stands before the whole pipeline.
            let mut front = String::new();
            let mut pipeline = Vec::new();
            for text in texts {
                match text.rsplit_once("; ") {
                    Some((before, call)) => {
                        front.push_str(&format!("{before}; "));
                        pipeline.push(call.to_owned());
                    }
                    None => pipeline.push(text),
                }
            }
            // Two commands cannot have the same alias or table.
            if front.matches("zz9").count() > 1 {
                continue;
            }
            let text = front + &pipeline.join(" | ");
            let verdict = judge.decide(&text).await;
            written += 1;
            if verdict.decision < expected {
                weaker.push(format!(
                    "{text}\n    is {}, not {expected} (seed {seed}): {command}",
                    verdict.decision
                ));
            }
        }
    }
    judge.end().await;
    assert!(
        weaker.is_empty(),
        "{} of {written}:\n{}",
        weaker.len(),
        weaker.join("\n")
    );
    assert!(written >= 300, "only {written} were written differently");
}
