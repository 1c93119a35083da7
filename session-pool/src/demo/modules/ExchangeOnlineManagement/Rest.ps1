# The nine fast cmdlets' stand-ins: there before any connection, with a minimal set of properties.

# Ends a cmdlet that has no connection, or a dead one, as the real ones do.
function Assert-ExoRest {
    param([Parameter(Mandatory)] $Cmdlet)
    $connection = Get-DemoConnection exo
    if (-not $connection) {
        $exception = New-DemoException 'System.UnauthorizedAccessException' 'You must call the Connect-ExchangeOnline cmdlet before calling any other cmdlets.'
        $Cmdlet.ThrowTerminatingError((New-DemoErrorRecord $exception 'Microsoft.Exchange.Management.RestApiClient.AuthenticationRequired' AuthenticationError))
    }
    $dead = Get-DemoDeadSignIn $connection.Session
    if ($dead) { $Cmdlet.ThrowTerminatingError((New-DemoErrorRecord $dead $dead.GetType().FullName AuthenticationError)) }
    $connection.Tenant
}

function Write-ExoRestNotFound {
    param($Cmdlet, $Tenant, [string] $Identity)
    $exception = New-DemoException 'Microsoft.Exchange.Management.RestApiClient.RestClientException' (
        "Error while querying REST service. HttpStatusCode=404 ErrorMessage={`"error`":{`"code`":`"NotFound`",`"message`":`"Error executing request. The operation couldn't be performed because object '$Identity' couldn't be found on 'DEMO01A001DC01.$($Tenant.name).PROD.OUTLOOK.COM'.`"}}")
    $Cmdlet.WriteError((New-DemoErrorRecord $exception 'An error occured while running cmdlet' ProtocolError))
}

$script:MinimalMailbox = @('ExternalDirectoryObjectId', 'UserPrincipalName', 'Alias', 'DisplayName', 'EmailAddresses', 'PrimarySmtpAddress', 'RecipientType', 'RecipientTypeDetails', 'Identity', 'Id', 'ExchangeGuid', 'Name', 'DistinguishedName', 'OrganizationalUnit')

function Get-EXOMailbox {
    [CmdletBinding(DefaultParameterSetName = 'Identity')]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string] $Identity,
        [string] $UserPrincipalName, [string] $PrimarySmtpAddress, [string] $ExternalDirectoryObjectId,
        [string] $Anr, [string] $Filter, [string[]] $RecipientTypeDetails,
        [string[]] $Properties, [ValidateSet('All', 'Minimum', 'Archive', 'Audit', 'Delivery', 'Hold', 'Moderation', 'Policy', 'Quota', 'Resource', 'Retention', 'SoftDelete', 'StatisticsSeed', 'Custom', 'AddressList')][string[]] $PropertySets,
        [string] $ResultSize, [switch] $Archive, [switch] $InactiveMailboxOnly, [switch] $SoftDeletedMailbox
    )
    process {
        $tenant = Assert-ExoRest $PSCmdlet
        $name = @($Identity, $UserPrincipalName, $PrimarySmtpAddress, $ExternalDirectoryObjectId).Where({ $_ }, 'First')
        if ($name) {
            $rows = @(Find-ExoMailbox $tenant $name[0])
            if (-not $rows) { return Write-ExoRestNotFound $PSCmdlet $tenant $name[0] }
        } else { $rows = @(Get-ExoMailboxRow $tenant) }
        if ($Anr) { $rows = @($rows.Where({ $_.DisplayName -like "*$Anr*" -or $_.Alias -like "*$Anr*" })) }
        if ($RecipientTypeDetails) { $rows = @($rows.Where({ $_.RecipientTypeDetails -in $RecipientTypeDetails })) }
        if ($Filter) { $rows = @($rows | Select-DemoByFilter -Filter $Filter) }
        if ($ResultSize -ne 'Unlimited') { $rows = @($rows | Select-Object -First ($ResultSize ? [int]$ResultSize : 1000)) }
        if ($PropertySets -contains 'All') { return $rows }
        $rows | Select-Object -Property @($script:MinimalMailbox + @($Properties | Where-Object { $_ -and $_ -notin $script:MinimalMailbox }))
    }
}

function Get-EXOMailboxStatistics {
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)][string] $Identity,
        [Parameter(ValueFromPipelineByPropertyName)][string] $UserPrincipalName, [string] $PrimarySmtpAddress,
        [guid] $ExchangeGuid, [string[]] $Properties, [string[]] $PropertySets, [switch] $Archive, [switch] $IncludeSoftDeletedRecipients
    )
    process {
        $tenant = Assert-ExoRest $PSCmdlet
        $name = @($UserPrincipalName, $PrimarySmtpAddress, $Identity).Where({ $_ }, 'First')[0]
        $mailbox = Find-ExoMailbox $tenant $name
        if (-not $mailbox) { return Write-ExoRestNotFound $PSCmdlet $tenant $name }
        New-ExoMailboxStatistic $tenant $mailbox
    }
}

function Get-EXORecipient {
    [CmdletBinding()]
    param([Parameter(Position = 0, ValueFromPipeline)][string] $Identity, [string] $Filter, [string] $ResultSize, [string[]] $RecipientTypeDetails, [string[]] $Properties)
    process {
        Get-EXOMailbox @PSBoundParameters | ForEach-Object {
            [pscustomobject]@{ PSTypeName = 'Demo.Exchange.Recipient'; Name = $_.Name; DisplayName = $_.DisplayName; Alias = $_.Alias; RecipientType = $_.RecipientType
                RecipientTypeDetails = $_.RecipientTypeDetails; PrimarySmtpAddress = $_.PrimarySmtpAddress; ExternalDirectoryObjectId = $_.ExternalDirectoryObjectId; Identity = $_.Identity }
        }
    }
}

function Get-EXOCasMailbox {
    [CmdletBinding()]
    param([Parameter(Position = 0, ValueFromPipeline)][string] $Identity, [string] $ResultSize, [string] $Filter)
    process {
        Get-EXOMailbox @PSBoundParameters | ForEach-Object {
            [pscustomobject]@{ PSTypeName = 'Demo.Exchange.CasMailbox'; Name = $_.Name; PrimarySmtpAddress = $_.PrimarySmtpAddress; ActiveSyncEnabled = $true
                OWAEnabled = $true; PopEnabled = $false; ImapEnabled = $false; MAPIEnabled = $true; Identity = $_.Identity }
        }
    }
}
