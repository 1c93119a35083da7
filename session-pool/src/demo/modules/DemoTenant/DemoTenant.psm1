# What the demo modules share. Each part is one noun.
. "$PSScriptRoot/Settings.ps1"
. "$PSScriptRoot/Tenants.ps1"
. "$PSScriptRoot/Errors.ps1"
. "$PSScriptRoot/SignIn.ps1"
. "$PSScriptRoot/Connections.ps1"
. "$PSScriptRoot/Data.ps1"
. "$PSScriptRoot/Filter.ps1"
. "$PSScriptRoot/Columns.ps1"
