# The organisation itself: configuration, domains, transport rules.

function Get-OrganizationConfig {
    [CmdletBinding()]
    param()
    $tenant = Get-ExoTenant
    [pscustomobject]@{
        PSTypeName = 'Demo.Exchange.OrganizationConfig'
        Name = $tenant.domain; Identity = $tenant.domain; DisplayName = $tenant.displayName; Guid = [guid]$tenant.tenantId
        IsDehydrated = $false; AuditDisabled = $false; OAuth2ClientProfileEnabled = $true; MailTipsAllTipsEnabled = $true; FocusedInboxOn = $null
        DefaultPublicFolderMailbox = $null; RejectDirectSend = $false; SendFromAliasEnabled = $false; AutoExpandingArchiveEnabled = $false
        WhenCreated = (New-DemoDate 2020 3 2 8); IsValid = $true
    }
}

function Get-AcceptedDomain {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string] $Identity, [string] $ResultSize)
    $tenant = Get-ExoTenant
    foreach ($name in $tenant.domain, "mail.$($tenant.domain)") {
        if ($Identity -and $Identity -ne $name) { continue }
        [pscustomobject]@{ PSTypeName = 'Demo.Exchange.AcceptedDomain'; Name = $name; DomainName = $name; DomainType = 'Authoritative'; Default = $name -eq $tenant.domain; Identity = $name }
    }
}

function Get-TransportRule {
    [CmdletBinding()]
    param([Parameter(Position = 0, ValueFromPipelineByPropertyName)][string] $Identity, [string] $Filter, [string] $State, [string] $ResultSize)
    $tenant = Get-ExoTenant
    $n = -1
    $rows = foreach ($name in 'External sender banner', 'Block executable attachments', "Encrypt mail to $($tenant.departments[0])", 'Journal to archive') {
        $n++
        [pscustomobject]@{
            PSTypeName = 'Demo.Exchange.TransportRule'; Name = $name; Identity = $name; State = $n -eq 3 ? 'Disabled' : 'Enabled'; Mode = 'Enforce'; Priority = $n
            Comments = ''; Guid = [guid](New-DemoGuid $tenant 'transport' $name); WhenChanged = (New-DemoDate 2025 6 (1 + $n) 0); Description = "Demo rule: $name"
        }
    }
    if ($Identity) {
        $rows = @($rows).Where({ $Identity -in $_.Name, $_.Guid })
        if (-not $rows) { return Write-ErrorMessage Get-TransportRule ManagementObjectNotFoundException -Message "The transport rule '$Identity' wasn't found." }
    }
    if ($State) { $rows = @($rows).Where({ $_.State -eq $State }) }
    if ($Filter) { $rows = $rows | Select-DemoByFilter -Filter $Filter }
    $rows
}
