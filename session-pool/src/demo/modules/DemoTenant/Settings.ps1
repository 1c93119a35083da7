# The directory through which the demo server and these modules talk, and the settings in it.

function Get-DemoDirectory {
    if ($env:SESSION_POOL_DEMO_DIR) { return $env:SESSION_POOL_DEMO_DIR }
    Join-Path $HOME '.m365-demo'
}

# Read at every use, so that a test can change how the tenant behaves between two commands.
function Get-DemoSetting {
    param([Parameter(Mandatory)][string] $Name, $Default)
    $file = Join-Path (Get-DemoDirectory) 'settings.json'
    if (-not [IO.File]::Exists($file)) { return $Default }
    try { $settings = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($file)) -AsHashtable }
    catch { return $Default }
    if ($null -ne $settings -and $settings.ContainsKey($Name)) { return $settings[$Name] }
    $Default
}

# How the sign-in of a module behaves: {behaviour, code}. 'normal' waits for a person.
function Get-DemoBehaviour {
    param([Parameter(Mandatory)][string] $Module)
    $all = Get-DemoSetting -Name 'sign_in' -Default @{}
    $value = if ($all -is [Collections.IDictionary] -and $all.Contains($Module)) { $all[$Module] } else { 'normal' }
    if ($value -is [Collections.IDictionary]) {
        return @{ Behaviour = [string]$value['behaviour']; Code = [int]($value['code'] ?? 53003) }
    }
    @{ Behaviour = [string]$value; Code = 53003 }
}

# Seconds that a slow cmdlet takes; tests set it to a fraction, or to minutes.
function Get-DemoSlowness {
    [double](Get-DemoSetting -Name 'slow_seconds' -Default 10)
}
