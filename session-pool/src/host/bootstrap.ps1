# The PowerShell side of a host. session-pool starts `pwsh -File bootstrap.ps1 SOCKET`; this script
# dials back and runs submissions in a second runspace. `frame.rs` is the other end of the wire.
#
# To the pool, one frame a line: TAG TOKEN SPACE PAYLOAD. The token is the submission's own, so what
# an older command still writes can be told apart. From the pool:
#   R TOKEN OWN FORMAT NUMBER BASE64   run this script (FORMAT T: width, J: depth)
#   C TOKEN                            stop it
param([Parameter(Mandatory)] [string] $SocketPath)

$ErrorActionPreference = 'Stop'

# The nonce lies beside this script, for this user's eyes only, and is gone once it was read. An
# argument or an environment variable would show it to every child process.
$nonceFile = [IO.Path]::Combine($PSScriptRoot, 'nonce')
$nonce = [IO.File]::ReadAllText($nonceFile)
[IO.File]::Delete($nonceFile)

# An absolute path as the pipe's name means a Unix socket.
$socket = [IO.Pipes.NamedPipeClientStream]::new('.', $SocketPath, 'InOut', 'Asynchronous')
$socket.Connect(10000)
$utf8 = [Text.UTF8Encoding]::new($false)
$reader = [IO.StreamReader]::new($socket, $utf8, $false, 65536)
# Two threads write, the sink in its runspace and the loop below: a bare StreamWriter loses lines.
$writer = [IO.TextWriter]::Synchronized([IO.StreamWriter]::new($socket, $utf8, 65536))
$writer.WriteLine("H$nonce $($PSVersionTable.PSVersion)")
$writer.Flush()

# The last two commands of every text pipeline receive all streams merged in their true order. The
# first writes short strings itself and hands everything else on: it is no advanced function, so it
# has no parameter to bind for each of them, which takes longer than the write. (A helper function
# and JSON for each line would take four times as long.) While a formatter holds objects back, it
# hands strings on too, or they would overtake.
$passage = @'
param($Writer, [string] $Prefix, $Shared)
process {
    if ($_ -is [string] -and -not $Shared.Formatting -and $_.Length -le 65536 -and -not $_.Contains("`n")) { $Writer.WriteLine($Prefix + $_) }
    else { , $_ }
}
'@
# The last command writes a frame a record. Cmdlets are named with their module, which callers
# cannot shadow.
$sink = @'
[CmdletBinding()]
param(
    [Parameter(ValueFromPipeline)] [object] $InputObject,
    $Writer, [string] $Token, [bool] $Json, [int] $Width, [int] $Depth, [bool] $Terminating, $Shared = @{}
)
begin {
    Microsoft.PowerShell.Core\Set-StrictMode -Off
    $ErrorActionPreference = 'Continue'
    $PSDefaultParameterValues = @{}
    $relaxed = [Text.Encodings.Web.JavaScriptEncoder]::UnsafeRelaxedJsonEscaping
    $prefix = "O$Token "
    # A frame holds up to 64 MB, and JSON may need six bytes for a character. What is longer goes in
    # pieces, small enough to be read again for each page of them.
    $limit = 10MB
    $piece = 1MB
    $formatter = $null
    $last = @{ Printed = $true; Layout = $false; Errors = 0 }
    $truncated = $false

    $closeFormatter = {
        $ending = $formatter
        $formatter = $null
        $Shared.Formatting = $false
        try { $ending.End() } finally { $ending.Dispose() }
    }
    # What the formatter still holds back to size its table goes out before any other record, so
    # that order stays true. One that has printed its last object lives on: a new one would repeat
    # the table's header. Layout objects (Format-Table) belong together and are never torn apart.
    $settle = { if ($null -ne $formatter -and -not $last.Printed -and -not $last.Layout) { . $closeFormatter } }
    $format = {
        if ($null -eq $formatter) {
            $formatter = {
                Microsoft.PowerShell.Utility\Out-String -Stream -Width $Width |
                    & { process { if ($_) { $last.Printed = $true }; foreach ($line in $_.Split("`n")) { $Writer.WriteLine($prefix + $line) } } }
            }.GetSteppablePipeline($MyInvocation.CommandOrigin)
            $formatter.Begin($PSCmdlet)
            $Shared.Formatting = $true
        }
        $last.Printed = $false
        $formatter.Process($InputObject)
    }
    # The length of the next piece; a character of two halves is not torn apart.
    $next = {
        param([string] $Text, [int] $At)
        $length = [Math]::Min($piece, $Text.Length - $At)
        if ($At + $length -lt $Text.Length -and [char]::IsHighSurrogate($Text[$At + $length - 1])) { $length - 1 } else { $length }
    }
    $writeLong = {
        param([string] $Text)
        for ($at = 0; $at -lt $Text.Length; $at += $length) {
            $length = & $next $Text $at
            $tag = $at + $length -lt $Text.Length ? 'L' : 'M'
            $Writer.WriteLine($tag + $Token + ' ' + $Text.Substring($at, $length))
        }
    }
    $writeText = {
        param([string] $Tag, [string] $Text)
        if ($Text.Length -gt $limit) {
            if ($Tag -ceq 'J') { & $writeLong ('"' + [Text.Json.JsonEncodedText]::Encode($Text, $relaxed).Value + '"'); return }
            # A message has no pieces: each part is one of its own.
            for ($at = 0; $at -lt $Text.Length; $at += $length) {
                $length = & $next $Text $at
                & $writeText $Tag $Text.Substring($at, $length)
            }
            return
        }
        $Writer.WriteLine($Tag + $Token + ' "' + [Text.Json.JsonEncodedText]::Encode($Text, $relaxed).Value + '"')
    }
    $writeError = {
        param([Management.Automation.ErrorRecord] $Failure)
        $position = $Failure.InvocationInfo
        # Rendering takes 5 ms each; a command with thousands of errors gets the short form.
        $rendered = "$($position.MyCommand): $Failure"
        if ($last.Errors++ -lt 100) { try { $rendered = $Failure | Microsoft.PowerShell.Utility\Out-String -Width $Width } catch { } }
        $frame = @{
            message = "$Failure"; category = "$($Failure.CategoryInfo.Category)"; id = $Failure.FullyQualifiedErrorId
            exception = $Failure.Exception.GetType().FullName; terminating = $Terminating; rendered = $rendered
        }
        if ($null -ne $position -and $position.ScriptLineNumber -gt 0) {
            $frame.line = $position.ScriptLineNumber
            if ($position.OffsetInLine -gt 0) { $frame.column = $position.OffsetInLine }
        }
        $frame = Microsoft.PowerShell.Utility\ConvertTo-Json -InputObject $frame -Compress
        if ($frame.Length -gt $limit) {
            # The whole text first, as what a person would see; then the error with its beginning.
            & $writeText 'S' $rendered
            $frame = @{
                message = "$Failure".Substring(0, [Math]::Min(1000, "$Failure".Length)); category = "$($Failure.CategoryInfo.Category)"
                id = 'MessageTooLong'; exception = $Failure.Exception.GetType().FullName; terminating = $Terminating; rendered = ''
            } | Microsoft.PowerShell.Utility\ConvertTo-Json -Compress
        }
        $Writer.WriteLine("E$Token $frame")
    }
    $writeJson = {
        $truncation = $null
        $element = Microsoft.PowerShell.Utility\ConvertTo-Json -InputObject $InputObject -Compress -Depth $Depth -EnumsAsStrings -WarningAction SilentlyContinue -WarningVariable truncation
        if ($element.Length -gt $limit) { & $writeLong $element } else { $Writer.WriteLine("J$Token $element") }
        if ($truncation.Count -gt 0 -and -not $truncated) {
            $truncated = $true
            . $writeText 'W' "Objects nested deeper than $Depth levels are cut; ask for a greater depth."
        }
    }
}
process {
    if ($InputObject -is [string]) {
        if ($Json) { & $writeText 'J' $InputObject; return }
        if ($null -ne $formatter) {
            if ($InputObject.Length -le $Width -and -not $InputObject.Contains("`n")) { . $format; return }
            . $closeFormatter
        }
        if ($InputObject.Length -gt $limit) {
            foreach ($line in $InputObject.Split("`n")) { if ($line.Length -gt $limit) { & $writeLong $line } else { $Writer.WriteLine($prefix + $line) } }
        } elseif ($InputObject.Contains("`n")) { foreach ($line in $InputObject.Split("`n")) { $Writer.WriteLine($prefix + $line) } }
        else { $Writer.WriteLine($prefix + $InputObject) }
        return
    }
    if ($InputObject -is [Management.Automation.ErrorRecord]) {
        . $settle
        & $writeError $InputObject
    } elseif ($InputObject -is [Management.Automation.WarningRecord]) {
        . $settle
        & $writeText 'W' $InputObject.Message
        $Writer.Flush()
    } elseif ($InputObject -is [Management.Automation.InformationRecord]) {
        . $settle
        & $writeText ($InputObject.Tags.Contains('PSHOST') ? 'S' : 'I') "$($InputObject.MessageData)"
        $Writer.Flush()
    } elseif ($InputObject -is [Management.Automation.VerboseRecord]) {
        . $settle
        & $writeText 'V' $InputObject.Message
    } elseif ($InputObject -is [Management.Automation.DebugRecord]) {
        . $settle
        & $writeText 'D' $InputObject.Message
    } elseif ($null -ne $InputObject -and $InputObject.GetType().Namespace -ceq 'Microsoft.PowerShell.Commands.Internal.Format') {
        $last.Layout = $InputObject.GetType().Name -cne 'FormatEndData'
        . $format
    } elseif (-not $Json) {
        . $format
    } elseif ($InputObject -is [datetime]) {
        & $writeText 'J' $InputObject.ToString('o')
    } else {
        try { . $writeJson } catch { & $writeError $_ }
    }
}
clean { if ($null -ne $formatter) { . $closeFormatter } }
'@

$relaxed = [Text.Encodings.Web.JavaScriptEncoder]::UnsafeRelaxedJsonEscaping

function ConvertTo-Quoted([string] $Text) {
    '"' + [Text.Json.JsonEncodedText]::Encode($Text, $relaxed).Value + '"'
}

# Records that did not come down the pipeline: a host's WriteWarningLine, and progress.
function Write-SideStream($Streams, [string] $Token) {
    if ($Streams.Warning.Count -gt 0) {
        foreach ($record in $Streams.Warning.ReadAll()) { $writer.WriteLine("W$Token $(ConvertTo-Quoted $record.Message)") }
    }
    if ($Streams.Information.Count -gt 0) {
        foreach ($record in $Streams.Information.ReadAll()) {
            $tag = $record.Tags.Contains('PSHOST') ? 'S' : 'I'
            $writer.WriteLine("$tag$Token $(ConvertTo-Quoted "$($record.MessageData)")")
        }
    }
    if ($Streams.Verbose.Count -gt 0) {
        foreach ($record in $Streams.Verbose.ReadAll()) { $writer.WriteLine("V$Token $(ConvertTo-Quoted $record.Message)") }
    }
    if ($Streams.Debug.Count -gt 0) {
        foreach ($record in $Streams.Debug.ReadAll()) { $writer.WriteLine("D$Token $(ConvertTo-Quoted $record.Message)") }
    }
    if ($Streams.Progress.Count -gt 0) {
        # Only the newest of each activity matters by now.
        $newest = [ordered]@{}
        foreach ($record in $Streams.Progress.ReadAll()) { $newest["$($record.ActivityId)"] = $record }
        foreach ($record in $newest.Values) {
            $frame = '{"activity":' + (ConvertTo-Quoted $record.Activity) + ',"status":' + (ConvertTo-Quoted $record.StatusDescription)
            if ($record.PercentComplete -ge 0) { $frame += ',"percent":' + [Math]::Min(100, $record.PercentComplete) }
            if ($record.SecondsRemaining -ge 0) { $frame += ',"seconds_remaining":' + $record.SecondsRemaining }
            if ($record.RecordType -eq 'Completed') { $frame += ',"completed":true' }
            $writer.WriteLine("G$Token $frame}")
        }
    }
}

# Sends error records that are not in the pipeline any more through a sink of their own, because
# what renders them belongs to the session's runspace.
function Write-ErrorRecord($Records, $Job, [bool] $Terminating) {
    $shell = [powershell]::Create()
    $shell.Runspace = $runspace
    try {
        $null = $shell.AddScript($sink, $true).AddParameters(@{
                Writer = $Job.Writer; Token = $Job.Token; Width = $Job.Width; Terminating = $Terminating
            }).Invoke($Records)
    } finally { $shell.Dispose() }
}

function Write-ParseError($Errors, $Job) {
    foreach ($failure in $Errors) {
        $place = $failure.Extent
        $pointer = ' ' * ($place.StartColumnNumber - 1) + '~'
        $source = $place.StartScriptPosition.Line.TrimEnd()
        if ($source.Length -gt 200) { $source = ''; $pointer = '' }
        $frame = Microsoft.PowerShell.Utility\ConvertTo-Json -Compress -InputObject @{
            message = $failure.Message; category = 'ParserError'; id = $failure.ErrorId; terminating = $true
            exception = 'System.Management.Automation.ParseException'
            line = $place.StartLineNumber; column = $place.StartColumnNumber
            rendered = "ParserError: line $($place.StartLineNumber), column $($place.StartColumnNumber)`n$source`n$pointer`n$($failure.Message)"
        }
        $Job.Writer.WriteLine("P$($Job.Token) $frame")
    }
}

# The line that `ReadLineAsync` is waiting for. The pool is gone when it yields null.
$pending = $reader.ReadLineAsync()
function Receive-Line {
    $line = $script:pending.GetAwaiter().GetResult()
    if ($null -eq $line) { [Environment]::Exit(0) }
    $script:pending = $reader.ReadLineAsync()
    $line
}

# Requests that came while a pipeline ran: only a command that forged its own end brings that about.
$waiting = [Collections.Generic.Queue[string]]::new()
# The tokens of those that were to be stopped before they began.
$withdrawn = [Collections.Generic.HashSet[string]]::new()

# Runs one job and returns C (completed), F (failed), P (did not parse) or S (stopped).
function Invoke-Job($Job) {
    $shell = [powershell]::Create()
    $shell.Runspace = $runspace
    try {
        $null = $shell.AddScript($Job.Script, $false)
        $shell.Commands.Commands[0].MergeMyResults('All', 'Output')
        $shared = @{ Formatting = $false }
        if (-not $Job.Json) {
            $null = $shell.AddScript($passage, $true).AddParameters(@{
                    Writer = $Job.Writer; Prefix = "O$($Job.Token) "; Shared = $shared
                })
        }
        $null = $shell.AddScript($sink, $true).AddParameters(@{
                Writer = $Job.Writer; Token = $Job.Token; Json = $Job.Json; Width = $Job.Width; Depth = $Job.Depth
                Shared = $shared
            })
        $streams = $shell.Streams
        $running = $shell.BeginInvoke()
        while (-not $running.IsCompleted) {
            # Not Stop: that one blocks. The time-out bounds how long a written line may lie here.
            if ([Threading.WaitHandle]::WaitAny(@($running.AsyncWaitHandle, ([IAsyncResult] $pending).AsyncWaitHandle), 40) -eq 1) {
                $line = Receive-Line
                if ($line.StartsWith('C')) {
                    $null = $withdrawn.Add($line.Split(' ')[1])
                    $null = $shell.BeginStop($null, $null)
                } else { $waiting.Enqueue($line) }
            }
            Write-SideStream $streams $Job.Token
            $Job.Writer.Flush()
        }
        Write-SideStream $streams $Job.Token
        if ($streams.Error.Count -gt 0) { Write-ErrorRecord $streams.Error.ReadAll() $Job $false }
        $state = $shell.InvocationStateInfo
        if ($state.State -eq 'Completed') { return 'C' }
        if ($state.State -eq 'Stopped') { return 'S' }
        $reason = $state.Reason
        if ($reason -is [Management.Automation.ParseException]) {
            # An Invoke-Expression in the middle throws the same; only a script that does not parse
            # as a whole ran nothing.
            $errors = $null
            $null = [Management.Automation.Language.Parser]::ParseInput($Job.Script, [ref] $null, [ref] $errors)
            if ($errors.Count -gt 0) { Write-ParseError $errors $Job; return 'P' }
        }
        $record = $reason.ErrorRecord
        if ($null -eq $record) { $record = [Management.Automation.ErrorRecord]::new($reason, 'HostFailure', 'NotSpecified', $null) }
        Write-ErrorRecord @($record) $Job $true
        'F'
    } finally { $shell.Dispose() }
}

# The Default Host drops what it is told to show. These two cmdlets tell it; here they show it as
# Write-Host does, in records that a person sees, in the width of the command that runs.
$show = @'
[CmdletBinding()]
param([switch] $Paging, [switch] $Transcript, [Parameter(ValueFromPipeline)] [psobject] $InputObject)
begin {
    $shown = $null
    if ($MyInvocation.ExpectingInput) {
        $shown = {
            Microsoft.PowerShell.Utility\Out-String -Stream -Width ([AppContext]::GetData('SessionPool.Width')) |
                Microsoft.PowerShell.Utility\Write-Host
        }.GetSteppablePipeline($MyInvocation.CommandOrigin)
        $shown.Begin($PSCmdlet)
    }
}
process {
    if ($null -ne $shown) { $shown.Process($InputObject) }
    else { , $InputObject | & $PSCmdlet.MyInvocation.MyCommand.ScriptBlock }
}
end { if ($null -ne $shown) { $shown.End() } }
clean { if ($null -ne $shown) { $shown.Clean() } }
'@
$initial = [initialsessionstate]::CreateDefault2()
foreach ($name in 'Out-Host', 'Out-Default') {
    $initial.Commands.Add([Management.Automation.Runspaces.SessionStateFunctionEntry]::new($name, $show))
}

# Names that the policy refuses are aliases of a name that says so; an alias stands before functions
# and cmdlets, also those of modules. That name is an alias of itself, which PowerShell never
# resolves: as a mere function it could be shadowed by another alias. All of it is constant.
$barrierFile = [IO.Path]::Combine($PSScriptRoot, 'barrier')
$refused = [IO.File]::ReadAllLines($barrierFile)
[IO.File]::Delete($barrierFile)
if ($refused.Count -gt 0) {
    $target = 'Refused-By-The-Policy-Of-This-Session'
    $initial.Commands.Add([Management.Automation.Runspaces.SessionStateFunctionEntry]::new($target, 'throw "Refused by the policy."', 'Constant, AllScope', $null))
    foreach ($name in @($target) + $refused) {
        $initial.Commands.Add([Management.Automation.Runspaces.SessionStateAliasEntry]::new($name, $target, '', 'Constant, AllScope'))
    }
}
$runspace = [runspacefactory]::CreateRunspace($initial)
$runspace.ThreadOptions = 'ReuseThread'
$runspace.Open()

# Whether callers left something in the session: a name in the global scope that was not there
# before, or a preference of another value. The engine's own tables answer in microseconds; they are
# internal, so a slower public road stands beside them.
$hidden = [Reflection.BindingFlags] 'NonPublic, Public, Instance'
function Get-Hidden($Object, [string] $Name) {
    $property = $Object.GetType().GetProperty($Name, $hidden)
    if ($null -ne $property) { return , $property.GetValue($Object) }
    , $Object.GetType().GetField($Name, $hidden).GetValue($Object)
}
$kinds = 'variable', 'function', 'alias'
$tables = try {
    $scope = Get-Hidden (Get-Hidden (Get-Hidden $runspace 'ExecutionContext') 'EngineSessionState') 'GlobalScope'
    $found = @{ variable = Get-Hidden $scope '_variables'; function = Get-Hidden $scope '_functions'; alias = Get-Hidden $scope '_alias' }
    if ($found.variable.ContainsKey('PSHOME') -and $found.function.ContainsKey('prompt') -and $found.alias.ContainsKey('%')) { $found }
} catch { $null }
function Get-Table([string] $Kind) {
    if ($null -ne $tables) { return , $tables[$Kind] }
    $names = @{}
    foreach ($item in $runspace.SessionStateProxy.InvokeProvider.ChildItem.Get("${Kind}:", $false)) { $names[$item.Name] = $item }
    , $names
}
# Losing these silently could turn a trial run into a real one.
$preferences = 'WhatIfPreference', 'ConfirmPreference', 'ErrorActionPreference', 'PSDefaultParameterValues'
function Get-Preference {
    $values = foreach ($name in $preferences) {
        $value = $runspace.SessionStateProxy.GetVariable($name)
        if ($value -is [Collections.IDictionary]) { foreach ($key in $value.Keys) { "$key=$($value[$key])" } } else { "$value" }
    }
    $values -join "`n"
}

$known = @{}
foreach ($kind in $kinds) { $known[$kind] = [Collections.Generic.HashSet[string]]::new([StringComparer]::OrdinalIgnoreCase) }
foreach ($name in 'args', 'input', 'MyInvocation', '_', 'PSItem', 'Matches', 'LASTEXITCODE', 'foreach', 'switch', 'this',
    'PSCmdlet', 'PSBoundParameters', 'PSScriptRoot', 'PSCommandPath', 'Event', 'EventArgs', 'EventSubscriber', 'Sender',
    'SourceArgs', 'SourceEventArgs', 'PSSenderInfo', 'ConsoleFileName', 'PSDebugContext', 'StackTrace', 'PROFILE') {
    $null = $known.variable.Add($name)
}
function Add-Known {
    foreach ($kind in $kinds) { $known[$kind].UnionWith([string[]] (Get-Table $kind).Keys) }
    $script:knownPreference = Get-Preference
}
# What callers set, as `kind:name`; what an imported module brought along has the module's name.
function Get-CallerState {
    foreach ($kind in $kinds) {
        $table = Get-Table $kind
        if ($known[$kind].IsSupersetOf([string[]] $table.Keys)) { continue }
        foreach ($name in [string[]] $table.Keys) {
            if (-not $known[$kind].Contains($name) -and -not $table[$name].ModuleName) { "${kind}:$name" }
        }
    }
    if ((Get-Preference) -cne $knownPreference) { 'preference:' }
}

# What the pool itself ran belongs to the baseline; what callers had set before it does not.
function Update-Known([string[]] $Before) {
    Add-Known
    foreach ($entry in $Before) {
        $kind, $name = $entry.Split(':', 2)
        if ($kind -eq 'preference') { $script:knownPreference = $null } else { $null = $known[$kind].Remove($name) }
    }
}

function Invoke-Request([string] $Line) {
    $fields = $Line.Split(' ')
    $job = @{
        Token = $fields[1]; Json = $fields[3] -ceq 'J'; Width = 120; Depth = 2; Writer = $writer
        Script = $utf8.GetString([Convert]::FromBase64String($fields[5]))
    }
    if ($job.Json) { $job.Depth = [int] $fields[4] } else { $job.Width = [int] $fields[4] }
    [AppContext]::SetData('SessionPool.Width', $job.Width)
    $own = $fields[2] -ceq '1'
    $writer.WriteLine("B$($job.Token) ")
    $before = if ($own) { @(Get-CallerState) }
    $outcome = $withdrawn.Contains($job.Token) ? 'S' : (Invoke-Job $job)
    $null = $withdrawn.Remove($job.Token)
    if ($own) { Update-Known $before }
    $stateful = @(Get-CallerState).Count -gt 0 ? 1 : 0
    $writer.WriteLine("F$($job.Token) $outcome$stateful")
    $writer.Flush()
}

Add-Known
$writer.WriteLine("R$nonce ")
$writer.Flush()
$nonce = $null

# The first run of everything costs 50 to 400 ms. It is made while nobody waits; a request that is
# there already needs only some of it.
foreach ($script in '"a"', '[pscustomobject] @{ a = 1 }; Microsoft.PowerShell.Utility\Write-Warning a') {
    if ($waiting.Count -gt 0 -or $pending.IsCompleted) { break }
    $null = Invoke-Job @{ Token = ''; Json = $false; Width = 120; Depth = 2; Writer = [IO.TextWriter]::Null; Script = $script }
    $null = $runspace.SessionStateProxy.PSVariable.Set('LASTEXITCODE', $null)
    Add-Known
}

try {
    while ($true) {
        $line = $waiting.Count -gt 0 ? $waiting.Dequeue() : (Receive-Line)
        # A stop that finds nothing to stop came too late.
        if ($line.StartsWith('R')) { Invoke-Request $line }
    }
} finally {
    # The second runspace would keep the process alive.
    [Environment]::Exit(1)
}
