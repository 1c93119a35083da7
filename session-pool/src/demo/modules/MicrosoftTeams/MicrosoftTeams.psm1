# Demo stand-in for MicrosoftTeams 7.x.
# A caller's strict mode reaches script modules, and never the compiled ones that these stand for.
Set-StrictMode -Off
Import-Module "$PSScriptRoot/../DemoTenant/DemoTenant.psd1"
. "$PSScriptRoot/Connection.ps1"
. "$PSScriptRoot/Teams.ps1"
. "$PSScriptRoot/Channels.ps1"
. "$PSScriptRoot/Users.ps1"

Set-DemoColumns @{
    'Demo.Teams.Context' = 'Account', 'Environment', 'Tenant', 'TenantId'
    'Demo.Teams.Team'    = 'GroupId', 'DisplayName', 'Visibility', 'Archived'
    'Demo.Teams.Channel' = 'Id', 'DisplayName', 'MembershipType', 'Description'
    'Demo.Teams.User'    = 'UserId', 'User', 'Name', 'Role'
    'Demo.Teams.CsUser'  = 'DisplayName', 'UserPrincipalName', 'AccountEnabled', 'LineUri'
}
