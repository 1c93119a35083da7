//! Who signed in, as the tokens say.
//!
//! The tokens come straight from Entra over TLS, so their signatures need no check (OpenID Connect
//! Core, section 3.1.3.7); they are read, and never trusted from anywhere else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::entra::TokenAnswer;
use super::error::SignInError;
use crate::domain::registry::Connection;

/// What the id token and `client_info` say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// `uid.utid`: the account in its home tenant.
    pub(super) home: String,
    /// The tenant that was signed in to.
    pub(super) tenant: String,
    /// The account's object id there.
    pub(super) local: String,
    /// The sign-in name.
    pub(super) username: String,
    /// Other names of the account.
    others: Vec<String>,
}

#[derive(Deserialize)]
struct Claims {
    tid: Option<String>,
    oid: Option<String>,
    sub: Option<String>,
    preferred_username: Option<String>,
    upn: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
struct ClientInfo {
    uid: String,
    utid: String,
}

impl Identity {
    /// Reads what came with a token, where it says who signed in.
    pub(super) fn of(answer: &TokenAnswer) -> Option<Self> {
        let id_token = answer.id_token.as_ref()?.expose_secret();
        let claims: Claims = decoded(id_token.split('.').nth(1)?)?;
        let tenant = claims.tid?;
        let local = claims.oid.or(claims.sub)?;
        let info: Option<ClientInfo> = answer.client_info.as_deref().and_then(decoded);
        let home = match info {
            Some(info) => format!("{}.{}", info.uid, info.utid),
            None => format!("{local}.{tenant}"),
        };
        let mut names = [claims.preferred_username, claims.upn, claims.email]
            .into_iter()
            .flatten();
        Some(Self {
            home,
            tenant,
            local,
            username: names.next().unwrap_or_default(),
            others: names.collect(),
        })
    }

    /// Whether it is whom and where the registry expects.
    pub(super) fn check(&self, connection: &Connection) -> Result<(), SignInError> {
        if let Some(tenant) = connection.tenant_id
            && !self.tenant.eq_ignore_ascii_case(&tenant.to_string())
        {
            return Err(SignInError::WrongTenant {
                connection: connection.name.clone(),
            });
        }
        if let Some(expected) = &connection.expected_email {
            let mut names = std::iter::once(&self.username).chain(&self.others);
            if !names.any(|name| same_account(name, expected)) {
                return Err(SignInError::WrongAccount {
                    expected: expected.clone(),
                });
            }
        }
        Ok(())
    }
}

/// Whether two sign-in names are the same one.
pub(super) fn same_account(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// What a part of a token holds: base64url without padding, JSON inside.
fn decoded<T: DeserializeOwned>(part: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}
