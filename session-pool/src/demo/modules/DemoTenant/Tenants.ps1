# The two made-up tenants. tenants.json is also what the server's registry is made of.

$script:Tenants = $null

function Get-DemoTenant {
    if ($null -eq $script:Tenants) {
        $script:Tenants = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText("$PSScriptRoot/tenants.json"))
    }
    $script:Tenants
}

# The tenant that a text names: id, domain, short name, mail address or SharePoint address.
function Resolve-DemoTenant {
    param([AllowEmptyString()][AllowNull()][string] $Text)
    if (-not $Text) { return }
    $wanted = $Text.ToLowerInvariant()
    foreach ($tenant in Get-DemoTenant) {
        if ($wanted -eq $tenant.tenantId -or $wanted -eq $tenant.domain -or $wanted -eq $tenant.name) { return $tenant }
        if ($wanted -eq "$($tenant.name).onmicrosoft.com" -or $wanted.EndsWith("@$($tenant.domain)")) { return $tenant }
        if ($wanted -match "^https://$([regex]::Escape($tenant.sharePointHost))(-admin|-my)?\.sharepoint\.") { return $tenant }
    }
}

# Whom a connect command without a tenant means. A real person decides that in the browser; here
# the session's home does: by settings.json ("homes": {path: tenant}), else by its last name.
function Get-DemoHomeTenant {
    $homes = Get-DemoSetting -Name 'homes' -Default @{}
    if ($homes -is [Collections.IDictionary] -and $homes.Contains($HOME)) {
        $found = Resolve-DemoTenant $homes[$HOME]
        if ($found) { return $found }
    }
    $found = Resolve-DemoTenant (Split-Path -Leaf $HOME)
    if ($found) { return $found }
    @(Get-DemoTenant)[0]
}

function Get-DemoOtherTenant {
    param([Parameter(Mandatory)] $Tenant)
    foreach ($other in Get-DemoTenant) { if ($other.tenantId -ne $Tenant.tenantId) { return $other } }
}
