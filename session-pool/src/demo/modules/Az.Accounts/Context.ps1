# Contexts, tenants, subscriptions.

function ConvertTo-AzDemoContext {
    param([AllowNull()] $Row)
    if (-not $Row) { return }
    $account = [pscustomobject]@{ Id = $Row.Session.Account; Type = $Row.Session.Method -eq 'app' ? 'ServicePrincipal' : 'User'; Tenants = @($Row.Session.TenantId); Credential = $null }
    $tenant = [pscustomobject]@{ Id = $Row.Session.TenantId; TenantId = $Row.Session.TenantId }
    $environment = [pscustomobject]@{ Name = 'AzureCloud'; ResourceManagerUrl = 'https://management.azure.com/' }
    foreach ($part in @($account, 'Id'), @($tenant, 'Id'), @($environment, 'Name')) {
        $part[0] | Add-Member -MemberType ScriptMethod -Name ToString -Force -Value ([scriptblock]::Create("`$this.$($part[1])"))
    }
    $subscription = [pscustomobject]@{ Id = $Row.Subscription.Id; Name = $Row.Subscription.Name; TenantId = $Row.Session.TenantId; State = 'Enabled' }
    $subscription | Add-Member -MemberType ScriptMethod -Name ToString -Force -Value { $this.Id }
    [pscustomobject]@{
        PSTypeName = 'Demo.Az.Context'; Name = $Row.Name; Account = $account; Subscription = $subscription; Tenant = $tenant; Environment = $environment
        VersionProfile = $null; TokenCache = $null; ExtendedProperties = @{}
    }
}

# From memory or ~/.Azure, whatever became of the sign-in since.
function Get-AzContext {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string] $Name, [switch] $ListAvailable, [switch] $RefreshContextFromTokenCache)
    if ($ListAvailable -or $Name) {
        foreach ($row in (Get-AzDemoProfile).Contexts) { if (-not $Name -or $row.Name -eq $Name) { ConvertTo-AzDemoContext $row } }
        return
    }
    ConvertTo-AzDemoContext (Get-AzDemoCurrent)
}

function Select-AzContext {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Position = 0, ValueFromPipelineByPropertyName)][string] $Name, [Parameter(ValueFromPipeline)] $InputObject, [string] $Scope)
    process {
        $wanted = $InputObject ? $InputObject.Name : $Name
        $found = Get-AzDemoProfile
        if (-not $found.Contexts.Where({ $_.Name -eq $wanted }, 'First')) {
            Stop-AzDemo $PSCmdlet ([Management.Automation.PSInvalidOperationException]::new("Cannot find a context with name '$wanted'"))
        }
        if (-not $PSCmdlet.ShouldProcess($wanted, 'Select context')) { return }
        $found.Default = $wanted
        Save-AzDemoProfile
        Set-DemoConnection azure (Get-AzDemoCurrent).Session
        Get-AzContext
    }
}

function Set-AzContext {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Position = 0)][Alias('SubscriptionId', 'SubscriptionName')][string] $Subscription, [Alias('TenantId', 'Domain')][string] $Tenant, [Parameter(ValueFromPipeline)] $Context, [string] $Name, [switch] $Force, [string] $Scope)
    process {
        $id = $Subscription; $where = Resolve-DemoTenant $Tenant
        if ($Context) { $id = $Context.Subscription.Id }
        $found = Get-AzDemoProfile
        $row = $found.Contexts.Where({ (-not $id -or $id -in $_.Subscription.Id, $_.Subscription.Name) -and (-not $where -or $_.Session.TenantId -eq $where.tenantId) }, 'First')
        if (-not $row) { Stop-AzDemo $PSCmdlet ([ArgumentException]::new("Please provide a valid tenant or a valid subscription.")) }
        if (-not $PSCmdlet.ShouldProcess($row[0].Name, 'Set context')) { return }
        $found.Default = $row[0].Name
        Save-AzDemoProfile
        Set-DemoConnection azure $row[0].Session
        Get-AzContext
    }
}

function Clear-AzContext {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([switch] $Force, [string] $Scope, [switch] $PassThru)
    if (-not $Force -and -not $PSCmdlet.ShouldProcess('Remove all accounts and subscriptions in all scopes for the current user', 'Clear context')) { return }
    $script:Memory = @{ Default = $null; Contexts = [Collections.Generic.List[object]]::new() }
    Save-AzDemoProfile
    Remove-DemoConnection azure
    if ($PassThru) { $true }
}

function Get-AzTenant {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string] $TenantId)
    $tenant = Get-AzDemoTenant $PSCmdlet
    if ($TenantId -and $TenantId -notin $tenant.tenantId, $tenant.domain) { return }
    [pscustomobject]@{ PSTypeName = 'Demo.Az.Tenant'; Id = $tenant.tenantId; TenantId = $tenant.tenantId; Name = $tenant.displayName; TenantCategory = 'Home'; Domains = @($tenant.domain); DefaultDomain = $tenant.domain }
}

function Get-AzSubscription {
    [CmdletBinding()]
    param([Parameter(Position = 0, ValueFromPipelineByPropertyName)][Alias('Id')][string] $SubscriptionId, [Alias('Name')][string] $SubscriptionName, [string] $TenantId, [switch] $AsJob)
    process {
        $tenant = Get-AzDemoTenant $PSCmdlet
        $rows = @(Get-AzDemoSubscriptionRow $tenant)
        if (-not $SubscriptionId -and -not $SubscriptionName) { return $rows }
        $found = $rows.Where({ $_.Id -eq $SubscriptionId -or $_.Name -eq $SubscriptionName })
        if (-not $found) {
            Stop-AzDemo $PSCmdlet ([Management.Automation.PSArgumentException]::new("Subscription $SubscriptionId$SubscriptionName was not found in tenant $($tenant.tenantId). Please verify that the subscription exists in this tenant."))
        }
        $found
    }
}
