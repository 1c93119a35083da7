# Demo stand-in for PnP.PowerShell 3.x.
# A caller's strict mode reaches script modules, and never the compiled ones that these stand for.
Set-StrictMode -Off
Import-Module "$PSScriptRoot/../DemoTenant/DemoTenant.psd1"
. "$PSScriptRoot/Connection.ps1"
. "$PSScriptRoot/Service.ps1"
. "$PSScriptRoot/Tenant.ps1"
. "$PSScriptRoot/Sites.ps1"
. "$PSScriptRoot/Lists.ps1"
. "$PSScriptRoot/Graph.ps1"

Set-Alias Get-PnPEntraIDUser Get-PnPAzureADUser
Export-ModuleMember -Function * -Alias *

Set-DemoColumns @{
    'Demo.PnP.TenantSite' = 'Title', 'Template', 'Url', 'LockState'
    'Demo.PnP.Site'       = 'Url', 'CompatibilityLevel'
    'Demo.PnP.Web'        = 'Title', 'ServerRelativeUrl', 'Id'
    'Demo.PnP.List'       = 'Title', 'Id', 'Url'
    'Demo.PnP.ListItem'   = 'Id', 'Title', 'GUID'
    'Demo.PnP.User'       = 'Id', 'Title', 'LoginName', 'Email'
    'Demo.PnP.Group'      = 'Id', 'Title', 'LoginName'
    'Demo.PnP.GraphUser'  = 'UserPrincipalName', 'DisplayName', 'Id', 'AccountEnabled'
}
