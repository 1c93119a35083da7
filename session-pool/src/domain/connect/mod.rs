//! The PowerShell texts by which a session signs in, looks for a sign-in, tells who it is, and
//! signs out.
//!
//! Each text runs as one script with format `json`. It names its cmdlets with their module, keeps
//! its preferences to itself, and so does not care which functions, aliases, strict mode or
//! default parameters the callers of the session left behind. A sign-in is put out as one object
//! with `account` and `tenant_id`, which [`Identity::find`] reads; the texts a connect cmdlet puts
//! out beside it pass through, because a device-code prompt may be among them.

mod app;
mod identity;
mod kept;
mod ping;
mod quote;
#[cfg(test)]
mod tests;

pub use app::{Proof, connect_app};
pub use identity::{Identity, WrongIdentity, unverified_warning};
pub use kept::kept_in;
pub use ping::{ping, pong};
pub use quote::quote;

use super::module::Module;
use super::registry::{Connection, UnusableModule};
use super::site::Site;

/// Looks for a sign-in that works without a code: puts out its identity, or nothing.
///
/// `None` for modules that cannot be asked. MicrosoftTeams has no call for it that is sure to come
/// back. In PnP.PowerShell only connecting again finds the persisted sign-in; it then asks for no
/// code, so [`connect`] is the probe. Nor is an app's sign-in looked for: what is kept of one may
/// have been made with a certificate that is no longer in use, and [`connect_app`] asks nobody.
pub fn probe(connection: &Connection, module: Module) -> Option<String> {
    if connection.authentication.is_app_only() {
        return None;
    }
    let look = match module {
        Module::Exo => format!("{EXO_CONNECTIONS} | {EXO_IDENTITY}"),
        Module::Azure => azure_probe(connection),
        Module::Teams | Module::Pnp => return None,
    };
    Some(script(&format!("try {{ {look} }} catch {{ }}")))
}

/// Signs in by device code, and puts out the identity; nothing where nobody has signed in.
///
/// # Errors
/// [`UnusableModule`] where the registry does not say enough.
pub fn connect(
    connection: &Connection,
    module: Module,
    site: &Site,
) -> Result<String, UnusableModule> {
    connection.check(module)?;
    let cloud = &connection.cloud;
    let tenant = connection.tenant_for_sign_in();
    let body = match module {
        Module::Exo => {
            let command = Command::new("ExchangeOnlineManagement\\Connect-ExchangeOnline")
                .flag("-Device -ShowBanner:$false -SkipLoadingCmdletHelp")
                // The cmdlet takes no tenant: without this a partner lands in its own.
                .value(
                    "-DelegatedOrganization",
                    connection.delegated_organization.as_deref(),
                )
                .value("-ExchangeEnvironmentName", cloud.exchange_environment());
            format!("{command} | {TEXTS}\n{}", unverified(&exo_identity()))
        }
        Module::Azure => {
            let command = Command::new("Az.Accounts\\Connect-AzAccount")
                .flag("-UseDeviceAuthentication")
                .value("-TenantId", tenant.as_deref())
                .value("-Environment", cloud.azure_environment());
            format!(
                "{AZURE_NO_PICKER}\n{command} | {TEXTS}\n{}",
                unverified(&azure_current())
            )
        }
        Module::Teams => {
            let command = Command::new("MicrosoftTeams\\Connect-MicrosoftTeams")
                .flag("-UseDeviceAuthentication")
                .value("-TenantId", tenant.as_deref())
                .value("-TeamsEnvironmentName", cloud.teams_environment());
            format!("{command} | {TEAMS_IDENTITY}")
        }
        Module::Pnp => {
            let app = connection.app_for(module).map(|app| app.to_string());
            let command = Command::new("PnP.PowerShell\\Connect-PnPOnline")
                .value("-Url", site.url(connection).as_deref())
                .flag("-DeviceLogin -PersistLogin")
                .value("-ClientId", app.as_deref())
                .value("-Tenant", tenant.as_deref())
                .value("-AzureEnvironment", cloud.pnp_environment());
            // A sign-in that failed is only a warning here: without a connection there is nothing
            // to tell.
            format!(
                "{command} | {TEXTS}\ntry {{ $null = PnP.PowerShell\\Get-PnPConnection }} catch {{ return }}\n{}",
                unverified(PNP_IDENTITY)
            )
        }
    };
    Ok(script(&body))
}

/// Whether a fresh process would be signed in again without a person: an app always is, and azure and
/// pnp keep a person's sign-in in the home.
pub const fn restores(connection: &Connection, module: Module) -> bool {
    connection.authentication.is_app_only() || matches!(module, Module::Azure | Module::Pnp)
}

/// Puts out the identity of the sign-in, or nothing where there is none. `None` for MicrosoftTeams,
/// which tells it only when connecting.
pub fn identity(module: Module) -> Option<String> {
    match module {
        Module::Exo => Some(script(&exo_identity())),
        Module::Azure => Some(script(&azure_current())),
        Module::Pnp => Some(script(PNP_IDENTITY)),
        Module::Teams => None,
    }
}

/// Signs out, and deletes what the module keeps of the sign-in.
pub fn disconnect(module: Module) -> String {
    let command = match module {
        Module::Exo => "ExchangeOnlineManagement\\Disconnect-ExchangeOnline -Confirm:$false",
        // Disconnect-AzAccount leaves what other accounts than the current one have saved here.
        Module::Azure => "Az.Accounts\\Clear-AzContext -Scope CurrentUser -Force",
        Module::Teams => "MicrosoftTeams\\Disconnect-MicrosoftTeams -Confirm:$false",
        Module::Pnp => "PnP.PowerShell\\Disconnect-PnPOnline -ClearPersistedLogin",
    };
    script(&format!("$null = {command}"))
}

/// Shields the text from what callers have set in the session, and the session from the text.
/// Warnings and information must get through: prompts come by them.
fn script(body: &str) -> String {
    let shield = "\
$PSDefaultParameterValues = @{}
$ErrorActionPreference = 'Stop'
$WarningPreference = 'Continue'
$InformationPreference = 'Continue'
$ProgressPreference = 'SilentlyContinue'
Microsoft.PowerShell.Core\\Set-StrictMode -Off";
    format!("& {{\n{shield}\n{body}\n}}")
}

/// A sign-in whose identity cannot be read is still a sign-in.
fn unverified(identity: &str) -> String {
    format!(
        "try {{ {identity} }} catch {{ [pscustomobject]@{{ account = $null; tenant_id = $null }} }}"
    )
}

/// Lets texts through and drops the modules' own objects.
const TEXTS: &str = "Microsoft.PowerShell.Core\\Where-Object { $_ -is [string] }";

/// Connections to Exchange itself that can be used; Connect-IPPSSession makes others.
const EXO_CONNECTIONS: &str = "ExchangeOnlineManagement\\Get-ConnectionInformation | \
     Microsoft.PowerShell.Core\\Where-Object { $_.State -eq 'Connected' -and -not $_.IsEopSession } | \
     Microsoft.PowerShell.Utility\\Select-Object -Last 1";

const EXO_IDENTITY: &str = "Microsoft.PowerShell.Core\\ForEach-Object { \
     [pscustomobject]@{ account = [string]$_.UserPrincipalName; tenant_id = [string]$_.TenantID } }";

fn exo_identity() -> String {
    format!("{EXO_CONNECTIONS} | {EXO_IDENTITY}")
}

/// Without it a person is asked for a subscription after the sign-in. Versions before Az 12 do not
/// know the setting and do not ask. Autosave stays on: with it off the sign-in lives in memory and
/// is never restored, and each connection has a home of its own.
const AZURE_NO_PICKER: &str =
    "try { $null = Az.Accounts\\Update-AzConfig -LoginExperienceV2 Off } catch { }";

const AZURE_IDENTITY: &str = "Microsoft.PowerShell.Core\\ForEach-Object { \
     [pscustomobject]@{ account = [string]$_.Account.Id; tenant_id = [string]$_.Tenant.Id } }";

fn azure_current() -> String {
    format!(
        "Az.Accounts\\Get-AzContext | \
         Microsoft.PowerShell.Core\\Where-Object {{ $_.Account }} | {AZURE_IDENTITY}"
    )
}

/// Leaves the current context where it is of the expected account and tenant: a caller may have chosen
/// its subscription. Else it selects the first that is.
fn azure_probe(connection: &Connection) -> String {
    let account = connection.expected_email.as_deref();
    let tenant = connection.tenant_id.map(|id| id.to_string());
    let conditions: Vec<String> = [
        ("$_.Account.Id", account),
        ("$_.Tenant.Id", tenant.as_deref()),
    ]
    .into_iter()
    .filter_map(|(property, value)| Some(format!("{property} -eq {}", quote(value?))))
    .collect();
    if conditions.is_empty() {
        return azure_current();
    }
    let expected = format!(
        "Microsoft.PowerShell.Core\\Where-Object {{ {} }}",
        conditions.join(" -and ")
    );
    format!(
        "$context = Az.Accounts\\Get-AzContext | {expected}\n\
         if (-not $context) {{ $context = Az.Accounts\\Get-AzContext -ListAvailable | {expected} | \
         Microsoft.PowerShell.Utility\\Select-Object -First 1 | \
         Az.Accounts\\Select-AzContext }}\n\
         $context | {AZURE_IDENTITY}"
    )
}

const TEAMS_IDENTITY: &str = "Microsoft.PowerShell.Core\\ForEach-Object { if ($_ -is [string]) { $_ } else { \
     [pscustomobject]@{ account = [string]$_.Account; tenant_id = [string]$_.TenantId } } }";

/// The token that the connection has anyhow: one for Graph, the default, could start a second
/// device code whose prompt nobody prints.
const PNP_IDENTITY: &str = "PnP.PowerShell\\Get-PnPAccessToken -ResourceTypeName SharePoint -Decoded | \
     Microsoft.PowerShell.Core\\ForEach-Object { [pscustomobject]@{ \
     account = [string]($_.Claims | Microsoft.PowerShell.Core\\Where-Object Type -eq 'upn').Value; \
     tenant_id = [string]($_.Claims | Microsoft.PowerShell.Core\\Where-Object Type -eq 'tid').Value } }";

/// A module written in PowerShell sees only the global preferences, and callers may have changed
/// those: what must be heard is said to the cmdlet itself.
const HEARD: &str = "-ErrorAction Stop -WarningAction Continue -InformationAction Continue";

/// A connect cmdlet with its parameters; values that are not there are left out with their names.
struct Command(String);

impl Command {
    fn new(cmdlet: &str) -> Self {
        Self(cmdlet.to_owned())
    }

    fn flag(mut self, flags: &str) -> Self {
        self.0.push(' ');
        self.0.push_str(flags);
        self
    }

    fn value(self, parameter: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.flag(&format!("{parameter} {}", quote(value))),
            None => self,
        }
    }
}

impl std::fmt::Display for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {HEARD}", self.0)
    }
}
