//! The whole of a sign-in, against the demo's Entra on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::path::Path;
use std::sync::Arc;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::http::Http;
use super::{Access, Audience, Challenge, DevicePrompt, Grant, SignIn, SignInError};
use crate::demo::cloud::DemoCloud;
use crate::domain::registry::{Connection, Registry};

struct Stage {
    cloud: DemoCloud,
    directory: TempDir,
}

impl Stage {
    async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/cloud", listener.local_addr().unwrap());
        let cloud = DemoCloud::new(&base).unwrap();
        let router = axum::Router::new().nest("/cloud", cloud.router());
        tokio::spawn(async move { axum::serve(listener, router).await });
        cloud.set_faults(|faults| faults.poll_interval = 0);
        Self {
            cloud,
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn connection(&self, more: Value) -> Arc<Connection> {
        let mut entry = json!({
            "tenant": "contoso.example",
            "tenantId": "c0000001-7e57-4000-8000-00000c047050",
            "expectedEmail": "admin@contoso.example",
            "appId": "c0000001-a990-4000-8000-000000000001",
            "cloud": self.cloud.registry_value(),
        });
        for (key, value) in more.as_object().unwrap() {
            entry[key] = value.clone();
        }
        let text = json!({"connections": {"contoso": entry}}).to_string();
        Arc::clone(Registry::parse(&text).unwrap().get("contoso").unwrap())
    }

    fn sign_in(&self) -> SignIn {
        SignIn::new(
            self.directory.path().join("tokens"),
            self.directory.path().join("secrets"),
            Arc::new(Http::new()),
        )
    }

    async fn token(&self, connection: &Connection) -> Result<Access, SignInError> {
        self.sign_in()
            .token(connection, Audience::Graph, Challenge::default())
            .await
    }

    async fn prompt(&self, connection: &Connection) -> DevicePrompt {
        match self.token(connection).await.unwrap() {
            Access::Pending(prompt) => prompt,
            Access::Granted(_) => panic!("a code was expected"),
        }
    }

    async fn grant(&self, connection: &Connection) -> Grant {
        match self.token(connection).await.unwrap() {
            Access::Granted(grant) => grant,
            Access::Pending(prompt) => panic!("a token was expected, not {prompt:?}"),
        }
    }

    /// Makes the pending code be asked about at once, in place of waiting for its interval.
    fn interval_over(&self) {
        self.change("contoso.flow.json", |flow| flow["next_poll"] = 0.into());
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let path = self.directory.path().join("tokens").join(name);
        let mut value: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        std::fs::write(&path, value.to_string()).unwrap();
    }

    async fn signed_in(&self, connection: &Connection) -> Grant {
        self.prompt(connection).await;
        self.cloud.complete_all();
        self.interval_over();
        self.grant(connection).await
    }

    /// Ends the access token, as time would.
    fn expire(&self) {
        self.change("contoso.json", |cache| {
            for (_, token) in cache["AccessToken"].as_object_mut().unwrap() {
                token["expires_on"] = "1".into();
            }
        });
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.directory.path().join("tokens"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

#[tokio::test]
async fn a_code_waits_for_a_person_and_becomes_a_token() {
    let stage = Stage::new().await;
    let connection = stage.connection(json!({}));
    let first = stage.prompt(&connection).await;
    assert!(first.seconds_left > 800 && first.reason.is_none());
    let second = stage.prompt(&connection).await;
    assert_eq!(first.code, second.code, "the same code while it is pending");
    assert!(stage.cloud.complete(&first.code));
    stage.interval_over();
    let grant = stage.grant(&connection).await;
    assert_eq!(grant.account.as_deref(), Some("admin@contoso.example"));
    assert_eq!(stage.files(), ["contoso.json", "contoso.json.lockfile"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let tokens = stage.directory.path().join("tokens");
        assert_eq!(mode(&tokens), 0o700);
        assert_eq!(mode(&tokens.join("contoso.json")), 0o600);
    }
    let again = stage.grant(&connection).await;
    assert_eq!(again.token.expose_secret(), grant.token.expose_secret());
    assert_eq!(stage.cloud.counted().device_codes, 1);
}

#[tokio::test]
async fn a_declined_or_expired_code_is_replaced_with_the_reason() {
    let stage = Stage::new().await;
    let connection = stage.connection(json!({}));
    let first = stage.prompt(&connection).await;
    stage.cloud.decline(&first.code);
    stage.interval_over();
    let second = stage.prompt(&connection).await;
    assert_ne!(first.code, second.code);
    assert!(second.reason.unwrap().contains("declined"));
    stage.change("contoso.flow.json", |flow| flow["expires_at"] = 0.into());
    let third = stage.prompt(&connection).await;
    assert_ne!(second.code, third.code);
    assert!(third.reason.unwrap().contains("expired"));
}

#[tokio::test]
async fn another_account_is_dropped_and_only_the_expected_one_is_named() {
    let stage = Stage::new().await;
    let connection = stage.connection(json!({}));
    let prompt = stage.prompt(&connection).await;
    stage
        .cloud
        .complete_as(&prompt.code, "mallory@contoso.example");
    stage.interval_over();
    let error = stage.token(&connection).await.unwrap_err();
    assert!(matches!(error, SignInError::WrongAccount { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("admin@contoso.example") && !text.contains("mallory"),
        "{text}"
    );
    let cache =
        std::fs::read_to_string(stage.directory.path().join("tokens/contoso.json")).unwrap();
    assert!(!cache.contains("mallory"));
}

#[tokio::test]
async fn another_tenant_is_dropped() {
    let stage = Stage::new().await;
    let connection = stage.connection(json!({
        "tenantId": null, "tenant": null, "expectedEmail": null,
    }));
    stage.signed_in(&connection).await;
    let strict = stage.connection(json!({
        "tenantId": "c0000001-7e57-4000-8000-00000c047050", "tenant": null,
    }));
    assert!(matches!(
        stage.token(&strict).await.unwrap(),
        Access::Granted(_)
    ));
    let other = stage.connection(json!({"tenantId": "fab00002-7e57-4000-8000-0000fab41ca0"}));
    let error = stage.token(&other).await.unwrap_err();
    assert!(matches!(error, SignInError::WrongTenant { .. }), "{error}");
}

#[tokio::test]
async fn many_at_once_refresh_once() {
    let stage = Stage::new().await;
    let connection = stage.connection(json!({}));
    stage.signed_in(&connection).await;
    stage.expire();
    let asked = (0..20).map(|_| {
        let (sign_in, connection) = (stage.sign_in(), Arc::clone(&connection));
        tokio::spawn(async move {
            let challenge = Challenge::default();
            match sign_in.token(&connection, Audience::Graph, challenge).await {
                Ok(Access::Granted(grant)) => grant.token.expose_secret().to_owned(),
                other => panic!("{other:?}"),
            }
        })
    });
    let mut tokens = Vec::new();
    for asked in asked.collect::<Vec<_>>() {
        tokens.push(asked.await.unwrap());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "all have the one new token");
    assert_eq!(stage.cloud.counted().refreshes, 1);
}

#[tokio::test]
async fn one_sign_in_serves_power_automate_too() {
    let stage = Stage::new().await;
    let connection = stage.connection(json!({}));
    stage.signed_in(&connection).await;
    let access = stage
        .sign_in()
        .token(&connection, Audience::Flow, Challenge::default())
        .await
        .unwrap();
    assert!(matches!(access, Access::Granted(_)));
    assert_eq!(stage.cloud.counted().device_codes, 1);
    // Each of the two keeps its own token.
    stage.grant(&connection).await;
    assert_eq!(stage.cloud.counted().refreshes, 1);
}

#[tokio::test]
async fn a_refused_token_is_refreshed_and_a_revoked_sign_in_asks_for_a_person() {
    let stage = Stage::new().await;
    let connection = stage.connection(json!({}));
    let grant = stage.signed_in(&connection).await;
    let challenge = Challenge {
        refused: Some(&grant.token),
        claims: Some(r#"{"access_token":{"nbf":{"essential":true}}}"#),
    };
    let sign_in = stage.sign_in();
    let access = sign_in.token(&connection, Audience::Graph, challenge).await;
    let Access::Granted(newer) = access.unwrap() else {
        panic!("a refresh was expected")
    };
    assert_ne!(newer.token.expose_secret(), grant.token.expose_secret());
    // Whoever still has the old one gets the new one, without another refresh.
    sign_in
        .token(&connection, Audience::Graph, challenge)
        .await
        .unwrap();
    assert_eq!(stage.cloud.counted().refreshes, 1);

    stage.cloud.revoke();
    stage.expire();
    let prompt = stage.prompt(&connection).await;
    let reason = prompt.reason.unwrap();
    assert!(reason.contains("AADSTS50173"), "{reason}");
}

#[tokio::test]
async fn a_missing_consent_names_the_scopes_and_keeps_the_sign_in() {
    let stage = Stage::new().await;
    let connection = stage.connection(json!({"scopes": ["User.Read.All", "Mail.Read"]}));
    stage.signed_in(&connection).await;
    stage.expire();
    stage.cloud.set_faults(|faults| faults.unconsented = true);
    let reason = stage.prompt(&connection).await.reason.unwrap();
    for part in ["AADSTS65001", "User.Read.All, Mail.Read"] {
        assert!(reason.contains(part), "{part}: {reason}");
    }
    // An administrator consents: no code is needed any more.
    stage.cloud.set_faults(|faults| faults.unconsented = false);
    stage.grant(&connection).await;
}

#[tokio::test]
async fn an_app_signs_in_by_secret_or_certificate() {
    let stage = Stage::new().await;
    let secrets = stage.directory.path().join("secrets/contoso");
    std::fs::create_dir_all(&secrets).unwrap();
    let write = |name: &str, contents: &[u8], mode: u32| {
        use std::os::unix::fs::PermissionsExt;
        let path = secrets.join(name);
        std::fs::write(&path, contents).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write("secret", b"demo-secret\n", 0o600);
    let by_secret = stage.connection(json!({"auth": "secret", "secretFile": "secret"}));
    let grant = stage.grant(&by_secret).await;
    assert_eq!(grant.account, None);
    stage.grant(&by_secret).await;
    assert_eq!(
        stage.cloud.counted().app_tokens,
        1,
        "the second came from the cache"
    );

    write("open", b"demo-secret\n", 0o644);
    stage.sign_in().sign_out(&by_secret).await.unwrap();
    let open = stage.connection(json!({"auth": "secret", "secretFile": "open"}));
    let error = stage.token(&open).await.unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");

    write("wrong", b"not-it", 0o600);
    let wrong = stage.connection(json!({"auth": "secret", "secretFile": "wrong"}));
    let error = stage.token(&wrong).await.unwrap_err().to_string();
    assert!(
        error.contains("AADSTS7000215") && !error.contains("not-it"),
        "{error}"
    );

    for (name, contents) in [
        ("app.pem", &include_bytes!("testdata/app.pem")[..]),
        ("app.pfx", &include_bytes!("testdata/app.pfx")[..]),
        ("legacy.pfx", &include_bytes!("testdata/legacy.pfx")[..]),
    ] {
        write(name, contents, 0o600);
        write("password", b"demo\n", 0o600);
        stage.sign_in().sign_out(&by_secret).await.unwrap();
        let connection = stage.connection(json!({
            "auth": "certificate", "certificateFile": name, "passwordFile": "password",
        }));
        stage.grant(&connection).await;
    }
    assert_eq!(stage.cloud.counted().app_tokens, 4);

    write("expired.pem", include_bytes!("testdata/expired.pem"), 0o600);
    stage.sign_in().sign_out(&by_secret).await.unwrap();
    let expired =
        stage.connection(json!({"auth": "certificate", "certificateFile": "expired.pem"}));
    let error = stage.token(&expired).await.unwrap_err().to_string();
    assert!(error.contains("expired on 2020"), "{error}");
}

#[tokio::test]
async fn signing_out_leaves_nothing() {
    let stage = Stage::new().await;
    let connection = stage.connection(json!({}));
    stage.signed_in(&connection).await;
    assert!(stage.sign_in().sign_out(&connection).await.unwrap());
    assert!(!stage.sign_in().sign_out(&connection).await.unwrap());
    assert_eq!(stage.files(), ["contoso.json.lockfile"]);
}

#[tokio::test]
async fn what_the_registry_lacks_is_named() {
    let stage = Stage::new().await;
    let connection = stage.connection(json!({"appId": null}));
    let error = stage.token(&connection).await.unwrap_err().to_string();
    assert!(error.contains("\"appId\""), "{error}");
}
