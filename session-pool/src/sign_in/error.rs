//! Why there is no token, and what to do. No message names a tenant or an account but the one that
//! the registry expects.

use std::fmt;

use serde::Deserialize;

use super::store::StoreError;
use crate::credential::CredentialError;
use crate::domain::aadsts;
use crate::domain::registry::ConnectionName;

/// A sign-in did not lead to a token.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The registry lacks something.
    #[error("connection {connection:?} cannot sign in to {service}: {remedy}")]
    Unconfigured {
        /// The connection.
        connection: ConnectionName,
        /// The service's name.
        service: &'static str,
        /// What to add to the registry.
        remedy: &'static str,
    },
    /// Entra said no, or nothing.
    #[error("{0}")]
    Entra(#[from] EntraError),
    /// Entra wants a consent.
    #[error("{refusal}. The permissions asked for are: {scopes}")]
    Consent {
        /// Entra's words.
        refusal: Box<Refusal>,
        /// The scopes, separated by commas.
        scopes: String,
    },
    /// Someone else signed in.
    #[error(
        "another account than {expected} signed in, so the sign-in was dropped and nothing was sent. \
         Repeat the call for a new code, and sign in as {expected}"
    )]
    WrongAccount {
        /// The account that the registry expects.
        expected: String,
    },
    /// The account belongs to another tenant.
    #[error(
        "the sign-in was for another tenant than connection {connection:?} is for, so it was dropped \
         and nothing was sent. Repeat the call for a new code, and sign in with an account of that \
         tenant"
    )]
    WrongTenant {
        /// The connection.
        connection: ConnectionName,
    },
    /// It is not known who signed in.
    #[error(
        "the sign-in does not say who signed in, though connection {connection:?} expects an account \
         or a tenant, so it was dropped; repeat the call for a new code"
    )]
    Unverified {
        /// The connection.
        connection: ConnectionName,
    },
    /// The token cache cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The certificate or the secret cannot be used.
    #[error("connection {connection:?} cannot sign in: {source}")]
    Credential {
        /// The connection.
        connection: ConnectionName,
        /// Why.
        source: CredentialError,
    },
}

/// What came of a request to Entra.
#[derive(Debug, thiserror::Error)]
pub enum EntraError {
    /// It said no.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// It could not be asked.
    #[error(
        "the sign-in service at {login} cannot be reached ({reason}), so nothing was sent; check the \
         network and the proxy, then repeat the call"
    )]
    Unreachable {
        /// The base of its URL.
        login: String,
        /// Why.
        reason: String,
    },
    /// It was too busy, several times.
    #[error(
        "the sign-in service is busy (status {0}), so nothing was sent; repeat the call in a minute"
    )]
    Busy(u16),
    /// It answered something else.
    #[error(
        "the sign-in service's answer (status {0}) is not one of Entra's, so nothing was sent; a proxy \
         may stand in between, or \"cloud\" in the registry may name another service"
    )]
    Garbled(u16),
}

/// Entra's refusal (RFC 6749, section 5.2, with Entra's additions), without its description, which
/// names tenants and people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Such as `invalid_grant`.
    pub error: String,
    /// Such as `bad_token`.
    pub suberror: Option<String>,
    /// The numbers of `AADSTS…`, the most telling first.
    pub codes: Vec<u32>,
    /// What a new sign-in must satisfy, as JSON.
    pub claims: Option<String>,
    /// What Microsoft's support asks for.
    pub correlation_id: Option<String>,
}

impl Refusal {
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Wire {
            error: String,
            suberror: Option<String>,
            error_description: Option<String>,
            error_codes: Option<Vec<u32>>,
            claims: Option<String>,
            correlation_id: Option<String>,
        }
        let wire: Wire = serde_json::from_slice(body).ok()?;
        let codes = match wire.error_codes {
            Some(codes) if !codes.is_empty() => codes,
            _ => wire
                .error_description
                .as_deref()
                .and_then(described_code)
                .into_iter()
                .collect(),
        };
        Some(Self {
            error: word(wire.error).unwrap_or_else(|| "unknown_error".to_owned()),
            suberror: wire.suberror.and_then(word),
            codes,
            claims: wire.claims,
            correlation_id: wire.correlation_id.and_then(word),
        })
    }

    /// Whether the code has not been entered yet.
    pub(super) fn is_pending(&self) -> bool {
        self.error == "authorization_pending"
    }

    /// Whether a person must sign in again; anything else may pass by itself.
    pub(super) fn needs_person(&self) -> bool {
        matches!(
            self.error.as_str(),
            "invalid_grant" | "interaction_required" | "consent_required" | "login_required"
        )
    }

    /// Whether the refresh token itself is worth nothing any more: a missing consent, or a policy
    /// of one service, leaves it good for others.
    pub(super) fn ends_refresh_token(&self) -> bool {
        self.error == "invalid_grant" && !self.wants_consent() && self.claims.is_none()
    }

    /// Whether it is a consent that is missing.
    pub fn wants_consent(&self) -> bool {
        self.error == "consent_required"
            || self.suberror.as_deref() == Some("consent_required")
            || self
                .codes
                .iter()
                .any(|code| [65001, 65004, 90094].contains(code))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entra refused the sign-in ({}", self.error)?;
        for code in &self.codes {
            write!(f, ", AADSTS{code}")?;
        }
        f.write_str(")")?;
        let advice = self.codes.iter().copied().find_map(aadsts::advice);
        match (advice, self.error.as_str()) {
            (Some(advice), _) => write!(f, ": {advice}")?,
            (None, "authorization_declined" | "access_denied") => {
                f.write_str(": the person declined; the next call makes a new code")?;
            }
            (None, "expired_token") => {
                f.write_str(": the code expired; the next call makes a new one")?;
            }
            (None, _) => f.write_str(
                ": look the code up in Microsoft's \"Entra authentication error codes\", or at \
                 https://login.microsoftonline.com/error",
            )?,
        }
        if let Some(id) = &self.correlation_id {
            write!(f, " (correlation id {id})")?;
        }
        Ok(())
    }
}

/// A value that is surely only a name or an id.
fn word(text: String) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (!text.is_empty() && text.len() <= 64 && text.chars().all(plain)).then_some(text)
}

fn described_code(description: &str) -> Option<u32> {
    let (_, rest) = description.split_once("AADSTS")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_refusal_keeps_what_tells_and_loses_what_names_people() {
        let body = br#"{"error":"invalid_grant","error_description":"AADSTS50173: The grant of ada@contoso.com in tenant 72f988bf was revoked","suberror":"bad_token","correlation_id":"7e2f","claims":"{\"access_token\":{}}"}"#;
        let refusal = Refusal::parse(body).unwrap();
        assert_eq!(refusal.codes, [50173]);
        assert_eq!(refusal.claims.as_deref(), Some("{\"access_token\":{}}"));
        let text = refusal.to_string();
        assert!(
            text.contains("AADSTS50173") && text.contains("sign in again"),
            "{text}"
        );
        assert!(
            !text.contains("ada") && !text.contains("72f988bf"),
            "{text}"
        );
    }

    #[test]
    fn what_is_no_word_is_not_repeated() {
        let refusal = Refusal::parse(br#"{"error":"<b>ada@contoso.com</b>"}"#).unwrap();
        assert_eq!(refusal.error, "unknown_error");
        assert_eq!(Refusal::parse(b"<html>"), None);
    }

    #[test]
    fn a_missing_consent_leaves_the_refresh_token() {
        let refusal = |text: &str| Refusal::parse(text.as_bytes()).unwrap();
        let consent = refusal(r#"{"error":"invalid_grant","error_codes":[65001]}"#);
        assert!(consent.wants_consent() && !consent.ends_refresh_token());
        let revoked = refusal(r#"{"error":"invalid_grant","error_codes":[50173]}"#);
        assert!(!revoked.wants_consent() && revoked.ends_refresh_token());
    }
}
