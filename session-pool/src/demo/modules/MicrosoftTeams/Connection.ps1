# Connect-MicrosoftTeams. Its answer is the only place that names account and tenant.

function Connect-MicrosoftTeams {
    [CmdletBinding(DefaultParameterSetName = 'UserCredential')]
    param(
        [Alias('TenantDomain')][string] $TenantId,
        [pscredential] $Credential, [string] $AccountId, [string[]] $AccessTokens,
        [string] $ApplicationId, [string] $CertificateThumbprint,
        [Security.Cryptography.X509Certificates.X509Certificate2] $Certificate,
        [ValidateSet('TeamsGCCH', 'TeamsDOD', 'TeamsChina')][string] $TeamsEnvironmentName,
        [ValidateSet('Info', 'Error', 'Warning', 'None')][string] $LogLevel, [string] $LogFilePath,
        [switch] $UseDeviceAuthentication, [switch] $Identity, [string] $ManagedServiceHostName, [switch] $DisableWAM
    )
    $tenant = Resolve-DemoTenant $TenantId
    if ($TenantId -and -not $tenant) { Stop-TeamsConnect $PSCmdlet "AADSTS90002: Tenant '$TenantId' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud." }
    try {
        if ($AccessTokens) {
            if ($AccessTokens.Count -lt 2) { throw [ArgumentException]::new('Both a Microsoft Graph and a Teams access token are needed.') }
            $session = New-DemoSession teams (($tenant ?? (Get-DemoHomeTenant)).admin) (($tenant ?? (Get-DemoHomeTenant)).tenantId) 'token'
        } elseif ($Certificate) {
            $session = New-DemoAppSession teams $tenant $ApplicationId '' $null $Certificate
        } elseif ($UseDeviceAuthentication) {
            $url = switch ($TeamsEnvironmentName) { 'TeamsChina' { 'https://aka.ms/deviceloginchina' } { $_ -in 'TeamsGCCH', 'TeamsDOD' } { 'https://microsoft.com/deviceloginus' } default { 'https://microsoft.com/devicelogin' } }
            # The stream of the real one is not documented; warning is what it was seen on.
            $session = Wait-DemoSignIn teams $tenant {
                param($code)
                Write-Warning "To sign in, use a web browser to open the page $url and enter the code $code to authenticate."
            }
        } else {
            throw (New-DemoException 'System.PlatformNotSupportedException' 'Interactive sign-in needs a browser on this machine. Use -UseDeviceAuthentication.')
        }
    } catch { Stop-TeamsConnect $PSCmdlet $_.Exception.Message }
    # A second tenant in one process fails in the real module, too.
    $old = Get-DemoConnection teams
    if ($old -and $old.TenantId -ne $session.TenantId) { Stop-TeamsConnect $PSCmdlet 'An item with the same key has already been added.' }
    Set-DemoConnection teams $session
    [pscustomobject]@{
        PSTypeName = 'Demo.Teams.Context'; Account = $session.Account; Environment = $TeamsEnvironmentName ? $TeamsEnvironmentName : 'AzureCloud'
        Tenant = $session.TenantId; TenantId = $session.TenantId
    }
}

function Stop-TeamsConnect {
    param($Cmdlet, [string] $Message)
    $exception = New-DemoException 'Microsoft.Open.Azure.AD.CommonLibrary.AadAuthenticationFailedException' "One or more errors occurred. ($Message)"
    $Cmdlet.ThrowTerminatingError((New-DemoErrorRecord $exception 'Connect-MicrosoftTeams' AuthenticationError))
}

function Disconnect-MicrosoftTeams {
    [CmdletBinding(SupportsShouldProcess)]
    param()
    if ($PSCmdlet.ShouldProcess('Microsoft Teams', 'Disconnect')) { Remove-DemoConnection teams }
}

# The connected tenant; ends the calling cmdlet where there is none, or the sign-in is dead.
function Get-TeamsTenant {
    param($Cmdlet)
    $session = Get-DemoConnection teams
    if (-not $session) {
        $exception = New-DemoException 'System.UnauthorizedAccessException' 'Session is not established, please run Connect-MicrosoftTeams before running cmdlets.'
        $Cmdlet.ThrowTerminatingError((New-DemoErrorRecord $exception 'System.UnauthorizedAccessException' NotSpecified))
    }
    $dead = Get-DemoDeadSignIn $session
    if ($dead) { $Cmdlet.ThrowTerminatingError((New-DemoErrorRecord $dead 'Microsoft.Identity.Client.MsalUiRequiredException' AuthenticationError)) }
    Resolve-DemoTenant $session.TenantId
}

# Slow in any case; without a sign-in it retries for minutes before it says so.
function Get-CsTenant {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string] $Identity, [string] $Filter)
    if (-not (Get-DemoConnection teams)) { Start-Sleep -Seconds (60 * (Get-DemoSlowness)) } else { Start-Sleep -Milliseconds (100 * (Get-DemoSlowness)) }
    $tenant = Get-TeamsTenant $PSCmdlet
    [pscustomobject]@{
        PSTypeName = 'Demo.Teams.Tenant'; TenantId = $tenant.tenantId; DisplayName = $tenant.displayName; Identity = "OU=$($tenant.tenantId),OU=OCS Tenants,DC=demo,DC=example"
        VerifiedDomains = @([pscustomobject]@{ Name = $tenant.domain; Status = 'Enabled' }); CountryOrRegionDisplayName = 'Demo'; PreferredLanguage = 'en'
        TeamsUpgradeEffectiveMode = 'TeamsOnly'; LastProvisionTimeStamp = (New-DemoDate 2024 2 1)
    }
}
