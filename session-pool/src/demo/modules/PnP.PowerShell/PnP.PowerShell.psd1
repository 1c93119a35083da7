@{
    RootModule        = 'PnP.PowerShell.psm1'
    ModuleVersion     = '3.2.0'
    GUID              = 'd3300000-7e57-4000-8000-000000000008'
    Description       = 'Demo stand-in for PnP.PowerShell. Talks to nothing.'
    PowerShellVersion = '7.4'
    FunctionsToExport = @(
        'Connect-PnPOnline', 'Disconnect-PnPOnline', 'Get-PnPConnection', 'Get-PnPAccessToken', 'Get-PnPContext'
        'Get-PnPTenant', 'Set-PnPTenant', 'Get-PnPTenantSite', 'Set-PnPTenantSite', 'New-PnPTenantSite', 'Remove-PnPTenantSite', 'Get-PnPDeletedSite'
        'Get-PnPSite', 'Get-PnPWeb', 'Set-PnPWeb', 'Get-PnPUser', 'Get-PnPGroup'
        'Get-PnPList', 'New-PnPList', 'Remove-PnPList', 'Get-PnPListItem', 'Add-PnPListItem', 'Set-PnPListItem', 'Remove-PnPListItem'
        'Get-PnPTeamsTeam', 'Submit-PnPTeamsChannelMessage', 'Get-PnPAzureADUser'
    )
    CmdletsToExport   = @()
    AliasesToExport   = @('Get-PnPEntraIDUser')
}
