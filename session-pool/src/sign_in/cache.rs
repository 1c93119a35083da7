//! MSAL's serialised token cache, the JSON that its libraries in every language share.
//!
//! Everything in it that is not understood here stays as it is: another program may have put it
//! there. Keys and fields are those of Python MSAL's `token_cache.py`.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::audience::Wanted;
use super::entra::TokenAnswer;
use super::identity::{Identity, same_account};

const ACCESS: &str = "AccessToken";
const REFRESH: &str = "RefreshToken";
const ID: &str = "IdToken";
const ACCOUNT: &str = "Account";
const APP: &str = "AppMetadata";

/// Seconds before its end from which a token is not used any more, as in MSAL.
const MARGIN: i64 = 300;

/// Whose tokens are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// The app.
    pub(super) client_id: String,
    /// The sign-in service's host.
    pub(super) environment: String,
    /// The tenant's id, where it is known.
    pub(super) tenant: Option<String>,
    /// What the connection signs in to; stands in for the tenant's id in an app's tokens.
    pub(super) authority: String,
    /// The account, where one is expected.
    pub(super) account: Option<String>,
    /// Whether the app itself is the account.
    pub(super) app_only: bool,
}

/// An access token from the cache.
#[derive(Clone, Debug)]
pub(super) struct Cached {
    pub(super) secret: SecretString,
    pub(super) expires: Timestamp,
    pub(super) username: Option<String>,
    pub(super) tenant: Option<String>,
}

/// A refresh token, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Refresh {
    key: String,
    pub(super) secret: SecretString,
}

/// The whole cache.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct MsalCache(Map<String, Value>);

impl MsalCache {
    /// Reads a cache; an empty text is an empty one.
    pub(super) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text).map(Self)
    }

    /// The cache's text, indented as Python MSAL writes it.
    pub(super) fn to_text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(&self.0)
    }

    /// The access token that lives longest among those that will do now.
    pub(super) fn access(&self, owner: &Owner, wanted: &Wanted, now: Timestamp) -> Option<Cached> {
        self.entries(ACCESS)
            .filter_map(|(_, token)| self.usable(token, owner, wanted))
            .filter(|cached| cached.expires.as_second() > now.as_second() + MARGIN)
            .max_by_key(|cached| cached.expires)
    }

    fn usable(&self, token: &Value, owner: &Owner, wanted: &Wanted) -> Option<Cached> {
        let home = text(token, "home_account_id").unwrap_or_default();
        let realm = text(token, "realm");
        let right_realm = match (&owner.tenant, owner.app_only) {
            (Some(tenant), _) => realm.is_some_and(|realm| realm.eq_ignore_ascii_case(tenant)),
            (None, true) => realm.is_some_and(|realm| realm.eq_ignore_ascii_case(&owner.authority)),
            (None, false) => true,
        };
        let bearer =
            text(token, "token_type").is_none_or(|kind| kind.eq_ignore_ascii_case("Bearer"));
        // Tokens with further conditions on them are another program's.
        let plain = token.get("ext_cache_key").is_none() && token.get("key_id").is_none();
        if !of(token, owner)
            || home.is_empty() != owner.app_only
            || !right_realm
            || !bearer
            || !plain
            || !wanted.is_met_by(text(token, "target").unwrap_or_default())
        {
            return None;
        }
        let username = if owner.app_only {
            None
        } else {
            let username = self.username(home, owner);
            if !expected(owner, username) {
                return None;
            }
            username.map(str::to_owned)
        };
        Some(Cached {
            secret: text(token, "secret")?.into(),
            expires: Timestamp::from_second(seconds(token, "expires_on")?).ok()?,
            username,
            tenant: realm.map(str::to_owned),
        })
    }

    /// The newest refresh token of the expected account.
    pub(super) fn refresh(&self, owner: &Owner) -> Option<Refresh> {
        self.entries(REFRESH)
            .filter(|(_, token)| of(token, owner))
            .filter(|(_, token)| {
                let home = text(token, "home_account_id").unwrap_or_default();
                expected(owner, self.username(home, owner))
            })
            .max_by_key(|(_, token)| seconds(token, "last_modification_time"))
            .and_then(|(key, token)| {
                Some(Refresh {
                    key: key.clone(),
                    secret: text(token, "secret")?.into(),
                })
            })
    }

    /// Whether accounts are signed in here, none of which is the expected one.
    pub(super) fn has_only_others(&self, owner: &Owner) -> bool {
        self.refresh(owner).is_none() && self.entries(REFRESH).any(|(_, token)| of(token, owner))
    }

    /// Takes up what Entra gave, in place of what it replaces.
    pub(super) fn add(
        &mut self,
        answer: &TokenAnswer,
        identity: Option<&Identity>,
        owner: &Owner,
        asked: &str,
        now: Timestamp,
    ) {
        let now = now.as_second();
        let environment = owner.environment.as_str();
        let client = owner.client_id.as_str();
        let home = identity.map_or("", |identity| identity.home.as_str());
        let realm = match identity {
            Some(identity) => identity.tenant.as_str(),
            None => owner.tenant.as_deref().unwrap_or(&owner.authority),
        };
        let mut scopes: Vec<&str> = answer
            .scope
            .as_deref()
            .unwrap_or(asked)
            .split_whitespace()
            .collect();
        scopes.sort_unstable();
        let target = scopes.join(" ");

        let life = i64::from(answer.expires_in);
        let long_life = answer.ext_expires_in.map_or(life, i64::from);
        let mut access = json!({
            "credential_type": ACCESS,
            "secret": answer.access_token.expose_secret(),
            "home_account_id": identity.map(|identity| identity.home.as_str()),
            "environment": environment,
            "client_id": client,
            "target": target,
            "realm": realm,
            "token_type": answer.token_type.as_deref().unwrap_or("Bearer"),
            "cached_at": now.to_string(),
            "expires_on": (now + life).to_string(),
            "extended_expires_on": (now + long_life).to_string(),
        });
        if let (Some(refresh_in), Some(object)) = (answer.refresh_in, access.as_object_mut()) {
            let at = (now + i64::from(refresh_in)).to_string();
            object.insert("refresh_on".to_owned(), at.into());
        }
        self.drop_expired(now);
        self.put(
            ACCESS,
            &[home, environment, ACCESS, client, realm, &target],
            access,
        );

        if let Some(token) = &answer.refresh_token {
            // Entra gives one refresh token for all of an account's services: an older one under
            // other scopes is replaced, or it would be tried again for ever.
            self.drop_refresh_of(home, owner);
            let mut refresh = json!({
                "credential_type": REFRESH,
                "secret": token.expose_secret(),
                "home_account_id": home,
                "environment": environment,
                "client_id": client,
                "target": target,
                "last_modification_time": now.to_string(),
            });
            if let (Some(family), Some(object)) = (&answer.foci, refresh.as_object_mut()) {
                object.insert("family_id".to_owned(), family.as_str().into());
            }
            self.put(
                REFRESH,
                &[home, environment, REFRESH, client, "", &target],
                refresh,
            );
        }
        if let Some(identity) = identity {
            self.put(
                ACCOUNT,
                &[home, environment, realm],
                json!({
                    "home_account_id": home,
                    "environment": environment,
                    "realm": realm,
                    "local_account_id": identity.local,
                    "username": identity.username,
                    "authority_type": "MSSTS",
                }),
            );
            if let Some(id_token) = &answer.id_token {
                self.put(
                    ID,
                    &[home, environment, ID, client, realm, ""],
                    json!({
                        "credential_type": ID,
                        "secret": id_token.expose_secret(),
                        "home_account_id": home,
                        "environment": environment,
                        "realm": realm,
                        "client_id": client,
                    }),
                );
            }
        }
        self.put(
            APP,
            &["appmetadata", environment, client],
            json!({"client_id": client, "environment": environment}),
        );
    }

    /// Forgets a refresh token that Entra takes no more; other accounts stay.
    pub(super) fn remove(&mut self, refresh: &Refresh) {
        if let Some(tokens) = self.section(REFRESH) {
            tokens.remove(&refresh.key);
        }
    }

    /// Forgets one app's accounts, all of them.
    pub(super) fn remove_all(&mut self, owner: &Owner) {
        for name in [ACCESS, REFRESH, ID] {
            if let Some(section) = self.section(name) {
                section.retain(|_, entry| !of(entry, owner));
            }
        }
        let homes: Vec<String> = [ACCESS, REFRESH]
            .into_iter()
            .flat_map(|name| self.entries(name))
            .filter_map(|(_, entry)| text(entry, "home_account_id").map(str::to_owned))
            .collect();
        if let Some(accounts) = self.section(ACCOUNT) {
            accounts.retain(|_, account| {
                text(account, "home_account_id").is_some_and(|home| homes.iter().any(|h| h == home))
            });
        }
    }

    fn drop_refresh_of(&mut self, home: &str, owner: &Owner) {
        if let Some(tokens) = self.section(REFRESH) {
            tokens.retain(|_, token| {
                !(of(token, owner) && text(token, "home_account_id") == Some(home))
            });
        }
    }

    fn drop_expired(&mut self, now: i64) {
        if let Some(tokens) = self.section(ACCESS) {
            tokens.retain(|_, token| seconds(token, "expires_on").is_none_or(|end| end > now));
        }
    }

    fn put(&mut self, section: &str, key: &[&str], mut entry: Value) {
        let key = key.join("-").to_lowercase();
        let section = self
            .0
            .entry(section)
            .or_insert_with(|| Value::Object(Map::new()));
        let Some(section) = section.as_object_mut() else {
            return;
        };
        // Fields that another program added to the entry stay.
        if let (Some(Value::Object(old)), Some(new)) = (section.get(&key), entry.as_object_mut()) {
            for (name, value) in old {
                if !new.contains_key(name) && name != "refresh_on" {
                    new.insert(name.clone(), value.clone());
                }
            }
        }
        section.insert(key, entry);
    }

    fn username(&self, home: &str, owner: &Owner) -> Option<&str> {
        let mut accounts = self.entries(ACCOUNT).filter(|(_, account)| {
            text(account, "home_account_id") == Some(home)
                && text(account, "environment") == Some(&owner.environment)
        });
        accounts.find_map(|(_, account)| text(account, "username"))
    }

    fn entries(&self, section: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.0
            .get(section)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
    }

    fn section(&mut self, name: &str) -> Option<&mut Map<String, Value>> {
        self.0.get_mut(name)?.as_object_mut()
    }
}

fn of(entry: &Value, owner: &Owner) -> bool {
    let is = |key, value: &str| text(entry, key).is_some_and(|own| own.eq_ignore_ascii_case(value));
    is("client_id", &owner.client_id) && is("environment", &owner.environment)
}

fn expected(owner: &Owner, username: Option<&str>) -> bool {
    match &owner.account {
        None => true,
        Some(expected) => username.is_some_and(|name| same_account(name, expected)),
    }
}

fn text<'a>(entry: &'a Value, key: &str) -> Option<&'a str> {
    entry.get(key)?.as_str()
}

/// A number of seconds; MSAL writes texts, some of its relatives numbers.
fn seconds(entry: &Value, key: &str) -> Option<i64> {
    match entry.get(key)? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}
