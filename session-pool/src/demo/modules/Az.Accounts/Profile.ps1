# The sign-ins that ~/.Azure keeps, and the one in use.
# AzureRmContext.json holds the contexts, msal.cache what a restart can renew them with.

$script:Autosave = $true
$script:Memory = $null

function Get-AzDemoDirectory { Join-Path $HOME '.Azure' }

# {default: name or null, contexts: [{Name, Session, Subscription}]}
function Get-AzDemoProfile {
    if ($script:Memory) { return $script:Memory }
    $script:Memory = @{ Default = $null; Contexts = [Collections.Generic.List[object]]::new() }
    $file = Join-Path (Get-AzDemoDirectory) 'AzureRmContext.json'
    $cache = Join-Path (Get-AzDemoDirectory) 'msal.cache'
    if ($script:Autosave -and [IO.File]::Exists($file)) {
        $saved = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($file)) -DateKind Offset
        $script:Memory.Default = $saved.Default
        foreach ($one in $saved.Contexts) {
            $script:Memory.Contexts.Add($one)
            # Without the token cache the context is still listed, and every call fails.
            if (-not [IO.File]::Exists($cache)) { $one.Session.SignedInAt = [datetimeoffset]::MinValue }
        }
    }
    $script:Memory
}

function Save-AzDemoProfile {
    if (-not $script:Autosave) { return }
    $found = Get-AzDemoProfile
    Write-DemoFile (Join-Path (Get-AzDemoDirectory) 'AzureRmContext.json') (ConvertTo-Json -Depth 6 @{ Default = $found.Default; Contexts = $found.Contexts.ToArray() })
    Write-DemoFile (Join-Path (Get-AzDemoDirectory) 'msal.cache') (ConvertTo-Json @{ RefreshToken = @($found.Contexts | ForEach-Object { $_.Session.Account }) })
}

function Get-AzDemoCurrent {
    $found = Get-AzDemoProfile
    foreach ($one in $found.Contexts) { if ($one.Name -eq $found.Default) { return $one } }
}

# Ends the calling cmdlet. Az puts the class of the cmdlet in the id; here the cmdlet's name follows.
function Stop-AzDemo {
    param([Parameter(Mandatory)] $Cmdlet, [Parameter(Mandatory)][Exception] $Exception, [string] $Class = 'Microsoft.Azure.Commands.Profile')
    $Cmdlet.ThrowTerminatingError((New-DemoErrorRecord $Exception "$Class.$($Cmdlet.MyInvocation.MyCommand.Name -replace '-' -replace 'Az', 'Azure')Command" CloseError))
}

# The context in use and its tenant; ends the calling cmdlet where it has no living sign-in.
function Get-AzDemoTenant {
    param([Parameter(Mandatory)] $Cmdlet, [string] $Class = 'Microsoft.Azure.Commands.Profile')
    $current = Get-AzDemoCurrent
    if (-not $current) {
        Stop-AzDemo $Cmdlet ([Management.Automation.PSInvalidOperationException]::new('Run Connect-AzAccount to login.')) $Class
    }
    $dead = if (([datetimeoffset]$current.Session.SignedInAt) -eq [datetimeoffset]::MinValue) { [Exception]::new('User interaction is required.') } else { Get-DemoDeadSignIn $current.Session }
    if ($dead) {
        Stop-AzDemo $Cmdlet (New-DemoException 'Microsoft.Azure.Commands.Common.Exceptions.AzPSAuthenticationFailedException' (
                "Your Azure credentials have not been set up or have expired, please run Connect-AzAccount to set up your Azure credentials.`n" +
                "Authentication failed against tenant $($current.Session.TenantId). User interaction is required. This may be due to the conditional access policy settings such as multi-factor authentication (MFA). " +
                "If you need to access subscriptions in that tenant, please rerun 'Connect-AzAccount' with additional parameter '-TenantId $($current.Session.TenantId)'.`n$($dead.Message)")) $Class
    }
    Resolve-DemoTenant $current.Session.TenantId
}

function New-AzDemoContext {
    param($Session, $Subscription)
    $name = if ($Subscription) { "$($Subscription.Name) ($($Subscription.Id)) - $($Session.TenantId) - $($Session.Account)" } else { "Default - $($Session.TenantId) - $($Session.Account)" }
    [pscustomobject]@{ Name = $name; Session = $Session; Subscription = $Subscription }
}

function Get-AzDemoSubscriptionRow {
    param([Parameter(Mandatory)] $Tenant)
    Get-DemoData $Tenant 'subscriptions' {
        param($Tenant)
        foreach ($name in $Tenant.subscriptions) {
            [pscustomobject]@{
                PSTypeName = 'Demo.Az.Subscription'; Id = New-DemoGuid $Tenant 'subscription' $name; SubscriptionId = New-DemoGuid $Tenant 'subscription' $name; Name = $name
                State = 'Enabled'; TenantId = $Tenant.tenantId; HomeTenantId = $Tenant.tenantId; ManagedByTenantIds = @(); Tags = $null
            }
        }
    }
}
