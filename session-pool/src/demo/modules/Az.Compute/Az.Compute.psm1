# Demo stand-in for Az.Compute: the virtual machines among the resources.
# A caller's strict mode reaches script modules, and never the compiled ones that these stand for.
Set-StrictMode -Off
Import-Module "$PSScriptRoot/../DemoTenant/DemoTenant.psd1"
Import-Module "$PSScriptRoot/../Az.Accounts/Az.Accounts.psd1" -Global
. "$PSScriptRoot/../Az.Accounts/Service.ps1"

Set-DemoColumns @{ 'Demo.Az.VM' = 'ResourceGroupName', 'Name', 'Location', 'PowerState' }

function Get-AzVM {
    [CmdletBinding()]
    param([Parameter(Position = 0, ValueFromPipelineByPropertyName)][string] $ResourceGroupName, [Parameter(Position = 1, ValueFromPipelineByPropertyName)][Alias('VMName')][string] $Name, [switch] $Status)
    process {
        $tenant = Get-AzServiceTenant $PSCmdlet 'Microsoft.Azure.Commands.Compute'
        $rows = @(Get-AzResourceRow $tenant (Get-AzContext).Subscription.Id).Where({ $_.ResourceType -eq 'Microsoft.Compute/virtualMachines' })
        if ($ResourceGroupName) { $rows = $rows.Where({ $_.ResourceGroupName -like $ResourceGroupName }) }
        if ($Name) {
            $rows = $rows.Where({ $_.Name -like $Name })
            if (-not $rows -and $ResourceGroupName) { return Write-AzNotFound $PSCmdlet "The Resource 'Microsoft.Compute/virtualMachines/$Name' under resource group '$ResourceGroupName' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`nErrorCode: ResourceNotFound`nErrorMessage: The Resource 'Microsoft.Compute/virtualMachines/$Name' under resource group '$ResourceGroupName' was not found.`nErrorTarget: `nStatusCode: 404`nReasonPhrase: Not Found" 'Microsoft.Azure.Commands.Compute' }
        }
        foreach ($row in $rows) {
            [pscustomobject]@{ PSTypeName = 'Demo.Az.VM'; ResourceGroupName = $row.ResourceGroupName; Name = $row.Name; Location = $row.Location; Id = $row.ResourceId; PowerState = $row.Index % 5 ? 'VM running' : 'VM deallocated'; ProvisioningState = 'Succeeded'; VmSize = 'Standard_D2s_v5'; OsType = $row.Index % 2 ? 'Linux' : 'Windows' }
        }
    }
}

function Start-AzVM {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory, Position = 0, ValueFromPipelineByPropertyName)][string] $ResourceGroupName, [Parameter(Mandatory, Position = 1, ValueFromPipelineByPropertyName)][string] $Name, [switch] $NoWait)
    process { Invoke-AzVmOperation $PSCmdlet $ResourceGroupName $Name 'Start' }
}

function Stop-AzVM {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([Parameter(Mandatory, Position = 0, ValueFromPipelineByPropertyName)][string] $ResourceGroupName, [Parameter(Mandatory, Position = 1, ValueFromPipelineByPropertyName)][string] $Name, [switch] $Force, [switch] $NoWait)
    process { Invoke-AzVmOperation $PSCmdlet $ResourceGroupName $Name 'Stop' $Force }
}

function Invoke-AzVmOperation {
    param($Cmdlet, [string] $ResourceGroupName, [string] $Name, [string] $Operation, [bool] $Force)
    if (-not (Get-AzVM $ResourceGroupName $Name) -or -not ($Force -or $Cmdlet.ShouldProcess($Name, "Virtual Machine $Operation Operation"))) { return }
    $began = [datetime]::UtcNow
    Start-Sleep -Milliseconds (100 * (Get-DemoSlowness))
    [pscustomobject]@{ OperationId = [guid]::NewGuid(); Status = 'Succeeded'; StartTime = $began; EndTime = [datetime]::UtcNow; Error = $null }
}
