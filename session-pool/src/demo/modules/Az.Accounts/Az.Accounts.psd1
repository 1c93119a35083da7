@{
    RootModule        = 'Az.Accounts.psm1'
    ModuleVersion     = '5.5.3'
    GUID              = 'd3300000-7e57-4000-8000-000000000004'
    Description       = 'Demo stand-in for Az.Accounts. Talks to nothing.'
    PowerShellVersion = '7.4'
    FunctionsToExport = @(
        'Connect-AzAccount', 'Disconnect-AzAccount', 'Update-AzConfig', 'Get-AzConfig', 'Enable-AzContextAutosave', 'Disable-AzContextAutosave'
        'Get-AzContext', 'Select-AzContext', 'Set-AzContext', 'Clear-AzContext', 'Get-AzTenant', 'Get-AzSubscription'
        'Get-AzAccessToken', 'Invoke-AzRestMethod'
    )
    CmdletsToExport   = @()
    AliasesToExport   = @('Login-AzAccount', 'Logout-AzAccount', 'Select-AzSubscription', 'Invoke-AzRest')
}
