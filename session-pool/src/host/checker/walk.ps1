# The values of a parameter, or of the argument that stands where it would.
function Get-Given($Parameters, $Arguments, [string[]] $Names, [int] $Place) {
    foreach ($parameter in $Parameters) {
        foreach ($name in $Names) { if ($name.StartsWith($parameter.Name, 'OrdinalIgnoreCase')) { return $parameter } }
    }
    if ($Place -lt $Arguments.Count) { return $Arguments[$Place] }
}

# What a command means beyond its own name.
function Write-Meaning($Commands, $Uses, $Node, $Local, [string] $Name, $Parameters, $Arguments, [bool] $Open) {
    $given = @(foreach ($entry in $Parameters) { $entry.Values }) + @(foreach ($entry in $Arguments) { $entry.Values })
    $onDrive = $false
    foreach ($value in $given) { if ($value.Contains(':') -and (Write-DriveEntry $Commands $Uses $value $Local $Node.Extent)) { $onDrive = $true } }
    switch ($Name) {
        { $_ -in 'Set-Alias', 'New-Alias' } {
            $alias = Get-Given $Parameters $Arguments 'Name' 0
            $target = Get-Given $Parameters $Arguments 'Value' ($null -eq (Get-Given $Parameters @() 'Name' 0) ? 1 : 0)
            $aliasName = $null -ne $alias -and $alias.Values.Count -eq 1 ? $alias.Values[0] : $anything
            $meant = $null -ne $target -and $target.Values.Count -eq 1 -and -not $Open ? $target.Values[0] : $anything
            if ($meant.Contains($anything)) { $meant = $anything }
            Write-Use $Uses 'definition' ([ordered] @{ what = 'alias'; name = $aliasName }) $Node.Extent
            Write-Named $Commands $meant 'definition' $Local $Node.Extent
            if ($meant -cne $anything) { $Local.alias[$aliasName] = $meant }
            break
        }
        { $defining.Contains($_) } {
            foreach ($value in $given) {
                if ($value -match '^[\w.\\]*\w-\w+$' -or ($onDrive -and $aliases.ContainsKey($value))) { Write-Named $Commands $value 'definition' $Local $Node.Extent }
                elseif ($onDrive -and $value.Contains($anything)) { Write-Named $Commands $anything 'definition' $Local $Node.Extent }
            }
            break
        }
        { $variableCmdlets.Contains($_) } {
            $variable = Get-Given $Parameters $Arguments 'Name' 0
            $written = $Name -notlike 'Get-*'
            $variableNames = $Open ? @($anything) : $variable.Values
            foreach ($value in $variableNames) {
                Write-Use $Uses 'variable' ([ordered] @{ name = $value.Replace('*', $anything).Replace('?', $anything); assigned = $written }) $Node.Extent
            }
            break
        }
        'New-Object' {
            $com = @($Parameters | Microsoft.PowerShell.Core\Where-Object { 'ComObject'.StartsWith($_.Name, 'OrdinalIgnoreCase') })
            if ($com.Count -gt 0) { Write-Use $Uses 'type' ([ordered] @{ name = 'COM'; member = 'new' }) $Node.Extent; break }
            $type = Get-Given $Parameters $Arguments 'TypeName' 0
            $typeName = $null -ne $type -and $type.Values.Count -eq 1 -and -not $Open ? $type.Values[0] : $anything
            Write-TypeByName $Uses $typeName 'new' @($given) $Local $Node.Extent
            break
        }
        'Get-Command' {
            foreach ($value in (Get-Given $Parameters $Arguments 'Name' 0).Values) {
                # Many names at once are a search; what is found cannot be called without a fact of its own.
                if ($value -match '^[\w.\\]+-\w+$') { Write-Named $Commands $value 'definition' $Local $Node.Extent }
            }
            break
        }
        { $_ -in 'ForEach-Object', 'Where-Object', 'Invoke-Command', 'Measure-Command', 'Trace-Command', 'Start-Job', 'Start-ThreadJob' } {
            # Text is a method's name, and what is not a script block here may be one from elsewhere.
            foreach ($entry in @($Parameters) + @($Arguments)) {
                $isNamed = $null -ne $entry.PSObject.Properties['Name']
                if ($isNamed -and $entry.Name -notmatch '^(M|MemberName|Member|Pr|Process|B|Begin|E|End|Rem|RemainingScripts|Par|Parallel|Scr|ScriptBlock|Exp|Expression|Filter|FilterScript|Init|InitializationScript)\w*$') { continue }
                if ($null -eq $entry.Node -or $entry.Node -is [Management.Automation.Language.ScriptBlockExpressionAst]) { continue }
                if ($_ -eq 'ForEach-Object' -and $entry.Node -is [Management.Automation.Language.StringConstantExpressionAst]) {
                    Write-Member $Uses $entry.Node.Value $true $Node.Extent
                } elseif ($_ -eq 'ForEach-Object' -or ($_ -ne 'Where-Object' -and $_ -ne 'Trace-Command') -or ($isNamed -and $entry.Name -like 'f*')) {
                    foreach ($value in $entry.Values) { if ($value.Contains($anything)) { Write-Member $Uses $null $true $Node.Extent; break } }
                }
                if ($_ -eq 'ForEach-Object' -and -not $isNamed) { break }
                if ($_ -eq 'Where-Object' -and -not $isNamed) { break }
            }
            break
        }
        { $_ -in 'Select-Object', 'Group-Object', 'Sort-Object', 'Format-Table', 'Format-List' } {
            foreach ($value in $given) { if ($value -eq 'ScriptBlock' -or $value -eq 'Assembly') { Write-Member $Uses $value $false $Node.Extent } }
            break
        }
    }
}

function Write-Invocation($Uses, $Node, $Local) {
    $called = $Node -is [Management.Automation.Language.InvokeMemberExpressionAst]
    $member = $Node.Member -is [Management.Automation.Language.StringConstantExpressionAst] ? $Node.Member.Value : $null
    $values = [Collections.Generic.List[string]]::new()
    if ($called) { foreach ($argument in $Node.Arguments) { Get-Value $argument $values } }
    if ($Node.Static) {
        if ($Node.Expression -is [Management.Automation.Language.TypeExpressionAst]) { Write-Type $Uses $Node.Expression.TypeName $member $values $Local $Node.Extent }
        else { Write-Use $Uses 'type' ([ordered] @{ name = $null; member = $member }) $Node.Extent }
        return
    }
    Write-Member $Uses $member $called $Node.Extent
    # `.ForEach('Method')` calls the method.
    if ($called -and $member -eq 'ForEach' -and $Node.Arguments.Count -gt 0 -and $Node.Arguments[0] -isnot [Management.Automation.Language.ScriptBlockExpressionAst] -and $Node.Arguments[0] -isnot [Management.Automation.Language.TypeExpressionAst]) {
        $named = $values[0].Contains($anything) ? $null : $values[0]
        Write-Member $Uses $named $true $Node.Extent
    }
}

function Write-Variable($Commands, $Uses, $Node, $Local) {
    $path = $Node.VariablePath
    $name = $path.UserPath
    $assigned = $Local.targets.Contains($Node)
    if ($path.IsDriveQualified) {
        if ($drive.IsMatch($name)) {
            $meaning = Write-DriveEntry $Commands $Uses $name $Local $Node.Extent
            # An alias gets any name, and a function any text, unless the script block stands there.
            if ($meaning -and $assigned -and -not ($Node.Parent -is [Management.Automation.Language.AssignmentStatementAst] -and $Node.Parent.Right -is [Management.Automation.Language.CommandExpressionAst] -and $Node.Parent.Right.Expression -is [Management.Automation.Language.ScriptBlockExpressionAst])) {
                Write-Named $Commands $anything 'definition' $Local $Node.Extent
            }
            return
        }
    } else {
        $cut = $name.IndexOf(':')
        if ($cut -ge 0) { $name = $name.Substring($cut + 1) }
        if ($commonVariables.Contains($name)) { return }
    }
    if ($Local.seen.Add("$assigned $name")) { Write-Use $Uses 'variable' ([ordered] @{ name = $name; assigned = $assigned }) $Node.Extent }
}

# What must be known of the whole text before its parts are looked at.
function Get-Local($Nodes) {
    $ignoreCase = [StringComparer]::OrdinalIgnoreCase
    $local = @{
        alias = [Collections.Generic.Dictionary[string, string]]::new($ignoreCase); function = [Collections.Generic.HashSet[string]]::new($ignoreCase)
        type = [Collections.Generic.HashSet[string]]::new($ignoreCase); assigned = [Collections.Generic.Dictionary[string, object]]::new($ignoreCase)
        unsure = [Collections.Generic.HashSet[string]]::new($ignoreCase); targets = [Collections.Generic.HashSet[object]]::new()
        seen = [Collections.Generic.HashSet[string]]::new($ignoreCase); rewrites = $false
    }
    foreach ($node in $Nodes) {
        if ($node -is [Management.Automation.Language.AssignmentStatementAst]) {
            $left = $node.Left
            while ($left -is [Management.Automation.Language.AttributedExpressionAst]) { $left = $left.Child }
            foreach ($variable in $left.FindAll($every, $true)) { if ($variable -is [Management.Automation.Language.VariableExpressionAst]) { $null = $local.targets.Add($variable); if ($variable -ne $left) { $null = $local.unsure.Add($variable.VariablePath.UserPath) } } }
            if ($left -is [Management.Automation.Language.VariableExpressionAst]) {
                $variable = $left.VariablePath.UserPath
                if ($node.Operator -ne 'Equals') { $null = $local.unsure.Add($variable) }
                $values = $null
                if (-not $local.assigned.TryGetValue($variable, [ref] $values)) { $values = [Collections.Generic.List[object]]::new(); $local.assigned[$variable] = $values }
                $values.Add($node.Right)
            }
        } elseif ($node -is [Management.Automation.Language.ForEachStatementAst]) {
            $null = $local.targets.Add($node.Variable)
        } elseif ($node -is [Management.Automation.Language.UnaryExpressionAst] -and "$($node.TokenKind)" -match 'PlusPlus|MinusMinus') {
            $null = $local.targets.Add($node.Child)
        } elseif ($node -is [Management.Automation.Language.ParameterAst] -and $null -eq $node.Parent.Parent.Parent) {
            # The text's own: they stay like other variables.
            $null = $local.targets.Add($node.Name)
        } elseif ($node -is [Management.Automation.Language.FunctionDefinitionAst]) {
            $null = $local.function.Add(($node.Name -replace '^\w+:', ''))
        } elseif ($node -is [Management.Automation.Language.TypeDefinitionAst]) {
            $null = $local.type.Add($node.Name)
        } elseif ($node -is [Management.Automation.Language.InvokeMemberExpressionAst]) {
            if ($node.Expression -is [Management.Automation.Language.VariableExpressionAst]) { $null = $local.unsure.Add($node.Expression.VariablePath.UserPath) }
        } elseif ($node -is [Management.Automation.Language.CommandAst]) {
            $called = $node.GetCommandName()
            if ($called -and $called -match '(?i)variable|^(sv|nv|clv|rv|set|si|ni|set-item|new-item)$') { $local.rewrites = $true }
        } elseif ($node -is [Management.Automation.Language.VariableExpressionAst]) {
            if ($node.Parent -is [Management.Automation.Language.CommandAst] -and -not $node.Splatted -or $node.Parent -is [Management.Automation.Language.ConvertExpressionAst]) {
                # What is handed to something else may come back changed.
                $null = $local.unsure.Add($node.VariablePath.UserPath)
            }
        }
    }
    $local
}

function Get-Fact([string] $Text) {
    $errors = $null
    $tree = [Management.Automation.Language.Parser]::ParseInput($Text, [ref] $null, [ref] $errors)
    $nodes = [Collections.Generic.List[object]]::new($tree.FindAll($every, $true))
    $local = Get-Local $nodes
    $commandBytes = [IO.MemoryStream]::new()
    $useBytes = [IO.MemoryStream]::new()
    $commands = [Text.Json.Utf8JsonWriter]::new($commandBytes)
    $uses = [Text.Json.Utf8JsonWriter]::new($useBytes)
    $commands.WriteStartArray()
    $uses.WriteStartArray()
    if ($null -ne $tree.ScriptRequirements) {
        foreach ($module in $tree.ScriptRequirements.RequiredModules) { Write-Use $uses 'using' ([ordered] @{ name = "module:$($module.Name)" }) $tree.Extent }
    }
    foreach ($node in $nodes) {
        switch ($node.GetType().Name) {
            'CommandAst' { Write-Command $commands $uses $node $local; break }
            'VariableExpressionAst' { Write-Variable $commands $uses $node $local; break }
            'InvokeMemberExpressionAst' { Write-Invocation $uses $node $local; break }
            'BaseCtorInvokeMemberExpressionAst' { break }
            'MemberExpressionAst' { Write-Invocation $uses $node $local; break }
            'TypeConstraintAst' { Write-Type $uses $node.TypeName '' @() $local $node.Extent; break }
            'TypeExpressionAst' {
                if (-not ($node.Parent -is [Management.Automation.Language.MemberExpressionAst] -and $node.Parent.Static -and $node.Parent.Expression -eq $node)) { Write-Type $uses $node.TypeName '' @() $local $node.Extent }
                break
            }
            'BinaryExpressionAst' {
                if ($node.Operator -eq 'As' -and $node.Right -isnot [Management.Automation.Language.TypeExpressionAst]) {
                    $values = [Collections.Generic.List[string]]::new()
                    Get-Value $node.Right $values
                    Write-TypeByName $uses ($values.Count -eq 1 ? $values[0] : $anything) '' @() $local $node.Extent
                }
                break
            }
            'FunctionDefinitionAst' {
                $name = $node.Name -replace '^\w+:', ''
                Write-Use $uses 'definition' ([ordered] @{ what = 'function'; name = $name }) $node.Extent
                Write-Named $commands $name 'definition' $local $node.Extent
                break
            }
            'DataStatementAst' {
                if ($node.Variable) { Write-Use $uses 'variable' ([ordered] @{ name = $node.Variable; assigned = $true }) $node.Extent }
                break
            }
            'FileRedirectionAst' {
                if ($node.Location -is [Management.Automation.Language.VariableExpressionAst] -and $node.Location.VariablePath.UserPath -eq 'null') { break }
                $values = [Collections.Generic.List[string]]::new()
                Get-Value $node.Location $values
                Write-Use $uses 'redirection' ([ordered] @{ target = ($values.Count -eq 1 ? $values[0] : $anything) }) $node.Extent
                break
            }
            'UsingStatementAst' {
                $what = "$($node.UsingStatementKind)".ToLowerInvariant()
                Write-Use $uses 'using' ([ordered] @{ name = "${what}:$(($node.Name ?? $node.ModuleSpecification).Extent.Text)" }) $node.Extent
                break
            }
            { $_ -eq 'PipelineAst' -or $_ -eq 'PipelineChainAst' } {
                if ($node.Background) { Write-Named $commands 'Start-Job' 'background' $local $node.Extent }
                break
            }
            { $_ -eq 'ConfigurationDefinitionAst' -or $_ -eq 'DynamicKeywordStatementAst' } { Write-Named $commands $anything 'definition' $local $node.Extent; break }
        }
    }
    $commands.WriteEndArray(); $commands.Flush()
    $uses.WriteEndArray(); $uses.Flush()
    '{"commands":' + $utf8.GetString($commandBytes.GetBuffer(), 0, [int] $commandBytes.Length) + ',"uses":' + $utf8.GetString($useBytes.GetBuffer(), 0, [int] $useBytes.Length) + '}'
}

