@{
    RootModule        = 'MicrosoftTeams.psm1'
    ModuleVersion     = '7.8.0'
    GUID              = 'd3300000-7e57-4000-8000-000000000003'
    Description       = 'Demo stand-in for MicrosoftTeams. Talks to nothing.'
    PowerShellVersion = '7.4'
    FunctionsToExport = @(
        'Connect-MicrosoftTeams', 'Disconnect-MicrosoftTeams', 'Get-CsTenant', 'Get-CsOnlineUser', 'Set-CsPhoneNumberAssignment'
        'Get-Team', 'New-Team', 'Set-Team', 'Remove-Team', 'Get-TeamChannel', 'New-TeamChannel', 'Remove-TeamChannel'
        'Get-TeamUser', 'Add-TeamUser', 'Remove-TeamUser', 'Get-CsTeamsMeetingPolicy'
    )
    CmdletsToExport   = @()
    AliasesToExport   = @()
}
