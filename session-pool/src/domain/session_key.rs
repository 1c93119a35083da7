//! What makes two requests meet in the same session.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::module::Module;
use super::registry::ConnectionName;
use super::site::Site;

/// One session a connection and module; for `pnp` also a site, because a device sign-in to the
/// root site cannot run the tenant-admin cmdlets.
///
/// Written `connection/module`, with `@site` behind it where it is not the root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionKey {
    connection: ConnectionName,
    scope: Scope,
}

/// The module of a session, with what only that module has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Exchange Online.
    Exo,
    /// SharePoint Online, at one site.
    Pnp(Site),
    /// Azure.
    Azure,
    /// Microsoft Teams.
    Teams,
}

impl From<Module> for Scope {
    /// For pnp the root site.
    fn from(module: Module) -> Self {
        match module {
            Module::Exo => Self::Exo,
            Module::Pnp => Self::Pnp(Site::Root),
            Module::Azure => Self::Azure,
            Module::Teams => Self::Teams,
        }
    }
}

impl SessionKey {
    /// The session of a connection for a scope.
    pub const fn new(connection: ConnectionName, scope: Scope) -> Self {
        Self { connection, scope }
    }

    /// The connection.
    pub const fn connection(&self) -> &ConnectionName {
        &self.connection
    }

    /// The module with its site.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The site; the root for modules that know none.
    pub fn site(&self) -> Site {
        match &self.scope {
            Scope::Pnp(site) => site.clone(),
            Scope::Exo | Scope::Azure | Scope::Teams => Site::Root,
        }
    }

    /// Whether it is of a site of which there may be any number.
    pub const fn is_of_a_site(&self) -> bool {
        matches!(self.scope, Scope::Pnp(Site::Url(_)))
    }

    /// The module.
    pub const fn module(&self) -> Module {
        match self.scope {
            Scope::Exo => Module::Exo,
            Scope::Pnp(_) => Module::Pnp,
            Scope::Azure => Module::Azure,
            Scope::Teams => Module::Teams,
        }
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.connection, self.module())?;
        match &self.scope {
            Scope::Pnp(Site::Root) | Scope::Exo | Scope::Azure | Scope::Teams => Ok(()),
            Scope::Pnp(Site::Admin) => f.write_str("@admin"),
            Scope::Pnp(Site::Url(url)) => write!(f, "@{}", url.as_str()),
        }
    }
}
