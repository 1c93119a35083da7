# Get-, Set-, Remove-Mailbox and what hangs on a mailbox.

function Get-Mailbox {
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string] $Identity,
        [string] $Anr, [string] $Filter, [string[]] $RecipientTypeDetails, [string] $ResultSize, [string] $SortBy,
        [switch] $Archive, [switch] $SoftDeletedMailbox, [switch] $InactiveMailboxOnly, [switch] $IncludeInactiveMailbox, [string] $Server
    )
    process {
        $tenant = Get-ExoTenant
        if ($Identity) {
            $rows = if ($Identity.Contains('*')) { @((Get-ExoMailboxRow $tenant).Where({ $_.Identity -like $Identity -or $_.DisplayName -like $Identity })) }
            else { @(Find-ExoMailbox $tenant $Identity) }
            if (-not $rows) { return Write-ExoNotFound Get-Mailbox $Identity $tenant }
        } else { $rows = @(Get-ExoMailboxRow $tenant) }
        if ($Anr) { $rows = @($rows.Where({ $_.DisplayName -like "*$Anr*" -or $_.Alias -like "$Anr*" })) }
        if ($RecipientTypeDetails) { $rows = @($rows.Where({ $_.RecipientTypeDetails -in $RecipientTypeDetails })) }
        if ($Archive) { $rows = @($rows.Where({ $_.ArchiveStatus -eq 'Active' })) }
        if ($SoftDeletedMailbox -or $InactiveMailboxOnly) { $rows = @() }
        if ($Filter) { $rows = @($rows | Select-DemoByFilter -Filter $Filter) }
        if ($SortBy) { $rows = @($rows | Sort-Object -Property $SortBy) }
        Limit-ExoResult $rows $ResultSize
    }
}

function Set-Mailbox {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string] $Identity,
        [string] $DisplayName, [string] $Office, [string] $CustomAttribute1, [string] $CustomAttribute2,
        [AllowNull()][string] $ForwardingAddress, [AllowNull()][string] $ForwardingSmtpAddress, [bool] $DeliverToMailboxAndForward,
        [bool] $HiddenFromAddressListsEnabled, [bool] $LitigationHoldEnabled, [string] $LitigationHoldDuration, [bool] $AuditEnabled,
        [string] $ProhibitSendQuota, [string] $ProhibitSendReceiveQuota, [string] $IssueWarningQuota, [string] $MaxSendSize, [string] $MaxReceiveSize,
        [string] $RetentionPolicy, [bool] $MessageCopyForSentAsEnabled, [bool] $ModerationEnabled, [string[]] $GrantSendOnBehalfTo,
        [ValidateSet('Regular', 'Room', 'Equipment', 'Shared')][string] $Type, [bool] $AccountDisabled, [switch] $Force
    )
    process {
        $tenant = Get-ExoTenant
        $row = Find-ExoMailbox $tenant $Identity
        if (-not $row) { return Write-ExoNotFound Set-Mailbox $Identity $tenant }
        if (-not $PSCmdlet.ShouldProcess($row.Identity, 'Set-Mailbox')) { return }
        $changed = $false
        foreach ($name in $PSBoundParameters.Keys) {
            if ($name -eq 'Type') {
                $row.RecipientTypeDetails = $Type -eq 'Regular' ? 'UserMailbox' : "${Type}Mailbox"
                $changed = $true
            } elseif ($name -ne 'Identity' -and $null -ne $row.PSObject.Properties[$name]) {
                $value = $PSBoundParameters[$name]
                if ($name -eq 'ForwardingSmtpAddress' -and $value) { $value = 'smtp:' + ($value -replace '^smtp:', '') }
                if ("$($row.$name)" -ne "$value") { $row.$name = $value; $changed = $true }
            }
        }
        if (-not $changed) {
            Write-Warning "The command completed successfully but no settings of '$($row.Identity)' have been modified."
        }
    }
}

function Remove-Mailbox {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string] $Identity, [switch] $PermanentlyDelete, [switch] $Force)
    process {
        $tenant = Get-ExoTenant
        $row = Find-ExoMailbox $tenant $Identity
        if (-not $row) { return Write-ExoNotFound Remove-Mailbox $Identity $tenant }
        if ($Force -or $PSCmdlet.ShouldProcess($row.Identity, "Removing mailbox `"$($row.Identity)`"")) {
            Remove-DemoRow $tenant 'mailboxes' $row
        }
    }
}

function Get-MailboxStatistics {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string] $Identity, [switch] $Archive, [switch] $IncludeMoveHistory)
    process {
        $tenant = Get-ExoTenant
        $row = Find-ExoMailbox $tenant $Identity
        if (-not $row) { return Write-ExoNotFound Get-MailboxStatistics $Identity $tenant }
        New-ExoMailboxStatistic $tenant $row
    }
}

function Get-MailboxPermission {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string] $Identity, [string] $User)
    process {
        $tenant = Get-ExoTenant
        $row = Find-ExoMailbox $tenant $Identity
        if (-not $row) { return Write-ExoNotFound Get-MailboxPermission $Identity $tenant }
        $people = Get-DemoPeople $tenant
        $users = @('NT AUTHORITY\SELF')
        if ($row.IsShared) { $users += $people[$row.Alias.Length].Mail, $people[$row.Alias.Length * 3].Mail }
        foreach ($one in $users) {
            if ($User -and $one -ne $User) { continue }
            [pscustomobject]@{ PSTypeName = 'Demo.Exchange.Permission'; Identity = $row.Identity; User = $one
                AccessRights = @($one -like 'NT *' ? 'FullAccess', 'ReadPermission' : 'FullAccess'); IsInherited = $false; Deny = $false; InheritanceType = 'All' }
        }
    }
}

function Get-MailboxFolderStatistics {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string] $Identity, [string] $FolderScope, [switch] $IncludeOldestAndNewestItems, [switch] $Archive)
    process {
        $tenant = Get-ExoTenant
        $row = Find-ExoMailbox $tenant $Identity
        if (-not $row) { return Write-ExoNotFound Get-MailboxFolderStatistics $Identity $tenant }
        Write-Warning "Folder statistics of '$($row.Identity)' may be out of date: the mailbox is being indexed."
        $n = 0
        foreach ($folder in 'Top of Information Store', 'Inbox', 'Sent Items', 'Deleted Items', 'Drafts', 'Calendar', 'Contacts', 'Archive', 'Recoverable Items') {
            $n++
            $items = Get-DemoNumber $tenant "$folder/$($row.Alias)" $n 4000
            [pscustomobject]@{ PSTypeName = 'Demo.Exchange.FolderStatistics'; Name = $folder; FolderPath = '/' + ($folder -replace ' ', ''); FolderType = $folder -replace ' ', ''
                ItemsInFolder = $items; FolderSize = '{0:n2} MB ({1:n0} bytes)' -f ($items * 61000 / 1MB), ($items * 61000); ItemsInFolderAndSubfolders = $items; Identity = "$($row.Identity)\$folder" }
        }
    }
}
