# Channels of a team.

function Get-TeamsChannelRow {
    param([Parameter(Mandatory)] $Tenant, [Parameter(Mandatory)] $Team)
    Get-DemoData $Tenant "channels/$($Team.GroupId)" {
        param($Tenant)
        $names = @('General', 'Planning', 'Random', 'Suppliers', 'Leads')
        $count = 1 + (Get-DemoNumber $Tenant 'channels' $Team.DisplayName.Length 5)
        for ($i = 0; $i -lt $count; $i++) {
            New-TeamsChannelRow $Tenant $Team $names[$i] '' ($i -eq 4 ? 'Private' : 'Standard')
        }
    }
}

function New-TeamsChannelRow {
    param($Tenant, $Team, [string] $Name, [string] $Description, [string] $MembershipType)
    [pscustomobject]@{
        PSTypeName = 'Demo.Teams.Channel'; Id = "19:$((New-DemoGuid $Tenant "channel/$($Team.GroupId)" $Name) -replace '-')@thread.tacv2"
        DisplayName = $Name; Description = $Description; MembershipType = $MembershipType; HostTeamId = $Team.GroupId; TenantId = $Tenant.tenantId
    }
}

function Get-TeamChannel {
    [CmdletBinding()]
    param([Parameter(Mandatory, ValueFromPipelineByPropertyName)][string] $GroupId, [ValidateSet('Standard', 'Private', 'Shared')][string] $MembershipType)
    process {
        $tenant = Get-TeamsTenant $PSCmdlet
        $team = Find-TeamsTeam $PSCmdlet $tenant $GroupId
        if (-not $team) { return }
        foreach ($row in Get-TeamsChannelRow $tenant $team) { if (-not $MembershipType -or $row.MembershipType -eq $MembershipType) { $row } }
    }
}

function New-TeamChannel {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, ValueFromPipelineByPropertyName)][string] $GroupId, [Parameter(Mandatory)][string] $DisplayName, [string] $Description,
        [ValidateSet('Standard', 'Private', 'Shared')][string] $MembershipType = 'Standard', [string] $Owner
    )
    process {
        $tenant = Get-TeamsTenant $PSCmdlet
        $team = Find-TeamsTeam $PSCmdlet $tenant $GroupId
        if (-not $team) { return }
        [void](Get-TeamsChannelRow $tenant $team)
        $row = New-TeamsChannelRow $tenant $team $DisplayName $Description $MembershipType
        Add-DemoRow $tenant "channels/$GroupId" $row
        $row
    }
}

function Remove-TeamChannel {
    [CmdletBinding()]
    param([Parameter(Mandatory, ValueFromPipelineByPropertyName)][string] $GroupId, [Parameter(Mandatory)][string] $DisplayName)
    process {
        $tenant = Get-TeamsTenant $PSCmdlet
        $team = Find-TeamsTeam $PSCmdlet $tenant $GroupId
        if (-not $team) { return }
        foreach ($row in @(Get-TeamsChannelRow $tenant $team)) { if ($row.DisplayName -eq $DisplayName) { Remove-DemoRow $tenant "channels/$GroupId" $row } }
    }
}
