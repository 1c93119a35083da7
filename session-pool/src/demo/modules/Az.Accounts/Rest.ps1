# Tokens and plain REST calls.

function Get-AzAccessToken {
    [CmdletBinding()]
    param([string] $ResourceUrl, [string] $ResourceTypeName, [string] $TenantId, [switch] $AsSecureString)
    $tenant = Get-AzDemoTenant $PSCmdlet
    $audience = $ResourceUrl ? $ResourceUrl : ($ResourceTypeName -eq 'MSGraph' ? 'https://graph.microsoft.com' : 'https://management.core.windows.net/')
    $session = (Get-AzDemoCurrent).Session
    $token = New-DemoJwt $session $audience
    # A SecureString since Az.Accounts 5.
    $secure = [securestring]::new()
    foreach ($c in $token.Text.ToCharArray()) { $secure.AppendChar($c) }
    [pscustomobject]@{ Token = $secure; ExpiresOn = $token.Expires; TenantId = $tenant.tenantId; UserId = $session.Account; Type = 'Bearer' }
}

# Answers for the few paths that the demo's data covers; 404 in ARM's form for the rest.
function Invoke-AzRestMethod {
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Position = 0)][string] $Path, [uri] $Uri, [string] $Method = 'GET', [string] $Payload, [string] $ApiVersion, [string] $SubscriptionId, [string] $ResourceGroupName,
        [string] $ResourceProviderName, [string[]] $ResourceType, [string[]] $Name, [string] $ResourceId, [switch] $WaitForCompletion, [switch] $AsJob
    )
    $tenant = Get-AzDemoTenant $PSCmdlet
    $where = ($Uri ? $Uri.PathAndQuery : $Path) -replace '\?.*$'
    if ($Method -ne 'GET' -and -not $PSCmdlet.ShouldProcess($where, $Method)) { return }
    $status = 200
    $body = switch -Regex ($where) {
        '^/subscriptions/?$' { @{ value = @(Get-AzDemoSubscriptionRow $tenant | ForEach-Object { @{ id = "/subscriptions/$($_.Id)"; subscriptionId = $_.Id; displayName = $_.Name; state = $_.State; tenantId = $_.TenantId } }) } }
        '^/tenants/?$' { @{ value = @(@{ id = "/tenants/$($tenant.tenantId)"; tenantId = $tenant.tenantId; displayName = $tenant.displayName; defaultDomain = $tenant.domain }) } }
        default { $status = 404; @{ error = @{ code = 'ResourceNotFound'; message = "The Resource '$where' was not found." } } }
    }
    if ($Method -ne 'GET' -and $status -eq 404) { $status = 202; $body = @{} }
    [pscustomobject]@{ PSTypeName = 'Demo.Az.Rest'; StatusCode = $status; Content = ConvertTo-Json -Depth 8 -InputObject $body; Headers = @{}; Method = $Method; RequestUri = "https://management.azure.com$where"; Version = '1.1' }
}
