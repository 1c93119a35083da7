# The columns that a type shows. Four at most: PowerShell makes a list of more.
function Set-DemoColumns {
    param([hashtable] $Columns)
    foreach ($type in $Columns.Keys) {
        Update-TypeData -TypeName $type -DefaultDisplayPropertySet $Columns[$type] -Force
    }
}
