@{
    RootModule        = 'DemoTenant.psm1'
    ModuleVersion     = '1.0.0'
    GUID              = 'd3300000-7e57-4000-8000-000000000001'
    Description       = 'What the demo modules share: the made-up tenants, the sign-in hand-over, the errors.'
    PowerShellVersion = '7.4'
    # Not found by auto-loading: the demo modules import it themselves.
    FunctionsToExport = '*'
    CmdletsToExport   = @()
    AliasesToExport   = @()
}
