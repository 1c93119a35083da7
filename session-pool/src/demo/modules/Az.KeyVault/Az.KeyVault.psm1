# Demo stand-in for Az.KeyVault: a vault and secrets that open nothing.
# A caller's strict mode reaches script modules, and never the compiled ones that these stand for.
Set-StrictMode -Off
Import-Module "$PSScriptRoot/../DemoTenant/DemoTenant.psd1"
Import-Module "$PSScriptRoot/../Az.Accounts/Az.Accounts.psd1" -Global
. "$PSScriptRoot/../Az.Accounts/Service.ps1"

Set-DemoColumns @{ 'Demo.Az.Vault' = 'VaultName', 'ResourceGroupName', 'Location', 'ResourceId'; 'Demo.Az.Secret' = 'VaultName', 'Name', 'Version', 'Enabled' }

function Get-AzKeyVault {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string] $VaultName, [string] $ResourceGroupName)
    $tenant = Get-AzServiceTenant $PSCmdlet 'Microsoft.Azure.Commands.KeyVault'
    foreach ($row in Get-AzResourceRow $tenant (Get-AzContext).Subscription.Id) {
        if ($row.ResourceType -ne 'Microsoft.KeyVault/vaults' -or ($VaultName -and $row.Name -ne $VaultName)) { continue }
        [pscustomobject]@{ PSTypeName = 'Demo.Az.Vault'; VaultName = $row.Name; ResourceGroupName = $row.ResourceGroupName; Location = $row.Location; ResourceId = $row.ResourceId }
    }
}

function Get-AzKeyVaultSecret {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0, ValueFromPipelineByPropertyName)][string] $VaultName, [Parameter(Position = 1)][Alias('SecretName')][string] $Name, [switch] $AsPlainText, [string] $Version)
    process {
        $tenant = Get-AzServiceTenant $PSCmdlet 'Microsoft.Azure.Commands.KeyVault'
        foreach ($one in 'sql-admin', 'smtp-relay', 'backup-key') {
            if ($Name -and $one -notlike $Name) { continue }
            $value = "demo-$($tenant.name)-$one"
            if ($AsPlainText) { $value; continue }
            $secure = $null
            if ($Name) { $secure = [securestring]::new(); foreach ($c in $value.ToCharArray()) { $secure.AppendChar($c) } }
            [pscustomobject]@{ PSTypeName = 'Demo.Az.Secret'; VaultName = $VaultName; Name = $one; Version = (New-DemoGuid $tenant 'secret' $one) -replace '-'; Enabled = $true; SecretValue = $secure; ContentType = '' }
        }
    }
}
