# What the other Az modules share: the tenant behind the context, and the resources of a subscription.

# The tenant of the context in use; Az.Accounts ends the calling cmdlet where there is none.
function Get-AzServiceTenant {
    param([Parameter(Mandatory)] $Cmdlet, [string] $Class)
    & (Get-Module Az.Accounts) { param($c, $n) Get-AzDemoTenant $c $n } $Cmdlet $Class
}

function Write-AzNotFound {
    param($Cmdlet, [string] $Message, [string] $Class)
    $exception = New-DemoException 'Microsoft.Rest.Azure.CloudException' $Message
    $Cmdlet.WriteError((New-DemoErrorRecord $exception "$Class.$($Cmdlet.MyInvocation.MyCommand.Name -replace '-' -replace 'Az', 'Azure')Cmdlet" CloseError))
}

function Get-AzResourceGroupRow {
    param([Parameter(Mandatory)] $Tenant, [Parameter(Mandatory)][string] $Subscription)
    Get-DemoData $Tenant "resourceGroups/$Subscription" {
        param($Tenant)
        for ($i = 0; $i -lt $Tenant.resourceGroups; $i++) {
            $name = "rg-$($Tenant.departments[$i % $Tenant.departments.Count].ToLowerInvariant())-$($Tenant.name)-$('{0:d2}' -f $i)"
            [pscustomobject]@{
                PSTypeName = 'Demo.Az.ResourceGroup'; ResourceGroupName = $name; Location = $Tenant.locations[$i % $Tenant.locations.Count]; ProvisioningState = 'Succeeded'
                Tags = @{ owner = $Tenant.departments[$i % $Tenant.departments.Count] }; ResourceId = "/subscriptions/$Subscription/resourceGroups/$name"
            }
        }
    }
}

function Get-AzResourceRow {
    param([Parameter(Mandatory)] $Tenant, [Parameter(Mandatory)][string] $Subscription)
    Get-DemoData $Tenant "resources/$Subscription" {
        param($Tenant)
        $groups = @(Get-AzResourceGroupRow $Tenant $Subscription)
        $kinds = @('Microsoft.Compute/virtualMachines', 'vm'), @('Microsoft.Storage/storageAccounts', 'st'), @('Microsoft.Network/virtualNetworks', 'vnet'), @('Microsoft.Web/sites', 'app'), @('Microsoft.KeyVault/vaults', 'kv'), @('Microsoft.Sql/servers', 'sql')
        for ($i = 0; $i -lt $Tenant.resources; $i++) {
            $group = $groups[$i % $groups.Count]; $kind = $kinds[$i % $kinds.Count]
            $name = "$($kind[1])-$($Tenant.name)-$('{0:d3}' -f $i)"
            $id = "$($group.ResourceId)/providers/$($kind[0])/$name"
            [pscustomobject]@{
                PSTypeName = 'Demo.Az.Resource'; Index = $i; Name = $name; ResourceName = $name; ResourceGroupName = $group.ResourceGroupName; ResourceType = $kind[0]; Type = $kind[0]
                Location = $group.Location; ResourceId = $id; Id = $id; SubscriptionId = $Subscription; Tags = @{ env = $i % 3 ? 'prod' : 'test' }
            }
        }
    }
}
