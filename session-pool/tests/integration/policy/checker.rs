//! The checker process: what it reports, and what becomes of it.

use std::time::Duration;

use rustix::process::{Pid, Signal};
use session_pool::domain::policy::{CommandKind, Facts, UseKind, Via};
use session_pool::host::checker::{CheckError, Checker};

use super::WITHIN;
use crate::support::{Context, Needs, Suite, add, group_is_gone};

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Pwsh,
        [
            names_are_resolved_and_places_told,
            values_are_told_as_far_as_they_are_constant,
            definitions_count_as_uses,
            types_and_members_are_told,
            a_text_is_never_run,
            a_huge_text_and_a_broken_one_are_answered,
            a_checker_that_hangs_or_dies_is_no_answer,
        ]
    );
}

async fn facts(checker: &mut Checker, text: &str) -> Facts {
    let facts = checker.facts(text, WITHIN).await;
    facts.unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn names(facts: &Facts) -> Vec<Option<&str>> {
    facts
        .commands
        .iter()
        .map(|command| command.name.as_deref())
        .collect()
}

async fn names_are_resolved_and_places_told(cx: &Context) {
    let mut checker = Checker::start(&cx.spec(), &cx.reaper).await.unwrap();
    let found = facts(
        &mut checker,
        "gci |\n  % { exo\\get-Mailbox }; & $x; /bin/ls",
    )
    .await;
    assert_eq!(
        names(&found),
        [
            Some("Get-ChildItem"),
            Some("ForEach-Object"),
            Some("get-Mailbox"),
            None,
            Some("ls")
        ]
    );
    let each = &found.commands[1];
    assert_eq!((each.position, each.kind), (1, CommandKind::Cmdlet));
    assert_eq!((each.place.line, each.place.column), (2, 3));
    assert_eq!(found.commands[2].qualifier.as_deref(), Some("exo"));
    assert_eq!(found.commands[4].kind, CommandKind::Native);
    checker.kill().await;
}

async fn values_are_told_as_far_as_they_are_constant(cx: &Context) {
    let mut checker = Checker::start(&cx.spec(), &cx.reaper).await.unwrap();
    let text = "$p = @{ B = 'x', 'y' }; Do-It 1 -A:'v' -C $c @p; Do-It @q";
    let found = facts(&mut checker, text).await;
    let first = &found.commands[0];
    let values: Vec<_> = first
        .parameters
        .iter()
        .map(|parameter| (parameter.name.as_str(), parameter.values.join("|")))
        .collect();
    let expected = [
        ("A", "v".to_owned()),
        ("C", "\u{FFFC}".to_owned()),
        ("B", "x|y".to_owned()),
    ];
    assert_eq!(values, expected);
    assert_eq!(first.arguments[0].values, ["1"]);
    assert!(!first.open && found.commands[1].open);
    // What is not certain counts as what is possible, and as anything.
    for text in [
        "$p = @{ A = 'x', \"y$z\" }; Do-It @p",
        "$p = @{ A = 1 }; $p.B = 2; Do-It @p",
        "if ($x) { $p = @{ A = 1 } }; Do-It @p",
        "$p = @{ A = 1 }; Call-Something; Do-It @p",
        "$p = @{ A = 1 }; foreach ($x in 1) { Do-It @p }",
    ] {
        let found = facts(&mut checker, text).await;
        let last = found.commands.last().unwrap();
        assert!(
            last.open && last.parameters[0].name == "A",
            "{text}: {last:?}"
        );
    }
    checker.kill().await;
}

async fn definitions_count_as_uses(cx: &Context) {
    let mut checker = Checker::start(&cx.spec(), &cx.reaper).await.unwrap();
    for text in [
        "Set-Alias a Remove-Mailbox",
        "function Remove-Mailbox { }",
        "Get-Item function:Remove-Mailbox",
        "${function:Remove-Mailbox}",
        "${function:Remove-Mailbox} = { }",
        "New-Item alias:a -Value Remove-Mailbox",
        "Copy-Item Function::Remove-Mailbox function:b",
    ] {
        let found = facts(&mut checker, text).await;
        assert!(
            found.commands.iter().any(|command| {
                command.via == Via::Definition && command.name.as_deref() == Some("Remove-Mailbox")
            }),
            "{text}: {found:?}"
        );
    }
    checker.kill().await;
}

async fn types_and_members_are_told(cx: &Context) {
    let mut checker = Checker::start(&cx.spec(), &cx.reaper).await.unwrap();
    let text = "[math]::Round($x.Length, 2); $x.$m(); $t::Go(); New-Object Net.WebClient; $env:A = 1; 1 > a";
    let found = facts(&mut checker, text).await;
    let uses: Vec<_> = found.uses.iter().map(|found| &found.kind).collect();
    let has = |kind: UseKind| assert!(uses.contains(&&kind), "{kind:?} in {uses:?}");
    let text = |text: &str| Some(text.to_owned());
    has(UseKind::Type {
        name: text("System.Math"),
        member: text("Round"),
        values: vec!["\u{FFFC}".to_owned(), "2".to_owned()],
    });
    has(UseKind::Member {
        name: text("Length"),
        called: false,
    });
    has(UseKind::Member {
        name: None,
        called: true,
    });
    has(UseKind::Type {
        name: None,
        member: text("Go"),
        values: vec![],
    });
    has(UseKind::Type {
        name: text("System.Net.WebClient"),
        member: text("new"),
        values: vec!["Net.WebClient".to_owned()],
    });
    has(UseKind::Variable {
        name: "env:A".to_owned(),
        assigned: true,
    });
    has(UseKind::Redirection {
        target: "a".to_owned(),
    });
    checker.kill().await;
}

async fn a_text_is_never_run(cx: &Context) {
    let mut checker = Checker::start(&cx.spec(), &cx.reaper).await.unwrap();
    let file = cx.path().join("ran");
    let text = format!(
        "Set-Content {0} x; [IO.File]::WriteAllText('{0}', 'x'); $(ni {0}); \"$(ni {0})\"; \
         New-Object \"x$(ni {0})\"; Import-Module (ni {0}); class A {{ static $b = (ni {0}) }}",
        file.display()
    );
    facts(&mut checker, &text).await;
    assert!(!file.exists());
    checker.kill().await;
}

async fn a_huge_text_and_a_broken_one_are_answered(cx: &Context) {
    let mut checker = Checker::start(&cx.spec(), &cx.reaper).await.unwrap();
    let huge = facts(&mut checker, &"Get-Date; ".repeat(500)).await;
    assert_eq!(huge.commands.len(), 500);
    for broken in [
        "", " ", "\0", "Get-X {", "'", "@'", "[", "a | | b", "\u{FFFC}",
    ] {
        facts(&mut checker, broken).await;
    }
    assert_eq!(
        names(&facts(&mut checker, "Get-Date").await),
        [Some("Get-Date")]
    );
    checker.kill().await;
}

async fn a_checker_that_hangs_or_dies_is_no_answer(cx: &Context) {
    let mut checker = Checker::start(&cx.spec(), &cx.reaper).await.unwrap();
    let pid = Pid::from_raw(checker.pid().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::STOP).unwrap();
    let late = checker.facts("1", Duration::from_millis(50)).await;
    assert!(matches!(late, Err(CheckError::Late(_))), "{late:?}");
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
    let dead = checker.facts("1", WITHIN).await;
    assert!(matches!(dead, Err(CheckError::Host(_))), "{dead:?}");
    let group = checker.pid();
    checker.kill().await;
    assert!(group_is_gone(group));
}
