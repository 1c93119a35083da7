//! The embedded PowerShell modules, and how they get onto the disk.

use std::fs;
use std::path::{Path, PathBuf};

use super::entra::{EntraError, write_atomically};

macro_rules! embedded {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("modules/", $path)))),*]
    };
}

/// Path under the module directory, and content.
const FILES: &[(&str, &str)] = embedded![
    "Az.Accounts/Az.Accounts.psd1",
    "Az.Accounts/Az.Accounts.psm1",
    "Az.Accounts/Connection.ps1",
    "Az.Accounts/Context.ps1",
    "Az.Accounts/Profile.ps1",
    "Az.Accounts/Rest.ps1",
    "Az.Accounts/Service.ps1",
    "Az.Compute/Az.Compute.psd1",
    "Az.Compute/Az.Compute.psm1",
    "Az.KeyVault/Az.KeyVault.psd1",
    "Az.KeyVault/Az.KeyVault.psm1",
    "Az.Resources/Az.Resources.psd1",
    "Az.Resources/Az.Resources.psm1",
    "Az.Resources/Directory.ps1",
    "Az.Resources/Resources.ps1",
    "DemoTenant/Columns.ps1",
    "DemoTenant/Connections.ps1",
    "DemoTenant/Data.ps1",
    "DemoTenant/DemoTenant.psd1",
    "DemoTenant/DemoTenant.psm1",
    "DemoTenant/Errors.ps1",
    "DemoTenant/Filter.ps1",
    "DemoTenant/Settings.ps1",
    "DemoTenant/SignIn.ps1",
    "DemoTenant/Tenants.ps1",
    "DemoTenant/tenants.json",
    "ExchangeOnlineManagement/Connection.ps1",
    "ExchangeOnlineManagement/ExchangeOnlineManagement.psd1",
    "ExchangeOnlineManagement/ExchangeOnlineManagement.psm1",
    "ExchangeOnlineManagement/InboxRules.ps1",
    "ExchangeOnlineManagement/MailboxCmdlets.ps1",
    "ExchangeOnlineManagement/Mailboxes.ps1",
    "ExchangeOnlineManagement/Messages.ps1",
    "ExchangeOnlineManagement/Organization.ps1",
    "ExchangeOnlineManagement/Recipients.ps1",
    "ExchangeOnlineManagement/Rest.ps1",
    "ExchangeOnlineManagement/Service.ps1",
    "MicrosoftTeams/Channels.ps1",
    "MicrosoftTeams/Connection.ps1",
    "MicrosoftTeams/MicrosoftTeams.psd1",
    "MicrosoftTeams/MicrosoftTeams.psm1",
    "MicrosoftTeams/Teams.ps1",
    "MicrosoftTeams/Users.ps1",
    "PnP.PowerShell/Connection.ps1",
    "PnP.PowerShell/Graph.ps1",
    "PnP.PowerShell/Lists.ps1",
    "PnP.PowerShell/PnP.PowerShell.psd1",
    "PnP.PowerShell/PnP.PowerShell.psm1",
    "PnP.PowerShell/Service.ps1",
    "PnP.PowerShell/Sites.ps1",
    "PnP.PowerShell/Tenant.ps1",
];

/// Writes the modules to `directory/modules` and returns that path, for the front of a session's
/// PSModulePath. Files that are right already are left alone, so that a running session never
/// sees one change; each other is replaced in one step. A module file of another version that is
/// no longer embedded is left over, which harms nothing: nothing loads it.
///
/// # Errors
/// When the directory cannot be written.
pub fn unpack(directory: &Path) -> Result<PathBuf, EntraError> {
    let root = directory.join("modules");
    for (name, contents) in FILES {
        let path = root.join(name);
        if fs::read(&path).is_ok_and(|found| found == contents.as_bytes()) {
            continue;
        }
        write_atomically(&path, contents.as_bytes())?;
    }
    Ok(root)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_file_of_the_source_tree_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/demo/modules");
        let mut found = BTreeSet::new();
        for module in fs::read_dir(&root).unwrap() {
            let module = module.unwrap();
            for file in fs::read_dir(module.path()).unwrap() {
                let file = file.unwrap().path();
                let name = file.strip_prefix(&root).unwrap();
                found.insert(name.to_str().unwrap().to_owned());
            }
        }
        let embedded: BTreeSet<_> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(embedded, found);
    }

    #[test]
    fn unpacking_twice_changes_nothing_and_repairs_what_was_changed() {
        let directory = tempfile::tempdir().unwrap();
        let root = unpack(directory.path()).unwrap();
        let file = root.join("DemoTenant/DemoTenant.psm1");
        let first = fs::metadata(&file).unwrap().modified().unwrap();
        unpack(directory.path()).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), first);
        fs::write(&file, "broken").unwrap();
        unpack(directory.path()).unwrap();
        assert!(fs::read_to_string(&file).unwrap().contains("Settings.ps1"));
    }
}
