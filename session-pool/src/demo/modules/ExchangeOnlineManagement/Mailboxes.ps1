# Mailboxes as data: the people of the tenant, then shared mailboxes and rooms.

function Get-ExoMailboxRow {
    param([Parameter(Mandatory)] $Tenant)
    Get-DemoData $Tenant 'mailboxes' {
            param($Tenant)
            foreach ($person in Get-DemoPeople $Tenant) {
                New-ExoMailboxRow $Tenant $person.Alias $person.DisplayName 'UserMailbox' $person.Index $person.Office
            }
            New-ExoMailboxRow $Tenant 'admin' "Admin $($Tenant.name)" 'UserMailbox' 900 ''
            for ($i = 0; $i -lt $Tenant.shared; $i++) {
                $name = "$($Tenant.departments[$i % $Tenant.departments.Count]) Inbox $($i + 1)"
                New-ExoMailboxRow $Tenant ($name.ToLowerInvariant() -replace ' ', '-') $name 'SharedMailbox' (1000 + $i) ''
            }
            for ($i = 0; $i -lt $Tenant.rooms; $i++) {
                $office = $Tenant.offices[$i % $Tenant.offices.Count]
                New-ExoMailboxRow $Tenant "room-$($office.ToLowerInvariant())-$($i + 1)" "Room $office $($i + 1)" 'RoomMailbox' (2000 + $i) $office
            }
        }
}

function New-ExoMailboxRow {
    param($Tenant, [string] $Alias, [string] $DisplayName, [string] $Type, [int] $Index, [string] $Office)
    $mail = "$Alias@$($Tenant.domain)"
    $id = New-DemoGuid $Tenant 'object' $mail
    $created = (New-DemoDate 2021 1 4 9).AddDays($Index % 1500).AddMinutes($Index)
    [pscustomobject]@{
        PSTypeName = 'Demo.Exchange.Mailbox'
        Name = $Alias; Alias = $Alias; DisplayName = $DisplayName; Identity = $Alias; Id = $Alias
        UserPrincipalName = $mail; PrimarySmtpAddress = $mail; WindowsEmailAddress = $mail
        EmailAddresses = @("SMTP:$mail", "smtp:$Alias@mail.$($Tenant.domain)")
        RecipientType = 'UserMailbox'; RecipientTypeDetails = $Type; IsShared = $Type -eq 'SharedMailbox'; IsResource = $Type -eq 'RoomMailbox'
        ResourceType = $Type -eq 'RoomMailbox' ? 'Room' : $null
        ExternalDirectoryObjectId = $id; Guid = [guid]$id; ExchangeGuid = [guid](New-DemoGuid $Tenant 'exchange' $mail)
        DistinguishedName = "CN=$Alias,OU=$($Tenant.domain),OU=Microsoft Exchange Hosted Organizations,DC=demo,DC=example"
        OrganizationalUnit = "demo.example/Microsoft Exchange Hosted Organizations/$($Tenant.domain)"
        Database = "DEMO01DG00$(1 + $Index % 8)-db$('{0:d3}' -f ($Index % 200))"; ServerName = "demo01mb$('{0:d4}' -f ($Index % 40))"
        ArchiveStatus = $Index % 5 -eq 0 ? 'Active' : 'None'; ArchiveName = @()
        ProhibitSendQuota = '49.5 GB (53,150,220,288 bytes)'; ProhibitSendReceiveQuota = '50 GB (53,687,091,200 bytes)'
        IssueWarningQuota = '49 GB (52,613,349,376 bytes)'; MaxSendSize = '35 MB (36,700,160 bytes)'; MaxReceiveSize = '36 MB (37,748,736 bytes)'
        ForwardingAddress = $null; ForwardingSmtpAddress = $Index % 83 -eq 41 ? 'smtp:archive@backup.example' : $null
        DeliverToMailboxAndForward = $Index % 83 -eq 41
        HiddenFromAddressListsEnabled = $Index % 61 -eq 60; LitigationHoldEnabled = $Index % 29 -eq 28; LitigationHoldDuration = 'Unlimited'
        AuditEnabled = $true; AuditLogAgeLimit = [timespan]::FromDays(90); GrantSendOnBehalfTo = @()
        Office = $Office; CustomAttribute1 = ''; CustomAttribute2 = ''; ModerationEnabled = $false; MessageCopyForSentAsEnabled = $false
        RetentionPolicy = 'Default MRP Policy'; Languages = @('en-GB'); AccountDisabled = $Index % 37 -eq 36
        WhenCreated = $created; WhenCreatedUTC = $created; WhenChanged = $created.AddDays(30); WhenMailboxCreated = $created; IsValid = $true
    }
}

# The mailbox that an identity names, by any of the ways Exchange knows, or nothing.
function Find-ExoMailbox {
    param($Tenant, [string] $Identity)
    foreach ($row in Get-ExoMailboxRow $Tenant) {
        if ($Identity -in $row.Identity, $row.UserPrincipalName, $row.DisplayName, $row.ExternalDirectoryObjectId, $row.ExchangeGuid, $row.DistinguishedName -or
            $row.EmailAddresses -contains "smtp:$Identity") { return $row }
    }
}

function New-ExoMailboxStatistic {
    param($Tenant, $Mailbox)
    $seed = [Math]::Abs([BitConverter]::ToInt32($Mailbox.Guid.ToByteArray(), 0) % 1000000)
    $bytes = [long]$seed * 41000 + 900000
    $size = '{0:n2} GB ({1:n0} bytes)' -f ($bytes / 1GB), $bytes
    [pscustomobject]@{
        PSTypeName = 'Demo.Exchange.MailboxStatistics'
        DisplayName = $Mailbox.DisplayName; MailboxGuid = $Mailbox.ExchangeGuid; ItemCount = $seed % 90000; AssociatedItemCount = $seed % 700
        DeletedItemCount = $seed % 2000; TotalItemSize = $size; TotalDeletedItemSize = '{0:n2} MB ({1:n0} bytes)' -f ($seed / 1MB), $seed
        LastLogonTime = (New-DemoDate 2026 11 1 8).AddMinutes(-($seed % 50000)); LastInteractionTime = (New-DemoDate 2026 11 1 8).AddMinutes(-($seed % 20000))
        MailboxType = 'Private'; MailboxTypeDetail = $Mailbox.RecipientTypeDetails; StorageLimitStatus = 'BelowLimit'
        Identity = $Mailbox.ExchangeGuid; ServerName = $Mailbox.ServerName; Database = $Mailbox.Database; IsArchiveMailbox = $false; IsQuarantined = $false
    }
}
