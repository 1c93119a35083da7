$memberShape = [regex]::new('^[A-Za-z]\w*$')

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
        { $_ -in 'Select-Object', 'Group-Object', 'Sort-Object', 'Format-Table', 'Format-List', 'Format-Wide', 'Format-Custom', 'Measure-Object', 'Join-String' } {
            foreach ($value in $given) { if ($memberShape.IsMatch($value)) { Write-Member $Uses $value $false $Node.Extent } }
            break
        }
        'Add-Member' {
            # An alias of a member is that member.
            foreach ($value in $given) { if ($memberShape.IsMatch($value)) { Write-Member $Uses $value $false $Node.Extent } }
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
    # Through these any member can be had by its name.
    if ($Node.Expression -is [Management.Automation.Language.MemberExpressionAst] -and $Node.Expression.Member.Extent.Text -in 'psobject', 'psbase', 'psadapted', 'psextended' -and $member -in 'Methods', 'Members') { Write-Member $Uses "psobject.$member" $called $Node.Extent }
    # It fetches a URL, where it is a document's.
    if ($called -and $member -eq 'Load' -and $Node.Arguments.Count -eq 1 -and ($Local.type.Contains('xml document') -or $Node.Arguments[0] -is [Management.Automation.Language.StringConstantExpressionAst] -or $Node.Arguments[0] -is [Management.Automation.Language.ExpandableStringExpressionAst] -or $Node.Arguments[0] -is [Management.Automation.Language.ParenExpressionAst])) { Write-Member $Uses 'XmlDocument.Load' $true $Node.Extent }
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
        # Any other drive is one of files, which are read and written this way as well.
        if ($name -notlike 'env:*') { Write-Like $Commands ($assigned ? 'Set-Content' : 'Get-Content') @($name, ('./' + $name.Substring($name.IndexOf(':') + 1).TrimStart('/'))) $Node.Extent; return }
    } else {
        $cut = $name.IndexOf(':')
        if ($cut -ge 0) { $name = $name.Substring($cut + 1) }
        if ($commonVariables.Contains($name)) { return }
    }
    if ($Local.seen.Add("$assigned $name")) { Write-Use $Uses 'variable' ([ordered] @{ name = $name; assigned = $assigned }) $Node.Extent }
}

$scopes = [regex]::new('^(global|script|local|private|using):', 'IgnoreCase')

# Whether the variable is what `($variable | ConvertTo-Json)` begins with.
function Test-MadeJson($Node) {
    $pipeline = $Node.Parent.Parent
    $Node.Parent -is [Management.Automation.Language.CommandExpressionAst] -and $pipeline -is [Management.Automation.Language.PipelineAst] -and $pipeline.PipelineElements.Count -eq 2 -and $pipeline.PipelineElements[1] -is [Management.Automation.Language.CommandAst] -and $pipeline.PipelineElements[1].GetCommandName() -eq 'ConvertTo-Json'
}

# What must be known of the whole text before its parts are looked at.
function Get-Local($Nodes) {
    $ignoreCase = [StringComparer]::OrdinalIgnoreCase
    $local = @{
        alias = [Collections.Generic.Dictionary[string, string]]::new($ignoreCase); function = [Collections.Generic.HashSet[string]]::new($ignoreCase)
        type = [Collections.Generic.HashSet[string]]::new($ignoreCase); assigned = [Collections.Generic.Dictionary[string, object]]::new($ignoreCase)
        unsure = [Collections.Generic.Dictionary[string, int]]::new($ignoreCase); targets = [Collections.Generic.HashSet[object]]::new()
        seen = [Collections.Generic.HashSet[string]]::new($ignoreCase); rewrites = $false
    }
    foreach ($node in $Nodes) {
        if ($node -is [Management.Automation.Language.AssignmentStatementAst]) {
            $left = $node.Left
            while ($left -is [Management.Automation.Language.AttributedExpressionAst]) { $left = $left.Child }
            foreach ($variable in $left.FindAll($every, $true)) { if ($variable -is [Management.Automation.Language.VariableExpressionAst]) { $null = $local.targets.Add($variable) } }
            if ($left -is [Management.Automation.Language.VariableExpressionAst]) {
                $variable = $left.VariablePath.UserPath -replace $scopes, ''
                if ($node.Operator -ne 'Equals') { $local.unsure[$variable] = 2 }
                $values = $null
                if (-not $local.assigned.TryGetValue($variable, [ref] $values)) { $values = [Collections.Generic.List[object]]::new(); $local.assigned[$variable] = $values }
                $values.Add($node)
            }
        } elseif ($node -is [Management.Automation.Language.ForEachStatementAst]) {
            $null = $local.targets.Add($node.Variable)
        } elseif ($node -is [Management.Automation.Language.UnaryExpressionAst] -and "$($node.TokenKind)" -match 'PlusPlus|MinusMinus') {
            $null = $local.targets.Add($node.Child)
        } elseif ($node -is [Management.Automation.Language.ParameterAst] -and $null -eq $node.Parent.Parent.Parent) {
            # The text's own: they stay like other variables.
            $null = $local.targets.Add($node.Name)
        } elseif ($node -is [Management.Automation.Language.ConvertExpressionAst] -and $node.Type.TypeName.FullName -eq 'ref') {
            $null = $local.targets.Add($node.Child)
        } elseif ($node -is [Management.Automation.Language.FunctionDefinitionAst]) {
            $null = $local.function.Add(($node.Name -replace '^\w+:', ''))
        } elseif ($node -is [Management.Automation.Language.TypeDefinitionAst]) {
            $null = $local.type.Add($node.Name)
        } elseif ($node -is [Management.Automation.Language.TypeExpressionAst] -or $node -is [Management.Automation.Language.TypeConstraintAst]) {
            # No class can be called that.
            if ($node.TypeName.FullName -match '^(xml|(System\.)?Xml\.XmlDocument)$') { $null = $local.type.Add('xml document') }
        } elseif ($node -is [Management.Automation.Language.CommandAst]) {
            $called = $node.GetCommandName()
            if ($called -and $called -match '(?i)variable|(^|\\)(sv|nv|gv|clv|rv|set|si|ni|gi|gci|dir|ls|cat|gc|sc|cli|clc|set-item|new-item|get-item|get-childitem|clear-item|get-content|set-content)$') { if ($called -match '(?i)variable|(^|\\)(sv|nv|gv|clv|rv|set)$' -or $node.Extent.Text -match '(?i)variable') { $local.rewrites = $true } }
        } elseif ($node -is [Management.Automation.Language.DataStatementAst]) {
            $local.rewrites = $true
        } elseif ($node -is [Management.Automation.Language.CommandParameterAst]) {
            if (Test-VariableParameter $node.ParameterName) { $local.rewrites = $true }
        } elseif ($node -is [Management.Automation.Language.VariableExpressionAst]) {
            # What is handed to something else may come back changed, under another name too.
            if (-not $node.Splatted -and -not ($node.Parent -is [Management.Automation.Language.AssignmentStatementAst] -and $node.Parent.Left -eq $node)) {
                $variable = $node.VariablePath.UserPath -replace $scopes, ''
                $uses = 0
                $null = $local.unsure.TryGetValue($variable, [ref] $uses)
                # Only to a command is it handed as it is; a parenthesis or a member may change it.
                $local.unsure[$variable] = $uses + ($node.Parent -is [Management.Automation.Language.CommandAst] -or $node.Parent -is [Management.Automation.Language.CommandParameterAst] -or (Test-MadeJson $node) ? 1 : 2)
            }
        }
    }
    $local
}

# The name of the only command that a text is, and everything behind it, which is constant.
function Get-WhatIf($Tree, $Errors, $Local) {
    if ($Errors.Count -gt 0 -or $null -ne $Tree.ParamBlock -or $null -ne $Tree.BeginBlock -or $null -ne $Tree.ProcessBlock -or $null -ne $Tree.DynamicParamBlock -or $Tree.UsingStatements.Count -gt 0 -or $null -ne $Tree.ScriptRequirements) { return }
    $command = Get-OnlyCommand $Tree
    if ($null -eq $command -or $command.InvocationOperator -eq 'Dot' -or $command.CommandElements[0] -isnot [Management.Automation.Language.StringConstantExpressionAst]) { return }
    $name, $kind, $null = Resolve-Name $command.CommandElements[0].Value $Local
    if ($kind -notin 'cmdlet', 'function', 'unknown') { return }
    $rest = [Collections.Generic.List[string]]::new()
    for ($i = 1; $i -lt $command.CommandElements.Count; $i++) {
        $element = $command.CommandElements[$i]
        if ($element -is [Management.Automation.Language.CommandParameterAst]) {
            if ('WhatIf'.StartsWith($element.ParameterName, 'OrdinalIgnoreCase') -or $element.ParameterName -eq 'wi' -or ($null -ne $element.Argument -and -not (Test-Constant $element.Argument))) { return }
        } elseif ($element.Extent.Text.StartsWith('--') -or -not (Test-Constant $element)) { return }
        if ($null -ne $element.Find({ $args[0] -is [Management.Automation.Language.ScriptBlockExpressionAst] }, $true)) { return }
        $rest.Add($element.Extent.Text)
    }
    # As it will be run: the same pieces, and none of them has become another.
    $errors = $null
    $again = Get-OnlyCommand ([Management.Automation.Language.Parser]::ParseInput("& x -WhatIf:`$true $rest", [ref] $null, [ref] $errors))
    if ($errors.Count -gt 0 -or $null -eq $again -or $again.CommandElements.Count -ne $command.CommandElements.Count + 1 -or $again.CommandElements[1].ParameterName -ne 'WhatIf') { return }
    for ($i = 0; $i -lt $rest.Count; $i++) { if ($again.CommandElements[$i + 2].Extent.Text -cne $rest[$i]) { return } }
    $name
    "$rest"
}

function Get-OnlyCommand($Tree) {
    $block = $Tree.EndBlock
    if ($null -eq $block -or $block.Statements.Count -ne 1 -or $block.Traps.Count -gt 0) { return }
    $pipeline = $block.Statements[0]
    if ($pipeline -isnot [Management.Automation.Language.PipelineAst] -or $pipeline.Background -or $pipeline.PipelineElements.Count -ne 1) { return }
    $command = $pipeline.PipelineElements[0]
    if ($command -is [Management.Automation.Language.CommandAst] -and $command.Redirections.Count -eq 0) { $command }
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
            'IndexExpressionAst' {
                if ($node.Index -is [Management.Automation.Language.StringConstantExpressionAst] -and $memberShape.IsMatch($node.Index.Value)) { Write-Member $uses $node.Index.Value $false $node.Extent }
                break
            }
            'SwitchStatementAst' {
                if (($node.Flags -band [Management.Automation.Language.SwitchFlags]::File) -ne 0) {
                    $values = [Collections.Generic.List[string]]::new()
                    $file = $node.Condition
                    if ($file -is [Management.Automation.Language.PipelineAst] -and $file.PipelineElements.Count -eq 1 -and $file.PipelineElements[0] -is [Management.Automation.Language.CommandExpressionAst]) { Get-Value $file.PipelineElements[0].Expression $values } else { $values.Add($anything) }
                    Write-Like $commands 'Get-Content' $values $node.Condition.Extent
                }
                break
            }
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
    $whatIf = ''
    $name, $rest = Get-WhatIf $tree $errors $local
    if ($null -ne $name) { $whatIf = ',"what_if":{"name":"' + [Text.Json.JsonEncodedText]::Encode($name) + '","rest":"' + [Text.Json.JsonEncodedText]::Encode($rest) + '"}' }
    '{"commands":' + $utf8.GetString($commandBytes.GetBuffer(), 0, [int] $commandBytes.Length) + ',"uses":' + $utf8.GetString($useBytes.GetBuffer(), 0, [int] $useBytes.Length) + $whatIf + '}'
}

