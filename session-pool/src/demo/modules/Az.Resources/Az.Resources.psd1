@{
    RootModule        = 'Az.Resources.psm1'
    ModuleVersion     = '8.1.0'
    GUID              = 'd3300000-7e57-4000-8000-000000000005'
    Description       = 'Demo stand-in for Az.Resources. Talks to nothing.'
    PowerShellVersion = '7.4'
    FunctionsToExport = @('Get-AzResourceGroup', 'New-AzResourceGroup', 'Remove-AzResourceGroup', 'Get-AzResource', 'Remove-AzResource', 'Get-AzRoleAssignment', 'New-AzRoleAssignment', 'Remove-AzRoleAssignment', 'Get-AzADUser', 'Get-AzADGroup')
    CmdletsToExport   = @()
    AliasesToExport   = @()
}
