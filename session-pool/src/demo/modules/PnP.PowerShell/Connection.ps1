# Connect-PnPOnline, its cache on disk, and what answers from the connection in memory.

function Connect-PnPOnline {
    [CmdletBinding(DefaultParameterSetName = 'Interactive')]
    param(
        [Parameter(Position = 0, ValueFromPipeline)][string] $Url, [Alias('ApplicationId')][string] $ClientId, [string] $ClientSecret, [string] $Tenant, [string] $TenantAdminUrl,
        [Alias('LaunchBrowser', 'PnPManagementShell')][switch] $DeviceLogin, [switch] $Interactive, [switch] $OSLogin, [switch] $PersistLogin,
        [string] $CertificatePath, [securestring] $CertificatePassword, [string] $CertificateBase64Encoded, [string] $Thumbprint,
        [string] $AccessToken, $Credentials, [switch] $ManagedIdentity, [switch] $CurrentCredentials,
        [ValidateSet('Production', 'PPE', 'China', 'Germany', 'USGovernment', 'USGovernmentHigh', 'USGovernmentDoD', 'Custom')][string] $AzureEnvironment = 'Production',
        [string] $AzureADLoginEndPoint, [string] $MicrosoftGraphEndPoint, [switch] $ForceAuthentication, [switch] $ValidateConnection, [switch] $ReturnConnection,
        [switch] $CreateDrive, [string] $DriveName, $Connection
    )
    if (-not $Url) { throw [Management.Automation.PSArgumentException]::new('Please provide a value for -Url.') }
    if ($Url -notmatch '^https?://') { $Url = "https://$Url" }
    if (-not $ClientId -and -not $AccessToken -and -not $ManagedIdentity) {
        $Host.UI.WriteWarningLine('No -ClientId was given. PnP PowerShell needs an Entra ID app registration of your own; see https://pnp.github.io/powershell/articles/registerapplication.')
        throw [Management.Automation.PSArgumentException]::new('Please specify a valid client id for an Entra ID App Registration.')
    }
    $target = (Resolve-DemoTenant $Url) ?? (Resolve-DemoTenant $Tenant)
    if (-not $target) { throw [Net.Http.HttpRequestException]::new("Name or service not known ($(([uri]$Url).Host):443)") }
    $method = 'DeviceLogin'
    $session = $null
    if ($AccessToken) { $session = New-DemoSession pnp $target.admin $target.tenantId 'token'; $method = 'AccessToken' }
    elseif ($CertificatePath) {
        if (-not $Tenant) { throw [Management.Automation.PSArgumentException]::new('Tenant must be specified with CertificatePath.') }
        $session = New-DemoAppSession pnp $target $ClientId $CertificatePath $CertificatePassword
        $method = 'AzureADAppOnly'
    } elseif ($DeviceLogin) {
        $session = Get-PnPDemoCache $target $ClientId $PersistLogin -Ignore $ForceAuthentication
        if (-not $session) {
            $session = Wait-PnPDemoSignIn $target $AzureEnvironment
            # As in the real module: the reason was a warning line, and no error follows.
            if (-not $session) { return }
            if ($PersistLogin) { Save-PnPDemoCache $session $target $ClientId }
        }
    } else { throw [PlatformNotSupportedException]::new('Operation is not supported on this platform. Use -DeviceLogin.') }
    $made = [pscustomobject]@{
        PSTypeName = 'Demo.PnP.Connection'; ConnectionMethod = $method; ConnectionType = ([uri]$Url).Host -match '-admin\.' ? 'TenantAdmin' : 'O365'
        InitializationType = $method; Scopes = $null; PSCredential = $null; ClientId = $ClientId; ClientSecret = $null; ApplicationInsights = $null
        Url = $Url.TrimEnd('/'); TenantAdminUrl = $TenantAdminUrl ? $TenantAdminUrl : $null; Certificate = $null; Context = $null; Tenant = $Tenant; AzureEnvironment = $AzureEnvironment
    }
    # Not for people: what the demo's cmdlets go by.
    $made | Add-Member -NotePropertyName DemoSession -NotePropertyValue $session
    $made.PSObject.Members.Add([Management.Automation.PSMemberSet]::new('PSStandardMembers', [Management.Automation.PSMemberInfo[]]@(
                [Management.Automation.PSPropertySet]::new('DefaultDisplayPropertySet', [string[]]@('ConnectionMethod', 'ConnectionType', 'ClientId', 'Url', 'Tenant', 'AzureEnvironment')))))
    if ($ReturnConnection) { $made } else { Set-DemoConnection pnp $made }
}

# One of the three wordings: 'prompt_pnp' in settings.json is clipboard, url or plain.
function Wait-PnPDemoSignIn {
    param($Tenant, [string] $Cloud)
    $page = switch ($Cloud) { 'China' { 'https://aka.ms/deviceloginchina' } { $_ -like 'USGovernment*' } { 'https://microsoft.com/deviceloginus' } default { 'https://microsoft.com/devicelogin' } }
    $shell = $env:POWERSHELL_DISTRIBUTION_CHANNEL -eq 'CloudShell'
    $wording = Get-DemoSetting 'prompt_pnp' ($shell ? 'plain' : 'clipboard')
    try {
        Wait-DemoSignIn pnp $Tenant {
            param($code)
            switch ($wording) {
                'plain' { Write-Warning "`n`nTo sign in, use a web browser to open the page $page and enter the code $code to authenticate.`n`n" }
                'url' { Write-Warning "`n`nWe opened a browser and navigated to $page`n`nEnter code: $code (we copied this code to your clipboard)`n`nNOTICE: close the browser tab after you authenticated successfully to continue the process." }
                default { Write-Warning "`n`nCode $code has been copied to your clipboard and a new tab in the browser has been opened. Please paste this code in there and proceed.`n`n" }
            }
        }
    } catch [Management.Automation.PipelineStoppedException] { throw }
    catch { $Host.UI.WriteWarningLine($_.Exception.Message) }
}

function Get-PnPDemoCacheFile { Join-Path $HOME '.m365pnppowershell/pnp.msal.cache' }

# One cached sign-in covers root, -my and -admin of a tenant.
function Get-PnPDemoCache {
    param($Tenant, [string] $ClientId, [bool] $Persist, [bool] $Ignore)
    $file = Get-PnPDemoCacheFile
    if ($Ignore -or -not [IO.File]::Exists($file)) { return }
    $cache = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($file)) -AsHashtable -DateKind Offset
    $entry = $cache["$($Tenant.tenantId)/$ClientId"]
    if (-not $entry) { return }
    $session = New-DemoSession pnp $entry['account'] $entry['tenantId']
    $session.SignedInAt = [datetimeoffset]$entry['at']
    if (Get-DemoDeadSignIn $session) { return }
    Write-Verbose 'Connecting using token cache. See https://pnp.github.io/powershell/articles/persistedlogin.html for more information.'
    $session
}

function Save-PnPDemoCache {
    param($Session, $Tenant, [string] $ClientId)
    $file = Get-PnPDemoCacheFile
    $cache = [IO.File]::Exists($file) ? (ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($file)) -AsHashtable -DateKind Offset) : @{}
    $cache["$($Tenant.tenantId)/$ClientId"] = @{ account = $Session.Account; tenantId = $Session.TenantId; at = $Session.SignedInAt.ToString('o') }
    Write-DemoFile $file (ConvertTo-Json -InputObject $cache)
}

function Disconnect-PnPOnline {
    [CmdletBinding()]
    param($Connection, [switch] $ClearPersistedLogin)
    $current = Get-DemoConnection pnp
    if (-not $current -and -not $Connection) { throw [InvalidOperationException]::new('No connection to disconnect') }
    if ($ClearPersistedLogin -and [IO.File]::Exists((Get-PnPDemoCacheFile))) { [IO.File]::Delete((Get-PnPDemoCacheFile)) }
    Remove-DemoConnection pnp
}

# From memory: fails in a fresh process, whatever is cached.
function Get-PnPConnection {
    [CmdletBinding()]
    param($Connection)
    Get-PnPDemoConnection $PSCmdlet $Connection
}

function Get-PnPContext {
    [CmdletBinding()]
    param($Connection)
    [pscustomobject]@{ Url = (Get-PnPDemoConnection $PSCmdlet $Connection).Url; ApplicationName = 'SharePoint PnP PowerShell Library'; RetryCount = 10; RequestTimeout = 1800000 }
}

function Get-PnPAccessToken {
    [CmdletBinding()]
    param([ValidateSet('Graph', 'SharePoint', 'ARM')][string] $ResourceTypeName = 'Graph', [string] $ResourceUrl, [switch] $Decoded, [string[]] $Scopes, [switch] $ListPermissionScopes, $Connection)
    $current = Get-PnPDemoConnection $PSCmdlet $Connection
    # The token for SharePoint is there anyhow; one for another service may have to be asked for.
    [void](Get-PnPDemoTenant $PSCmdlet $Connection -Held:($ResourceTypeName -eq 'SharePoint'))
    $audience = $ResourceUrl ? $ResourceUrl : @{ Graph = 'https://graph.microsoft.com'; SharePoint = $current.Url; ARM = 'https://management.azure.com' }[$ResourceTypeName]
    $token = New-DemoJwt $current.DemoSession $audience
    if ($ListPermissionScopes) { return 'AllSites.FullControl', 'User.Read.All' }
    if (-not $Decoded) { return $token.Text }
    # As JwtSecurityToken shows itself: the claims as a list of Type and Value.
    [pscustomobject]@{
        Audiences = @($audience); Issuer = $token.Claims['iss']; ValidTo = $token.Expires.UtcDateTime; ValidFrom = $token.Expires.UtcDateTime.AddHours(-1); RawData = $token.Text
        Claims = @(foreach ($name in $token.Claims.Keys) {
                $claim = [pscustomobject]@{ Type = $name; Value = [string]$token.Claims[$name] }
                $claim | Add-Member -MemberType ScriptMethod -Name ToString -Force -Value { "$($this.Type): $($this.Value)" } -PassThru
            })
    }
}
