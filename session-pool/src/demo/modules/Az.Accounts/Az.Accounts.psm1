# Demo stand-in for Az.Accounts 5.x. The sign-in lives in ~/.Azure, as the real one does.
# A caller's strict mode reaches script modules, and never the compiled ones that these stand for.
Set-StrictMode -Off
Import-Module "$PSScriptRoot/../DemoTenant/DemoTenant.psd1"
. "$PSScriptRoot/Profile.ps1"
. "$PSScriptRoot/Connection.ps1"
. "$PSScriptRoot/Context.ps1"
. "$PSScriptRoot/Rest.ps1"

Set-Alias Login-AzAccount Connect-AzAccount
Set-Alias Logout-AzAccount Disconnect-AzAccount
Set-Alias Select-AzSubscription Set-AzContext
Set-Alias Invoke-AzRest Invoke-AzRestMethod
Export-ModuleMember -Function * -Alias *

Set-DemoColumns @{
    'Demo.Az.Context'      = 'Name', 'Account', 'Subscription', 'Tenant'
    'Demo.Az.Profile'      = 'Account', 'SubscriptionName', 'TenantId', 'Environment'
    'Demo.Az.Subscription' = 'Name', 'Id', 'TenantId', 'State'
    'Demo.Az.Tenant'       = 'Id', 'Name', 'TenantCategory', 'Domains'
    'Demo.Az.Rest'         = 'StatusCode', 'Content'
}
