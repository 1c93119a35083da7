# What every PnP cmdlet does first.

function Get-PnPDemoConnection {
    param($Cmdlet, $Connection)
    $current = $Connection ?? (Get-DemoConnection pnp)
    if ($current) { return $current }
    $Cmdlet.ThrowTerminatingError((New-DemoErrorRecord ([InvalidOperationException]::new(
                    'There is currently no connection yet. Use Connect-PnPOnline to connect or provide a valid connection using -Connection.')) 'System.InvalidOperationException' NotSpecified))
}

# The connected tenant. The error of a dead sign-in depends on ErrorAction, as in the real module.
function Get-PnPDemoTenant {
    param($Cmdlet, $Connection, [switch] $Held)
    $current = Get-PnPDemoConnection $Cmdlet $Connection
    if (-not $Held -and (Get-DemoBehaviour pnp).Behaviour -eq 'silent') { Wait-PnPHiddenPrompt $Cmdlet }
    $dead = Get-DemoDeadSignIn $current.DemoSession
    if ($dead) { Stop-PnPDemo $Cmdlet $dead }
    Resolve-DemoTenant $current.DemoSession.TenantId
}

# Silent renewal failed, and the second device code's prompt is printed by nobody.
function Wait-PnPHiddenPrompt {
    param($Cmdlet)
    $until = [datetimeoffset]::UtcNow.AddSeconds([double](Get-DemoSetting 'code_lifetime_seconds' 900))
    while ([datetimeoffset]::UtcNow -lt $until) { Start-Sleep -Milliseconds 100 }
    Stop-PnPDemo $Cmdlet (New-DemoException 'Microsoft.Identity.Client.MsalServiceException' (Get-DemoAadstsMessage 70020))
}

function Stop-PnPDemo {
    param($Cmdlet, [Exception] $Exception)
    $action = "$($Cmdlet.MyInvocation.BoundParameters['ErrorAction'])"
    if ($action -notin 'Stop', 'SilentlyContinue') {
        $Cmdlet.ThrowTerminatingError((New-DemoErrorRecord ([Management.Automation.PSInvalidOperationException]::new($Exception.Message)) 'InvalidOperation' InvalidOperation))
    }
    $record = New-DemoErrorRecord $Exception 'EXCEPTION' WriteError
    $record.ErrorDetails = [Management.Automation.ErrorDetails]::new($Exception.Message)
    $record.ErrorDetails.RecommendedAction = 'Use Get-PnPException for more details.'
    $Cmdlet.ThrowTerminatingError($record)
}

# The tenant, for the cmdlets that need a connection to the -admin site.
function Get-PnPDemoAdminTenant {
    param($Cmdlet, $Connection)
    $current = Get-PnPDemoConnection $Cmdlet $Connection
    $uri = [uri]$current.Url
    if ($uri.Host -notmatch '^[^.]+-admin\.' -and $current.ConnectionMethod -eq 'DeviceLogin') {
        $admin = 'https://' + ($uri.Host -replace '^([^.]+?)(-my)?\.', '$1-admin.')
        $Cmdlet.ThrowTerminatingError((New-DemoErrorRecord ([Management.Automation.PSInvalidOperationException]::new(
                        "You used a device login connection to authenticate to SharePoint. We do not support automatically switching context to the tenant administration site which is required to execute this cmdlet. Please use Connect-PnPOnline and connect to '$admin' with the appropriate connection parameters")) 'InvalidOperation' InvalidOperation))
    }
    Get-PnPDemoTenant $Cmdlet $Connection
}
