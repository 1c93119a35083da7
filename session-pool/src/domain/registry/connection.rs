//! One connection: a tenant, and how it is signed in to.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::auth::{Authentication, Scope};
use super::{Cloud, ConnectionName};
use crate::domain::module::Module;

/// A tenant and the way into it, as the registry describes it. Every value has been validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Its name.
    pub name: ConnectionName,
    /// The app registration to sign in with, where a module has no own (`appId`).
    pub app_id: Option<Uuid>,
    /// The tenant's domain or id (`tenant`).
    pub tenant: Option<String>,
    /// The tenant's id, which a sign-in must turn out to have (`tenantId`).
    pub tenant_id: Option<Uuid>,
    /// The customer's organization that a partner's account works in, by its domain or id
    /// (`delegatedOrganization`; granular delegated admin privileges).
    pub delegated_organization: Option<String>,
    /// The account that must sign in (`expectedEmail`).
    pub expected_email: Option<String>,
    /// For people (`description`).
    pub description: Option<String>,
    /// The first label of the tenant's SharePoint hosts, `contoso` of `contoso.sharepoint.com`
    /// (`sharepoint_host`).
    pub sharepoint_name: Option<String>,
    /// Mail is sent without being shown first (`skipSendGuards`).
    pub skip_send_guards: bool,
    /// Signatures stay in outgoing mail (`skipSignatureStrip`).
    pub skip_signature_strip: bool,
    /// The MCP servers it is meant for (`mcps`).
    pub mcps: Vec<String>,
    /// App registrations of single modules (`moduleApps`).
    pub module_apps: BTreeMap<Module, Uuid>,
    /// The app registration for Microsoft Graph, where it has its own (`moduleApps.graph`).
    pub graph_app: Option<Uuid>,
    /// The app registration for Power Automate, where it has its own (`moduleApps.flow`).
    pub flow_app: Option<Uuid>,
    /// The permissions that a sign-in to Graph asks for; where empty, all that the app was granted
    /// (`scopes`).
    pub scopes: Vec<Scope>,
    /// How it is signed in to (`auth` and the keys that belong to it).
    pub authentication: Authentication,
    /// The cloud its tenant lives in (`cloud`).
    pub cloud: Cloud,
}

/// A connection lacks what a module needs to sign in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("connection {:?} cannot use {module}: {remedy}", .connection.as_str())]
pub struct UnusableModule {
    /// The connection.
    pub connection: ConnectionName,
    /// The module.
    pub module: Module,
    /// What to add to the registry.
    pub remedy: &'static str,
}

impl Connection {
    /// A connection of which nothing is known but its name.
    pub(super) fn named(name: ConnectionName) -> Self {
        Self {
            name,
            app_id: None,
            tenant: None,
            tenant_id: None,
            delegated_organization: None,
            expected_email: None,
            description: None,
            sharepoint_name: None,
            skip_send_guards: false,
            skip_signature_strip: false,
            mcps: Vec::new(),
            module_apps: BTreeMap::new(),
            graph_app: None,
            flow_app: None,
            scopes: Vec::new(),
            authentication: Authentication::Device,
            cloud: Cloud::Global,
        }
    }

    /// The app registration that the module signs in with.
    pub fn app_for(&self, module: Module) -> Option<Uuid> {
        self.module_apps.get(&module).copied().or(self.app_id)
    }

    /// The tenant as sign-ins name it: its id, else what `tenant` says.
    pub fn tenant_for_sign_in(&self) -> Option<String> {
        self.tenant_id
            .map(|id| id.to_string())
            .or_else(|| self.tenant.clone())
    }

    /// Whether a partner's person signs in here, and works in a customer's tenant. An app signs in to
    /// the customer's tenant itself.
    pub const fn is_delegated(&self) -> bool {
        self.delegated_organization.is_some() && !self.authentication.is_app_only()
    }

    /// The modules that can be used with what the registry says.
    pub fn modules(&self) -> Vec<Module> {
        Module::ALL
            .into_iter()
            .filter(|&module| self.check(module).is_ok())
            .collect()
    }

    /// Whether a module can be used with what the registry says.
    ///
    /// # Errors
    /// [`UnusableModule`] names what is missing. For a person's sign-in only PnP.PowerShell asks for
    /// more: since September 2024 it brings no app registration of its own.
    pub fn check(&self, module: Module) -> Result<(), UnusableModule> {
        let for_app = self.lacks_for_app(module);
        let remedy = if for_app.is_some() {
            for_app
        } else if module != Module::Pnp {
            None
        } else if self.is_delegated() {
            Some(
                "SharePoint sites are out of reach for a partner's account (GDAP, \
                 \"delegatedOrganization\"); add a connection with an account of the customer's own, \
                 or with an app in its tenant (\"auth\": \"certificate\")",
            )
        } else if self.app_for(module).is_none() {
            Some(
                "PnP.PowerShell needs an app registration of your own; add its id as \"appId\" or \
                 as \"pnp\" in \"moduleApps\" to the registry",
            )
        } else if self.sharepoint_root().is_none() {
            Some(
                "its SharePoint address is not known; add \"sharepoint_host\" (\"contoso\" of \
                 contoso.sharepoint.com) to the registry",
            )
        } else {
            None
        };
        match remedy {
            None => Ok(()),
            Some(remedy) => Err(UnusableModule {
                connection: self.name.clone(),
                module,
                remedy,
            }),
        }
    }

    /// What keeps a module from being signed in to as an app, where that is this connection's way.
    /// Sources: the references of Connect-ExchangeOnline, Connect-PnPOnline, Connect-MicrosoftTeams
    /// and Connect-AzAccount; the last alone takes a client secret.
    fn lacks_for_app(&self, module: Module) -> Option<&'static str> {
        match (&self.authentication, module) {
            (Authentication::Device, _) => None,
            (Authentication::Secret(_), Module::Exo) => Some(
                "Exchange Online takes no client secret; use \"auth\": \"certificate\" in the registry",
            ),
            (Authentication::Secret(_), Module::Pnp) => Some(
                "SharePoint has taken no client secrets since 2 April 2026; use \"auth\": \
                 \"certificate\" in the registry",
            ),
            (Authentication::Secret(_), Module::Teams) => Some(
                "Microsoft Teams takes no client secret; use \"auth\": \"certificate\" in the registry",
            ),
            _ if self.app_for(module).is_none() => Some(
                "an app signs in by its own id: add the app registration's id as \"appId\" to the \
                 registry",
            ),
            (Authentication::Certificate(_), Module::Exo) if !self.has_domain() => Some(
                "an app signs in to Exchange Online by the tenant's domain: add \"tenant\" \
                 (contoso.onmicrosoft.com) to the registry",
            ),
            _ if self.tenant_for_sign_in().is_none() => Some(
                "an app signs in to one tenant: add \"tenantId\" or \"tenant\" to the registry",
            ),
            _ => None,
        }
    }

    fn has_domain(&self) -> bool {
        self.tenant
            .as_deref()
            .is_some_and(|tenant| tenant.contains('.'))
    }

    /// The first label of the tenant's SharePoint hosts: `sharepoint_host`, else the first label
    /// of the tenant's domain, which is a guess for a domain of the customer's own.
    pub fn sharepoint_root(&self) -> Option<&str> {
        self.sharepoint_name.as_deref().or_else(|| {
            let domain = self.tenant.as_deref()?;
            let (label, _) = domain.split_once('.')?;
            Some(label)
        })
    }
}
