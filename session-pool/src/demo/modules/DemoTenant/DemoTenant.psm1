# What the demo modules share. Each part is one noun.
# A caller's strict mode reaches script modules, and never the compiled ones that these stand for.
Set-StrictMode -Off
. "$PSScriptRoot/Settings.ps1"
. "$PSScriptRoot/Tenants.ps1"
. "$PSScriptRoot/Errors.ps1"
. "$PSScriptRoot/SignIn.ps1"
. "$PSScriptRoot/Connections.ps1"
. "$PSScriptRoot/Data.ps1"
. "$PSScriptRoot/Filter.ps1"
. "$PSScriptRoot/Columns.ps1"
