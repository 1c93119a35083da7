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
    if ($Node -is [Management.Automation.Language.ConvertExpressionAst]) { Get-Value $Node.Child $Out; return }
    # The body of a script block is facts of its own, not a value.
    if ($Node -is [Management.Automation.Language.ScriptBlockExpressionAst]) { return }
    if ($Node -is [Management.Automation.Language.VariableExpressionAst] -and $Node.IsConstantVariable()) { $Out.Add($Node.VariablePath.UserPath); return }
    $Out.Add($anything)
}

function ConvertTo-CommandName([string] $Written) {
    # PowerShell takes these for a dash.
    $Written.Replace([char] 0x2013, [char] '-').Replace([char] 0x2014, [char] '-').Replace([char] 0x2015, [char] '-')
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
    $Json.WriteStartObject()
    if ($Written -ceq $anything -or -not $Written) { $Json.WriteNull('name'); $Json.WriteString('kind', 'unknown') }
    else {
        $name, $kind, $qualifier = Resolve-Name $Written $Local
        $Json.WriteString('name', $name); $Json.WriteString('kind', $kind)
    }
    $Json.WriteString('via', $Via)
    Write-Place $Json $Extent
    $Json.WriteEndObject()
}

function Write-Type($Json, $TypeName, $Member, $Values, $Local, $Extent) {
    # Of an array or a generic type the parts count as well: their constraint holds them.
    $name = $TypeName.FullName
    if ($Local.type.Contains($name)) { return }
    if (-not $name.Contains(',') -or $TypeName.IsGeneric) {
        $type = try { $TypeName.GetReflectionType() } catch { $null }
        if ($null -ne $type) { $name = $type.IsGenericType ? "$($type.Namespace).$($type.Name)" : $type.FullName }
    }
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

# The table that is splatted, where the text gives it one constant value.
function Get-SplatTable([string] $Name, $Local) {
    $values = $null
    if ($Local.unsure.Contains($Name) -or $Local.rewrites -or -not $Local.assigned.TryGetValue($Name, [ref] $values) -or $values.Count -ne 1) { return $null }
    $value = $values[0]
    if ($value -is [Management.Automation.Language.CommandExpressionAst]) { $value = $value.Expression }
    if ($value -is [Management.Automation.Language.ConvertExpressionAst]) { $value = $value.Child }
    if ($value -isnot [Management.Automation.Language.HashtableAst]) { return $null }
    foreach ($pair in $value.KeyValuePairs) { if ($pair.Item1 -isnot [Management.Automation.Language.StringConstantExpressionAst]) { return $null } }
    $value
}

function Write-Command($Commands, $Uses, $Node, $Local) {
    $elements = $Node.CommandElements
    $first = $elements[0]
    # Its body is walked like everything else.
    if ($first -is [Management.Automation.Language.ScriptBlockExpressionAst]) { $written = $null; $name = 'ForEach-Object'; $kind = 'cmdlet'; $qualifier = $null }
    else {
        $values = [Collections.Generic.List[string]]::new()
        Get-Value $first $values
        $written = $values.Count -eq 1 ? $values[0] : $anything
        if (-not $written -or $written.Contains($anything) -or $first -is [Management.Automation.Language.VariableExpressionAst]) { $written = $anything; $name = $null; $kind = 'unknown'; $qualifier = $null }
        else { $name, $kind, $qualifier = Resolve-Name $written $Local }
    }
    $parameters = [Collections.Generic.List[object]]::new()
    $arguments = [Collections.Generic.List[object]]::new()
    $open = $false
    $pending = $null
    for ($i = 1; $i -lt $elements.Count; $i++) {
        $element = $elements[$i]
        if ($element -is [Management.Automation.Language.CommandParameterAst]) {
            $values = [Collections.Generic.List[string]]::new()
            if ($null -ne $element.Argument) { Get-Value $element.Argument $values; $pending = $null } else { $pending = $values }
            # Behind `--` nothing is a parameter, and a name there is text.
            $entry = [pscustomobject] @{ Name = $element.ParameterName; Values = $values; Node = $element.Argument }
            $parameters.Add($entry)
            continue
        }
        if ($element -is [Management.Automation.Language.VariableExpressionAst] -and $element.Splatted) {
            $table = Get-SplatTable $element.VariablePath.UserPath $Local
            if ($null -eq $table) { $open = $true }
            else {
                foreach ($pair in $table.KeyValuePairs) {
                    $values = [Collections.Generic.List[string]]::new()
                    $value = $pair.Item2
                    if ($value -is [Management.Automation.Language.PipelineAst] -and $value.PipelineElements.Count -eq 1 -and $value.PipelineElements[0] -is [Management.Automation.Language.CommandExpressionAst]) { Get-Value $value.PipelineElements[0].Expression $values } else { $values.Add($anything) }
                    $parameters.Add([pscustomobject] @{ Name = $pair.Item1.Value; Values = $values; Node = $null })
                }
            }
            $pending = $null
            continue
        }
        $values = [Collections.Generic.List[string]]::new()
        Get-Value $element $values
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

    $names = @($name)
    # PowerShell tries Get- before a name that it does not know.
    if ($kind -eq 'unknown' -and $name -and -not $name.Contains('-')) { $names = @($name, "Get-$name") }
    if ($null -ne $written) {
        foreach ($one in $names) {
            $Commands.WriteStartObject()
            if ($null -eq $one) { $Commands.WriteNull('name') } else { $Commands.WriteString('name', [string] $one) }
            $Commands.WriteString('kind', $kind)
            if ($qualifier) { $Commands.WriteString('qualifier', $qualifier) }
            $Commands.WriteStartArray('parameters')
            foreach ($parameter in $parameters) {
                $Commands.WriteStartObject()
                $Commands.WriteString('name', $parameter.Name)
                Write-Strings $Commands 'values' $parameter.Values
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
    if ($null -eq $name) { return }
    Write-Meaning $Commands $Uses $Node $Local $name $parameters $arguments $open
}

