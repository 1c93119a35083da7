//! Signing in as an app: by certificate or secret, without a person and without a device code.
//!
//! The secrets themselves are never part of a text: it reads them from files that only the
//! session's user can read.

use super::{AZURE_NO_PICKER, Command, EXO_CONNECTIONS, quote, script};
use crate::domain::module::Module;
use crate::domain::registry::{Connection, UnusableModule};
use crate::domain::site::Site;

/// What an app proves itself with: full paths of files in the session's home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A certificate with its private key.
    Certificate {
        /// The PFX.
        pfx: String,
        /// The file that holds its password.
        password: String,
    },
    /// A client secret.
    Secret {
        /// The file that holds it.
        file: String,
    },
}

/// Signs in as the connection's app, and puts out the identity: the app's id is what the proof has
/// shown, the tenant's is what the module says.
///
/// # Errors
/// [`UnusableModule`] where the registry does not say enough, or the module has no such way.
pub fn connect_app(
    connection: &Connection,
    module: Module,
    site: &Site,
    proof: &Proof,
) -> Result<String, UnusableModule> {
    connection.check(module)?;
    let app = connection.app_for(module).map(|app| app.to_string());
    let tenant = connection.tenant_for_sign_in();
    let cloud = &connection.cloud;
    let file = proof.file();
    let (command, tenant_id) = match module {
        Module::Exo => (
            Command::new("ExchangeOnlineManagement\\Connect-ExchangeOnline -AppId $app")
                .value("-CertificateFilePath", file)
                .flag("-CertificatePassword $secret")
                .value("-Organization", connection.tenant.as_deref())
                .flag("-ShowBanner:$false -SkipLoadingCmdletHelp")
                .value("-ExchangeEnvironmentName", cloud.exchange_environment()),
            format!("({EXO_CONNECTIONS}).TenantID"),
        ),
        Module::Azure => {
            let command = Command::new("Az.Accounts\\Connect-AzAccount -ServicePrincipal");
            let command = match file {
                Some(_) => command
                    .flag("-ApplicationId $app")
                    .value("-CertificatePath", file)
                    .flag("-CertificatePassword $secret"),
                None => command.flag("-Credential ([pscredential]::new($app, $secret))"),
            };
            (
                command
                    .value("-Tenant", tenant.as_deref())
                    .value("-Environment", cloud.azure_environment()),
                "(Az.Accounts\\Get-AzContext).Tenant.Id".to_owned(),
            )
        }
        Module::Teams => (
            // The module takes no file.
            Command::new("MicrosoftTeams\\Connect-MicrosoftTeams -ApplicationId $app")
                .flag("-Certificate ([Security.Cryptography.X509Certificates.X509Certificate2]::new($file, $secret))")
                .value("-TenantId", tenant.as_deref())
                .value("-TeamsEnvironmentName", cloud.teams_environment()),
            "$answer.TenantId".to_owned(),
        ),
        Module::Pnp => (
            Command::new("PnP.PowerShell\\Connect-PnPOnline -ClientId $app")
                .value("-Url", site.url(connection).as_deref())
                .value("-CertificatePath", file)
                .flag("-CertificatePassword $secret")
                .value("-Tenant", connection.tenant.as_deref().or(tenant.as_deref()))
                .value("-AzureEnvironment", cloud.pnp_environment()),
            "((PnP.PowerShell\\Get-PnPAccessToken -ResourceTypeName SharePoint -Decoded).Claims | \
             Microsoft.PowerShell.Core\\Where-Object Type -eq 'tid').Value"
                .to_owned(),
        ),
    };
    let prelude = match module {
        Module::Azure => AZURE_NO_PICKER,
        Module::Teams | Module::Exo | Module::Pnp => "",
    };
    Ok(script(&format!(
        "$app = {app}\n$file = {file}\n{secret}\n{prelude}\n\
         $answer = {command}\n\
         $tenant = try {{ [string]{tenant_id} }} catch {{ $null }}\n\
         [pscustomobject]@{{ account = $app; tenant_id = $tenant }}",
        app = quote(app.as_deref().unwrap_or_default()),
        file = quote(file.unwrap_or_default()),
        secret = proof.read(),
    )))
}

impl Proof {
    fn file(&self) -> Option<&str> {
        match self {
            Self::Certificate { pfx, .. } => Some(pfx),
            Self::Secret { .. } => None,
        }
    }

    /// Makes `$secret` of the file's characters, without a plain copy in a variable.
    fn read(&self) -> String {
        let file = match self {
            Self::Certificate { password, .. } => password,
            Self::Secret { file } => file,
        };
        format!(
            "$secret = [securestring]::new()\n\
             foreach ($c in [IO.File]::ReadAllText({}).ToCharArray()) {{ $secret.AppendChar($c) }}",
            quote(file)
        )
    }
}
