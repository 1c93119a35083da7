# Resource groups and resources.

$script:Class = 'Microsoft.Azure.Commands.ResourceManager.Cmdlets.Implementation'

function Get-AzResourceGroup {
    [CmdletBinding()]
    param([Parameter(Position = 0, ValueFromPipelineByPropertyName)][Alias('ResourceGroupName')][string] $Name, [Parameter(Position = 1)][string] $Location, [hashtable] $Tag)
    process {
        $tenant = Get-AzServiceTenant $PSCmdlet $script:Class
        $rows = @(Get-AzResourceGroupRow $tenant (Get-AzContext).Subscription.Id)
        if ($Name) {
            $rows = $rows.Where({ $_.ResourceGroupName -like $Name })
            if (-not $rows -and -not $Name.Contains('*')) { return Write-AzNotFound $PSCmdlet 'Provided resource group does not exist.' $script:Class }
        }
        if ($Location) { $rows = $rows.Where({ $_.Location -eq $Location }) }
        $rows
    }
}

function New-AzResourceGroup {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory, Position = 0)][Alias('ResourceGroupName')][string] $Name, [Parameter(Mandatory, Position = 1)][string] $Location, [hashtable] $Tag, [switch] $Force)
    $tenant = Get-AzServiceTenant $PSCmdlet $script:Class
    $subscription = (Get-AzContext).Subscription.Id
    if (-not $PSCmdlet.ShouldProcess($Name, 'Replacing resource group ...')) { return }
    [void](Get-AzResourceGroupRow $tenant $subscription)
    $row = [pscustomobject]@{ PSTypeName = 'Demo.Az.ResourceGroup'; ResourceGroupName = $Name; Location = $Location; ProvisioningState = 'Succeeded'; Tags = $Tag; ResourceId = "/subscriptions/$subscription/resourceGroups/$Name" }
    Add-DemoRow $tenant "resourceGroups/$subscription" $row
    $row
}

function Remove-AzResourceGroup {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([Parameter(Mandatory, Position = 0, ValueFromPipelineByPropertyName)][Alias('ResourceGroupName')][string] $Name, [switch] $Force, [switch] $AsJob)
    process {
        $tenant = Get-AzServiceTenant $PSCmdlet $script:Class
        $subscription = (Get-AzContext).Subscription.Id
        $row = @(Get-AzResourceGroupRow $tenant $subscription).Where({ $_.ResourceGroupName -eq $Name }, 'First')
        if (-not $row) { return Write-AzNotFound $PSCmdlet 'Provided resource group does not exist.' $script:Class }
        if ($Force -or $PSCmdlet.ShouldProcess($Name, 'Removing resource group ...')) { Remove-DemoRow $tenant "resourceGroups/$subscription" $row[0]; $true }
    }
}

function Get-AzResource {
    [CmdletBinding()]
    param(
        [Alias('Id')][Parameter(ValueFromPipelineByPropertyName)][string] $ResourceId, [Parameter(Position = 0)][Alias('ResourceName')][string] $Name, [string] $ResourceType,
        [Parameter(ValueFromPipelineByPropertyName)][string] $ResourceGroupName, [string] $TagName, [string] $TagValue, [switch] $ExpandProperties, [string] $ODataQuery, [string] $ApiVersion
    )
    process {
        $tenant = Get-AzServiceTenant $PSCmdlet $script:Class
        $rows = @(Get-AzResourceRow $tenant (Get-AzContext).Subscription.Id)
        if ($ResourceId) {
            $rows = $rows.Where({ $_.ResourceId -eq $ResourceId })
            if (-not $rows) { return Write-AzNotFound $PSCmdlet "ResourceNotFound : The Resource '$($ResourceId -replace '^.*/providers/')' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix" $script:Class }
        }
        foreach ($row in $rows) {
            if ($Name -and $row.Name -notlike $Name) { continue }
            if ($ResourceType -and $row.ResourceType -ne $ResourceType) { continue }
            if ($ResourceGroupName -and -not $ResourceId -and $row.ResourceGroupName -notlike $ResourceGroupName) { continue }
            if ($TagName -and -not $row.Tags.ContainsKey($TagName)) { continue }
            if ($TagValue -and $row.Tags.Values -notcontains $TagValue) { continue }
            $row
        }
    }
}

function Remove-AzResource {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([Parameter(Mandatory, ValueFromPipelineByPropertyName)][Alias('Id')][string] $ResourceId, [switch] $Force, [switch] $AsJob, [string] $ApiVersion)
    process {
        $tenant = Get-AzServiceTenant $PSCmdlet $script:Class
        $row = Get-AzResource -ResourceId $ResourceId
        if ($row -and ($Force -or $PSCmdlet.ShouldProcess($ResourceId, 'Deleting the resource...'))) {
            Remove-DemoRow $tenant "resources/$((Get-AzContext).Subscription.Id)" $row
            $true
        }
    }
}
