# Role assignments and the directory.

function Get-AzRoleAssignmentRow {
    param([Parameter(Mandatory)] $Tenant, [Parameter(Mandatory)][string] $Subscription)
    Get-DemoData $Tenant "roles/$Subscription" {
        param($Tenant)
        $people = @(Get-DemoPeople $Tenant)
        $roles = 'Owner', 'Contributor', 'Reader', 'User Access Administrator'
        for ($i = 0; $i -lt 8; $i++) { New-AzRoleAssignmentRow $Tenant $people[$i * 9] $roles[$i % $roles.Count] "/subscriptions/$Subscription" }
    }
}

function New-AzRoleAssignmentRow {
    param($Tenant, $Person, [string] $Role, [string] $Scope)
    $id = New-DemoGuid $Tenant 'role' "$($Person.Mail)/$Role/$Scope"
    [pscustomobject]@{
        PSTypeName = 'Demo.Az.RoleAssignment'; RoleAssignmentName = $id; RoleAssignmentId = "$Scope/providers/Microsoft.Authorization/roleAssignments/$id"; Scope = $Scope
        DisplayName = $Person.DisplayName; SignInName = $Person.Mail; RoleDefinitionName = $Role; ObjectId = $Person.Id; ObjectType = 'User'; CanDelegate = $false
    }
}

function Get-AzRoleAssignment {
    [CmdletBinding()]
    param([string] $SignInName, [string] $ObjectId, [string] $RoleDefinitionName, [string] $Scope, [string] $ResourceGroupName)
    $tenant = Get-AzServiceTenant $PSCmdlet 'Microsoft.Azure.Commands.Resources'
    foreach ($row in Get-AzRoleAssignmentRow $tenant (Get-AzContext).Subscription.Id) {
        if ($SignInName -and $row.SignInName -ne $SignInName) { continue }
        if ($ObjectId -and $row.ObjectId -ne $ObjectId) { continue }
        if ($RoleDefinitionName -and $row.RoleDefinitionName -ne $RoleDefinitionName) { continue }
        $row
    }
}

function New-AzRoleAssignment {
    [CmdletBinding(SupportsShouldProcess)]
    param([Alias('Email', 'UserPrincipalName')][string] $SignInName, [string] $ObjectId, [string] $ApplicationId, [Parameter(Mandatory)][string] $RoleDefinitionName, [string] $Scope, [string] $ResourceGroupName, [string] $Description)
    $tenant = Get-AzServiceTenant $PSCmdlet 'Microsoft.Azure.Commands.Resources'
    $subscription = (Get-AzContext).Subscription.Id
    $person = @(Get-DemoPeople $tenant).Where({ $_.Mail -eq $SignInName -or $_.Id -eq $ObjectId }, 'First')
    if (-not $person) { return Write-AzNotFound $PSCmdlet "Cannot find principal using the specified options" 'Microsoft.Azure.Commands.Resources' }
    $where = $Scope ? $Scope : ($ResourceGroupName ? "/subscriptions/$subscription/resourceGroups/$ResourceGroupName" : "/subscriptions/$subscription")
    if (-not $PSCmdlet.ShouldProcess($where, "Assign $RoleDefinitionName to $($person[0].Mail)")) { return }
    [void](Get-AzRoleAssignmentRow $tenant $subscription)
    $row = New-AzRoleAssignmentRow $tenant $person[0] $RoleDefinitionName $where
    Add-DemoRow $tenant "roles/$subscription" $row
    $row
}

function Remove-AzRoleAssignment {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(ValueFromPipeline)] $InputObject, [string] $SignInName, [string] $ObjectId, [string] $RoleDefinitionName, [string] $Scope, [switch] $PassThru)
    process {
        $tenant = Get-AzServiceTenant $PSCmdlet 'Microsoft.Azure.Commands.Resources'
        $subscription = (Get-AzContext).Subscription.Id
        $rows = $InputObject ? @($InputObject) : @(Get-AzRoleAssignment -SignInName $SignInName -ObjectId $ObjectId -RoleDefinitionName $RoleDefinitionName)
        if (-not $rows) { return Write-AzNotFound $PSCmdlet 'The provided information does not map to a role assignment.' 'Microsoft.Azure.Commands.Resources' }
        foreach ($row in $rows) { if ($PSCmdlet.ShouldProcess($row.RoleAssignmentId, 'Remove role assignment')) { Remove-DemoRow $tenant "roles/$subscription" $row } }
    }
}

function Get-AzADUser {
    [CmdletBinding()]
    param([Parameter(Position = 0)][Alias('UPN', 'Mail')][string] $UserPrincipalName, [string] $ObjectId, [string] $DisplayName, [string] $StartsWith, [string] $Filter, [int] $First = [int]::MaxValue, [int] $Skip = 0)
    $tenant = Get-AzServiceTenant $PSCmdlet 'Microsoft.Azure.Commands.Resources'
    $rows = foreach ($person in Get-DemoPeople $tenant) {
        if ($UserPrincipalName -and $person.Mail -ne $UserPrincipalName) { continue }
        if ($ObjectId -and $person.Id -ne $ObjectId) { continue }
        if ($DisplayName -and $person.DisplayName -ne $DisplayName) { continue }
        if ($StartsWith -and $person.DisplayName -notlike "$StartsWith*") { continue }
        [pscustomobject]@{ PSTypeName = 'Demo.Az.ADUser'; DisplayName = $person.DisplayName; Id = $person.Id; Mail = $person.Mail; UserPrincipalName = $person.Mail; GivenName = $person.GivenName; Surname = $person.Surname; AccountEnabled = $person.Enabled; Department = $person.Department }
    }
    if ($Filter) { $rows = $rows | Select-DemoByFilter -Filter $Filter }
    $rows | Select-Object -First $First -Skip $Skip
}

function Get-AzADGroup {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string] $DisplayName, [string] $ObjectId)
    $tenant = Get-AzServiceTenant $PSCmdlet 'Microsoft.Azure.Commands.Resources'
    foreach ($name in $tenant.departments | ForEach-Object { "All $_" }) {
        if ($DisplayName -and $name -ne $DisplayName) { continue }
        [pscustomobject]@{ PSTypeName = 'Demo.Az.ADGroup'; DisplayName = $name; Id = New-DemoGuid $tenant 'group' $name; SecurityEnabled = $true; MailNickname = $name -replace ' ' }
    }
}
