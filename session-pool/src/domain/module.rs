//! The four PowerShell modules a session can hold.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A Microsoft 365 PowerShell module, by the id that callers use for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Module {
    /// Exchange Online (`ExchangeOnlineManagement`).
    Exo,
    /// SharePoint Online (`PnP.PowerShell`).
    Pnp,
    /// Azure (`Az.Accounts`).
    Azure,
    /// Microsoft Teams (`MicrosoftTeams`).
    Teams,
}

impl Module {
    /// Every module, in the order in which they are listed to people.
    pub const ALL: [Self; 4] = [Self::Exo, Self::Pnp, Self::Azure, Self::Teams];

    /// The id in requests, session ids, labels and the registry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exo => "exo",
            Self::Pnp => "pnp",
            Self::Azure => "azure",
            Self::Teams => "teams",
        }
    }

    /// The name of the PowerShell module behind it, as the PowerShell Gallery has it.
    pub const fn powershell_name(self) -> &'static str {
        match self {
            Self::Exo => "ExchangeOnlineManagement",
            Self::Pnp => "PnP.PowerShell",
            Self::Azure => "Az.Accounts",
            Self::Teams => "MicrosoftTeams",
        }
    }
}

impl fmt::Display for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The given text names no module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown module {0:?}: use one of exo, pnp, azure, teams")]
pub struct UnknownModule(pub String);

impl FromStr for Module {
    type Err = UnknownModule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|module| module.as_str() == text)
            .ok_or_else(|| UnknownModule(text.to_owned()))
    }
}
