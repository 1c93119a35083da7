# Teams.

function Get-TeamsTeamRow {
    param([Parameter(Mandatory)] $Tenant)
    Get-DemoData $Tenant 'teams' {
        param($Tenant)
        for ($i = 0; $i -lt $Tenant.teams; $i++) {
            $department = $Tenant.departments[$i % $Tenant.departments.Count]
            $name = "$department $($i -lt $Tenant.departments.Count ? 'Team' : "Project $($i + 1)")"
            New-TeamsTeamRow $Tenant $name "$name of $($Tenant.displayName)" ($i % 3 ? 'Private' : 'Public') ($i % 17 -eq 16)
        }
    }
}

function New-TeamsTeamRow {
    param($Tenant, [string] $Name, [string] $Description, [string] $Visibility, [bool] $Archived)
    [pscustomobject]@{
        PSTypeName = 'Demo.Teams.Team'; GroupId = New-DemoGuid $Tenant 'team' $Name; InternalId = "19:$((New-DemoGuid $Tenant 'thread' $Name) -replace '-')@thread.tacv2"
        DisplayName = $Name; Description = $Description; Visibility = $Visibility; MailNickName = $Name -replace '\W'; Classification = ''; Archived = $Archived
        AllowGiphy = $true; GiphyContentRating = 'moderate'; AllowStickersAndMemes = $true; AllowCustomMemes = $true; AllowGuestCreateUpdateChannels = $false
        AllowGuestDeleteChannels = $false; AllowCreateUpdateChannels = $true; AllowDeleteChannels = $true; AllowUserEditMessages = $true; AllowOwnerDeleteMessages = $true
    }
}

# The team of a group id; a non-terminating error of the calling cmdlet where there is none.
function Find-TeamsTeam {
    param($Cmdlet, $Tenant, [string] $GroupId)
    foreach ($team in Get-TeamsTeamRow $Tenant) { if ($team.GroupId -eq $GroupId) { return $team } }
    $exception = New-DemoException 'Microsoft.TeamsCmdlets.PowerShell.Custom.ErrorHandling.ApiException' (
        "Error occurred while executing `nCode: NotFound`nMessage: No team found with Group Id $GroupId`nInnerError:`n  RequestId: 00000000-0000-0000-0000-0000000d3302")
    $Cmdlet.WriteError((New-DemoErrorRecord $exception 'Microsoft.TeamsCmdlets.PowerShell.Custom.ErrorHandling.ApiException' NotSpecified))
}

function Get-Team {
    [CmdletBinding()]
    param(
        [Parameter(ValueFromPipelineByPropertyName)][string] $GroupId, [string] $User, [string] $DisplayName, [string] $MailNickName,
        [ValidateSet('Private', 'Public', 'HiddenMembership')][string] $Visibility, [bool] $Archived, [int] $NumberOfThreads
    )
    process {
        $tenant = Get-TeamsTenant $PSCmdlet
        if ($GroupId) { return Find-TeamsTeam $PSCmdlet $tenant $GroupId }
        foreach ($team in Get-TeamsTeamRow $tenant) {
            if ($DisplayName -and $team.DisplayName -notlike "*$DisplayName*") { continue }
            if ($MailNickName -and $team.MailNickName -ne $MailNickName) { continue }
            if ($Visibility -and $team.Visibility -ne $Visibility) { continue }
            if ($PSBoundParameters.ContainsKey('Archived') -and $team.Archived -ne $Archived) { continue }
            if ($User -and $User -notin (Get-TeamsMemberRow $tenant $team).User) { continue }
            $team
        }
    }
}

function New-Team {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)][string] $DisplayName, [string] $Description = '', [string] $MailNickName, [ValidateSet('Private', 'Public', 'HiddenMembership')][string] $Visibility = 'Private',
        [string] $Owner, [string] $Template, [string] $Classification, [bool] $AllowGiphy, [switch] $RetainCreatedGroup
    )
    $tenant = Get-TeamsTenant $PSCmdlet
    if ((Get-DemoConnection teams).Method -eq 'app') {
        $exception = New-DemoException 'System.NotSupportedException' 'New-Team is not supported with application-based authentication.'
        $PSCmdlet.ThrowTerminatingError((New-DemoErrorRecord $exception 'System.NotSupportedException' NotImplemented))
    }
    $team = New-TeamsTeamRow $tenant $DisplayName $Description $Visibility $false
    if ($MailNickName) { $team.MailNickName = $MailNickName }
    [void](Get-TeamsTeamRow $tenant)
    Add-DemoRow $tenant 'teams' $team
    $team
}

function Set-Team {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, ValueFromPipelineByPropertyName)][string] $GroupId, [string] $DisplayName, [string] $Description, [string] $MailNickName,
        [ValidateSet('Private', 'Public', 'HiddenMembership')][string] $Visibility, [bool] $AllowGiphy, [bool] $AllowCreateUpdateChannels, [bool] $AllowUserEditMessages
    )
    process {
        $tenant = Get-TeamsTenant $PSCmdlet
        $team = Find-TeamsTeam $PSCmdlet $tenant $GroupId
        if (-not $team) { return }
        foreach ($key in $PSBoundParameters.Keys) { if ($key -ne 'GroupId' -and $null -ne $team.PSObject.Properties[$key]) { $team.$key = $PSBoundParameters[$key] } }
        $team
    }
}

# The real one asks nobody: no ShouldProcess.
function Remove-Team {
    [CmdletBinding()]
    param([Parameter(Mandatory, ValueFromPipelineByPropertyName)][string] $GroupId)
    process {
        $tenant = Get-TeamsTenant $PSCmdlet
        $team = Find-TeamsTeam $PSCmdlet $tenant $GroupId
        if ($team) { Remove-DemoRow $tenant 'teams' $team }
    }
}
