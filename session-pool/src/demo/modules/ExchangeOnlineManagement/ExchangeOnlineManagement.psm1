# Demo stand-in for ExchangeOnlineManagement 3.x.
# A caller's strict mode reaches script modules, and never the compiled ones that these stand for.
Set-StrictMode -Off
Import-Module "$PSScriptRoot/../DemoTenant/DemoTenant.psd1"
. "$PSScriptRoot/Connection.ps1"
. "$PSScriptRoot/Mailboxes.ps1"
. "$PSScriptRoot/Rest.ps1"

Set-DemoColumns @{
    'Demo.Exchange.Mailbox'           = 'Name', 'Alias', 'Database', 'ProhibitSendQuota'
    'Demo.Exchange.MailboxStatistics' = 'DisplayName', 'ItemCount', 'TotalItemSize', 'LastLogonTime'
    'Demo.Exchange.Recipient'         = 'Name', 'RecipientType', 'PrimarySmtpAddress'
    'Demo.Exchange.Group'             = 'Name', 'DisplayName', 'GroupType', 'PrimarySmtpAddress'
    'Demo.Exchange.InboxRule'         = 'Name', 'Enabled', 'Priority', 'RuleIdentity'
    'Demo.Exchange.MessageTrace'      = 'Received', 'SenderAddress', 'RecipientAddress', 'Subject'
    'Demo.Exchange.TransportRule'     = 'Name', 'State', 'Mode', 'Priority'
    'Demo.Exchange.FolderStatistics'  = 'Name', 'FolderPath', 'ItemsInFolder', 'FolderSize'
    'Demo.Exchange.AcceptedDomain'    = 'Name', 'DomainName', 'DomainType', 'Default'
    'Demo.Exchange.CasMailbox'        = 'Name', 'ActiveSyncEnabled', 'ImapEnabled', 'MAPIEnabled'
    'Demo.Exchange.Permission'        = 'Identity', 'User', 'AccessRights'
}
