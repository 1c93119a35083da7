# What every classic cmdlet does first, and how the service says no.

# The connected tenant; throws where the sign-in no longer works.
function Get-ExoTenant {
    $connection = Get-DemoConnection exo
    if (-not $connection) { throw (New-DemoException 'System.InvalidOperationException' 'There is no active connection to Exchange Online. Run Connect-ExchangeOnline.') }
    $dead = Get-DemoDeadSignIn $connection.Session
    if ($dead) { throw $dead }
    $connection.Tenant
}

# The service's own error, as the real module shows it: the id names server, request and time, and
# the error belongs to this function, not to the cmdlet. Ends the pipeline under ErrorAction Stop.
function Write-ErrorMessage {
    [CmdletBinding()]
    param([Parameter(Mandatory)][string] $Cmdlet, [Parameter(Mandatory)][string] $Reason, [Parameter(Mandatory)][string] $Message, [string] $Prefix = 'Ex6F9304')
    $id = "[Server=DEMO01MB0001,RequestId=$([guid]::NewGuid()),TimeStamp=$([datetime]::UtcNow.ToString('R'))]"
    $exception = New-DemoException "Microsoft.Exchange.Configuration.Tasks.$Reason" "$Prefix|Microsoft.Exchange.Configuration.Tasks.$Reason|$Message"
    $record = New-DemoErrorRecord $exception $id NotSpecified
    $record.CategoryInfo.Activity = $Cmdlet
    $record.CategoryInfo.Reason = $Reason
    $PSCmdlet.WriteError($record)
}

function Write-ExoNotFound {
    [CmdletBinding()]
    param([string] $Cmdlet, [string] $Identity, $Tenant)
    Write-ErrorMessage -Cmdlet $Cmdlet -Reason 'ManagementObjectNotFoundException' -Message (
        "The operation couldn't be performed because object '$Identity' couldn't be found on 'DEMO01A001DC01.$($Tenant.name).PROD.OUTLOOK.COM'.")
}

# Passes on as many rows as -ResultSize allows, and says so when there were more.
function Limit-ExoResult {
    [CmdletBinding()]
    param([AllowNull()] $Rows, [string] $ResultSize)
    $all = @($Rows)
    if ($ResultSize -eq 'Unlimited') { return $all }
    $limit = $ResultSize ? [int]$ResultSize : 1000
    if ($all.Count -le $limit) { return $all }
    $all[0..($limit - 1)]
    if ($ResultSize) {
        Write-Warning 'There are more results available than are currently displayed. To view them, increase the value for the ResultSize parameter.'
    } else {
        Write-Warning 'By default, only the first 1000 items are returned. Use the ResultSize parameter to specify the number of items returned. To return all items, specify "-ResultSize Unlimited". Be aware that, depending on the actual number of items, returning all items can take a long time and consume a large amount of memory. Also, we don''t recommend storing the results in a variable. Instead, pipe the results to another task or script to perform batch changes.'
    }
}
