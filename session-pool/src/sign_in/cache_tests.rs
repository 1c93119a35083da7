//! The cache against what Python MSAL writes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::audience::Audience;
use super::cache::{MsalCache, Owner};
use super::entra::TokenAnswer;
use super::identity::Identity;
use crate::domain::registry::Registry;

const NOW: i64 = 1_700_000_000;

fn owner() -> Owner {
    Owner {
        client_id: "app".to_owned(),
        environment: "login.microsoftonline.com".to_owned(),
        tenant: None,
        authority: "organizations".to_owned(),
        account: Some("Ada@contoso.com".to_owned()),
        app_only: false,
    }
}

/// As `msal.SerializableTokenCache` 1.39 writes it, with another program's additions.
fn msal() -> Value {
    json!({
        "AccessToken": {"u.t-login.microsoftonline.com-accesstoken-app-t-user.read": {
            "credential_type": "AccessToken", "secret": "AT", "home_account_id": "u.t",
            "environment": "login.microsoftonline.com", "client_id": "app", "target": "User.Read",
            "realm": "t", "token_type": "Bearer", "cached_at": "1699999000",
            "expires_on": "1700003600", "extended_expires_on": "1700003600"}},
        "RefreshToken": {"u.t-login.microsoftonline.com-refreshtoken-app--user.read": {
            "credential_type": "RefreshToken", "secret": "RT", "home_account_id": "u.t",
            "environment": "login.microsoftonline.com", "client_id": "app", "target": "User.Read",
            "last_modification_time": "1699999000", "novel": 1}},
        "Account": {"u.t-login.microsoftonline.com-t": {
            "home_account_id": "u.t", "environment": "login.microsoftonline.com", "realm": "t",
            "local_account_id": "u", "username": "ada@contoso.com", "authority_type": "MSSTS",
            "account_source": "device_code"}},
        "AppMetadata": {}, "Unknown": {"kept": true}
    })
}

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn wanted() -> super::audience::Wanted {
    let registry = Registry::parse(r#"{"connections":{"c":{"scopes":"User.Read"}}}"#).unwrap();
    Audience::Graph.scopes(registry.get("c").unwrap())
}

fn answer(id_token: bool) -> TokenAnswer {
    let jwt =
        "e30.eyJ0aWQiOiJ0Iiwib2lkIjoidSIsInByZWZlcnJlZF91c2VybmFtZSI6ImFkYUBjb250b3NvLmNvbSJ9.";
    let mut value = json!({"access_token": "AT2", "refresh_token": "RT2", "expires_in": 3600,
        "scope": "openid User.Read", "token_type": "Bearer", "client_info": "eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ"});
    if id_token {
        value["id_token"] = jwt.into();
    }
    serde_json::from_value(value).unwrap()
}

#[test]
fn what_msal_wrote_is_found_until_it_ends() {
    let cache = MsalCache::parse(&msal().to_string()).unwrap();
    let found = cache.access(&owner(), &wanted(), now()).unwrap();
    assert_eq!(found.secret.expose_secret(), "AT");
    assert_eq!(found.username.as_deref(), Some("ada@contoso.com"));
    let late = Timestamp::from_second(NOW + 3301).unwrap();
    assert!(
        cache.access(&owner(), &wanted(), late).is_none(),
        "five minutes before its end"
    );
    assert_eq!(
        cache.refresh(&owner()).unwrap().secret.expose_secret(),
        "RT"
    );
}

#[test]
fn another_account_tenant_or_app_has_no_token_here() {
    let cache = MsalCache::parse(&msal().to_string()).unwrap();
    let change: [fn(&mut Owner); 4] = [
        |owner| owner.account = Some("bob@contoso.com".to_owned()),
        |owner| owner.tenant = Some("other".to_owned()),
        |owner| owner.client_id = "other".to_owned(),
        |owner| owner.environment = "login.microsoftonline.us".to_owned(),
    ];
    for change in change {
        let mut owner = owner();
        change(&mut owner);
        assert!(
            cache.access(&owner, &wanted(), now()).is_none(),
            "{owner:?}"
        );
    }
    let mut bob = owner();
    bob.account = Some("bob@contoso.com".to_owned());
    assert!(cache.has_only_others(&bob) && !cache.has_only_others(&owner()));
}

#[test]
fn a_new_answer_replaces_the_old_and_leaves_what_is_not_understood() {
    let mut cache = MsalCache::parse(&msal().to_string()).unwrap();
    let answer = answer(true);
    let identity = Identity::of(&answer).unwrap();
    cache.add(&answer, Some(&identity), &owner(), "", now());
    let text: Value = serde_json::from_str(&cache.to_text().unwrap()).unwrap();
    assert_eq!(text["Unknown"]["kept"], true);
    let refresh = text["RefreshToken"].as_object().unwrap();
    assert_eq!(refresh.len(), 1, "the old one is worth nothing");
    let account = &text["Account"]["u.t-login.microsoftonline.com-t"];
    assert_eq!(account["account_source"], "device_code");
    let key = text["AccessToken"]
        .as_object()
        .unwrap()
        .keys()
        .find(|key| key.contains("openid"))
        .unwrap();
    let mut scopes = ["openid", "User.Read"];
    scopes.sort_unstable();
    assert_eq!(text["AccessToken"][key]["target"], scopes.join(" "));
    assert_eq!(text["AccessToken"][key]["expires_on"], "1700003600");
}

#[test]
fn a_dead_refresh_token_goes_alone() {
    let mut cache = MsalCache::parse(&msal().to_string()).unwrap();
    let refresh = cache.refresh(&owner()).unwrap();
    cache.remove(&refresh);
    assert!(cache.refresh(&owner()).is_none());
    assert!(cache.access(&owner(), &wanted(), now()).is_some());
}

#[test]
fn an_apps_token_is_kept_apart_from_peoples() {
    let mut app = owner();
    app.app_only = true;
    app.account = None;
    app.authority = "contoso.com".to_owned();
    let mut cache = MsalCache::parse(&msal().to_string()).unwrap();
    assert!(cache.access(&app, &wanted(), now()).is_none());
    cache.add(&answer(false), None, &app, "User.Read", now());
    let text: Value = serde_json::from_str(&cache.to_text().unwrap()).unwrap();
    let keys: Vec<&String> = text["AccessToken"].as_object().unwrap().keys().collect();
    assert!(
        keys.iter()
            .any(|key| key.starts_with("-login.microsoftonline.com-accesstoken-app-contoso.com-")),
        "{keys:?}"
    );
    assert_eq!(
        cache
            .access(&app, &wanted(), now())
            .unwrap()
            .secret
            .expose_secret(),
        "AT2"
    );
}

#[test]
fn garbage_is_no_cache() {
    for text in ["[]", "x", "{", "\"\""] {
        assert!(MsalCache::parse(text).is_err(), "{text:?}");
    }
    assert_eq!(MsalCache::parse(" \n").unwrap(), MsalCache::default());
}
