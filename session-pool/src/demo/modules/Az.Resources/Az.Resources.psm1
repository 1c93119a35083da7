# Demo stand-in for Az.Resources.
# A caller's strict mode reaches script modules, and never the compiled ones that these stand for.
Set-StrictMode -Off
Import-Module "$PSScriptRoot/../DemoTenant/DemoTenant.psd1"
Import-Module "$PSScriptRoot/../Az.Accounts/Az.Accounts.psd1" -Global
. "$PSScriptRoot/../Az.Accounts/Service.ps1"
. "$PSScriptRoot/Resources.ps1"
. "$PSScriptRoot/Directory.ps1"

Set-DemoColumns @{
    'Demo.Az.ResourceGroup'  = 'ResourceGroupName', 'Location', 'ProvisioningState', 'Tags'
    'Demo.Az.Resource'       = 'Name', 'ResourceGroupName', 'ResourceType', 'Location'
    'Demo.Az.RoleAssignment' = 'DisplayName', 'RoleDefinitionName', 'Scope', 'ObjectType'
    'Demo.Az.ADUser'         = 'DisplayName', 'Id', 'Mail', 'UserPrincipalName'
}
