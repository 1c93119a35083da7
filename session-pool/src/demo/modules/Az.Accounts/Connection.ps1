# Connect-AzAccount and its settings.

$script:LoginExperience = 'On'

function Connect-AzAccount {
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [string] $Environment = 'AzureCloud', [pscredential] $Credential, [string] $CertificateThumbprint, [Alias('ClientId')][string] $ApplicationId,
        [switch] $ServicePrincipal, [Alias('TenantId', 'Domain')][string] $Tenant, [string] $AccessToken, [string] $GraphAccessToken, [string] $KeyVaultAccessToken,
        [string] $AccountId, [switch] $Identity, [Alias('SubscriptionName', 'SubscriptionId')][string] $Subscription, [string] $AuthScope,
        [string] $ContextName, [switch] $SkipContextPopulation, [int] $MaxContextPopulation = 25, [Alias('DeviceCode', 'DeviceAuth', 'Device')][switch] $UseDeviceAuthentication,
        [switch] $Force, [ValidateSet('Process', 'CurrentUser')][string] $Scope, [string] $CertificatePath, [securestring] $CertificatePassword,
        [switch] $SendCertificateChain, [string] $FederatedToken, [string] $ClaimsChallenge
    )
    if (-not $PSCmdlet.ShouldProcess($Environment, 'log in')) { return }
    $cmdlet = $PSCmdlet
    $target = Resolve-DemoTenant $Tenant
    $class = 'Microsoft.Azure.Commands.Profile'
    if ($Tenant -and -not $target) {
        Stop-AzDemo $cmdlet ([Exception]::new("AADSTS90002: Tenant '$Tenant' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.")) $class
    }
    try {
        if ($AccessToken) {
            if (-not $AccountId) { throw [ArgumentException]::new('AccountId must be specified with AccessToken.') }
            $found = $target ?? (Resolve-DemoTenant $AccountId) ?? (Get-DemoHomeTenant)
            $session = New-DemoSession azure $AccountId $found.tenantId 'token'
        } elseif ($ServicePrincipal) {
            $app = $ApplicationId ? $ApplicationId : ${Credential}?.UserName
            if ($Credential -and $Credential.GetNetworkCredential().Password -eq 'wrong') { throw (New-DemoException 'Microsoft.Identity.Client.MsalServiceException' 'AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.') }
            $session = New-DemoAppSession azure $target $app $CertificatePath $CertificatePassword
        } elseif ($UseDeviceAuthentication) {
            $url = switch ($Environment) { 'AzureUSGovernment' { 'https://microsoft.com/deviceloginus' } 'AzureChinaCloud' { 'https://aka.ms/deviceloginchina' } default { 'https://login.microsoft.com/device' } }
            $session = Wait-DemoSignIn azure $target {
                param($code)
                $text = "`e[33m[Login to Azure]`e[0m To sign in, use a web browser to open the page `e[4m$url`e[0m and enter the code `e[1m$code`e[0m to authenticate."
                $cmdlet.WriteInformation([Management.Automation.HostInformationMessage]@{ Message = $text }, [string[]]@('PSHOST'))
            }
        } else {
            throw (New-DemoException 'System.PlatformNotSupportedException' 'InteractiveBrowserCredential authentication failed: Unable to open a web page. Please use -UseDeviceAuthentication.')
        }
    } catch {
        $message = $_.Exception.Message
        $means = $UseDeviceAuthentication ? 'DeviceCodeCredential' : ($Credential ? 'ClientSecretCredential' : 'ClientCertificateCredential')
        if ($target -and $message.StartsWith('AADSTS')) { Write-Warning "Unable to acquire token for tenant '$($target.tenantId)' with error '$means authentication failed: $message'" }
        Stop-AzDemo $cmdlet (New-DemoException 'Azure.Identity.AuthenticationFailedException' "$means authentication failed: $message") $class
    }
    $found = Resolve-DemoTenant $session.TenantId
    $subscriptions = @(Get-AzDemoSubscriptionRow $found)
    $chosen = $subscriptions[0]
    if ($Subscription) {
        $chosen = $subscriptions.Where({ $Subscription -in $_.Id, $_.Name }, 'First')[0]
        if (-not $chosen) { Stop-AzDemo $cmdlet ([Management.Automation.PSInvalidOperationException]::new("The provided account $($session.Account) does not have access to subscription `"$Subscription`". Please try logging in with different credentials or a different subscription ID.")) $class }
    }
    if ($script:LoginExperience -eq 'On' -and $UseDeviceAuthentication -and -not $Subscription -and $subscriptions.Count -gt 1) { Read-AzDemoSubscription $subscriptions }
    $saved = Get-AzDemoProfile
    foreach ($old in @($saved.Contexts)) { if ($old.Session.Account -eq $session.Account -and $old.Session.TenantId -eq $session.TenantId) { [void]$saved.Contexts.Remove($old) } }
    foreach ($one in $subscriptions) { $saved.Contexts.Add((New-AzDemoContext $session $one)) }
    $saved.Default = (New-AzDemoContext $session $chosen).Name
    Save-AzDemoProfile
    Set-DemoConnection azure $session
    [pscustomobject]@{
        PSTypeName = 'Demo.Az.Profile'; Account = $session.Account; SubscriptionName = $chosen.Name; TenantId = $session.TenantId; Environment = $Environment
        Context = ConvertTo-AzDemoContext (Get-AzDemoCurrent)
    }
}

# The subscription picker of LoginExperienceV2: a prompt that a session without a person cannot answer.
function Read-AzDemoSubscription {
    param($Subscriptions)
    Write-Host 'Retrieving subscriptions for the selection...'
    Write-Host "[Tenant and subscription selection]`n"
    $n = 0
    foreach ($one in $Subscriptions) { $n++; Write-Host "[$n] $($one.Name)  $($one.Id)" }
    try { [void]$Host.UI.ReadLine() } catch { Write-Verbose 'No one to ask: the first subscription is taken.' }
}

function Disconnect-AzAccount {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Position = 0)][Alias('Id')][string] $Username, [string] $TenantId, [string] $ContextName, [switch] $ServicePrincipal, [string] $Scope)
    $found = Get-AzDemoProfile
    $current = Get-AzDemoCurrent
    $account = $Username ? $Username : ${current}?.Session.Account
    if (-not $account -or -not $PSCmdlet.ShouldProcess("Log out user '$account'", 'log out')) { return }
    foreach ($one in @($found.Contexts)) { if ($one.Session.Account -eq $account) { [void]$found.Contexts.Remove($one) } }
    $found.Default = $found.Contexts.Count ? $found.Contexts[0].Name : $null
    Save-AzDemoProfile
    Remove-DemoConnection azure
    [pscustomobject]@{ Id = $account; Type = 'User' }
}

function Update-AzConfig {
    [CmdletBinding(SupportsShouldProcess)]
    param([ValidateSet('On', 'Off')][string] $LoginExperienceV2, [bool] $EnableDataCollection, [bool] $DisplayBreakingChangeWarning, [bool] $EnableLoginByWam, [string] $DefaultSubscriptionForLogin, [string] $Scope = 'CurrentUser', [string] $AppliesTo = 'Az')
    foreach ($key in $PSBoundParameters.Keys) {
        if ($key -in 'Scope', 'AppliesTo', 'WhatIf', 'Confirm' -or -not $PSCmdlet.ShouldProcess("Configs for scope $Scope", "Update $key")) { continue }
        if ($key -eq 'LoginExperienceV2') { $script:LoginExperience = $LoginExperienceV2 }
        [pscustomobject]@{ Key = $key; Value = $PSBoundParameters[$key]; 'Applies To' = $AppliesTo; Scope = $Scope; 'Help Message' = '' }
    }
}

function Get-AzConfig {
    [CmdletBinding()]
    param([switch] $LoginExperienceV2)
    [pscustomobject]@{ Key = 'LoginExperienceV2'; Value = $script:LoginExperience; 'Applies To' = 'Az'; Scope = 'CurrentUser'; 'Help Message' = '' }
}

function Enable-AzContextAutosave {
    [CmdletBinding(SupportsShouldProcess)]
    param([ValidateSet('Process', 'CurrentUser')][string] $Scope = 'CurrentUser')
    $script:Autosave = $true
    [pscustomobject]@{ Mode = 'CurrentUser'; ContextDirectory = Get-AzDemoDirectory; ContextFile = 'AzureRmContext.json'; CacheDirectory = Get-AzDemoDirectory; CacheFile = 'msal.cache'; Settings = @{} }
}

# From here on the sign-in is in memory only, and what was saved is not seen.
function Disable-AzContextAutosave {
    [CmdletBinding(SupportsShouldProcess)]
    param([ValidateSet('Process', 'CurrentUser')][string] $Scope = 'CurrentUser')
    $script:Autosave = $false
    [pscustomobject]@{ Mode = 'Process'; ContextDirectory = $null; ContextFile = $null; CacheDirectory = $null; CacheFile = $null; Settings = @{} }
}
