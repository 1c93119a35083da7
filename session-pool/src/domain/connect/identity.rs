//! Who is signed in, as a module's own words have it.

use serde_json::Value;

use crate::domain::record::Record;
use crate::domain::registry::Connection;
use crate::domain::state::{IdentityPart, SignedIn};

/// The account and tenant of a sign-in, as far as the module tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The user principal name, or an app's id.
    pub account: Option<String>,
    /// The tenant's id.
    pub tenant_id: Option<String>,
}

impl Identity {
    /// Reads the object that the texts of this module's parent put out. Anything else, such as
    /// what a module says beside it, is `None`; an empty value is one that is not known.
    pub fn parse(json: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(json).ok()?;
        let object = value.as_object()?;
        // Both keys are always there: an object without one of them is another object.
        Some(Self {
            account: text(object.get("account")?),
            tenant_id: text(object.get("tenant_id")?),
        })
    }

    /// The last identity among the records of a probe, a connect or an identity command that ran
    /// with format `json`; `None` where nobody is signed in.
    pub fn find<'a>(records: impl IntoIterator<Item = &'a Record>) -> Option<Self> {
        records
            .into_iter()
            .fold(None, |found, record| match record {
                Record::Json { text } => Self::parse(text).or(found),
                _ => found,
            })
    }
}

/// Somebody else is signed in than the registry expects. Names only what was expected: who it was
/// instead is nobody's business.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongIdentity {
    /// Another account.
    #[error(
        "another account than {0} signed in, and was signed out at once; nothing was run. Sign in \
         as {0}, or correct \"expectedEmail\" in the registry"
    )]
    Account(String),
    /// Another tenant.
    #[error(
        "the account signed in to another tenant than {0}, and was signed out at once; nothing was \
         run. Sign in to that tenant, or correct \"tenantId\" in the registry"
    )]
    Tenant(String),
}

impl Identity {
    /// Whether this may be whom the registry expects. What is not known passes.
    ///
    /// # Errors
    /// [`WrongIdentity`]: account or tenant are known, and are others.
    pub fn check(&self, connection: &Connection) -> Result<(), WrongIdentity> {
        // An app has no mail address, and its proof has shown which app it is.
        let expected = connection.expected_email.as_ref();
        let expected = expected.filter(|_| !connection.authentication.is_app_only());
        if let (Some(expected), Some(account)) = (expected, &self.account)
            && !expected.eq_ignore_ascii_case(account)
        {
            return Err(WrongIdentity::Account(expected.clone()));
        }
        let expected = connection.tenant_id.map(|id| id.to_string());
        if let (Some(expected), Some(tenant)) = (expected, &self.tenant_id)
            && !expected.eq_ignore_ascii_case(tenant)
        {
            return Err(WrongIdentity::Tenant(expected));
        }
        Ok(())
    }
}

/// What callers are warned of where the registry expects an account or tenant that the module did
/// not tell: the sign-in is used, and nobody has compared it.
pub fn unverified_warning(who: &SignedIn, connection: &Connection) -> Option<String> {
    let expected = |part: &IdentityPart| match part {
        IdentityPart::Account => {
            connection.expected_email.is_some() && !connection.authentication.is_app_only()
        }
        IdentityPart::Tenant => connection.tenant_id.is_some(),
    };
    let unverified = who.unverified();
    let parts: Vec<_> = unverified.into_iter().filter(expected).collect();
    let (what, key) = match parts.as_slice() {
        [] => return None,
        [IdentityPart::Account] => ("account", "\"expectedEmail\""),
        [IdentityPart::Tenant] => ("tenant", "\"tenantId\""),
        _ => ("account and tenant", "\"expectedEmail\" and \"tenantId\""),
    };
    Some(format!(
        "unverified sign-in: the module does not tell the {what} that is signed in, so nothing was \
         compared with {key} of the registry. Make sure of it before you change anything"
    ))
}

fn text(value: &Value) -> Option<String> {
    value
        .as_str()
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::registry::Registry;

    fn identity(account: Option<&str>, tenant_id: Option<&str>) -> Identity {
        Identity {
            account: account.map(str::to_owned),
            tenant_id: tenant_id.map(str::to_owned),
        }
    }

    #[test]
    fn reads_the_object_and_nothing_else() {
        for (json, expected) in [
            (
                r#"{"account":"a@contoso.com","tenant_id":"t"}"#,
                Some(identity(Some("a@contoso.com"), Some("t"))),
            ),
            (
                r#"{"account":"","tenant_id":null}"#,
                Some(identity(None, None)),
            ),
            (
                r#"{"account":7,"tenant_id":" t "}"#,
                Some(identity(None, Some("t"))),
            ),
            (r#"{"account":"a"}"#, None),
            (r#""a@contoso.com""#, None),
            ("[]", None),
            ("not json", None),
            ("", None),
        ] {
            assert_eq!(Identity::parse(json), expected, "{json}");
        }
    }

    #[test]
    fn the_last_one_counts() {
        let element = |text: &str| Record::Json {
            text: text.to_owned(),
        };
        let records = [
            element(r#""To sign in, …""#),
            element(r#"{"account":"old","tenant_id":"t"}"#),
            element(r#"{"account":"new","tenant_id":"t"}"#),
            Record::Warning {
                text: r#"{"account":"no","tenant_id":"t"}"#.to_owned(),
            },
            element("[]"),
        ];
        assert_eq!(
            Identity::find(&records),
            Some(identity(Some("new"), Some("t")))
        );
        assert_eq!(Identity::find(&records[..1]), None);
    }

    #[test]
    fn what_is_expected_and_not_told_is_warned_of() {
        const TENANT: &str = "99999999-8888-7777-6666-555555555555";
        let both = json!({"expectedEmail": "a@contoso.com", "tenantId": TENANT});
        let app = json!({
            "expectedEmail": "a@contoso.com", "tenantId": TENANT, "appId": TENANT,
            "auth": "certificate", "certificateFile": "app.pem",
        });
        for (fields, account, tenant_id, named) in [
            (&both, Some("a@contoso.com"), Some(TENANT), None),
            (&both, None, Some(TENANT), Some("the account that")),
            (&both, Some("a@contoso.com"), None, Some("the tenant that")),
            (&both, None, None, Some("the account and tenant that")),
            (&app, None, None, Some("the tenant that")),
            (&json!({}), None, None, None),
        ] {
            let text = json!({"connections": {"a": fields}}).to_string();
            let registry = Registry::parse(&text).unwrap();
            let connection = registry.get("a").unwrap();
            let Identity { account, tenant_id } = identity(account, tenant_id);
            let known = Identity {
                account: account.clone(),
                tenant_id: tenant_id.clone(),
            };
            assert_eq!(known.check(connection), Ok(()), "nobody is signed out");
            let who = SignedIn {
                account,
                tenant_id,
                since: jiff::Timestamp::UNIX_EPOCH,
            };
            let warning = unverified_warning(&who, connection);
            assert_eq!(warning.is_some(), named.is_some(), "{warning:?}");
            let warning = warning.unwrap_or_default();
            assert!(warning.contains(named.unwrap_or_default()), "{warning}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in ".{0,200}") {
            let _identity = Identity::parse(&text);
        }
    }
}
