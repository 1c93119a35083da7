//! What a module keeps of a sign-in beyond its process.

use crate::domain::module::Module;

/// Where a module keeps sign-ins: directories in the home, relative to it. Sources: Az.Accounts keeps
/// contexts in `.Azure` and, through Azure.Identity, tokens in `.local/share/.IdentityService`;
/// PnP.PowerShell's `-PersistLogin` keeps an MSAL cache in `.m365pnppowershell`.
pub const fn kept_in(module: Module) -> &'static [&'static str] {
    match module {
        Module::Azure => &[".Azure", ".local/share/.IdentityService"],
        Module::Pnp => &[".m365pnppowershell"],
        Module::Exo | Module::Teams => &[],
    }
}
