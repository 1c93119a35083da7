# The sign-ins of this process, one a module.

$script:Connections = @{}

function Set-DemoConnection {
    param([Parameter(Mandatory)][string] $Module, [Parameter(Mandatory)] $Connection)
    $script:Connections[$Module] = $Connection
}

function Get-DemoConnection {
    param([Parameter(Mandatory)][string] $Module)
    $script:Connections[$Module]
}

function Remove-DemoConnection {
    param([Parameter(Mandatory)][string] $Module)
    $script:Connections.Remove($Module)
}

# A JWT for the cmdlets that hand out tokens: readable, and signed by nobody.
function New-DemoJwt {
    param([Parameter(Mandatory)] $Session, [Parameter(Mandatory)][string] $Audience)
    $tenant = Resolve-DemoTenant $Session.TenantId
    $now = [datetimeoffset]::UtcNow.ToUnixTimeSeconds()
    $claims = [ordered]@{
        aud = $Audience; iss = "https://sts.windows.net/$($Session.TenantId)/"; iat = $now; nbf = $now; exp = $now + 3600
        app_displayname = 'Demo tenant'; appid = $tenant.appId
        oid = New-DemoGuid $tenant 'object' $Session.Account; tid = $Session.TenantId
    }
    if ($Session.Method -ne 'app') { $claims['upn'] = $Session.Account; $claims['unique_name'] = $Session.Account; $claims['scp'] = 'AllSites.FullControl' }
    $parts = @{ typ = 'JWT'; alg = 'none' }, $claims | ForEach-Object {
        [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes((ConvertTo-Json -Compress $_))).TrimEnd('=').Replace('+', '-').Replace('/', '_')
    }
    [pscustomobject]@{ Text = ($parts -join '.') + '.ZGVtbw'; Claims = $claims; Expires = [datetimeoffset]::FromUnixTimeSeconds($now + 3600) }
}
