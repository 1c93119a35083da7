@{
    RootModule        = 'Az.Compute.psm1'
    ModuleVersion     = '10.3.0'
    GUID              = 'd3300000-7e57-4000-8000-000000000006'
    Description       = 'Demo stand-in for Az.Compute. Talks to nothing.'
    PowerShellVersion = '7.4'
    FunctionsToExport = @('Get-AzVM', 'Start-AzVM', 'Stop-AzVM')
    CmdletsToExport   = @()
    AliasesToExport   = @()
}
