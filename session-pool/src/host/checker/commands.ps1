# What a name means in a fresh session. Modules of PowerShell itself that a session imports when
# they are needed bring aliases of their own: they are imported here once.
foreach ($module in 'Microsoft.PowerShell.Management', 'Microsoft.PowerShell.Utility', 'Microsoft.PowerShell.Security', 'Microsoft.PowerShell.Host', 'Microsoft.PowerShell.Diagnostics', 'PSReadLine', 'ThreadJob', 'Microsoft.PowerShell.ThreadJob') {
    try { Microsoft.PowerShell.Core\Import-Module $module -ErrorAction Ignore } catch { }
}
$aliases = [Collections.Generic.Dictionary[string, string]]::new([StringComparer]::OrdinalIgnoreCase)
foreach ($alias in Microsoft.PowerShell.Utility\Get-Alias) { $aliases[$alias.Name] = $alias.Definition }
$builtIn = [Collections.Generic.Dictionary[string, string]]::new([StringComparer]::OrdinalIgnoreCase)
foreach ($command in $ExecutionContext.InvokeCommand.GetCommands('*', 'Function,Cmdlet', $true)) {
    $builtIn[$command.Name] = $command.CommandType -eq 'Cmdlet' ? 'cmdlet' : 'function'
}
# Programs, by the name a command can have. Names are case-sensitive on Linux.
$programs = [Collections.Generic.HashSet[string]]::new()
foreach ($directory in "$env:PATH".Split([IO.Path]::PathSeparator)) {
    if ($directory -and [IO.Directory]::Exists($directory)) {
        try { foreach ($file in [IO.Directory]::EnumerateFiles($directory)) { $null = $programs.Add([IO.Path]::GetFileName($file)) } } catch { }
    }
}
$accelerators = [psobject].Assembly.GetType('System.Management.Automation.TypeAccelerators')::Get

# Every node of a tree, without a call back into the script for each: IsInstanceOfType is true of all.
$every = [Delegate]::CreateDelegate([Func[Management.Automation.Language.Ast, bool]], [Management.Automation.Language.Ast], [type].GetMethod('IsInstanceOfType'))
# Stands for what only running the text would tell: ANYTHING in facts.rs.
$anything = [string] [char] 0xFFFC
$invariant = [Globalization.CultureInfo]::InvariantCulture

$sameText = [Collections.Generic.HashSet[string]]::new([string[]] @('string', 'System.String', 'string[]', 'object', 'object[]', 'array', 'hashtable', 'ordered', 'pscustomobject', 'psobject', 'bool', 'switch', 'int', 'int32', 'long', 'int64', 'double', 'decimal', 'datetime', 'timespan', 'guid', 'uri', 'void', 'mailaddress', 'Collections.Generic.List[string]', 'System.Collections.Generic.List[string]'), [StringComparer]::OrdinalIgnoreCase)

# The constant values of an expression; what is not constant is $anything.
function Get-Value($Node, $Out) {
    if ($Node -is [Management.Automation.Language.StringConstantExpressionAst]) { $Out.Add($Node.Value); return }
    if ($Node -is [Management.Automation.Language.ConstantExpressionAst]) { $Out.Add([Convert]::ToString($Node.Value, $invariant)); return }
    if ($Node -is [Management.Automation.Language.ExpandableStringExpressionAst]) {
        # The text without its holes. From the end, so that offsets stay right.
        $start = $Node.Extent.StartOffset
        $raw = $Node.Extent.Text
        $holes = @($Node.NestedExpressions)
        for ($i = $holes.Count - 1; $i -ge 0; $i--) {
            $at = $holes[$i].Extent.StartOffset - $start
            $raw = $raw.Remove($at, $holes[$i].Extent.EndOffset - $holes[$i].Extent.StartOffset).Insert($at, $anything)
        }
        # An escape in it may be any character.
        $raw = [regex]::Replace($raw.Trim('"', '@', "`n", "`r", [char] 0x201C, [char] 0x201D, [char] 0x201E), '`.', $anything)
        $Out.Add($raw); return
    }
    if ($Node -is [Management.Automation.Language.ArrayLiteralAst]) { foreach ($element in $Node.Elements) { Get-Value $element $Out }; return }
    if ($Node -is [Management.Automation.Language.ParenExpressionAst] -or $Node -is [Management.Automation.Language.ArrayExpressionAst]) {
        $inner = $Node -is [Management.Automation.Language.ParenExpressionAst] ? @($Node.Pipeline) : @($Node.SubExpression.Statements)
        foreach ($statement in $inner) {
            if ($statement -is [Management.Automation.Language.PipelineAst] -and $statement.PipelineElements.Count -eq 1 -and $statement.PipelineElements[0] -is [Management.Automation.Language.CommandExpressionAst]) {
                Get-Value $statement.PipelineElements[0].Expression $Out
            } else { $Out.Add($anything) }
        }
        return
    }
    if ($Node -is [Management.Automation.Language.HashtableAst]) {
        foreach ($pair in $Node.KeyValuePairs) {
            $element = $pair.Item2
            if ($element -is [Management.Automation.Language.PipelineAst] -and $element.PipelineElements.Count -eq 1 -and $element.PipelineElements[0] -is [Management.Automation.Language.CommandExpressionAst]) {
                Get-Value $element.PipelineElements[0].Expression $Out
            } else { $Out.Add($anything) }
        }
        return
    }
    if ($Node -is [Management.Automation.Language.ConvertExpressionAst]) {
        # Other conversions make another text of it.
        if ($sameText.Contains($Node.Type.TypeName.FullName)) { Get-Value $Node.Child $Out } else { $Out.Add($anything) }
        return
    }
    # The body of a script block is facts of its own, not a value.
    if ($Node -is [Management.Automation.Language.ScriptBlockExpressionAst]) { return }
    if ($Node -is [Management.Automation.Language.VariableExpressionAst] -and $Node.IsConstantVariable()) { $Out.Add($Node.VariablePath.UserPath); return }
    $Out.Add($anything)
}

$nothingLocal = @{ alias = [Collections.Generic.Dictionary[string, string]]::new(); function = [Collections.Generic.HashSet[string]]::new() }

function ConvertTo-CommandName([string] $Written) {
    # PowerShell takes these for a dash.
    $Written.Replace([char] 0x2013, [char] '-').Replace([char] 0x2014, [char] '-').Replace([char] 0x2015, [char] '-')
}

# As Resolve-Name, and for a name that the text itself defines also what it means without that: the
# definition may stand where it is never reached, or in another scope.
function Resolve-Meaning([string] $Written, $Local) {
    $own = Resolve-Name $Written $Local
    , $own
    $simple = $Written.Substring($Written.LastIndexOf('\') + 1)
    if ($Local.alias.ContainsKey($simple) -or $Local.function.Contains($simple) -or $Local.function.Contains($own[0])) {
        $without = Resolve-Name $Written $nothingLocal
        if ($without[0] -ne $own[0] -or $without[1] -ne $own[1]) { , $without }
    }
}

# Name, kind and qualifier behind what stands where a command's name stands.
function Resolve-Name([string] $Written, $Local) {
    $name = (ConvertTo-CommandName $Written).Trim()
    if ($name.Contains('/') -or $name -match '^(\.|~|[A-Za-z]:)' -or $name -match '\.(ps1|psm1|psd1|ps1xml|cdxml)$') {
        $cut = $name.LastIndexOfAny([char[]] '/\')
        $file = $name.Substring($cut + 1)
        return @($file, (($file -match '\.ps[a-z0-9]*1?$') ? 'script' : 'native'), $name.Substring(0, [Math]::Max(0, $cut)))
    }
    $qualifier = $null
    $cut = $name.LastIndexOf('\')
    if ($cut -ge 0) { $qualifier = $name.Substring(0, $cut); $name = $name.Substring($cut + 1) }
    for ($i = 0; $i -lt 8; $i++) {
        # What the text itself defines as an alias goes before what PowerShell has.
        $target = $null
        if (-not $Local.alias.TryGetValue($name, [ref] $target) -and -not $aliases.TryGetValue($name, [ref] $target)) { break }
        $name = $target
        $cut = $name.LastIndexOf('\')
        if ($cut -ge 0) { $name = $name.Substring($cut + 1) }
    }
    $kind = $null
    if ($Local.function.Contains($name)) { $kind = 'function' }
    elseif (-not $builtIn.TryGetValue($name, [ref] $kind)) {
        # Without a name of its own PowerShell tries Get- before it.
        $kind = $programs.Contains($name) ? 'native' : 'unknown'
        if ($kind -eq 'unknown' -and -not $name.Contains('-') -and $builtIn.ContainsKey("Get-$name")) { $name = "Get-$name"; $kind = $builtIn[$name] }
    }
    @($name, $kind, $qualifier)
}

function Write-Place($Json, $Extent) {
    $text = $Extent.Text
    if ($text.Length -gt 200) { $text = $text.Substring(0, 199) + [char] 0x2026 }
    $Json.WriteString('text', $text)
    $Json.WriteNumber('line', [int] $Extent.StartLineNumber)
    $Json.WriteNumber('column', [int] $Extent.StartColumnNumber)
}

function Write-Strings($Json, [string] $Name, $Values) {
    if ($Name) { $Json.WriteStartArray($Name) } else { $Json.WriteStartArray() }
    foreach ($value in $Values) { $Json.WriteStringValue([string] $value) }
    $Json.WriteEndArray()
}

# Cmdlets that give a name a meaning, or take one as the name of what they look at.
$defining = [Collections.Generic.HashSet[string]]::new([string[]] @('Set-Alias', 'New-Alias', 'Set-Item', 'New-Item', 'Copy-Item', 'Rename-Item', 'Move-Item', 'Set-Content', 'Add-Content'), [StringComparer]::OrdinalIgnoreCase)
$variableCmdlets = [Collections.Generic.HashSet[string]]::new([string[]] @('Set-Variable', 'New-Variable', 'Get-Variable', 'Clear-Variable', 'Remove-Variable'), [StringComparer]::OrdinalIgnoreCase)
$commonVariables = [Collections.Generic.HashSet[string]]::new([string[]] @('_', 'true', 'false', 'null', 'PSItem', 'this', 'args', 'input'), [StringComparer]::OrdinalIgnoreCase)
# What an entry of a drive names: `function:\x`, `Alias::x`, `Microsoft.PowerShell.Core\Function::x`.
$drive = [regex]::new('^(?:[\w.]+\\)?(function|alias|variable)::?[\\/]?(.*)$', 'IgnoreCase')
$commandShape = [regex]::new('^[\w.\\]*\w+-\w+$|^\w+$')
# Parameters without a value; what stands behind them stands for itself.
$switches = [Collections.Generic.HashSet[string]]::new([string[]] @('Verbose', 'Debug', 'WhatIf', 'Confirm', 'Force', 'AsJob', 'PassThru', 'All', 'Raw', 'AsPlainText', 'WaitForCompletion', 'SkipHttpErrorCheck', 'SkipHeaderValidation', 'InferOutputFileName', 'ConsistencyLevelEventual'), [StringComparer]::OrdinalIgnoreCase)
$switchesOf = [Collections.Generic.Dictionary[string, object]]::new([StringComparer]::OrdinalIgnoreCase)

# Whether the parameter may be one that takes no value; for PowerShell's own cmdlets that is known.
function Test-Switch([string] $Command, [string] $Kind, [string] $Parameter) {
    if ($Kind -eq 'cmdlet') {
        $known = $null
        if (-not $switchesOf.TryGetValue($Command, [ref] $known)) {
            $known = @{}
            foreach ($entry in $ExecutionContext.InvokeCommand.GetCommand($Command, 'Cmdlet').Parameters.Values) { $known[$entry.Name] = $entry.SwitchParameter }
            $switchesOf[$Command] = $known
        }
        if ($known.ContainsKey($Parameter)) { return $known[$Parameter] }
        foreach ($name in $known.Keys) { if ($known[$name] -and $name.StartsWith($Parameter, 'OrdinalIgnoreCase')) { return $true } }
        return $false
    }
    foreach ($name in $switches) { if ($name.StartsWith($Parameter, 'OrdinalIgnoreCase')) { return $true } }
    $false
}

# Whether what the parameter names is a variable that gets a value.
$variableParameters = 'OutVariable', 'ErrorVariable', 'WarningVariable', 'InformationVariable', 'PipelineVariable', 'Variable', 'BindingVariable', 'SessionVariable', 'ResponseHeadersVariable', 'StatusCodeVariable'
function Test-VariableParameter([string] $Name) {
    if ($Name -in 'ov', 'ev', 'wv', 'iv', 'pv') { return $true }
    if ($Name.Length -lt 2) { return $false }
    foreach ($known in $variableParameters) { if ($known.StartsWith($Name, 'OrdinalIgnoreCase')) { return $true } }
    $false
}

# One entry of `uses`.
function Write-Use($Json, [string] $Kind, $Fields, $Extent) {
    $Json.WriteStartObject()
    $Json.WriteString('use', $Kind)
    foreach ($field in $Fields.GetEnumerator()) {
        if ($null -eq $field.Value) { $Json.WriteNull($field.Key) }
        elseif ($field.Value -is [bool]) { $Json.WriteBoolean($field.Key, $field.Value) }
        elseif ($field.Value -is [string]) { $Json.WriteString($field.Key, $field.Value) }
        else { Write-Strings $Json $field.Key $field.Value }
    }
    Write-Place $Json $Extent
    $Json.WriteEndObject()
}

# One entry of `commands` that is only named.
function Write-Named($Json, [string] $Written, [string] $Via, $Local, $Extent) {
    $meanings = $Written -ceq $anything -or -not $Written ? @(, @($null, 'unknown')) : @(Resolve-Meaning $Written $Local)
    foreach ($meaning in $meanings) {
        $Json.WriteStartObject()
        if ($null -eq $meaning[0]) { $Json.WriteNull('name') } else { $Json.WriteString('name', $meaning[0]) }
        $Json.WriteString('kind', $meaning[1])
        $Json.WriteString('via', $Via)
        Write-Place $Json $Extent
        $Json.WriteEndObject()
    }
}

# A command that the text does not name, but does what this one does.
function Write-Like($Json, [string] $Name, $Values, $Extent) {
    $Json.WriteStartObject()
    $Json.WriteString('name', $Name); $Json.WriteString('kind', 'cmdlet')
    $Json.WriteStartArray('parameters')
    $Json.WriteStartObject(); $Json.WriteString('name', 'Path'); Write-Strings $Json 'values' $Values; $Json.WriteEndObject()
    $Json.WriteEndArray()
    Write-Place $Json $Extent
    $Json.WriteEndObject()
}

function Write-Type($Json, $TypeName, $Member, $Values, $Local, $Extent) {
    # Of an array or a generic type the parts count as well: their constraint holds them.
    if ($TypeName.IsArray -and $TypeName -is [Management.Automation.Language.ArrayTypeName]) { Write-Type $Json $TypeName.ElementType $Member $Values $Local $Extent; return }
    # Whichever assembly it is looked for in.
    $name = $TypeName.IsGeneric ? $TypeName.FullName : $TypeName.Name
    $type = try { $TypeName.GetReflectionType() } catch { $null }
    if ($Local.type.Contains($name)) {
        # A class of that name may be another scope's.
        $type = $name -as [type]
        if ($null -eq $type) { return }
    }
    if ($null -ne $type) { $name = $type.IsGenericType ? "$($type.Namespace).$($type.Name)" : $type.FullName }
    Write-Use $Json 'type' ([ordered] @{ name = $name; member = $Member; values = $Values }) $Extent
    if ($TypeName.IsGeneric) { foreach ($argument in $TypeName.GenericArguments) { Write-Type $Json $argument '' @() $Local $Extent } }
}

function Write-TypeByName($Json, [string] $Name, $Member, $Values, $Local, $Extent) {
    if ($Name.Contains($anything)) { Write-Use $Json 'type' ([ordered] @{ name = $null; member = $Member }) $Extent; return }
    $parsed = [Management.Automation.Language.Parser]::ParseInput("[$Name]", [ref] $null, [ref] $null)
    $found = $parsed.Find({ $args[0] -is [Management.Automation.Language.TypeExpressionAst] }, $true)
    if ($null -ne $found) { Write-Type $Json $found.TypeName $Member $Values $Local $Extent }
    else { Write-Use $Json 'type' ([ordered] @{ name = $Name; member = $Member }) $Extent }
}

function Write-Member($Json, $Name, [bool] $Called, $Extent) {
    Write-Use $Json 'member' ([ordered] @{ name = $Name; called = $Called }) $Extent
}

# What a constant text names on one of the engine's drives.
function Write-DriveEntry($Commands, $Uses, [string] $Value, $Local, $Extent) {
    $found = $drive.Match($Value)
    if (-not $found.Success) { return $false }
    $kind = $found.Groups[1].Value.ToLowerInvariant()
    $name = $found.Groups[2].Value.Replace('*', $anything).Replace('?', $anything)
    if ($kind -eq 'variable') {
        if ($name) { Write-Use $Uses 'variable' ([ordered] @{ name = $name; assigned = $true }) $Extent }
    } else {
        Write-Use $Uses 'definition' ([ordered] @{ what = $kind; name = $name }) $Extent
        if ($name) { Write-Named $Commands $name 'definition' $Local $Extent }
    }
    $kind -ne 'variable'
}

# Whether nothing in the expression can fail when it is evaluated: what is assigned to keeps its old
# value then, and the text goes on.
function Test-Constant($Node) {
    if ($Node -is [Management.Automation.Language.PipelineAst]) { return $Node.PipelineElements.Count -eq 1 -and (Test-Constant $Node.PipelineElements[0]) }
    if ($Node -is [Management.Automation.Language.CommandExpressionAst]) { return $Node.Redirections.Count -eq 0 -and (Test-Constant $Node.Expression) }
    if ($Node -is [Management.Automation.Language.ConstantExpressionAst] -or $Node -is [Management.Automation.Language.ScriptBlockExpressionAst]) { return $true }
    if ($Node -is [Management.Automation.Language.VariableExpressionAst]) { return $Node.IsConstantVariable() }
    if ($Node -is [Management.Automation.Language.ParenExpressionAst]) { return Test-Constant $Node.Pipeline }
    $parts = if ($Node -is [Management.Automation.Language.ArrayLiteralAst]) { $Node.Elements }
    elseif ($Node -is [Management.Automation.Language.ArrayExpressionAst]) { $Node.SubExpression.Statements }
    elseif ($Node -is [Management.Automation.Language.HashtableAst]) { foreach ($pair in $Node.KeyValuePairs) { $pair.Item1; $pair.Item2 } }
    else { return $false }
    foreach ($part in $parts) { if (-not (Test-Constant $part)) { return $false } }
    $true
}

# What runs nothing when it is evaluated.
$quiet = [Collections.Generic.HashSet[string]]::new([string[]] @('PipelineAst', 'CommandAst', 'CommandParameterAst', 'StringConstantExpressionAst', 'ConstantExpressionAst', 'VariableExpressionAst', 'ArrayLiteralAst', 'CommandExpressionAst', 'AssignmentStatementAst', 'ParenExpressionAst', 'HashtableAst', 'IfStatementAst', 'StatementBlockAst', 'TryStatementAst'))

# The constant value that a variable certainly has where it is used: it is given it once, in a
# statement of its own at the top of the text and before the use, and nothing else touches it.
function Get-Certain($Use, $Local) {
    $name = $Use.VariablePath.UserPath -replace '^(global|script|local|private):', ''
    $found = $null
    # To be handed to a command is the one use that it may have beside being splatted.
    $uses = 0
    $null = $Local.unsure.TryGetValue($name, [ref] $uses)
    if ($Local.rewrites -or $uses -gt ($Use.Splatted ? 0 : 1) -or -not $Local.assigned.TryGetValue($name, [ref] $found) -or $found.Count -ne 1) { return $null }
    $statement = $found[0]
    if ($statement.Parent -isnot [Management.Automation.Language.NamedBlockAst] -or $null -ne $statement.Parent.Parent.Parent -or $statement.Extent.EndOffset -gt $Use.Extent.StartOffset) { return $null }
    # Any command, member or conversion between the two may be a function that sets the variable.
    $top = $Use
    while ($top.Parent -ne $statement.Parent) {
        $top = $top.Parent
        if ($null -eq $top -or $top -is [Management.Automation.Language.ScriptBlockAst]) { return $null }
    }
    $between = $false
    foreach ($other in $statement.Parent.Statements) {
        if ($other -eq $top) { break }
        if ($between -and -not ($other -is [Management.Automation.Language.AssignmentStatementAst] -and (Test-Constant $other.Right))) { return $null }
        if ($other -eq $statement) { $between = $true }
    }
    foreach ($node in $top.FindAll($every, $false)) {
        if ($node.Extent.StartOffset -ge $Use.Extent.StartOffset) { continue }
        if (-not $quiet.Contains($node.GetType().Name)) { return $null }
        if ($node -is [Management.Automation.Language.CommandAst] -and $node.Extent.EndOffset -lt $Use.Extent.StartOffset -and $node.Parent -ne $Use.Parent.Parent) { return $null }
    }
    $value = $statement.Right
    if ($value -is [Management.Automation.Language.CommandExpressionAst]) { $value = $value.Expression }
    if ($value -is [Management.Automation.Language.ConvertExpressionAst] -and $value.Type.TypeName.FullName -in 'hashtable', 'ordered', 'string') { $value = $value.Child }
    if (Test-Constant $value) { $value }
}

# All that the text gives to a variable anywhere: it may be none of that.
function Get-Possible($Use, $Local) {
    $found = $null
    if (-not $Local.assigned.TryGetValue(($Use.VariablePath.UserPath -replace $scopes, ''), [ref] $found)) { return }
    foreach ($statement in $found) {
        $value = $statement.Right
        if ($value -is [Management.Automation.Language.CommandExpressionAst]) { $value = $value.Expression }
        if ($value -is [Management.Automation.Language.ConvertExpressionAst]) { $value = $value.Child }
        $value
    }
}

# The table that an argument is, if it is one: as it stands there, in a variable, or made JSON.
function Get-Table($Node, $Local) {
    if ($Node -is [Management.Automation.Language.HashtableAst]) { return $Node }
    if ($Node -is [Management.Automation.Language.ConvertExpressionAst]) { return Get-Table $Node.Child $Local }
    if ($Node -is [Management.Automation.Language.VariableExpressionAst] -and -not $Node.Splatted) { return Get-Table (Get-Certain $Node $Local) $Local }
    if ($Node -is [Management.Automation.Language.ParenExpressionAst] -and $Node.Pipeline -is [Management.Automation.Language.PipelineAst]) {
        $parts = $Node.Pipeline.PipelineElements
        $isJson = $parts.Count -eq 2 -and $parts[1] -is [Management.Automation.Language.CommandAst] -and $parts[1].GetCommandName() -eq 'ConvertTo-Json'
        if ($parts[0] -is [Management.Automation.Language.CommandExpressionAst] -and ($parts.Count -eq 1 -or $isJson)) { return Get-Table $parts[0].Expression $Local }
    }
}

function Write-Shape($Json, $Node) {
    if ($Node -is [Management.Automation.Language.PipelineAst] -and $Node.PipelineElements.Count -eq 1) { $Node = $Node.PipelineElements[0] }
    if ($Node -is [Management.Automation.Language.CommandExpressionAst]) { $Node = $Node.Expression }
    if ($Node -is [Management.Automation.Language.ConvertExpressionAst]) { $Node = $Node.Child }
    if ($Node -is [Management.Automation.Language.HashtableAst]) {
        $Json.WriteStartObject()
        foreach ($pair in $Node.KeyValuePairs) {
            $keys = [Collections.Generic.List[string]]::new()
            Get-Value $pair.Item1 $keys
            $Json.WritePropertyName(($keys -join ','))
            Write-Shape $Json $pair.Item2
        }
        $Json.WriteEndObject()
    } elseif ($Node -is [Management.Automation.Language.ArrayLiteralAst]) {
        $Json.WriteStartArray()
        foreach ($element in $Node.Elements) { Write-Shape $Json $element }
        $Json.WriteEndArray()
    } elseif ($Node -is [Management.Automation.Language.ArrayExpressionAst]) {
        $Json.WriteStartArray()
        foreach ($statement in $Node.SubExpression.Statements) {
            $inner = $statement -is [Management.Automation.Language.PipelineAst] -and $statement.PipelineElements.Count -eq 1 -and $statement.PipelineElements[0] -is [Management.Automation.Language.CommandExpressionAst] ? $statement.PipelineElements[0].Expression : $statement
            if ($inner -is [Management.Automation.Language.ArrayLiteralAst]) { foreach ($element in $inner.Elements) { Write-Shape $Json $element } } else { Write-Shape $Json $inner }
        }
        $Json.WriteEndArray()
    } else {
        $values = [Collections.Generic.List[string]]::new()
        if ($Node -is [Management.Automation.Language.ExpressionAst]) { Get-Value $Node $values }
        $Json.WriteStringValue($values.Count -eq 1 ? $values[0] : $anything)
    }
}

# A table as JSON text.
function Get-Shape($Table) {
    $bytes = [IO.MemoryStream]::new()
    $json = [Text.Json.Utf8JsonWriter]::new($bytes)
    Write-Shape $json $Table
    $json.Flush()
    $utf8.GetString($bytes.GetBuffer(), 0, [int] $bytes.Length)
}

# The values of an argument; of a variable those that it certainly has.
function Get-ArgumentValue($Node, $Out, $Local) {
    if ($Node -is [Management.Automation.Language.VariableExpressionAst] -and -not $Node.IsConstantVariable()) {
        $certain = Get-Certain $Node $Local
        if ($null -ne $certain) { Get-Value $certain $Out; return }
        foreach ($value in (Get-Possible $Node $Local)) { if ($value -is [Management.Automation.Language.StringConstantExpressionAst]) { $Out.Add($value.Value) } }
    }
    Get-Value $Node $Out
}

function Write-Command($Commands, $Uses, $Node, $Local) {
    $elements = $Node.CommandElements
    $first = $elements[0]
    $others = @()
    # Its body is walked like everything else.
    if ($first -is [Management.Automation.Language.ScriptBlockExpressionAst]) { $written = $null; $name = 'ForEach-Object'; $kind = 'cmdlet'; $qualifier = $null }
    else {
        $values = [Collections.Generic.List[string]]::new()
        Get-Value $first $values
        $written = $values.Count -eq 1 ? $values[0] : $anything
        if (-not $written -or $written.Contains($anything) -or $first -is [Management.Automation.Language.VariableExpressionAst]) { $written = $anything; $name = $null; $kind = 'unknown'; $qualifier = $null }
        else {
            $meanings = @(Resolve-Meaning $written $Local)
            $name, $kind, $qualifier = $meanings[0]
            if ($meanings.Count -gt 1) { $others = @(, $meanings[1]) }
        }
    }
    $parameters = [Collections.Generic.List[object]]::new()
    $arguments = [Collections.Generic.List[object]]::new()
    $open = $false
    $pending = $null
    for ($i = 1; $i -lt $elements.Count; $i++) {
        $element = $elements[$i]
        if ($element -is [Management.Automation.Language.CommandParameterAst]) {
            $values = [Collections.Generic.List[string]]::new()
            if ($null -ne $element.Argument) { Get-ArgumentValue $element.Argument $values $Local; $pending = $null } else { $pending = $values }
            # Behind `--` nothing is a parameter, and a name there is text.
            $entry = [pscustomobject] @{ Name = $element.ParameterName; Values = $values; Node = $element.Argument }
            $parameters.Add($entry)
            continue
        }
        if ($element -is [Management.Automation.Language.VariableExpressionAst] -and $element.Splatted) {
            $tables = @(Get-Certain $element $Local)
            if ($tables.Count -eq 0 -or $tables[0] -isnot [Management.Automation.Language.HashtableAst]) { $open = $true; $tables = @(Get-Possible $element $Local) }
            foreach ($table in $tables) {
                if ($table -isnot [Management.Automation.Language.HashtableAst]) { continue }
                foreach ($pair in $table.KeyValuePairs) {
                    if ($pair.Item1 -isnot [Management.Automation.Language.StringConstantExpressionAst]) { $open = $true; continue }
                    $values = [Collections.Generic.List[string]]::new()
                    $value = $pair.Item2
                    if ($value -is [Management.Automation.Language.PipelineAst] -and $value.PipelineElements.Count -eq 1 -and $value.PipelineElements[0] -is [Management.Automation.Language.CommandExpressionAst]) { Get-Value $value.PipelineElements[0].Expression $values } else { $values.Add($anything) }
                    $node = $value -is [Management.Automation.Language.PipelineAst] -and $value.PipelineElements.Count -eq 1 -and $value.PipelineElements[0] -is [Management.Automation.Language.CommandExpressionAst] ? $value.PipelineElements[0].Expression : $null
                    $parameters.Add([pscustomobject] @{ Name = $pair.Item1.Value; Values = $values; Node = $node })
                }
            }
            $pending = $null
            continue
        }
        $values = [Collections.Generic.List[string]]::new()
        Get-ArgumentValue $element $values $Local
        if ($null -ne $pending) {
            $last = $parameters[$parameters.Count - 1]
            $last.Node = $element
            $pending.AddRange($values)
            $pending = $null
            if (-not $name -or (Test-Switch $name $kind $last.Name)) { $arguments.Add([pscustomobject] @{ Values = $values; Node = $element }) }
        } else { $arguments.Add([pscustomobject] @{ Values = $values; Node = $element }) }
    }
    $position = 0
    if ($Node.Parent -is [Management.Automation.Language.PipelineAst]) { $position = $Node.Parent.PipelineElements.IndexOf($Node) }

    # PowerShell tries Get- before a name that it does not know.
    if ($kind -eq 'unknown' -and $name -and -not $name.Contains('-')) { $others += , @("Get-$name", $kind) }
    if ($null -ne $written) {
        foreach ($one in @(, @($name, $kind)) + $others) {
            $Commands.WriteStartObject()
            if ($null -eq $one[0]) { $Commands.WriteNull('name') } else { $Commands.WriteString('name', [string] $one[0]) }
            $Commands.WriteString('kind', $one[1])
            if ($qualifier) { $Commands.WriteString('qualifier', $qualifier) }
            $Commands.WriteStartArray('parameters')
            foreach ($parameter in $parameters) {
                $Commands.WriteStartObject()
                $Commands.WriteString('name', $parameter.Name)
                Write-Strings $Commands 'values' $parameter.Values
                $table = Get-Table $parameter.Node $Local
                if ($null -ne $table) { $Commands.WriteString('json', (Get-Shape $table)) }
                $Commands.WriteEndObject()
            }
            $Commands.WriteEndArray()
            $Commands.WriteStartArray('arguments')
            foreach ($argument in $arguments) { Write-Strings $Commands '' $argument.Values }
            $Commands.WriteEndArray()
            if ($open) { $Commands.WriteBoolean('open', $true) }
            if ($Node.InvocationOperator -eq 'Dot') { $Commands.WriteBoolean('dotted', $true) }
            $Commands.WriteNumber('position', [int] $position)
            Write-Place $Commands $Node.Extent
            $Commands.WriteEndObject()
        }
    }
    foreach ($parameter in $parameters) {
        if (Test-VariableParameter $parameter.Name) { foreach ($value in $parameter.Values) { Write-Use $Uses 'variable' ([ordered] @{ name = $value.TrimStart('+'); assigned = $true }) $Node.Extent } }
    }
    if ($null -eq $name) { return }
    Write-Meaning $Commands $Uses $Node $Local $name $parameters $arguments $open
    foreach ($other in $others) { Write-Meaning $Commands $Uses $Node $Local $other[0] $parameters $arguments $open }
}

