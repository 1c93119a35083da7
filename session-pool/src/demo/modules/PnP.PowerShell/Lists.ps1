# Lists and their items.

function Get-PnPListRow {
    param([Parameter(Mandatory)] $Here)
    $url = $Here.Url
    Get-DemoData $Here.Tenant "lists/$url" {
        param($Tenant)
        $n = 0
        foreach ($one in @('Documents', 'Shared Documents', 101), @('Site Pages', 'SitePages', 119), @('Tasks', 'Lists/Tasks', 171), @('Suppliers', 'Lists/Suppliers', 100), @('Events', 'Lists/Events', 106)) {
            $n++
            New-PnPListRow $Tenant $url $one[0] $one[1] $one[2] (40 * $n)
        }
    }
}

function New-PnPListRow {
    param($Tenant, [string] $SiteUrl, [string] $Title, [string] $Path, [int] $Template, [int] $Count)
    [pscustomobject]@{
        PSTypeName = 'Demo.PnP.List'; Title = $Title; Id = New-DemoGuid $Tenant "list/$SiteUrl" $Title; Url = $Path; BaseTemplate = $Template; ItemCount = $Count; Hidden = $false
        Description = ''; EnableVersioning = $true; DefaultViewUrl = "$(([uri]$SiteUrl).AbsolutePath.TrimEnd('/'))/$Path/AllItems.aspx"; Created = (New-DemoDate 2023 2 1); LastItemModifiedDate = (New-DemoDate 2026 10 1)
    }
}

function Find-PnPList {
    param($Here, [string] $Identity)
    foreach ($row in Get-PnPListRow $Here) { if ($Identity -in $row.Title, $row.Id, $row.Url) { return $row } }
}

function Get-PnPList {
    [CmdletBinding()]
    param([Parameter(Position = 0, ValueFromPipeline)][string] $Identity, [switch] $ThrowExceptionIfListNotFound, [string[]] $Includes, $Connection)
    process {
        $here = Get-PnPCurrentSite $PSCmdlet $Connection
        if (-not $Identity) { return Get-PnPListRow $here }
        $row = Find-PnPList $here $Identity
        if (-not $row -and $ThrowExceptionIfListNotFound) { Stop-PnPDemo $PSCmdlet ([Management.Automation.PSArgumentException]::new("No list found with id, title or url '$Identity'", 'Identity')) }
        $row
    }
}

function New-PnPList {
    [CmdletBinding()]
    param([Parameter(Mandatory)][string] $Title, [Parameter(Mandatory)][string] $Template, [string] $Url, [switch] $EnableVersioning, [switch] $Hidden, $Connection)
    $here = Get-PnPCurrentSite $PSCmdlet $Connection
    [void](Get-PnPListRow $here)
    $row = New-PnPListRow $here.Tenant $here.Url $Title ($Url ? $Url : "Lists/$($Title -replace '\W')") 100 0
    Add-DemoRow $here.Tenant "lists/$($here.Url)" $row
    $row
}

# ShouldContinue, not ShouldProcess: it asks whatever the preferences say, unless -Force.
function Remove-PnPList {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][Alias('Title')][string] $Identity, [switch] $Recycle, [switch] $LargeList, [switch] $Force, $Connection)
    process {
        $here = Get-PnPCurrentSite $PSCmdlet $Connection
        $row = Find-PnPList $here $Identity
        if (-not $row) { Stop-PnPDemo $PSCmdlet ([Management.Automation.PSArgumentException]::new("No list found with id, title or url '$Identity'", 'Identity')) }
        if (-not $PSCmdlet.ShouldProcess($row.Title, 'Remove-PnPList')) { return }
        if ($Force -or $PSCmdlet.ShouldContinue("Remove list $($row.Title)?", 'Confirm')) { Remove-DemoRow $here.Tenant "lists/$($here.Url)" $row }
    }
}

function Get-PnPItemRow {
    param($Here, $List)
    Get-DemoData $Here.Tenant "items/$($List.Id)" {
        param($Tenant)
        $people = @(Get-DemoPeople $Tenant)
        for ($i = 1; $i -le $List.ItemCount; $i++) { New-PnPItemRow $Tenant $List $i @{ Title = "$($List.Title) $i"; Status = $i % 3 ? 'Open' : 'Done'; Author = $people[$i % $people.Count].DisplayName } }
    }
}

function New-PnPItemRow {
    param($Tenant, $List, [int] $Id, [hashtable] $Values)
    $fields = @{ ID = $Id; GUID = New-DemoGuid $Tenant "item/$($List.Id)" $Id; Modified = (New-DemoDate 2026 9 1).AddHours(-$Id) }
    foreach ($key in $Values.Keys) { $fields[$key] = $Values[$key] }
    [pscustomobject]@{ PSTypeName = 'Demo.PnP.ListItem'; Id = $Id; Title = $fields['Title']; GUID = $fields['GUID']; FieldValues = $fields }
}

# The list that a cmdlet's -List names, or the real one's complaint.
function Get-PnPItemList {
    param($Cmdlet, $Here, [string] $List)
    $row = Find-PnPList $Here $List
    if ($row) { return $row }
    Stop-PnPDemo $Cmdlet ([Management.Automation.PSArgumentException]::new("No list found with id, title or url '$List'", 'List'))
}

function Get-PnPListItem {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline)][string] $List, [int] $Id, [guid] $UniqueId, [string] $Query, [string[]] $Fields, [int] $PageSize = -1, [scriptblock] $ScriptBlock, $Connection)
    process {
        $here = Get-PnPCurrentSite $PSCmdlet $Connection
        $found = Get-PnPItemList $PSCmdlet $here $List
        $rows = Get-PnPItemRow $here $found
        if ($Id) {
            $rows = @($rows).Where({ $_.Id -eq $Id })
            if (-not $rows) { Stop-PnPDemo $PSCmdlet (New-DemoException 'Microsoft.SharePoint.Client.ServerException' 'Item does not exist. It may have been deleted by another user.') }
        }
        $rows
    }
}

function Add-PnPListItem {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0, ValueFromPipeline)][string] $List, [hashtable] $Values = @{}, [string] $Folder, [string] $ContentType, $Connection)
    process {
        $here = Get-PnPCurrentSite $PSCmdlet $Connection
        $found = Get-PnPItemList $PSCmdlet $here $List
        [void](Get-PnPItemRow $here $found)
        $found.ItemCount++
        $row = New-PnPItemRow $here.Tenant $found $found.ItemCount $Values
        Add-DemoRow $here.Tenant "items/$($found.Id)" $row
        $row
    }
}

function Set-PnPListItem {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0)][string] $List, [Parameter(Mandatory, ValueFromPipelineByPropertyName)][Alias('Id')][int] $Identity, [hashtable] $Values = @{}, [string] $UpdateType, $Connection)
    process {
        $row = Get-PnPListItem -List $List -Id $Identity -Connection $Connection
        foreach ($key in $Values.Keys) { $row.FieldValues[$key] = $Values[$key]; if ($key -eq 'Title') { $row.Title = $Values[$key] } }
        $row
    }
}

function Remove-PnPListItem {
    [CmdletBinding()]
    param([Parameter(Mandatory, Position = 0)][string] $List, [Parameter(Mandatory, ValueFromPipelineByPropertyName)][Alias('Id')][int] $Identity, [switch] $Recycle, [switch] $Force, $Connection)
    process {
        $here = Get-PnPCurrentSite $PSCmdlet $Connection
        $row = Get-PnPListItem -List $List -Id $Identity -Connection $Connection
        if ($Force -or $PSCmdlet.ShouldContinue("Remove list item with id $Identity?", 'Confirm')) { Remove-DemoRow $here.Tenant "items/$((Find-PnPList $here $List).Id)" $row }
    }
}
