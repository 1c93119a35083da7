#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::module::Module;

const APP: &str = "11111111-2222-3333-4444-555555555555";
const TENANT: &str = "99999999-8888-7777-6666-555555555555";

fn parse(connections: serde_json::Value) -> Result<Registry, RegistryError> {
    Registry::parse(&json!({ "connections": connections }).to_string())
}

/// The problems of a registry as `connection|key`.
fn problems(text: &str) -> Vec<String> {
    match Registry::parse(text) {
        Err(RegistryError::Problems(problems)) => problems
            .iter()
            .map(|problem| {
                format!(
                    "{}|{}",
                    problem.connection,
                    problem.key.as_deref().unwrap_or_default()
                )
            })
            .collect(),
        other => panic!("no problems: {other:?}"),
    }
}

#[test]
fn reads_what_the_original_wrote() {
    let registry = Registry::parse(
        &json!({
            "_knownModuleApps": {"pnp": "anything"},
            "connections": {
                "Contoso-GA": {
                    "appId": APP,
                    "tenant": "Contoso.onmicrosoft.com",
                    "tenantId": TENANT,
                    "expectedEmail": "admin@contoso.com",
                    "description": "Contoso Global Admin",
                    "sharepoint_host": "contoso",
                    "skipSendGuards": true,
                    "skipSignatureStrip": true,
                    "mcps": ["mm"],
                    "moduleApps": {"pnp": TENANT, "somethingElse": 7},
                    "aKeyOfTomorrow": {"deep": []},
                },
                "Bare": {},
            },
        })
        .to_string(),
    )
    .unwrap();

    let names: Vec<_> = registry.connections().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["Bare", "Contoso-GA"]);
    let contoso = registry.get("Contoso-GA").unwrap();
    assert_eq!(contoso.app_for(Module::Exo).unwrap().to_string(), APP);
    assert_eq!(contoso.app_for(Module::Pnp).unwrap().to_string(), TENANT);
    assert_eq!(contoso.tenant.as_deref(), Some("contoso.onmicrosoft.com"));
    assert_eq!(contoso.tenant_for_sign_in().as_deref(), Some(TENANT));
    assert_eq!(contoso.expected_email.as_deref(), Some("admin@contoso.com"));
    assert!(contoso.skip_send_guards && contoso.skip_signature_strip);
    assert_eq!(contoso.mcps, ["mm"]);
    assert_eq!(contoso.cloud, Cloud::Global);
    assert_eq!(contoso.modules(), Module::ALL);
    assert_eq!(
        registry.get("Bare").unwrap().modules(),
        [Module::Exo, Module::Azure, Module::Teams]
    );
}

#[test]
fn a_module_that_cannot_be_used_says_what_is_missing() {
    for (connection, remedy) in [
        (json!({"tenant": "contoso.com"}), "appId"),
        (json!({"appId": APP}), "sharepoint_host"),
        (json!({"appId": APP, "tenant": TENANT}), "sharepoint_host"),
    ] {
        let registry = parse(json!({"a": connection})).unwrap();
        let error = registry.get("a").unwrap().check(Module::Pnp).unwrap_err();
        assert!(error.to_string().contains(remedy), "{error}");
    }
}

#[test]
fn every_problem_names_connection_and_key() {
    for (connection, key) in [
        (json!({"appId": "not a guid"}), "appId"),
        (json!({"appId": 7}), "appId"),
        (json!({"tenantId": "contoso.com"}), "tenantId"),
        (json!({"tenant": "contoso.com; Remove-Mailbox"}), "tenant"),
        (json!({"tenant": "a..b"}), "tenant"),
        (
            json!({"delegatedOrganization": "a@b.com"}),
            "delegatedOrganization",
        ),
        (json!({"expectedEmail": "nobody"}), "expectedEmail"),
        (json!({"expectedEmail": "a@b@c"}), "expectedEmail"),
        (json!({"expectedEmail": "a b@c"}), "expectedEmail"),
        (json!({"description": []}), "description"),
        (json!({"skipSendGuards": "false"}), "skipSendGuards"),
        (json!({"skipSignatureStrip": 1}), "skipSignatureStrip"),
        (json!({"mcps": "mm"}), "mcps"),
        (json!({"mcps": [1]}), "mcps"),
        (json!({"moduleApps": []}), "moduleApps"),
        (json!({"moduleApps": {"pnp": "x"}}), "moduleApps.pnp"),
        (json!({"cloud": "germany"}), "cloud"),
        (json!({"cloud": 1}), "cloud"),
        (
            json!({"cloud": {"login": "http://login.example"}}),
            "cloud.login",
        ),
        (json!({"cloud": {"graph": "nonsense"}}), "cloud.graph"),
        (json!({"cloud": {"flow": 1}}), "cloud.flow"),
        (
            json!({"sharepoint_host": "evil.example"}),
            "sharepoint_host",
        ),
        (
            json!({"sharepoint_host": "contoso.sharepoint.us"}),
            "sharepoint_host",
        ),
        (json!({"sharepoint_host": "a/b"}), "sharepoint_host"),
        (json!("text"), ""),
    ] {
        let text = json!({"connections": {"a": connection}}).to_string();
        assert_eq!(problems(&text), [format!("a|{key}")], "{text}");
    }
}

#[test]
fn all_problems_are_told_at_once_and_no_value_is_repeated() {
    let text = r#"{"connections":{
        "a": {"appId": "hunter2", "tenant": "hunter2!", "cloud": "hunter2"},
        "b": {"expectedEmail": "hunter2"}
    }}"#;
    assert_eq!(
        problems(text),
        ["a|appId", "a|tenant", "a|cloud", "b|expectedEmail"]
    );
    let message = Registry::parse(text).unwrap_err().to_string();
    assert!(!message.contains("hunter2"), "{message}");
    assert!(
        message.starts_with("the registry has 4 problems to correct: connection \"a\", \"appId\"")
    );
}

#[test]
fn names_that_share_files_are_refused() {
    for (first, second) in [
        ("Contoso", "contoso"),
        ("a b", "a_b"),
        ("a.b", "A_B"),
        ("same", "same"),
        ("Contoso", "contoso-flow"),
        ("Contoso-Flow", "Contoso"),
    ] {
        let text = format!(r#"{{"connections":{{"{first}":{{}},"{second}":{{}}}}}}"#);
        assert_eq!(problems(&text), [format!("{second}|")]);
        let message = Registry::parse(&text).unwrap_err().to_string();
        assert!(message.contains(&format!("{first:?}")), "{message}");
    }
    for (first, second) in [
        ("a", "b"),
        ("a-flow", "b"),
        ("a", "a-flows"),
        ("a", "a-flow-flow"),
    ] {
        assert!(
            parse(json!({first: {}, second: {}})).is_ok(),
            "{first} {second}"
        );
    }
}

#[test]
fn a_broken_text_says_where() {
    for (text, line, column) in [
        ("", 1, 0),
        ("{", 1, 1),
        ("{\"connections\":\n  {\"a\": }}", 2, 9),
        ("{\"connections\": {}} x", 1, 21),
    ] {
        let error = Registry::parse(text).unwrap_err();
        let RegistryError::Syntax {
            line: at_line,
            column: at_column,
            ..
        } = &error
        else {
            panic!("{text:?}: {error:?}");
        };
        assert_eq!((*at_line, *at_column), (line, column), "{text:?}");
        assert!(
            error
                .to_string()
                .contains(&format!("line {line} column {column}"))
        );
    }
    for text in [
        "[]",
        "{}",
        "\"hunter2\"",
        "{\"connections\": \"hunter2\"}",
        "{\"connections\": null}",
    ] {
        let error = Registry::parse(text).unwrap_err();
        assert!(
            matches!(error, RegistryError::Shape { .. }),
            "{text}: {error:?}"
        );
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[test]
fn absent_null_and_empty_are_the_same() {
    let empty = parse(json!({"a": {}})).unwrap();
    let null =
        parse(json!({"a": {"appId": null, "tenant": "", "cloud": null, "mcps": null}})).unwrap();
    assert_eq!(empty, null);
    let with_mark = format!("\u{feff}{}", json!({"connections": {"a": {}}}));
    assert_eq!(Registry::parse(&with_mark).unwrap(), empty);
}

#[test]
fn sharepoint_hosts_in_any_form_are_one() {
    for (host, cloud, name) in [
        ("contoso", "global", "contoso"),
        ("Contoso.SharePoint.com", "global", "contoso"),
        ("https://contoso.sharepoint.com/", "global", "contoso"),
        ("contoso-admin.sharepoint.com", "global", "contoso"),
        ("contoso-my.sharepoint.com", "global", "contoso"),
        ("contoso.sharepoint.us", "usgov", "contoso"),
        ("contoso.sharepoint-mil.us", "usgovdod", "contoso"),
        ("contoso.sharepoint.cn", "china", "contoso"),
    ] {
        let registry = parse(json!({"a": {"sharepoint_host": host, "cloud": cloud}})).unwrap();
        assert_eq!(
            registry.get("a").unwrap().sharepoint_root(),
            Some(name),
            "{host}"
        );
    }
    let guessed = parse(json!({"a": {"tenant": "contoso.com"}})).unwrap();
    assert_eq!(guessed.get("a").unwrap().sharepoint_root(), Some("contoso"));
}

#[test]
fn an_unknown_name_gets_the_nearest() {
    let registry = parse(json!({"Contoso-GA": {}, "Fabrikam": {}})).unwrap();
    for (name, message) in [
        (
            "contoso-ga",
            r#"unknown connection "contoso-ga": did you mean "Contoso-GA"?"#,
        ),
        (
            "zzz",
            r#"unknown connection "zzz": the registry has no name like it"#,
        ),
    ] {
        assert_eq!(registry.get(name).unwrap_err().to_string(), message);
    }
    let none = Registry::default().get("x").unwrap_err().to_string();
    assert!(none.contains("the registry holds none"), "{none}");
}

proptest! {
    #[test]
    fn any_text_is_answered(text in ".{0,400}", name in ".{0,50}") {
        if let Ok(registry) = Registry::parse(&text) {
            drop(registry.get(&name));
        }
    }

    #[test]
    fn any_connection_is_answered(name in ".{0,120}", key in "appId|tenant|cloud|sharepoint_host|expectedEmail", value in ".{0,80}") {
        let value = serde_json::Value::String(value);
        let text = json!({"connections": {&name: {key: value}}}).to_string();
        match Registry::parse(&text) {
            Ok(registry) => {
                let connection = registry.get(&name).unwrap();
                prop_assert!(connection.name.safe_name().chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)));
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
