# Recipients and distribution groups.

function Get-ExoGroupRow {
    param([Parameter(Mandatory)] $Tenant)
    Get-DemoData $Tenant 'groups' {
            param($Tenant)
            $people = Get-DemoPeople $Tenant
            $names = @($Tenant.departments | ForEach-Object { "All $_"; "$_ Leads"; "$_ Announcements" }) + @($Tenant.offices | ForEach-Object { "Office $_" })
            for ($i = 0; $i -lt $names.Count; $i++) {
                $alias = $names[$i].ToLowerInvariant() -replace ' ', '-'
                $mail = "$alias@$($Tenant.domain)"
                $members = [Collections.Generic.List[string]]::new()
                for ($n = $i; $n -lt $people.Count; $n += 3 + $i % 11) { $members.Add($people[$n].Mail) }
                [pscustomobject]@{
                    PSTypeName = 'Demo.Exchange.Group'
                    Name = $names[$i]; DisplayName = $names[$i]; Alias = $alias; Identity = $names[$i]; GroupType = 'Universal'
                    PrimarySmtpAddress = $mail; EmailAddresses = @("SMTP:$mail"); RecipientType = 'MailUniversalDistributionGroup'
                    RecipientTypeDetails = 'MailUniversalDistributionGroup'; ManagedBy = @($people[$i].Alias)
                    RequireSenderAuthenticationEnabled = $i % 4 -ne 0; HiddenFromAddressListsEnabled = $false; MemberJoinRestriction = 'Closed'
                    Guid = [guid](New-DemoGuid $Tenant 'group' $alias); ExternalDirectoryObjectId = New-DemoGuid $Tenant 'object' $mail; Members = $members
                }
            }
        }
}

function Find-ExoGroup {
    param($Tenant, [string] $Identity)
    foreach ($row in Get-ExoGroupRow $Tenant) {
        if ($Identity -in $row.Identity, $row.Alias, $row.PrimarySmtpAddress, $row.Guid, $row.ExternalDirectoryObjectId) { return $row }
    }
}

function ConvertTo-ExoRecipient {
    param([Parameter(ValueFromPipeline)] $Row)
    process {
        [pscustomobject]@{
            PSTypeName = 'Demo.Exchange.Recipient'
            Name = $Row.Name; DisplayName = $Row.DisplayName; Alias = $Row.Alias; Identity = $Row.Identity
            RecipientType = $Row.RecipientType; RecipientTypeDetails = $Row.RecipientTypeDetails
            PrimarySmtpAddress = $Row.PrimarySmtpAddress; EmailAddresses = $Row.EmailAddresses
            ExternalDirectoryObjectId = $Row.ExternalDirectoryObjectId; Guid = $Row.Guid; HiddenFromAddressListsEnabled = $Row.HiddenFromAddressListsEnabled
        }
    }
}

function Get-Recipient {
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string] $Identity,
        [string] $Anr, [string] $Filter, [string[]] $RecipientType, [string[]] $RecipientTypeDetails, [string] $ResultSize, [string[]] $Properties
    )
    process {
        $tenant = Get-ExoTenant
        $rows = if ($Identity) { @(Find-ExoMailbox $tenant $Identity) + @(Find-ExoGroup $tenant $Identity) | Where-Object { $_ } }
        else { @(Get-ExoMailboxRow $tenant) + @(Get-ExoGroupRow $tenant) }
        if ($Identity -and -not $rows) { return Write-ExoNotFound Get-Recipient $Identity $tenant }
        $rows = @($rows | ConvertTo-ExoRecipient)
        if ($Anr) { $rows = @($rows.Where({ $_.DisplayName -like "*$Anr*" -or $_.Alias -like "$Anr*" })) }
        if ($RecipientType) { $rows = @($rows.Where({ $_.RecipientType -in $RecipientType })) }
        if ($RecipientTypeDetails) { $rows = @($rows.Where({ $_.RecipientTypeDetails -in $RecipientTypeDetails })) }
        if ($Filter) { $rows = @($rows | Select-DemoByFilter -Filter $Filter) }
        Limit-ExoResult $rows $ResultSize
    }
}

function Get-DistributionGroup {
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string] $Identity,
        [string] $Anr, [string] $Filter, [string] $ManagedBy, [string[]] $RecipientTypeDetails, [string] $ResultSize, [string] $SortBy
    )
    process {
        $tenant = Get-ExoTenant
        $rows = if ($Identity) { @(Find-ExoGroup $tenant $Identity) } else { @(Get-ExoGroupRow $tenant) }
        if ($Identity -and -not $rows) { return Write-ExoNotFound Get-DistributionGroup $Identity $tenant }
        if ($Anr) { $rows = @($rows.Where({ $_.DisplayName -like "*$Anr*" })) }
        if ($ManagedBy) { $rows = @($rows.Where({ $_.ManagedBy -contains $ManagedBy })) }
        if ($Filter) { $rows = @($rows | Select-DemoByFilter -Filter $Filter) }
        Limit-ExoResult $rows $ResultSize
    }
}

function Get-DistributionGroupMember {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string] $Identity, [string] $ResultSize)
    process {
        $tenant = Get-ExoTenant
        $group = Find-ExoGroup $tenant $Identity
        if (-not $group) { return Write-ExoNotFound Get-DistributionGroupMember $Identity $tenant }
        Limit-ExoResult @($group.Members | ForEach-Object { Find-ExoMailbox $tenant $_ } | ConvertTo-ExoRecipient) $ResultSize
    }
}

function Add-DistributionGroupMember {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium')]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline)][string] $Identity, [Parameter(Mandatory)][string] $Member, [switch] $BypassSecurityGroupManagerCheck)
    process {
        $tenant = Get-ExoTenant
        $group = Find-ExoGroup $tenant $Identity
        if (-not $group) { return Write-ExoNotFound Add-DistributionGroupMember $Identity $tenant }
        $mailbox = Find-ExoMailbox $tenant $Member
        if (-not $mailbox) {
            return Write-ErrorMessage Add-DistributionGroupMember ManagementObjectNotFoundException -Prefix Ex94914C -Message "Couldn't find object `"$Member`". Please make sure that it was spelled correctly or specify a different object."
        }
        if ($group.Members.Contains($mailbox.PrimarySmtpAddress)) {
            return Write-ErrorMessage Add-DistributionGroupMember MemberAlreadyExistsException -Prefix Ex2F4A1C -Message "The recipient `"$($mailbox.Identity)`" is already a member of the group `"$($group.Identity)`"."
        }
        if ($PSCmdlet.ShouldProcess($group.Identity, "Adding distribution group member `"$($mailbox.Identity)`"")) { $group.Members.Add($mailbox.PrimarySmtpAddress) }
    }
}

function Remove-DistributionGroupMember {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline)][string] $Identity, [Parameter(Mandatory)][string] $Member, [switch] $BypassSecurityGroupManagerCheck)
    process {
        $tenant = Get-ExoTenant
        $group = Find-ExoGroup $tenant $Identity
        if (-not $group) { return Write-ExoNotFound Remove-DistributionGroupMember $Identity $tenant }
        $mailbox = Find-ExoMailbox $tenant $Member
        if (-not $mailbox) { return Write-ExoNotFound Remove-DistributionGroupMember $Member $tenant }
        if ($PSCmdlet.ShouldProcess($group.Identity, "Removing distribution group member `"$($mailbox.Identity)`"")) { [void]$group.Members.Remove($mailbox.PrimarySmtpAddress) }
    }
}
