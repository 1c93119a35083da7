# The tenant-admin cmdlets: they work on a connection to https://NAME-admin.sharepoint.com only.

function Get-PnPSiteRow {
    param([Parameter(Mandatory)] $Tenant)
    Get-DemoData $Tenant 'sites' {
        param($Tenant)
        $root = "https://$($Tenant.sharePointHost).sharepoint.com"
        New-PnPSiteRow $Tenant $root $Tenant.displayName 'SITEPAGEPUBLISHING#0' 0
        for ($i = 1; $i -lt $Tenant.sites; $i++) {
            $department = $Tenant.departments[$i % $Tenant.departments.Count]
            $name = "$department$('{0:d2}' -f $i)"
            New-PnPSiteRow $Tenant "$root/sites/$name" "$department $i" ($i % 3 ? 'GROUP#0' : 'STS#3') $i
        }
    }
}

function New-PnPSiteRow {
    param($Tenant, [string] $Url, [string] $Title, [string] $Template, [int] $Index)
    [pscustomobject]@{
        PSTypeName = 'Demo.PnP.TenantSite'; Title = $Title; Url = $Url; Template = $Template; LockState = $Index % 19 -eq 18 ? 'ReadOnly' : 'Unlock'; Owner = $Tenant.admin; Status = 'Active'
        StorageUsageCurrent = 10 + (Get-DemoNumber $Tenant 'storage' $Index 24000); StorageQuota = 26214400; StorageQuotaWarningLevel = 25574400; SharingCapability = $Index % 4 ? 'ExternalUserSharingOnly' : 'Disabled'
        LastContentModifiedDate = (New-DemoDate 2026 11 1 9).AddDays(-(Get-DemoNumber $Tenant 'modified' $Index 700)); LocaleId = 1033; WebsCount = 1; IsHubSite = $Index -eq 3
        SensitivityLabel = ''; GroupId = $Template -eq 'GROUP#0' ? (New-DemoGuid $Tenant 'sitegroup' $Url) : '00000000-0000-0000-0000-000000000000'; DenyAddAndCustomizePages = 'Enabled'
    }
}

function Find-PnPSite {
    param($Cmdlet, $Tenant, [string] $Url)
    $wanted = $Url.TrimEnd('/')
    foreach ($row in Get-PnPSiteRow $Tenant) { if ($row.Url -eq $wanted) { return $row } }
    Stop-PnPDemo $Cmdlet (New-DemoException 'Microsoft.SharePoint.Client.ServerException' "Cannot get site $wanted.")
}

function Get-PnPTenantSite {
    [CmdletBinding()]
    param([Parameter(Position = 0, ValueFromPipelineByPropertyName)][Alias('Url')][string] $Identity, [string] $Template, [switch] $Detailed, [switch] $IncludeOneDriveSites, [string] $Filter, [switch] $DisableSharingForNonOwnersStatus, $Connection)
    process {
        $tenant = Get-PnPDemoAdminTenant $PSCmdlet $Connection
        if ($Identity) { return Find-PnPSite $PSCmdlet $tenant $Identity }
        $rows = Get-PnPSiteRow $tenant
        if ($IncludeOneDriveSites) {
            $rows = @($rows) + @(Get-DemoPeople $tenant | ForEach-Object { New-PnPSiteRow $tenant "https://$($tenant.sharePointHost)-my.sharepoint.com/personal/$($_.Mail -replace '\W', '_')" $_.DisplayName 'SPSPERS#10' (500 + $_.Index) })
        }
        if ($Template) { $rows = @($rows).Where({ $_.Template -eq $Template }) }
        if ($Filter) { $rows = $rows | Select-DemoByFilter -Filter $Filter }
        $rows
    }
}

function Set-PnPTenantSite {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipelineByPropertyName)][Alias('Url')][string] $Identity, [string] $Title, [string] $SharingCapability, [long] $StorageQuota,
        [ValidateSet('Unlock', 'NoAdditions', 'NoAccess', 'ReadOnly')][string] $LockState, [string[]] $Owners, [switch] $DenyAddAndCustomizePages, [switch] $Wait, $Connection
    )
    process {
        $row = Find-PnPSite $PSCmdlet (Get-PnPDemoAdminTenant $PSCmdlet $Connection) $Identity
        foreach ($key in $PSBoundParameters.Keys) { if ($key -notin 'Identity', 'DenyAddAndCustomizePages' -and $null -ne $row.PSObject.Properties[$key]) { $row.$key = $PSBoundParameters[$key] } }
    }
}

function New-PnPTenantSite {
    [CmdletBinding()]
    param([Parameter(Mandatory)][string] $Title, [Parameter(Mandatory)][string] $Url, [Parameter(Mandatory)][string] $Owner, [Parameter(Mandatory)][int] $TimeZone, [string] $Template = 'STS#3', [switch] $Wait, $Connection)
    $tenant = Get-PnPDemoAdminTenant $PSCmdlet $Connection
    [void](Get-PnPSiteRow $tenant)
    Add-DemoRow $tenant 'sites' (New-PnPSiteRow $tenant $Url.TrimEnd('/') $Title $Template 900)
}

function Remove-PnPTenantSite {
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param([Parameter(Mandatory, Position = 0, ValueFromPipelineByPropertyName)][Alias('Identity')][string] $Url, [switch] $SkipRecycleBin, [switch] $Force, $Connection)
    process {
        $tenant = Get-PnPDemoAdminTenant $PSCmdlet $Connection
        $row = Find-PnPSite $PSCmdlet $tenant $Url
        if ($Force -or $PSCmdlet.ShouldContinue("Remove site collection $Url?", 'Confirm')) { Remove-DemoRow $tenant 'sites' $row }
    }
}

function Get-PnPDeletedSite {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string] $Identity, $Connection)
    [void](Get-PnPDemoAdminTenant $PSCmdlet $Connection)
}

function Get-PnPTenantRow {
    param([Parameter(Mandatory)] $Tenant)
    Get-DemoData $Tenant 'spotenant' {
        param($Tenant)
        [pscustomobject]@{
            PSTypeName = 'Demo.PnP.Tenant'; SharingCapability = 'ExternalUserSharingOnly'; StorageQuota = 1 * 1048576 + $Tenant.people * 10240; ResourceQuota = 300; OneDriveStorageQuota = 1048576
            DefaultSharingLinkType = 'Internal'; LegacyAuthProtocolsEnabled = $false; ConditionalAccessPolicy = 'AllowFullAccess'; NotifyOwnersWhenItemsReshared = $true
            RootSiteUrl = "https://$($Tenant.sharePointHost).sharepoint.com"; DisplayStartASiteOption = $true; ShowEveryoneClaim = $false; PreventExternalUsersFromResharing = $false
        }
    }
}

function Get-PnPTenant {
    [CmdletBinding()]
    param($Connection)
    Get-PnPTenantRow (Get-PnPDemoAdminTenant $PSCmdlet $Connection)
}

function Set-PnPTenant {
    [CmdletBinding()]
    param(
        [ValidateSet('Disabled', 'ExternalUserSharingOnly', 'ExternalUserAndGuestSharing', 'ExistingExternalUserSharingOnly')][string] $SharingCapability, [bool] $LegacyAuthProtocolsEnabled,
        [string] $DefaultSharingLinkType, [long] $OneDriveStorageQuota, [bool] $ShowEveryoneClaim, [bool] $PreventExternalUsersFromResharing, [string] $ConditionalAccessPolicy, [switch] $Force, $Connection
    )
    $row = Get-PnPTenantRow (Get-PnPDemoAdminTenant $PSCmdlet $Connection)
    foreach ($key in $PSBoundParameters.Keys) { if ($null -ne $row.PSObject.Properties[$key]) { $row.$key = $PSBoundParameters[$key] } }
}
