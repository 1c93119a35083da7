@{
    RootModule        = 'ExchangeOnlineManagement.psm1'
    ModuleVersion     = '3.10.0'
    GUID              = 'd3300000-7e57-4000-8000-000000000002'
    Description       = 'Demo stand-in for ExchangeOnlineManagement. Talks to nothing.'
    PowerShellVersion = '7.4'
    # As in the real module, the classic cmdlets (Get-Mailbox ...) exist only after connecting.
    FunctionsToExport = @(
        'Connect-ExchangeOnline', 'Disconnect-ExchangeOnline', 'Get-ConnectionInformation', 'Connect-IPPSSession'
        'Get-EXOMailbox', 'Get-EXOMailboxStatistics', 'Get-EXORecipient', 'Get-EXOCasMailbox'
    )
    CmdletsToExport   = @()
    AliasesToExport   = @()
}
