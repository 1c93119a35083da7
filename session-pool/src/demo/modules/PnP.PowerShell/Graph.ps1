# The cmdlets that go to Graph rather than to SharePoint.

function Get-PnPTeamsTeam {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string] $Identity, [string] $Filter, $Connection)
    $tenant = Get-PnPDemoTenant $PSCmdlet $Connection
    foreach ($department in $tenant.departments) {
        $name = "$department Team"; $id = New-DemoGuid $tenant 'team' $name
        if ($Identity -and $Identity -notin $name, $id) { continue }
        [pscustomobject]@{ DisplayName = $name; GroupId = $id; Visibility = 'Private'; IsArchived = $false; Description = "$name of $($tenant.displayName)" }
    }
}

# Sends nothing: the message goes into the demo directory, where a test can count it.
function Submit-PnPTeamsChannelMessage {
    [CmdletBinding()]
    param([Parameter(Mandatory)][string] $Team, [Parameter(Mandatory)][string] $Channel, [Parameter(Mandatory)][string] $Message, [ValidateSet('Text', 'Html')][string] $ContentType = 'Text', [switch] $Important, $Connection)
    $tenant = Get-PnPDemoTenant $PSCmdlet $Connection
    if (-not (Get-PnPTeamsTeam -Identity $Team -Connection $Connection)) { Stop-PnPDemo $PSCmdlet ([Management.Automation.PSArgumentException]::new('Team not found', 'Team')) }
    $id = [guid]::NewGuid()
    Write-DemoFile (Join-Path (Get-DemoDirectory) "sent/$id.json") (ConvertTo-Json -Compress @{ tenant = $tenant.tenantId; team = $Team; channel = $Channel; message = $Message; contentType = $ContentType })
}

function Get-PnPAzureADUser {
    [CmdletBinding()]
    param([Parameter(Position = 0)][string] $Identity, [string] $Filter, [string[]] $Select, [int] $EndIndex, $Connection)
    $tenant = Get-PnPDemoTenant $PSCmdlet $Connection
    $rows = foreach ($person in Get-DemoPeople $tenant) {
        if ($Identity -and $Identity -notin $person.Mail, $person.Id) { continue }
        [pscustomobject]@{ PSTypeName = 'Demo.PnP.GraphUser'; UserPrincipalName = $person.Mail; DisplayName = $person.DisplayName; Id = $person.Id; AccountEnabled = $person.Enabled; Department = $person.Department; Mail = $person.Mail }
    }
    if ($Filter) { $rows = $rows | Select-DemoByFilter -Filter $Filter }
    $rows
}
