//! Tokens that say themselves what they are: the demo's Entra remembers none, so they outlive it.
//!
//! They look like Entra's and are signed by nobody: they open nothing but the stand-ins.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    /// `access` or `refresh`.
    pub(super) kind: String,
    /// The tenant's id.
    pub(super) tid: String,
    /// The account; an app's token has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) upn: Option<String>,
    /// The app.
    pub(super) appid: String,
    /// The scopes.
    pub(super) scp: String,
    /// When it was made, in epoch milliseconds, so that a revocation within a second counts.
    pub(super) made: i64,
    /// When it ends, in epoch seconds.
    pub(super) exp: i64,
    /// Keeps two tokens of one moment apart.
    pub(super) number: u64,
}

/// Makes and reads tokens.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    number: AtomicU64,
    /// Tokens made before this moment (epoch milliseconds) are worth nothing.
    revoked: AtomicI64,
}

/// What becomes of a token that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Good(Claims),
    Expired,
    Revoked,
    Nonsense,
}

impl Tokens {
    pub(super) fn make(
        &self,
        kind: &str,
        tenant: &str,
        account: Option<&str>,
        app: &str,
        scopes: &str,
        life_seconds: i64,
    ) -> String {
        let now = Timestamp::now();
        sealed(&Claims {
            kind: kind.to_owned(),
            tid: tenant.to_owned(),
            upn: account.map(str::to_owned),
            appid: app.to_owned(),
            scp: scopes.to_owned(),
            made: now.as_millisecond(),
            exp: now.as_second() + life_seconds,
            number: self.number.fetch_add(1, Ordering::Relaxed),
        })
    }

    pub(super) fn read(&self, kind: &str, token: &str) -> Shown {
        match opened::<Claims>(token) {
            Some(claims) if claims.kind != kind => Shown::Nonsense,
            Some(claims) if claims.made <= self.revoked.load(Ordering::Relaxed) => Shown::Revoked,
            Some(claims) if claims.exp <= Timestamp::now().as_second() => Shown::Expired,
            Some(claims) => Shown::Good(claims),
            None => Shown::Nonsense,
        }
    }

    pub(super) fn revoke(&self) {
        let now = Timestamp::now().as_millisecond();
        self.revoked.store(now, Ordering::Relaxed);
    }
}

/// A JWT of these claims, signed by nobody (RFC 7519, section 6).
pub(super) fn sealed(claims: &impl Serialize) -> String {
    let part = |bytes: Vec<u8>| URL_SAFE_NO_PAD.encode(bytes);
    let claims = serde_json::to_vec(claims).unwrap_or_default();
    format!("{}.{}.", part(br#"{"alg":"none"}"#.to_vec()), part(claims))
}

fn opened<T: DeserializeOwned>(token: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}
