//! Whether a command could leave something behind in its session: variables, functions, aliases, a
//! location, a subscription.
//!
//! The session itself is asked too, but a command can make it lie, and one that is cut off leaves
//! it no time to answer. So the facts of the command's text decide before it runs, and err on the
//! side of yes: the price is that a later command has to be sent twice.

use super::policy::{ANYTHING, Command, CommandKind, Facts, Use, UseKind, Via};

/// Commands that give a name a meaning, or may: what they are given does not matter.
const DEFINING: [&str; 20] = [
    "set-variable",
    "new-variable",
    "set-alias",
    "new-alias",
    "import-alias",
    "invoke-expression",
    "invoke-history",
    "import-module",
    "new-module",
    "import-pssession",
    "import-localizeddata",
    "set-item",
    "new-item",
    "copy-item",
    "move-item",
    "rename-item",
    "set-content",
    "add-content",
    "tee-object",
    "new-psdrive",
];

/// Commands that choose where or on whom those after them act.
const CHOOSING: [&str; 19] = [
    "set-location",
    "push-location",
    "pop-location",
    // Az; the aliases are the modules' own, which the checker does not know.
    "set-azcontext",
    "select-azcontext",
    "select-azsubscription",
    "import-azcontext",
    "set-azdefault",
    "clear-azdefault",
    "use-azprofile",
    "select-azprofile",
    "set-pnpcontext",
    // Another sign-in than the pool's.
    "connect-azaccount",
    "login-azaccount",
    "add-azaccount",
    "connect-pnponline",
    "connect-exchangeonline",
    "connect-ippssession",
    "connect-microsoftteams",
];

/// Parameters that name a variable, and how many of their letters tell them from others. The first
/// five are every cmdlet's (about_CommonParameters), the others of `Invoke-RestMethod`.
const NAMING: [(&str, usize); 8] = [
    ("outvariable", 4),
    ("errorvariable", 6),
    ("warningvariable", 8),
    ("informationvariable", 12),
    ("pipelinevariable", 2),
    ("sessionvariable", 8),
    ("responseheadersvariable", 3),
    ("statuscodevariable", 7),
];
const NAMING_ALIASES: [&str; 7] = ["ov", "ev", "wv", "iv", "pv", "sv", "rhv"];

/// Types whose members set nothing; of others that is not known. Casts need no entry.
const HARMLESS_TYPES: [&str; 26] = [
    "system.string",
    "system.char",
    "system.boolean",
    "system.byte",
    "system.int",
    "system.uint",
    "system.single",
    "system.double",
    "system.decimal",
    "system.numerics.",
    "system.array",
    "system.enum",
    "system.datetime",
    "system.timespan",
    "system.timezoneinfo",
    "system.globalization.",
    "system.guid",
    "system.math",
    "system.random",
    "system.version",
    "system.convert",
    "system.uri",
    "system.text.",
    "system.io.path",
    "system.collections.",
    "system.net.webutility",
];

/// Members through which a text reaches the engine, with what a session knows in its hands.
const REACHING: [&str; 15] = [
    "invoke",
    "dynamicinvoke",
    "begininvoke",
    "sessionstate",
    "psvariable",
    "getmethod",
    "getfield",
    "getproperty",
    "getmember",
    "getconstructor",
    "getruntime",
    "assembly",
    "addscript",
    "addcommand",
    "runspace",
];

/// Whether a command of these facts may set variables, functions or aliases, or change the location or
/// the subscription.
pub fn may_set_state(facts: &Facts) -> bool {
    facts.commands.iter().any(command_may) || facts.uses.iter().any(use_may)
}

fn command_may(command: &Command) -> bool {
    match command.via {
        // It is among the uses, too.
        Via::Definition => return true,
        // In a process of its own.
        Via::Background => return false,
        Via::Call => {}
    }
    let Some(name) = command.name.as_deref() else {
        return true;
    };
    let name = name.to_lowercase();
    let names_variable = |parameter: &str| {
        let parameter = parameter.to_lowercase();
        parameter.ends_with("variable")
            || NAMING_ALIASES.contains(&parameter.as_str())
            || NAMING
                .iter()
                .any(|(whole, least)| parameter.len() >= *least && whole.starts_with(&parameter))
    };
    command.dotted
        || command.open
        || command.kind == CommandKind::Script
        || DEFINING.contains(&name.as_str())
        || CHOOSING.contains(&name.as_str())
        || command
            .parameters
            .iter()
            .any(|parameter| names_variable(&parameter.name))
}

fn use_may(found: &Use) -> bool {
    let begins = |name: &str, list: &[&str]| {
        let name = name.to_lowercase();
        list.iter().any(|beginning| name.starts_with(beginning))
    };
    match &found.kind {
        UseKind::Definition { .. } => true,
        UseKind::Variable { name, assigned } => {
            // The defaults of all parameters can be changed without an assignment.
            *assigned || begins(name, &["executioncontext", "psdefaultparametervalues"])
        }
        UseKind::Type {
            name: Some(name),
            member: Some(member),
            ..
        } => {
            // `[ref] $x` hands the variable out.
            let reference = name.eq_ignore_ascii_case("System.Management.Automation.PSReference");
            reference || (!member.is_empty() && !begins(name, &HARMLESS_TYPES))
        }
        UseKind::Type { .. } => true,
        UseKind::Member { name, .. } => name.as_deref().is_none_or(|name| begins(name, &REACHING)),
        UseKind::Redirection { target } => {
            target.contains(ANYTHING)
                || ["variable:", "function:", "alias:"]
                    .iter()
                    .any(|drive| target.to_lowercase().contains(drive))
        }
        UseKind::Using { name } => !begins(name, &["namespace:"]),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn facts(json: serde_json::Value) -> Facts {
        let place = serde_json::json!({"text": "", "line": 1, "column": 1});
        let mut facts = json;
        for list in ["commands", "uses"] {
            let entries = facts.get_mut(list).and_then(|list| list.as_array_mut());
            for entry in entries.into_iter().flatten() {
                let entry = entry.as_object_mut().unwrap();
                entry.extend(place.as_object().unwrap().clone());
            }
        }
        serde_json::from_value(facts).unwrap()
    }

    fn may(json: serde_json::Value) -> bool {
        may_set_state(&facts(json))
    }

    #[test]
    fn what_only_asks_leaves_nothing() {
        for asks in [
            serde_json::json!({}),
            serde_json::json!({"commands": [
                {"name": "Get-Mailbox", "kind": "unknown", "parameters": [{"name": "ResultSize", "values": ["5"]}]},
                {"name": "Where-Object", "kind": "cmdlet", "position": 1},
            ], "uses": [{"use": "member", "name": "Name", "called": false}]}),
            serde_json::json!({"commands": [{"name": "ls", "kind": "native"}]}),
            serde_json::json!({"commands": [{"name": "Start-Job", "kind": "cmdlet", "via": "background"}]}),
            serde_json::json!({"uses": [
                {"use": "type", "name": "System.Math", "member": "Round"},
                {"use": "type", "name": "System.Management.Automation.PSCustomObject", "member": ""},
                {"use": "variable", "name": "ids", "assigned": false},
                {"use": "redirection", "target": "list.txt"},
                {"use": "using", "name": "namespace:System.Text"},
            ]}),
        ] {
            assert!(!may(asks.clone()), "{asks}");
        }
    }

    #[test]
    fn what_gives_a_name_a_meaning_is_noticed_however_it_is_done() {
        let parameter = |name: &str| {
            serde_json::json!({"commands": [
                {"name": "Get-Mailbox", "kind": "unknown", "parameters": [{"name": name}]}
            ]})
        };
        for sets in [
            serde_json::json!({"uses": [{"use": "variable", "name": "ids", "assigned": true}]}),
            serde_json::json!({"uses": [{"use": "definition", "what": "function", "name": "f"}]}),
            serde_json::json!({"uses": [{"use": "redirection", "target": "variable:ids"}]}),
            serde_json::json!({"uses": [{"use": "using", "name": "module:Mine"}]}),
            serde_json::json!({"commands": [{"name": "Set-Variable", "kind": "cmdlet"}]}),
            serde_json::json!({"commands": [{"name": "Import-Module", "kind": "cmdlet"}]}),
            serde_json::json!({"commands": [{"name": "x", "kind": "unknown", "dotted": true}]}),
            serde_json::json!({"commands": [{"name": "x", "kind": "unknown", "open": true}]}),
            serde_json::json!({"commands": [{"name": "x.ps1", "kind": "script"}]}),
            serde_json::json!({"commands": [{"name": null, "kind": "unknown"}]}),
            parameter("OutVariable"),
            parameter("outv"),
            parameter("ev"),
            parameter("PipelineVar"),
        ] {
            assert!(may(sets.clone()), "{sets}");
        }
        assert!(!may(parameter("Out")), "it is no parameter of its own");
        assert!(!may(parameter("Session")));
    }

    #[test]
    fn a_choice_of_where_to_act_is_noticed() {
        for name in [
            "Set-Location",
            "Pop-Location",
            "Set-AzContext",
            "Select-AzSubscription",
            "Connect-AzAccount",
            "Set-PnPContext",
        ] {
            let command = serde_json::json!({"name": name, "kind": "unknown"});
            assert!(may(serde_json::json!({"commands": [command]})), "{name}");
        }
        let asks = serde_json::json!({"commands": [{"name": "Get-AzContext", "kind": "unknown"}]});
        assert!(!may(asks));
    }

    #[test]
    fn what_reaches_the_engine_could_set_anything() {
        for reaches in [
            serde_json::json!({"use": "type", "name": "System.Management.Automation.Runspaces.Runspace", "member": "DefaultRunspace"}),
            serde_json::json!({"use": "type", "name": null, "member": "x"}),
            serde_json::json!({"use": "member", "name": "GetMethod", "called": true}),
            serde_json::json!({"use": "member", "name": null, "called": true}),
            serde_json::json!({"use": "variable", "name": "ExecutionContext", "assigned": false}),
            serde_json::json!({"use": "type", "name": "System.Management.Automation.PSReference", "member": ""}),
        ] {
            assert!(may(serde_json::json!({"uses": [reaches]})), "{reaches}");
        }
    }
}
