# Connect-ExchangeOnline and what answers from the connection in memory.

function Connect-ExchangeOnline {
    [CmdletBinding()]
    param(
        [string] $ConnectionUri,
        [string] $AzureADAuthorizationEndpointUri,
        [ValidateSet('O365Default', 'O365GermanyCloud', 'O365China', 'O365USGovGCCHigh', 'O365USGovDoD')]
        [string] $ExchangeEnvironmentName = 'O365Default',
        [string[]] $PSSessionOption,
        [string] $DelegatedOrganization,
        [string] $Prefix,
        [string[]] $CommandName = @('*'),
        [string[]] $FormatTypeName = @('*'),
        [string] $AccessToken,
        [string] $AppId,
        [switch] $BypassMailboxAnchoring,
        [securestring] $CertificatePassword,
        [string] $CertificateFilePath,
        [string] $CertificateThumbprint,
        [Security.Cryptography.X509Certificates.X509Certificate2] $Certificate,
        [pscredential] $Credential,
        [switch] $Device,
        [switch] $DisableWAM,
        [switch] $EnableErrorReporting,
        [string] $EXOModuleBasePath,
        [switch] $InlineCredential,
        [switch] $LoadCmdletHelp,
        [string] $LogDirectoryPath,
        [string] $LogLevel,
        [switch] $ManagedIdentity,
        [string] $ManagedIdentityAccountId,
        [string] $Organization,
        [int] $PageSize = 1000,
        [bool] $ShowBanner = $true,
        [switch] $ShowProgress,
        [string] $SigningCertificate,
        [switch] $SkipLoadingCmdletHelp,
        [switch] $SkipLoadingFormatData,
        [switch] $TrackPerformance,
        [bool] $UseMultithreading = $true,
        [string] $UserPrincipalName,
        [switch] $UseRPSSession
    )
    if ($CertificateThumbprint -and -not $IsWindows) {
        throw 'CertificateThumbprint parameter is only supported on Windows. Use CertificateFilePath or Certificate.'
    }
    if ($ShowBanner) { Write-ExoBanner }
    $appOnly = $CertificateFilePath -or $Certificate -or $ManagedIdentity
    if ($appOnly -and -not $Organization) { throw 'Organization is required for app-only authentication.' }
    # The prompt and the words of a refused sign-in leave as the real module's do: a plain throw.
    if ($AccessToken) { $session = New-ExoTokenSession $AccessToken $Organization $UserPrincipalName $DelegatedOrganization }
    elseif ($appOnly) {
        $session = New-DemoAppSession exo (Resolve-DemoTenant $Organization) $AppId $CertificateFilePath $CertificatePassword $Certificate
    } elseif ($Device) {
        $url = switch ($ExchangeEnvironmentName) {
            'O365USGovGCCHigh' { 'https://microsoft.com/deviceloginus' }
            'O365USGovDoD' { 'https://microsoft.com/deviceloginus' }
            'O365China' { 'https://aka.ms/deviceloginchina' }
            default { 'https://microsoft.com/devicelogin' }
        }
        $session = Wait-DemoSignIn exo (Resolve-DemoTenant $UserPrincipalName) {
            param($code)
            [Console]::WriteLine("To sign in, use a web browser to open the page $url and enter the code $code to authenticate.")
        }
    } else {
        throw (New-DemoException 'System.PlatformNotSupportedException' 'Interactive sign-in needs a browser on this machine. Use -Device.')
    }
    $tenant = Resolve-DemoTenant $session.TenantId
    if ($DelegatedOrganization) {
        $tenant = Resolve-DemoTenant $DelegatedOrganization
        if (-not $tenant) { throw "The delegated organization '$DelegatedOrganization' can't be found." }
    }
    $commands = Import-ExoCommand $PSCmdlet $Prefix
    Set-DemoConnection exo ([pscustomobject]@{
            Session = $session; Tenant = $tenant; Commands = $commands
            Information = New-ExoConnectionInformation $session $tenant $commands $Prefix $Organization $DelegatedOrganization
        })
}

function New-ExoTokenSession {
    param([string] $AccessToken, [string] $Organization, [string] $UserPrincipalName, [string] $DelegatedOrganization)
    $tenant = Resolve-DemoTenant ($Organization ? $Organization : $UserPrincipalName)
    if (-not $tenant) { throw 'AccessToken authentication needs the parameter Organization or UserPrincipalName.' }
    if ($UserPrincipalName) { return New-DemoSession exo $UserPrincipalName $tenant.tenantId 'token' }
    New-DemoSession exo $tenant.appId $tenant.tenantId 'app'
}

function New-ExoConnectionInformation {
    param($Session, $Tenant, $Commands, [string] $Prefix, [string] $Organization, [string] $DelegatedOrganization)
    $appOnly = $Session.Method -eq 'app'
    [pscustomobject]@{
        PSTypeName                     = 'Demo.Exchange.ConnectionInformation'
        ConnectionId                   = [guid]::NewGuid()
        State                          = 'Connected'
        Id                             = 1
        Name                           = 'ExchangeOnline_1'
        UserPrincipalName              = $appOnly ? '' : $Session.Account
        ConnectionUri                  = 'https://outlook.office365.com'
        AzureAdAuthorizationEndpointUri = 'https://login.microsoftonline.com/organizations'
        TokenExpiryTimeUTC             = [datetimeoffset]::UtcNow.AddHours(1)
        CertificateAuthentication      = $appOnly
        ModuleName                     = $Commands.Path
        ModulePrefix                   = $Prefix
        Organization                   = $appOnly ? $Organization : ''
        DelegatedOrganization          = $DelegatedOrganization
        AppId                          = $appOnly ? $Session.Account : 'fb78d390-0c51-40cd-8e17-fdbfab77341b'
        PageSize                       = 1000
        TenantID                       = $Tenant.tenantId
        TokenStatus                    = 'Active'
        ConnectionUsedForInbuiltCmdlets = $true
        IsEopSession                   = $false
    }
}

$script:ClassicCommands = @(
    'Get-Mailbox', 'Set-Mailbox', 'Remove-Mailbox', 'Get-MailboxStatistics', 'Get-MailboxPermission', 'Get-MailboxFolderStatistics'
    'Get-Recipient', 'Get-DistributionGroup', 'Get-DistributionGroupMember', 'Add-DistributionGroupMember', 'Remove-DistributionGroupMember'
    'Get-InboxRule', 'New-InboxRule', 'Set-InboxRule', 'Remove-InboxRule'
    'Get-MessageTraceV2', 'Search-UnifiedAuditLog', 'Get-TransportRule', 'Get-OrganizationConfig', 'Get-AcceptedDomain'
)

# The classic cmdlets arrive in a module of a made-up name, as in the real one.
function Import-ExoCommand {
    param($Cmdlet, [string] $Prefix)
    $old = Get-DemoConnection exo
    if ($old) { Remove-ExoCommand $Cmdlet $old.Commands.Module }
    $name = 'tmpEXO_' + [IO.Path]::GetRandomFileName()
    $module = New-Module -Name $name -ArgumentList $PSScriptRoot, $script:ClassicCommands, (Get-Module DemoTenant) -ScriptBlock {
        param($Directory, $Commands, $Shared)
        Set-StrictMode -Off
        # Not imported: removing this module would take what it imported, and its state, with it.
        foreach ($function in $Shared.ExportedFunctions.Values) { Set-Item "function:script:$($function.Name)" $function.ScriptBlock }
        foreach ($part in 'Service', 'Mailboxes', 'MailboxCmdlets', 'Recipients', 'InboxRules', 'Messages', 'Organization') {
            . "$Directory/$part.ps1"
        }
        Export-ModuleMember -Function $Commands
    }
    $import = @{ Global = $true; DisableNameChecking = $true; Force = $true }
    if ($Prefix) { $import['Prefix'] = $Prefix }
    $module | Import-Module @import
    @{ Module = $module; Path = Join-Path ([IO.Path]::GetTempPath()) $name }
}

# In the caller's session state: Remove-Module inside a module leaves the caller's functions alone.
function Remove-ExoCommand {
    param($Cmdlet, $Module)
    $remove = [scriptblock]::Create('param($module) Microsoft.PowerShell.Core\Remove-Module -ModuleInfo $module -Force -ErrorAction Ignore')
    [void]$Cmdlet.SessionState.InvokeCommand.InvokeScript($Cmdlet.SessionState, $remove, @($Module))
}

function Disconnect-ExchangeOnline {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([string[]] $ConnectionId, [string[]] $ModulePrefix)
    $connection = Get-DemoConnection exo
    if (-not $PSCmdlet.ShouldProcess(
            'Running this cmdlet clears all active sessions created using Connect-ExchangeOnline or Connect-IPPSSession.',
            '(Press(Y/y/A/a) if you want to continue)', 'Confirm')) { return }
    if (-not $connection) { return }
    Remove-DemoConnection exo
    Remove-ExoCommand $PSCmdlet $connection.Commands.Module
    Write-Host 'Disconnected successfully !'
}

# From memory, whatever became of the sign-in since.
function Get-ConnectionInformation {
    [CmdletBinding()]
    param([string[]] $ConnectionId, [string[]] $ModulePrefix)
    $connection = Get-DemoConnection exo
    if (-not $connection) { return }
    if ($ConnectionId -and $connection.Information.ConnectionId -notin $ConnectionId) { return }
    $connection.Information
}

function Connect-IPPSSession {
    [CmdletBinding()]
    param([string] $UserPrincipalName, [string] $AppId, [string] $Organization, [string] $CertificateThumbprint)
    throw (New-DemoException 'System.PlatformNotSupportedException' 'Connect-IPPSSession is supported on Windows only.')
}

function Write-ExoBanner {
    Write-Host @'

----------------------------------------------------------------------------------------
This V3 EXO PowerShell module contains new REST API backed Exchange Online cmdlets which doesn't require WinRM for Client-Server communication. You can now run these cmdlets after turning off WinRM Basic Auth in your client machine thus making it more secure.

For more information check https://aka.ms/exov3-module
----------------------------------------------------------------------------------------

'@
}
