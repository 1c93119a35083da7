# The connected site: collection, web, users, groups.

# The site of the connection; the root where the address is an admin or personal one.
function Get-PnPCurrentSite {
    param($Cmdlet, $Connection)
    $tenant = Get-PnPDemoTenant $Cmdlet $Connection
    $url = (Get-PnPDemoConnection $Cmdlet $Connection).Url
    $sites = @(Get-PnPSiteRow $tenant)
    $row = $sites.Where({ $_.Url -eq $url }, 'First')
    @{ Tenant = $tenant; Site = $row ? $row[0] : $sites[0]; Url = $url }
}

function Get-PnPSite {
    [CmdletBinding()]
    param([string[]] $Includes, $Connection)
    $here = Get-PnPCurrentSite $PSCmdlet $Connection
    [pscustomobject]@{ PSTypeName = 'Demo.PnP.Site'; Url = $here.Url; CompatibilityLevel = 15; Id = New-DemoGuid $here.Tenant 'site' $here.Url; Owner = $here.Site.Owner; ReadOnly = $here.Site.LockState -ne 'Unlock' }
}

function Get-PnPWeb {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string] $Identity, [string[]] $Includes, $Connection)
    $here = Get-PnPCurrentSite $PSCmdlet $Connection
    $path = ([uri]$here.Url).AbsolutePath
    [pscustomobject]@{ PSTypeName = 'Demo.PnP.Web'; Title = $here.Site.Title; ServerRelativeUrl = $path; Id = New-DemoGuid $here.Tenant 'web' $here.Url; Url = $here.Url; Description = ''; Language = 1033; WebTemplate = $here.Site.Template.Split('#')[0]; Created = (New-DemoDate 2022 5 1) }
}

function Set-PnPWeb {
    [CmdletBinding()]
    param([string] $Title, [string] $Description, $Connection)
    $here = Get-PnPCurrentSite $PSCmdlet $Connection
    if ($Title) { $here.Site.Title = $Title }
}

function Get-PnPUser {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string] $Identity, [switch] $WithRightsAssigned, $Connection)
    $here = Get-PnPCurrentSite $PSCmdlet $Connection
    foreach ($person in Get-DemoPeople $here.Tenant) {
        if ($person.Index % 4) { continue }
        $login = "i:0#.f|membership|$($person.Mail)"
        if ($Identity -and $Identity -notin "$($person.Index + 6)", $login, $person.Mail) { continue }
        [pscustomobject]@{ PSTypeName = 'Demo.PnP.User'; Id = $person.Index + 6; Title = $person.DisplayName; LoginName = $login; Email = $person.Mail; IsSiteAdmin = $person.Index -eq 0; UserPrincipalName = $person.Mail; PrincipalType = 'User' }
    }
}

function Get-PnPGroup {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string] $Identity, $Connection)
    $here = Get-PnPCurrentSite $PSCmdlet $Connection
    $n = 2
    foreach ($kind in 'Owners', 'Visitors', 'Members') {
        $n++
        $title = "$($here.Site.Title) $kind"
        if ($Identity -and $Identity -notin "$n", $title) { continue }
        [pscustomobject]@{ PSTypeName = 'Demo.PnP.Group'; Id = $n; Title = $title; LoginName = $title; OwnerTitle = "$($here.Site.Title) Owners" }
    }
}
