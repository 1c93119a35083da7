@{
    RootModule        = 'Az.KeyVault.psm1'
    ModuleVersion     = '6.4.0'
    GUID              = 'd3300000-7e57-4000-8000-000000000007'
    Description       = 'Demo stand-in for Az.KeyVault. Talks to nothing.'
    PowerShellVersion = '7.4'
    FunctionsToExport = @('Get-AzKeyVault', 'Get-AzKeyVaultSecret')
    CmdletsToExport   = @()
    AliasesToExport   = @()
}
