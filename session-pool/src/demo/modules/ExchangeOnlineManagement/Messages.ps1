# Message trace (as many rows as asked for) and the audit log (slow, with progress).

$script:Subjects = 'Quarterly figures', 'Re: lunch on Thursday', 'Invoice 2026-11', 'Minutes of the meeting', 'Fwd: travel to the office', 'Welcome aboard', 'Holiday plan', 'Contract draft v3'
$script:Operations = 'MailItemsAccessed', 'FileAccessed', 'UserLoggedIn', 'New-InboxRule', 'SharingSet', 'TeamsSessionStarted'

function Get-MessageTraceV2 {
    [CmdletBinding()]
    param(
        [string[]] $SenderAddress, [string[]] $RecipientAddress, [datetime] $StartDate, [datetime] $EndDate, [string] $Subject,
        [string[]] $Status, [string[]] $MessageId, [guid] $MessageTraceId, [string] $FromIP, [string] $ToIP, [string] $StartingRecipientAddress,
        [ValidateRange(1, 5000)][int] $ResultSize = 1000
    )
    $tenant = Get-ExoTenant
    $people = Get-DemoPeople $tenant
    $newest = $EndDate ? $EndDate : (New-DemoDate 2026 11 20 12)
    $oldest = $StartDate ? $StartDate : $newest.AddDays(-2)
    if (($newest - $oldest).TotalDays -gt 10) {
        return Write-ErrorMessage Get-MessageTraceV2 DataMartTimeoutException -Prefix Ex1CB3E4 -Message 'The date range between StartDate and EndDate can''t exceed 10 days.'
    }
    $sent = 0
    for ($i = 0; $i -lt 20000 -and $sent -lt $ResultSize; $i++) {
        $received = $newest.AddSeconds(-9 * $i)
        if ($received -lt $oldest) { break }
        $from = $people[($i * 7 + 3) % $people.Count]; $to = $people[($i * 13 + 5) % $people.Count]
        if ($SenderAddress -and $from.Mail -notin $SenderAddress) { continue }
        if ($RecipientAddress -and $to.Mail -notin $RecipientAddress) { continue }
        $state = $i % 23 -eq 22 ? 'Failed' : 'Delivered'
        if ($Status -and $state -notin $Status) { continue }
        $text = $script:Subjects[$i % $script:Subjects.Count]
        if ($Subject -and $text -notlike "*$Subject*") { continue }
        $sent++
        [pscustomobject]@{
            PSTypeName = 'Demo.Exchange.MessageTrace'
            MessageId = "<$('{0:x8}' -f $i).$($tenant.name)@mail.$($tenant.domain)>"; MessageTraceId = [guid]::new($i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
            Received = $received; SenderAddress = $from.Mail; RecipientAddress = $to.Mail; Subject = $text; Status = $state
            FromIP = "192.0.2.$($i % 250)"; ToIP = "198.51.100.$($i % 250)"; Size = 4000 + $i % 90000; Organization = $tenant.domain
        }
    }
    if ($sent -ge $ResultSize) {
        Write-Warning "There are more results, use the following command to get more. Get-MessageTraceV2 -StartDate `"$($oldest.ToString('s'))Z`" -EndDate `"$($received.ToString('s'))Z`" -StartingRecipientAddress `"$($to.Mail)`" -ResultSize $ResultSize"
    }
}

function Search-UnifiedAuditLog {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)][datetime] $StartDate, [Parameter(Mandatory)][datetime] $EndDate, [string[]] $UserIds, [string[]] $Operations,
        [string] $RecordType, [string] $SessionId, [string] $SessionCommand, [string] $FreeText, [switch] $Formatted, [ValidateRange(1, 5000)][int] $ResultSize = 100
    )
    $tenant = Get-ExoTenant
    if ($EndDate -lt $StartDate) {
        return Write-ErrorMessage Search-UnifiedAuditLog ArgumentException -Prefix Ex5B0C1A -Message 'The start date must be earlier than the end date.'
    }
    $steps = 20
    $pause = [int](1000 * (Get-DemoSlowness) / $steps)
    for ($step = 1; $step -le $steps; $step++) {
        Write-Progress -Activity 'Searching the unified audit log' -Status "$($step * 5)% of the time range" -PercentComplete ($step * 5)
        Start-Sleep -Milliseconds $pause
    }
    Write-Progress -Activity 'Searching the unified audit log' -Completed
    $people = Get-DemoPeople $tenant
    $minutes = [Math]::Max(1, ($EndDate - $StartDate).TotalMinutes)
    $found = 0
    for ($i = 0; $i -lt 5000 -and $found -lt $ResultSize; $i++) {
        $user = $people[($i * 11) % $people.Count].Mail; $operation = $script:Operations[$i % $script:Operations.Count]
        if ($UserIds -and $user -notin $UserIds) { continue }
        if ($Operations -and $operation -notin $Operations) { continue }
        $found++
        $at = $EndDate.AddMinutes(-($i * $minutes / 5000))
        [pscustomobject]@{
            PSTypeName = 'Demo.Exchange.AuditRecord'; RecordType = 'ExchangeItem'; CreationDate = $at; UserIds = $user; Operations = $operation
            AuditData = "{`"CreationTime`":`"$($at.ToString('s'))`",`"Operation`":`"$operation`",`"UserId`":`"$user`",`"OrganizationId`":`"$($tenant.tenantId)`"}"
            ResultIndex = $found; ResultCount = 5000; Identity = [guid]::new($i, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9); IsValid = $true; ObjectState = 'Unchanged'
        }
    }
}
