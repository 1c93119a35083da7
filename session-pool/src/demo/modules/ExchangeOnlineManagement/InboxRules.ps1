# Inbox rules of one mailbox. Every seventh mailbox has some; one of them forwards to the outside.

function Get-ExoInboxRuleRow {
    param([Parameter(Mandatory)] $Tenant, [Parameter(Mandatory)] $Mailbox)
    Get-DemoData $Tenant "rules/$($Mailbox.Alias)" {
            param($Tenant)
            $n = Get-DemoNumber $Tenant 'rules' $Mailbox.Alias.Length 7
            if ($n -lt 4) {
                New-ExoInboxRuleRow $Tenant $Mailbox 'Newsletters' 1 @{ SubjectContainsWords = @('newsletter'); MoveToFolder = 'Newsletters' }
            }
            if ($n -lt 2 -or $Mailbox.DeliverToMailboxAndForward) {
                New-ExoInboxRuleRow $Tenant $Mailbox 'Copy invoices' 2 @{ SubjectContainsWords = @('invoice'); ForwardTo = @('"archive@backup.example" [SMTP:archive@backup.example]') }
            }
        }
}

function New-ExoInboxRuleRow {
    param($Tenant, $Mailbox, [string] $Name, [int] $Priority, [Collections.IDictionary] $With)
    $id = [Math]::Abs([BitConverter]::ToInt64(([guid](New-DemoGuid $Tenant "rule/$($Mailbox.Alias)" $Name)).ToByteArray(), 0))
    $row = [ordered]@{
        PSTypeName = 'Demo.Exchange.InboxRule'; Name = $Name; Identity = "$($Mailbox.Identity)\$id"; RuleIdentity = $id; Enabled = $true; Priority = $Priority
        MailboxOwnerId = $Mailbox.Identity; From = $null; FromAddressContainsWords = $null; SubjectContainsWords = $null; BodyContainsWords = $null
        MoveToFolder = $null; CopyToFolder = $null; DeleteMessage = $false; MarkAsRead = $false; ForwardTo = $null; ForwardAsAttachmentTo = $null
        RedirectTo = $null; StopProcessingRules = $false; Description = ''; InError = $false; IsValid = $true
    }
    foreach ($key in $With.Keys) { if ($row.Contains($key)) { $row[$key] = $With[$key] } }
    $what = if ($row.ForwardTo) { "forward the message to $($row.ForwardTo -join ', ')" } elseif ($row.MoveToFolder) { "move the message to folder '$($row.MoveToFolder)'" } else { 'do as configured' }
    $row.Description = "If the message matches the rule's conditions, $what."
    [pscustomobject]$row
}

function Get-InboxRule {
    [CmdletBinding()]
    param(
        [Parameter(Position = 0)][string] $Identity,
        [Parameter(ValueFromPipeline, ValueFromPipelineByPropertyName)][Alias('PrimarySmtpAddress')][string] $Mailbox, [switch] $IncludeHidden
    )
    process {
        $tenant = Get-ExoTenant
        $owner = $Mailbox ? $Mailbox : ($Identity.Contains('\') ? $Identity.Split('\')[0] : (Get-DemoConnection exo).Session.Account)
        $box = Find-ExoMailbox $tenant $owner
        if (-not $box) { return Write-ExoNotFound Get-InboxRule $owner $tenant }
        $rows = @(Get-ExoInboxRuleRow $tenant $box)
        if (-not $Identity) { return $rows }
        $wanted = $Identity.Split('\')[-1]
        $found = @($rows.Where({ $_.Name -eq $wanted -or "$($_.RuleIdentity)" -eq $wanted }))
        if (-not $found) { return Write-ErrorMessage Get-InboxRule ManagementObjectNotFoundException -Message "The Inbox rule `"$Identity`" wasn't found. Please verify that the rule identity you specified is correct." }
        $found
    }
}

function New-InboxRule {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    param(
        [Parameter(Mandatory, Position = 0)][string] $Name, [string] $Mailbox, [int] $Priority,
        [string[]] $From, [string[]] $FromAddressContainsWords, [string[]] $SubjectContainsWords, [string[]] $BodyContainsWords,
        [string] $MoveToFolder, [string] $CopyToFolder, [bool] $DeleteMessage, [bool] $MarkAsRead, [string[]] $ForwardTo,
        [string[]] $ForwardAsAttachmentTo, [string[]] $RedirectTo, [bool] $StopProcessingRules, [switch] $Force
    )
    $tenant = Get-ExoTenant
    $owner = $Mailbox ? $Mailbox : (Get-DemoConnection exo).Session.Account
    $box = Find-ExoMailbox $tenant $owner
    if (-not $box) { return Write-ExoNotFound New-InboxRule $owner $tenant }
    if (-not $PSCmdlet.ShouldProcess($box.Identity, "Creating Inbox rule `"$Name`"")) { return }
    $rows = @(Get-ExoInboxRuleRow $tenant $box)
    $rule = New-ExoInboxRuleRow $tenant $box $Name ($Priority ? $Priority : $rows.Count + 1) $PSBoundParameters
    Add-DemoRow $tenant "rules/$($box.Alias)" $rule
    $rule
}

function Set-InboxRule {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string] $Identity, [string] $Mailbox, [string] $Name, [int] $Priority,
        [string[]] $From, [string[]] $FromAddressContainsWords, [string[]] $SubjectContainsWords, [string[]] $BodyContainsWords,
        [string] $MoveToFolder, [string] $CopyToFolder, [bool] $DeleteMessage, [bool] $MarkAsRead, [string[]] $ForwardTo,
        [string[]] $ForwardAsAttachmentTo, [string[]] $RedirectTo, [bool] $StopProcessingRules, [switch] $Force
    )
    process {
        $rule = Get-InboxRule -Identity $Identity -Mailbox $Mailbox
        if (-not $rule -or -not $PSCmdlet.ShouldProcess($rule.Identity, 'Set-InboxRule')) { return }
        foreach ($key in $PSBoundParameters.Keys) {
            if ($key -notin 'Identity', 'Mailbox' -and $null -ne $rule.PSObject.Properties[$key]) { $rule.$key = $PSBoundParameters[$key] }
        }
    }
}

function Remove-InboxRule {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string] $Identity, [string] $Mailbox, [switch] $Force)
    process {
        $rule = Get-InboxRule -Identity $Identity -Mailbox $Mailbox
        if (-not $rule) { return }
        if ($Force -or $PSCmdlet.ShouldProcess($rule.Identity, 'Removing the Inbox rule')) {
            $tenant = Get-ExoTenant
            Remove-DemoRow $tenant "rules/$((Find-ExoMailbox $tenant $rule.MailboxOwnerId).Alias)" $rule
        }
    }
}
