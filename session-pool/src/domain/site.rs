//! The SharePoint site that a pnp session is signed in to.

use url::{Host, Url};

use super::registry::Connection;

/// One site of a tenant. A device sign-in to the root cannot run tenant-admin cmdlets, therefore
/// each site is a session of its own; equal sites are equal values.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
pub enum Site {
    /// The tenant's root site.
    #[default]
    Root,
    /// The tenant's admin centre.
    Admin,
    /// Another site, also of a person (`-my`).
    Url(SiteUrl),
}

/// The URL of a site on one of the tenant's hosts, in its one normal form: lower case, because
/// SharePoint ignores case, and without a slash at the end.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct SiteUrl(String);

impl SiteUrl {
    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The given text names no site of the connection's tenant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSite {
    /// The tenant's SharePoint hosts are not known.
    #[error(
        "the SharePoint address of connection {connection:?} is not known; add \"sharepoint_host\" \
         (\"contoso\" of contoso.sharepoint.com) to the registry"
    )]
    NoHost {
        /// The connection's name.
        connection: String,
    },
    /// It is not a URL of the form that is needed.
    #[error(
        "\"site\" must be \"admin\", an https URL such as {example:?} without ? and #, \
         or absent for the root site"
    )]
    NotASite {
        /// A URL that would do.
        example: String,
    },
    /// It is a URL of somebody else.
    #[error("\"site\" must be on a host of the connection's tenant: {hosts}")]
    OtherHost {
        /// The hosts that would do.
        hosts: String,
    },
}

/// The three hosts of a tenant.
struct Hosts {
    root: String,
    admin: String,
    my: String,
}

impl Hosts {
    fn of(connection: &Connection) -> Option<Self> {
        let name = connection.sharepoint_root()?;
        let suffix = connection.cloud.sharepoint_suffix();
        Some(Self {
            root: format!("{name}.{suffix}"),
            admin: format!("{name}-admin.{suffix}"),
            my: format!("{name}-my.{suffix}"),
        })
    }
}

impl Site {
    /// Reads a request's `site`; an absent and an empty one mean the root site.
    ///
    /// # Errors
    /// [`InvalidSite`] where it is no site of the connection's tenant.
    pub fn parse(text: Option<&str>, connection: &Connection) -> Result<Self, InvalidSite> {
        let text = text.unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(Self::Root);
        }
        if text.eq_ignore_ascii_case("admin") {
            return Ok(Self::Admin);
        }
        let hosts = Hosts::of(connection).ok_or_else(|| InvalidSite::NoHost {
            connection: connection.name.to_string(),
        })?;
        let not_a_site = || InvalidSite::NotASite {
            example: format!("https://{}/sites/name", hosts.root),
        };
        let url = Url::parse(text).map_err(|_| not_a_site())?;
        let plain = url.scheme() == "https"
            && url.port().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        let Some(Host::Domain(host)) = url.host() else {
            return Err(not_a_site());
        };
        if !plain {
            return Err(not_a_site());
        }
        if ![&hosts.root, &hosts.admin, &hosts.my]
            .into_iter()
            .any(|known| known == host)
        {
            let Hosts { root, admin, my } = hosts;
            return Err(InvalidSite::OtherHost {
                hosts: format!("{root}, {admin}, {my}"),
            });
        }
        let path = url.path().trim_end_matches('/').to_ascii_lowercase();
        Ok(match path.as_str() {
            "" if host == hosts.root => Self::Root,
            "" if host == hosts.admin => Self::Admin,
            path => Self::Url(SiteUrl(format!("https://{host}{path}"))),
        })
    }

    /// The URL to connect to; none where the tenant's SharePoint hosts are not known.
    pub fn url(&self, connection: &Connection) -> Option<String> {
        match self {
            Self::Root => Some(format!("https://{}", Hosts::of(connection)?.root)),
            Self::Admin => Some(format!("https://{}", Hosts::of(connection)?.admin)),
            Self::Url(url) => Some(url.0.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::registry::Registry;

    fn connection(fields: &str) -> Arc<Connection> {
        let text = format!("{{\"connections\":{{\"a\":{{{fields}}}}}}}");
        Arc::clone(Registry::parse(&text).unwrap().get("a").unwrap())
    }

    fn url(text: &str) -> Result<Option<String>, InvalidSite> {
        let connection = connection(r#""tenant":"contoso.onmicrosoft.com""#);
        Site::parse(Some(text), &connection).map(|site| site.url(&connection))
    }

    #[test]
    fn equal_sites_are_one() {
        let connection = connection(r#""sharepoint_host":"contoso""#);
        let read = |text| Site::parse(text, &connection).unwrap();
        for (text, site) in [
            (None, Site::Root),
            (Some(""), Site::Root),
            (Some("https://contoso.sharepoint.com"), Site::Root),
            (Some("https://CONTOSO.sharepoint.com:443//"), Site::Root),
            (Some("admin"), Site::Admin),
            (Some(" Admin "), Site::Admin),
            (Some("https://contoso-admin.sharepoint.com/"), Site::Admin),
        ] {
            assert_eq!(read(text), site, "{text:?}");
        }
        let one = read(Some("https://contoso.sharepoint.com/sites/Marketing"));
        for same in [
            "https://contoso.sharepoint.com/sites/marketing/",
            "HTTPS://Contoso.SharePoint.com/sites/x/../MARKETING",
        ] {
            assert_eq!(read(Some(same)), one, "{same}");
        }
        assert_eq!(
            one.url(&connection).unwrap(),
            "https://contoso.sharepoint.com/sites/marketing"
        );
    }

    #[test]
    fn only_hosts_of_the_tenant_are_taken() {
        for (text, expected) in [
            (
                "https://contoso-my.sharepoint.com/personal/a_contoso_com",
                true,
            ),
            ("https://contoso-my.sharepoint.com", true),
            ("https://fabrikam.sharepoint.com", false),
            ("https://contoso.sharepoint.com.evil.example", false),
            ("https://contoso.sharepoint.us", false),
            ("https://contoso-x.sharepoint.com", false),
            ("http://contoso.sharepoint.com", false),
            ("https://contoso.sharepoint.com:8443", false),
            ("https://user:pw@contoso.sharepoint.com", false),
            ("https://contoso.sharepoint.com/?a=b", false),
            ("https://contoso.sharepoint.com/#a", false),
            ("https://127.0.0.1/sites/a", false),
            ("file:///etc/passwd", false),
            ("root'; Remove-Item /", false),
        ] {
            assert_eq!(url(text).is_ok(), expected, "{text}");
        }
        let error = url("https://fabrikam.sharepoint.com")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("contoso.sharepoint.com, contoso-admin.sharepoint.com"),
            "{error}"
        );
    }

    #[test]
    fn each_cloud_has_its_hosts() {
        for (cloud, expected) in [
            ("usgov", "https://contoso-admin.sharepoint.us"),
            ("usgovdod", "https://contoso-admin.sharepoint-mil.us"),
            ("china", "https://contoso-admin.sharepoint.cn"),
        ] {
            let connection = connection(&format!(r#""tenant":"contoso.com","cloud":"{cloud}""#));
            assert_eq!(Site::Admin.url(&connection).unwrap(), expected);
        }
        let unknown = connection("");
        assert!(Site::parse(Some("https://contoso.sharepoint.com"), &unknown).is_err());
        assert_eq!(Site::Root.url(&unknown), None);
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "(https://contoso\\.sharepoint\\.com/)?.{0,60}") {
            if let Ok(Some(found)) = url(&text) {
                prop_assert!(found.starts_with("https://contoso"));
                // A site's own URL is that site.
                prop_assert_eq!(url(&found).unwrap().unwrap(), found);
            }
        }
    }
}
