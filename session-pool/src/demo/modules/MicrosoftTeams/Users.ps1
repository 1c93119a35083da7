# Members of teams, and users as the voice service sees them.

function Get-TeamsMemberRow {
    param([Parameter(Mandatory)] $Tenant, [Parameter(Mandatory)] $Team)
    Get-DemoData $Tenant "members/$($Team.GroupId)" {
        param($Tenant)
        $people = @(Get-DemoPeople $Tenant)
        $start = Get-DemoNumber $Tenant 'members' $Team.DisplayName.Length $people.Count
        for ($i = 0; $i -lt 12; $i++) { New-TeamsMemberRow $people[($start + $i * 5) % $people.Count] ($i -lt 2 ? 'owner' : 'member') }
    }
}

function New-TeamsMemberRow {
    param($Person, [string] $Role)
    [pscustomobject]@{ PSTypeName = 'Demo.Teams.User'; UserId = $Person.Id; User = $Person.Mail; Name = $Person.DisplayName; Role = $Role }
}

function Get-TeamUser {
    [CmdletBinding()]
    param([Parameter(Mandatory, ValueFromPipelineByPropertyName)][string] $GroupId, [ValidateSet('Owner', 'Member', 'Guest')][string] $Role)
    process {
        $tenant = Get-TeamsTenant $PSCmdlet
        $team = Find-TeamsTeam $PSCmdlet $tenant $GroupId
        if (-not $team) { return }
        foreach ($row in Get-TeamsMemberRow $tenant $team) { if (-not $Role -or $row.Role -eq $Role) { $row } }
    }
}

function Add-TeamUser {
    [CmdletBinding()]
    param([Parameter(Mandatory, ValueFromPipelineByPropertyName)][string] $GroupId, [Parameter(Mandatory)][string] $User, [ValidateSet('Member', 'Owner')][string] $Role = 'Member')
    process {
        $tenant = Get-TeamsTenant $PSCmdlet
        $team = Find-TeamsTeam $PSCmdlet $tenant $GroupId
        if (-not $team) { return }
        $person = @(Get-DemoPeople $tenant).Where({ $User -in $_.Mail, $_.Id }, 'First')
        if (-not $person) {
            $exception = New-DemoException 'Microsoft.TeamsCmdlets.PowerShell.Custom.ErrorHandling.ApiException' "Could not find member: $User"
            return $PSCmdlet.WriteError((New-DemoErrorRecord $exception 'Microsoft.TeamsCmdlets.PowerShell.Custom.ErrorHandling.ApiException' NotSpecified))
        }
        [void](Get-TeamsMemberRow $tenant $team)
        Add-DemoRow $tenant "members/$GroupId" (New-TeamsMemberRow $person[0] $Role.ToLowerInvariant())
    }
}

function Remove-TeamUser {
    [CmdletBinding()]
    param([Parameter(Mandatory, ValueFromPipelineByPropertyName)][string] $GroupId, [Parameter(Mandatory)][string] $User, [ValidateSet('Owner')][string] $Role)
    process {
        $tenant = Get-TeamsTenant $PSCmdlet
        $team = Find-TeamsTeam $PSCmdlet $tenant $GroupId
        if (-not $team) { return }
        foreach ($row in @(Get-TeamsMemberRow $tenant $team)) { if ($User -in $row.User, $row.UserId) { Remove-DemoRow $tenant "members/$GroupId" $row } }
    }
}

function Get-TeamsCsUserRow {
    param([Parameter(Mandatory)] $Tenant)
    Get-DemoData $Tenant 'csusers' {
        param($Tenant)
        foreach ($person in Get-DemoPeople $Tenant) {
            $phone = $person.Index % 3 -eq 0
            [pscustomobject]@{
                PSTypeName = 'Demo.Teams.CsUser'; Identity = $person.Id; DisplayName = $person.DisplayName; UserPrincipalName = $person.Mail; SipAddress = "sip:$($person.Mail)"
                AccountEnabled = $person.Enabled; EnterpriseVoiceEnabled = $phone; LineUri = $phone ? ('tel:+1555010{0:d4}' -f $person.Index) : ''
                Department = $person.Department; Office = $person.Office; UsageLocation = 'GB'; AccountType = 'User'; InterpretedUserType = 'PureOnlineTeamsOnlyUser'
                TeamsMeetingPolicy = $person.Index % 9 -eq 8 ? 'Restricted' : $null; TeamsCallingPolicy = $null; TenantId = $Tenant.tenantId
            }
        }
    }
}

function Get-CsOnlineUser {
    [CmdletBinding()]
    param([Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][Alias('UserPrincipalName')][string] $Identity, [string] $Filter, [int] $ResultSize = [int]::MaxValue, [string[]] $Properties, [string] $AccountType)
    process {
        $tenant = Get-TeamsTenant $PSCmdlet
        $rows = Get-TeamsCsUserRow $tenant
        if ($Identity) {
            $rows = @($rows).Where({ $Identity -in $_.Identity, $_.UserPrincipalName, $_.SipAddress, $_.DisplayName })
            if (-not $rows) {
                $exception = New-DemoException 'Microsoft.Rest.HttpOperationException' "The user '$Identity' was not found. [NotFound]"
                return $PSCmdlet.WriteError((New-DemoErrorRecord $exception 'NotFound' ObjectNotFound $Identity))
            }
        }
        if ($Filter) { $rows = $rows | Select-DemoByFilter -Filter $Filter }
        $rows = $rows | Select-Object -First $ResultSize
        if ($Properties) { $rows | Select-Object -Property $Properties } else { $rows }
    }
}

function Set-CsPhoneNumberAssignment {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory)][string] $Identity, [Parameter(Mandatory)][string] $PhoneNumber, [Parameter(Mandatory)][ValidateSet('DirectRouting', 'CallingPlan', 'OperatorConnect')][string] $PhoneNumberType)
    $user = Get-CsOnlineUser -Identity $Identity
    if ($user -and $PSCmdlet.ShouldProcess($Identity, 'Set-CsPhoneNumberAssignment')) {
        $user.LineUri = "tel:$PhoneNumber"; $user.EnterpriseVoiceEnabled = $true
    }
}

function Get-CsTeamsMeetingPolicy {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string] $Identity, [string] $Filter)
    $tenant = Get-TeamsTenant $PSCmdlet
    foreach ($name in 'Global', 'Tag:Restricted', "Tag:$($tenant.departments[0])") {
        if ($Identity -and $name -notin $Identity, "Tag:$Identity") { continue }
        [pscustomobject]@{ PSTypeName = 'Demo.Teams.MeetingPolicy'; Identity = $name; AllowMeetNow = $true; AllowCloudRecording = $name -ne 'Tag:Restricted'; AutoAdmittedUsers = 'EveryoneInCompany'; AllowAnonymousUsersToJoinMeeting = $name -eq 'Global' }
    }
}
