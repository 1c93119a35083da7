#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::domain::module::Module;

fn call(name: &str) -> Command {
    Command {
        name: Some(name.to_owned()),
        kind: CommandKind::Unknown,
        qualifier: None,
        via: Via::Call,
        parameters: Vec::new(),
        arguments: Vec::new(),
        open: false,
        dotted: false,
        position: 0,
        place: Place {
            text: name.to_owned(),
            line: 2,
            column: 5,
        },
    }
}

fn with(name: &str, parameter: &str, value: &str) -> Command {
    Command {
        parameters: vec![Parameter {
            name: parameter.to_owned(),
            values: vec![value.to_owned()],
            json: None,
        }],
        ..call(name)
    }
}

fn commands(commands: Vec<Command>) -> Facts {
    Facts {
        commands,
        ..Facts::default()
    }
}

fn decide(own: &str, facts: Facts) -> Verdict {
    let policy = Policy::new(own).unwrap_or_else(|error| panic!("{error}"));
    policy.decide("contoso", Module::Exo, &facts)
}

fn decision(own: &str, command: Command) -> Decision {
    decide(own, commands(vec![command])).decision
}

/// Every block and warning of the original.
#[test]
fn what_the_original_blocked_is_blocked_and_what_it_warned_of_is_warned_of() {
    for name in [
        "Install-Module",
        "Uninstall-Module",
        "Update-Module",
        "Install-Package",
        "New-AzRoleAssignment",
        "Remove-AzRoleAssignment",
        "Set-AzKeyVaultAccessPolicy",
        "Remove-AzKeyVaultAccessPolicy",
        "New-AzADApplication",
        "Remove-AzADApplication",
        "New-AzADServicePrincipal",
        "Remove-AzADServicePrincipal",
    ] {
        assert_eq!(decision("", call(name)), Decision::Block, "{name}");
        assert_eq!(
            decision("", call(&name.to_uppercase())),
            Decision::Block,
            "{name}"
        );
    }
    for name in ["Invoke-RestMethod", "invoke-webrequest"] {
        let to_sign_in = with(name, "Uri", "https://login.microsoftonline.com/x/oauth2");
        assert_eq!(decision("", to_sign_in), Decision::Block, "{name}");
    }
    for name in [
        "Remove-AzVM",
        "Remove-Mailbox",
        "Remove-PnPListItem",
        "Remove-Team",
    ] {
        assert_eq!(decision("", call(name)), Decision::Warn, "{name}");
    }
    assert_eq!(
        decision("", with("Set-Mailbox", "ForwardingSmtpAddress", "a@b")),
        Decision::Warn
    );
    assert_eq!(
        decision("", with("Set-InboxRule", "ForwardTo", "a@b")),
        Decision::Warn
    );
    assert_eq!(decision("", call("Get-Mailbox")), Decision::Allow);
    assert_eq!(
        decision("", with("Set-Mailbox", "DisplayName", "a")),
        Decision::Allow
    );
}

#[test]
fn the_beginning_of_a_parameters_name_is_the_parameter() {
    assert_eq!(
        decision("", with("Set-Mailbox", "ForwardingS", "a@b")),
        Decision::Warn
    );
    let splatted = Command {
        open: true,
        ..call("Set-Mailbox")
    };
    assert_eq!(decision("", splatted), Decision::Warn);
}

#[test]
fn the_strictest_of_all_rules_holds_and_every_hit_says_why_and_where() {
    let verdict = decide(
        "",
        commands(vec![
            call("Remove-Mailbox"),
            call("Send-MgUserMail"),
            call("Install-Module"),
        ]),
    );
    assert_eq!(verdict.decision, Decision::Block);
    let ids: Vec<&str> = verdict.rules.iter().map(|hit| hit.id.as_str()).collect();
    assert_eq!(ids, ["module-install", "send", "remove-mailbox"]);
    for hit in &verdict.rules {
        assert_eq!((hit.line, hit.column), (2, 5));
        assert!(!hit.reason.is_empty() && !hit.instead.is_empty() && !hit.text.is_empty());
    }
}

#[test]
fn a_yes_to_a_send_may_be_the_assistants_and_to_anything_else_is_a_persons() {
    let send = || call("Send-MgUserMail");
    let secret = || call("Get-AzKeyVaultSecret");
    let by = |own, facts| decide(own, commands(facts)).confirm_by;
    assert_eq!(by("", vec![send()]), ConfirmBy::Assistant);
    assert_eq!(by("", vec![secret()]), ConfirmBy::Person);
    assert_eq!(by("", vec![send(), secret()]), ConfirmBy::Person);
    assert_eq!(
        by("confirm_by = \"person\"", vec![send()]),
        ConfirmBy::Person
    );
    assert_eq!(
        by(
            "[connection.contoso]\nconfirm_by = \"assistant\"",
            vec![secret()]
        ),
        ConfirmBy::Assistant
    );
}

#[test]
fn a_module_alias_is_the_command_it_stands_for() {
    assert_eq!(
        decision("", call("new-azadserviceprincipalcredential")),
        Decision::Block
    );
    let own = "[aliases]\nzap = \"Install-Module\"";
    assert_eq!(decision(own, call("Zap")), Decision::Block);
}

#[test]
fn read_only_lets_reading_through_and_nothing_else() {
    let own = "read_only = true";
    for (name, expected) in [
        ("Get-Mailbox", Decision::Allow),
        ("Search-UnifiedAuditLog", Decision::Allow),
        ("Where-Object", Decision::Allow),
        ("Set-Mailbox", Decision::Block),
        ("New-Thing", Decision::Block),
        ("Export-Csv", Decision::Block),
        ("Get-AzAccessToken", Decision::Block),
        ("Get-PnPAccessToken", Decision::Block),
        ("Get-AzKeyVaultSecret", Decision::Block),
    ] {
        assert_eq!(decision(own, call(name)), expected, "{name}");
    }
    let relaxed = "read_only = true\n[[relax]]\nrule = \"access-tokens\"\ndecision = \"allow\"";
    assert_eq!(
        decision(relaxed, call("Get-AzAccessToken")),
        Decision::Block
    );
}

#[test]
fn the_named_connection_or_module_goes_before_what_holds_for_all() {
    let policy = Policy::new(
        "read_only = true\n[connection.contoso]\nread_only = false\n[module.teams]\nread_only = true",
    )
    .unwrap();
    assert!(!policy.is_read_only("contoso", Module::Exo));
    assert!(policy.is_read_only("contoso", Module::Teams));
    assert!(policy.is_read_only("fabrikam", Module::Exo));
}

#[test]
fn a_file_adds_and_relaxes_rules_for_all_or_for_one() {
    let own = r#"
        [[relax]]
        rule = "remove-mailbox"
        decision = "allow"
        [[connection.contoso.rule]]
        id = "no-journal"
        decision = "block"
        reason = "it is kept by law"
        commands = ["Set-JournalRule"]
        [[module.pnp.relax]]
        rule = "module-install"
        decision = "warn"
    "#;
    assert_eq!(decision(own, call("Remove-Mailbox")), Decision::Allow);
    let policy = Policy::new(own).unwrap();
    let of = |connection: &str, module, name| {
        policy
            .decide(connection, module, &commands(vec![call(name)]))
            .decision
    };
    assert_eq!(
        of("contoso", Module::Exo, "Set-JournalRule"),
        Decision::Block
    );
    assert_eq!(
        of("fabrikam", Module::Exo, "Set-JournalRule"),
        Decision::Allow
    );
    assert_eq!(of("contoso", Module::Pnp, "Install-Module"), Decision::Warn);
    assert_eq!(
        of("contoso", Module::Exo, "Install-Module"),
        Decision::Block
    );
    let barrier = |module| policy.barrier("contoso", module);
    assert!(barrier(Module::Exo).contains(&"install-module".to_owned()));
    assert!(barrier(Module::Exo).contains(&"set-journalrule".to_owned()));
    assert!(!barrier(Module::Pnp).contains(&"install-module".to_owned()));
}

#[test]
fn only_names_that_are_refused_whatever_they_get_stand_in_the_barrier() {
    let barrier = Policy::new("").unwrap().barrier("contoso", Module::Exo);
    assert!(barrier.contains(&"get-azaccesstoken".to_owned()));
    for not in [
        "invoke-restmethod",
        "import-module",
        "pwsh*",
        "remove-mailbox",
    ] {
        assert!(!barrier.contains(&not.to_owned()), "{not}");
    }
}

#[test]
fn a_broken_file_says_where() {
    for (own, line, column, says) in [
        ("read_only = \"yes\"", 1, 13, "invalid type"),
        ("\n  nonsense = 1", 2, 3, "unknown field"),
        (
            "[[relax]]\nrule = \"nothing\"\ndecision = \"warn\"",
            2,
            8,
            "no rule",
        ),
        ("[module.word]\nread_only = true", 1, 9, "unknown module"),
        (
            "[[test]]\ncommand = \"a\"\ndecision = \"maybe\"",
            3,
            12,
            "maybe",
        ),
        (
            "[[rule]]\nid = \"send\"\ndecision = \"warn\"\nreason = \"r\"\ncommands = []",
            2,
            6,
            "another rule's",
        ),
        (
            "\n[[rule]]\nid = \"mine\"\ndecision = \"warn\"\nreason = \"r\"",
            2,
            1,
            "exactly one",
        ),
        ("a = [", 1, 6, ""),
    ] {
        let error = Policy::new(own).unwrap_err();
        assert_eq!((error.line, error.column), (line, column), "{own}: {error}");
        assert!(error.message.contains(says), "{own}: {error}");
    }
}

#[test]
fn tests_of_a_file_have_their_place() {
    let policy =
        Policy::new("\n[[test]]\ncommand = \"Get-X\"\ndecision = \"allow\"\nmodule = \"pnp\"")
            .unwrap();
    let [test] = policy.tests() else {
        panic!("one test")
    };
    assert_eq!((test.line, test.module), (3, Module::Pnp));
}

#[test]
fn what_is_known_only_at_run_time_is_refused_by_name() {
    let unnamed = Command {
        name: None,
        ..call("& $x")
    };
    assert_eq!(decision("", unnamed), Decision::Block);
    let member = |name: Option<&str>, called| Facts {
        uses: vec![Use {
            kind: UseKind::Member {
                name: name.map(str::to_owned),
                called,
            },
            place: Place::default(),
        }],
        ..Facts::default()
    };
    assert_eq!(decide("", member(None, true)).decision, Decision::Block);
    assert_eq!(decide("", member(None, false)).decision, Decision::Allow);
    assert_eq!(
        decide("", member(Some("InvokeScript"), true)).decision,
        Decision::Block
    );
    assert_eq!(
        decide("", member(Some("ToString"), true)).decision,
        Decision::Allow
    );
}

#[test]
fn a_type_is_harmless_only_when_it_is_known_to_be() {
    let of = |name: &str, member: &str, value: &str| {
        let facts = Facts {
            uses: vec![Use {
                kind: UseKind::Type {
                    name: Some(name.to_owned()),
                    member: Some(member.to_owned()),
                    values: vec![value.to_owned()],
                },
                place: Place::default(),
            }],
            ..Facts::default()
        };
        decide("", facts).decision
    };
    assert_eq!(of("System.Math", "Round", ""), Decision::Allow);
    assert_eq!(of("System.String[]", "", ""), Decision::Allow);
    assert_eq!(of("Some.Other", "Do", ""), Decision::Confirm);
    assert_eq!(
        of("System.Diagnostics.Process", "Start", ""),
        Decision::Block
    );
    assert_eq!(
        of("System.IO.File", "ReadAllBytes", "/tmp/x.pfx"),
        Decision::Allow
    );
    assert_eq!(
        of("System.IO.File", "ReadAllBytes", "/root/.Azure/msal.cache"),
        Decision::Block
    );
    assert_eq!(
        of("System.IO.File", "ReadAllBytes", &ANYTHING.to_string()),
        Decision::Block
    );
}

#[test]
fn facts_are_read_from_the_checkers_json() {
    let facts: Facts = serde_json::from_str(
        r#"{"commands":[{"name":"Get-X","kind":"unknown","parameters":[{"name":"A","values":["1"]}],
            "arguments":[["b","c"]],"text":"Get-X","line":1,"column":1}],
            "uses":[{"use":"type","name":null,"member":"new","text":"t","line":1,"column":2}]}"#,
    )
    .unwrap();
    assert_eq!(facts.commands[0].arguments[0].values, ["b", "c"]);
    let again: Facts = serde_json::from_str(&serde_json::to_string(&facts).unwrap()).unwrap();
    assert_eq!(facts, again);
}
