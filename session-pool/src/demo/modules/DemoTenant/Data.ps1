# Deterministic content, made at first use and kept (with the caller's changes) while the process lives.

$script:Data = @{}

# The rows of one kind in one tenant. $Make gets the tenant and returns them.
function Get-DemoData {
    param([Parameter(Mandatory)] $Tenant, [Parameter(Mandatory)][string] $Kind, [Parameter(Mandatory)][scriptblock] $Make)
    $key = "$($Tenant.tenantId)/$Kind"
    if (-not $script:Data.ContainsKey($key)) {
        $rows = [Collections.Generic.List[object]]::new()
        foreach ($row in & $Make $Tenant) { $rows.Add($row) }
        $script:Data[$key] = $rows
    }
    $script:Data[$key]
}

# Both count on Get-DemoData having been called for the kind.
function Add-DemoRow {
    param($Tenant, [string] $Kind, $Row)
    $script:Data["$($Tenant.tenantId)/$Kind"].Add($Row)
}

function Remove-DemoRow {
    param($Tenant, [string] $Kind, $Row)
    [void]$script:Data["$($Tenant.tenantId)/$Kind"].Remove($Row)
}

function New-DemoDate {
    param([int] $Year, [int] $Month, [int] $Day, [int] $Hour = 0)
    [datetime]::SpecifyKind([datetime]::new($Year, $Month, $Day, $Hour, 0, 0), 'Utc')
}

# The same guid for the same tenant, kind and key, everywhere and always; cloud/people.rs makes the same.
function New-DemoGuid {
    param($Tenant, [string] $Kind, $Key)
    $bytes = [Security.Cryptography.SHA256]::HashData([Text.Encoding]::UTF8.GetBytes("$($Tenant.tenantId)/$Kind/$Key"))
    [guid]::ParseExact([Convert]::ToHexString($bytes, 0, 16), 'N').ToString()
}

# A number from 0 to $Below - 1, the same for the same tenant, kind and index.
function Get-DemoNumber {
    param($Tenant, [string] $Kind, [int] $Index, [int] $Below)
    $salt = 0
    foreach ($c in [char[]]"$($Tenant.name)$Kind") { $salt = ($salt * 31 + [int]$c) % 65521 }
    [int]((([long]$Index + 7) * 7919 + [long]$salt * 104729) % 1000003 % $Below)
}

# The people of a tenant: name, alias, address, department, office.
function Get-DemoPeople {
    param([Parameter(Mandatory)] $Tenant)
    Get-DemoData $Tenant 'people' {
            param($Tenant)
            $seen = @{}
            $first = $Tenant.firstNames; $last = $Tenant.lastNames
            for ($i = 0; $i -lt $Tenant.people; $i++) {
                $given = $first[$i % $first.Count]
                $family = $last[([Math]::Floor($i / $first.Count) + $i) % $last.Count]
                $alias = "$given.$family".ToLowerInvariant()
                $seen[$alias] = 1 + $seen[$alias]
                if ($seen[$alias] -gt 1) { $alias = "$alias$($seen[$alias])" }
                [pscustomobject]@{
                    Index = $i; GivenName = $given; Surname = $family; DisplayName = "$given $family"; Alias = $alias
                    Mail = "$alias@$($Tenant.domain)"; Id = New-DemoGuid $Tenant 'object' "$alias@$($Tenant.domain)"
                    Department = $Tenant.departments[$i % $Tenant.departments.Count]
                    Office = $Tenant.offices[$i % $Tenant.offices.Count]
                    Enabled = ($i % 37 -ne 36)
                }
            }
        }
}
