# The simple half of OPATH and OData filters: comparisons joined by -and / and. What a caller wrote
# is compared, never run.

function Select-DemoByFilter {
    param([Parameter(ValueFromPipeline)] $InputObject, [Parameter(Mandatory)][AllowEmptyString()][string] $Filter)
    begin {
        $tests = foreach ($part in [regex]::Split($Filter.Trim().Trim('{', '}'), '(?i)\s+-?and\s+')) {
            if ($part -notmatch '^\s*\(*\s*(?<name>[\w.]+)\s+-?(?<op>eq|ne|like|notlike|gt|ge|lt|le)\s+(?<value>.*?)\s*\)*\s*$') {
                throw [ArgumentException]::new("Invalid filter syntax: `"$Filter`".")
            }
            $value = $Matches.value.Trim('"', "'")
            if ($value -in '$true', 'true') { $value = $true } elseif ($value -in '$false', 'false') { $value = $false } elseif ($value -eq '$null') { $value = $null }
            @{ Name = $Matches.name; Op = $Matches.op; Value = $value }
        }
    }
    process {
        foreach ($test in $tests) {
            $actual = $InputObject.($test.Name)
            $passed = switch ($test.Op) {
                'eq' { $actual -eq $test.Value }
                'ne' { $actual -ne $test.Value }
                'like' { $actual -like $test.Value }
                'notlike' { $actual -notlike $test.Value }
                'gt' { $actual -gt $test.Value }
                'ge' { $actual -ge $test.Value }
                'lt' { $actual -lt $test.Value }
                'le' { $actual -le $test.Value }
            }
            if (-not $passed) { return }
        }
        $InputObject
    }
}
