//! Microsoft's clouds, and what each of them is called by whom.

use std::net::IpAddr;

use url::{Host, Url};

/// The cloud that a connection's tenant lives in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cloud {
    /// The worldwide cloud, also of GCC tenants.
    #[default]
    Global,
    /// US Government GCC High.
    UsGov,
    /// US Government DoD.
    UsGovDod,
    /// Microsoft 365 operated by 21Vianet.
    China,
    /// Endpoints of its own, such as a test double's. PowerShell's modules cannot be pointed at
    /// them and take it for the worldwide cloud.
    Custom(Box<Endpoints>),
}

/// The services that are called without PowerShell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Where people and apps sign in.
    pub login: Url,
    /// Microsoft Graph, without a version.
    pub graph: Url,
    /// Power Automate.
    pub flow: Url,
}

/// What one cloud is called: endpoints, and the modules' environment names.
struct Facts {
    login: &'static str,
    graph: &'static str,
    flow: &'static str,
    exchange: Option<&'static str>,
    azure: Option<&'static str>,
    teams: Option<&'static str>,
    pnp: Option<&'static str>,
    sharepoint: &'static str,
    device_login: &'static [&'static str],
}

// Sources: learn.microsoft.com "Connect-ExchangeOnline" (-ExchangeEnvironmentName),
// "Connect-AzAccount" (-Environment, `Get-AzEnvironment`), "Connect-MicrosoftTeams"
// (-TeamsEnvironmentName); pnp.github.io/powershell/articles/nationalclouds.html
// (-AzureEnvironment); Microsoft.PowerApps.Administration.PowerShell (flow endpoints). The first
// device-login address is the one that Entra names today, and stands in for a prompt without one.
static GLOBAL: Facts = Facts {
    login: "https://login.microsoftonline.com",
    graph: "https://graph.microsoft.com",
    flow: "https://api.flow.microsoft.com",
    exchange: None,
    azure: None,
    teams: None,
    pnp: None,
    sharepoint: "sharepoint.com",
    device_login: &[
        "https://microsoft.com/devicelogin",
        "https://www.microsoft.com/devicelogin",
        "https://login.microsoft.com/device",
        "https://login.microsoftonline.com/common/oauth2/deviceauth",
        "https://aka.ms/devicelogin",
    ],
};

// The US clouds share a sign-in service; before it had an address of its own it named the
// worldwide one, which forwards.
const US_DEVICE_LOGIN: &[&str] = &[
    "https://microsoft.com/deviceloginus",
    "https://www.microsoft.com/deviceloginus",
    "https://login.microsoftonline.us/common/oauth2/deviceauth",
    "https://microsoft.com/devicelogin",
    "https://www.microsoft.com/devicelogin",
];

static US_GOV: Facts = Facts {
    login: "https://login.microsoftonline.us",
    graph: "https://graph.microsoft.us",
    flow: "https://high.api.flow.microsoft.us",
    exchange: Some("O365USGovGCCHigh"),
    azure: Some("AzureUSGovernment"),
    teams: Some("TeamsGCCH"),
    pnp: Some("USGovernmentHigh"),
    sharepoint: "sharepoint.us",
    device_login: US_DEVICE_LOGIN,
};

static US_GOV_DOD: Facts = Facts {
    login: "https://login.microsoftonline.us",
    graph: "https://dod-graph.microsoft.us",
    flow: "https://api.flow.appsplatform.us",
    exchange: Some("O365USGovDoD"),
    azure: Some("AzureUSGovernment"),
    teams: Some("TeamsDOD"),
    pnp: Some("USGovernmentDoD"),
    sharepoint: "sharepoint-mil.us",
    device_login: US_DEVICE_LOGIN,
};

static CHINA: Facts = Facts {
    login: "https://login.partner.microsoftonline.cn",
    graph: "https://microsoftgraph.chinacloudapi.cn",
    flow: "https://api.powerautomate.cn",
    exchange: Some("O365China"),
    azure: Some("AzureChinaCloud"),
    teams: Some("TeamsChina"),
    pnp: Some("China"),
    sharepoint: "sharepoint.cn",
    device_login: &[
        "https://microsoft.com/deviceloginchina",
        "https://www.microsoft.com/deviceloginchina",
        "https://login.partner.microsoftonline.cn/common/oauth2/deviceauth",
        "https://login.chinacloudapi.cn/common/oauth2/deviceauth",
        "https://aka.ms/deviceloginchina",
        "https://microsoft.com/devicelogin",
    ],
};

impl Cloud {
    /// The names that the registry's `cloud` can have.
    pub const NAMES: [&'static str; 4] = ["global", "usgov", "usgovdod", "china"];

    /// The cloud of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "global" => Some(Self::Global),
            "usgov" => Some(Self::UsGov),
            "usgovdod" => Some(Self::UsGovDod),
            "china" => Some(Self::China),
            _ => None,
        }
    }

    const fn facts(&self) -> &'static Facts {
        match self {
            Self::Global | Self::Custom(_) => &GLOBAL,
            Self::UsGov => &US_GOV,
            Self::UsGovDod => &US_GOV_DOD,
            Self::China => &CHINA,
        }
    }

    /// `-ExchangeEnvironmentName` of Connect-ExchangeOnline, where it is needed.
    pub const fn exchange_environment(&self) -> Option<&'static str> {
        self.facts().exchange
    }

    /// `-Environment` of Connect-AzAccount, where it is needed.
    pub const fn azure_environment(&self) -> Option<&'static str> {
        self.facts().azure
    }

    /// `-TeamsEnvironmentName` of Connect-MicrosoftTeams, where it is needed.
    pub const fn teams_environment(&self) -> Option<&'static str> {
        self.facts().teams
    }

    /// `-AzureEnvironment` of Connect-PnPOnline, where it is needed.
    pub const fn pnp_environment(&self) -> Option<&'static str> {
        self.facts().pnp
    }

    /// What every SharePoint host of the cloud ends with, without a dot in front.
    pub const fn sharepoint_suffix(&self) -> &'static str {
        self.facts().sharepoint
    }

    /// Where a person may be sent to enter a device code: nowhere else. The first one is the
    /// address for a prompt that names none.
    pub const fn device_login_urls(&self) -> &'static [&'static str] {
        self.facts().device_login
    }

    /// The base URL for signing in, without a slash at the end.
    pub fn login_url(&self) -> &str {
        match self {
            Self::Custom(own) => base(&own.login),
            _ => self.facts().login,
        }
    }

    /// The base URL of Microsoft Graph, without a version and a slash at the end.
    pub fn graph_url(&self) -> &str {
        match self {
            Self::Custom(own) => base(&own.graph),
            _ => self.facts().graph,
        }
    }

    /// The base URL of Power Automate, without a slash at the end.
    pub fn flow_url(&self) -> &str {
        match self {
            Self::Custom(own) => base(&own.flow),
            _ => self.facts().flow,
        }
    }
}

impl Cloud {
    /// What a token for Microsoft Graph is asked for, without `/.default`.
    ///
    /// A test double on this machine stands in for the worldwide Graph; any other address of one's
    /// own names its audience itself.
    pub fn graph_audience(&self) -> &str {
        match self {
            Self::Custom(own) if own.graph.scheme() == "http" => GLOBAL.graph,
            _ => self.graph_url(),
        }
    }

    /// What a token for Power Automate is asked for, without `/.default`.
    pub fn flow_audience(&self) -> &'static str {
        // Microsoft.PowerApps.Administration.PowerShell, `Get-AudienceForFlow`; the clouds' names
        // for the service, not its address.
        match self {
            Self::Global | Self::Custom(_) => "https://service.flow.microsoft.com",
            Self::UsGov => "https://high.service.flow.microsoft.us",
            Self::UsGovDod => "https://service.flow.appsplatform.us",
            Self::China => "https://service.powerautomate.cn",
        }
    }
}

fn base(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

/// The host suffixes of SharePoint in every cloud.
pub(super) fn sharepoint_suffixes() -> impl Iterator<Item = &'static str> {
    [&GLOBAL, &US_GOV, &US_GOV_DOD, &CHINA]
        .into_iter()
        .map(|facts| facts.sharepoint)
}

/// Reads the URL of a service: https, or http to this machine; tokens are sent there.
pub(super) fn parse_service_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is not a URL, such as \"https://host\"")?;
    let secure = match url.scheme() {
        "https" => true,
        "http" => is_loopback(&url),
        _ => false,
    };
    if !secure {
        return Err(
            "must be an https URL (http is allowed to 127.0.0.1, [::1] and localhost only)",
        );
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must be a base URL, without ? and #");
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// The endpoints of [`Cloud::Custom`], where those that are not given are the worldwide ones.
pub(super) fn endpoints(
    login: Option<Url>,
    graph: Option<Url>,
    flow: Option<Url>,
) -> Option<Endpoints> {
    Some(Endpoints {
        login: login.or_else(|| Url::parse(GLOBAL.login).ok())?,
        graph: graph.or_else(|| Url::parse(GLOBAL.graph).ok())?,
        flow: flow.or_else(|| Url::parse(GLOBAL.flow).ok())?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn every_named_cloud_is_told_to_every_module() {
        let row = |name: &str| {
            let cloud = Cloud::from_name(name).unwrap();
            (
                cloud.exchange_environment(),
                cloud.azure_environment(),
                cloud.teams_environment(),
                cloud.pnp_environment(),
                cloud.sharepoint_suffix(),
            )
        };
        assert_eq!(row("global"), (None, None, None, None, "sharepoint.com"));
        assert_eq!(
            row("usgov"),
            (
                Some("O365USGovGCCHigh"),
                Some("AzureUSGovernment"),
                Some("TeamsGCCH"),
                Some("USGovernmentHigh"),
                "sharepoint.us"
            )
        );
        assert_eq!(
            row("usgovdod"),
            (
                Some("O365USGovDoD"),
                Some("AzureUSGovernment"),
                Some("TeamsDOD"),
                Some("USGovernmentDoD"),
                "sharepoint-mil.us"
            )
        );
        assert_eq!(
            row("china"),
            (
                Some("O365China"),
                Some("AzureChinaCloud"),
                Some("TeamsChina"),
                Some("China"),
                "sharepoint.cn"
            )
        );
    }

    #[test]
    fn every_fixed_address_is_a_url() {
        for facts in [&GLOBAL, &US_GOV, &US_GOV_DOD, &CHINA] {
            for text in [facts.login, facts.graph, facts.flow]
                .iter()
                .chain(facts.device_login)
            {
                assert_eq!(parse_service_url(text).unwrap().scheme(), "https", "{text}");
            }
        }
    }

    #[test]
    fn tokens_go_to_https_or_to_this_machine() {
        for (url, allowed) in [
            ("https://login.example", true),
            ("https://login.example:8443/base", true),
            ("http://127.0.0.1:9000", true),
            ("http://127.8.9.1", true),
            ("http://[::1]:9000/", true),
            ("http://localhost:1", true),
            ("http://login.example", false),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
            ("ftp://127.0.0.1", false),
            ("file:///etc/passwd", false),
            ("https://user:secret@login.example", false),
            ("https://login.example?x=1", false),
            ("https://login.example#x", false),
            ("login.example", false),
            ("", false),
        ] {
            assert_eq!(parse_service_url(url).is_ok(), allowed, "{url}");
        }
    }

    #[test]
    fn own_endpoints_replace_the_worldwide_ones_and_nothing_else() {
        let login = Url::parse("http://127.0.0.1:9000/").unwrap();
        let cloud = Cloud::Custom(Box::new(endpoints(Some(login), None, None).unwrap()));
        assert_eq!(cloud.login_url(), "http://127.0.0.1:9000");
        assert_eq!(cloud.graph_url(), "https://graph.microsoft.com");
        assert_eq!(cloud.flow_url(), "https://api.flow.microsoft.com");
        assert_eq!(cloud.sharepoint_suffix(), "sharepoint.com");
        assert_eq!(cloud.pnp_environment(), None);
    }
}
