# What a command would do, as it says itself. It runs with a host of its own, which keeps what it
# shows; the session's has nobody to show it to. The pool puts in the command's name and the call.
[NoRunspaceAffinity()] class ShownByWhatIf : System.Management.Automation.Host.PSHostUserInterface {
    [System.Collections.Generic.List[string]] $Lines = [System.Collections.Generic.List[string]]::new()
    [System.Management.Automation.Host.PSHostRawUserInterface] get_RawUI() { return $null }
    [string] ReadLine() { throw 'nobody is there' }
    [securestring] ReadLineAsSecureString() { throw 'nobody is there' }
    [void] Write([string] $text) { $this.Lines.Add($text) }
    [void] Write([ConsoleColor] $front, [ConsoleColor] $back, [string] $text) { $this.Lines.Add($text) }
    [void] WriteLine([string] $text) { $this.Lines.Add($text) }
    [void] WriteErrorLine([string] $text) { $this.Lines.Add($text) }
    [void] WriteWarningLine([string] $text) { $this.Lines.Add($text) }
    [void] WriteDebugLine([string] $text) { }
    [void] WriteVerboseLine([string] $text) { }
    [void] WriteProgress([long] $source, [System.Management.Automation.ProgressRecord] $record) { }
    [System.Collections.Generic.Dictionary[string, psobject]] Prompt([string] $caption, [string] $message, [System.Collections.ObjectModel.Collection[System.Management.Automation.Host.FieldDescription]] $fields) { throw 'nobody is there' }
    [int] PromptForChoice([string] $caption, [string] $message, [System.Collections.ObjectModel.Collection[System.Management.Automation.Host.ChoiceDescription]] $choices, [int] $default) { throw 'nobody is there' }
    [pscredential] PromptForCredential([string] $caption, [string] $message, [string] $user, [string] $target) { throw 'nobody is there' }
    [pscredential] PromptForCredential([string] $caption, [string] $message, [string] $user, [string] $target, [System.Management.Automation.PSCredentialTypes] $types, [System.Management.Automation.PSCredentialUIOptions] $options) { throw 'nobody is there' }
}
[NoRunspaceAffinity()] class HostOfWhatIf : System.Management.Automation.Host.PSHost {
    [ShownByWhatIf] $Shown = [ShownByWhatIf]::new()
    [guid] $Id = [guid]::NewGuid()
    [string] get_Name() { return 'session-pool' }
    [version] get_Version() { return [version] '1.0' }
    [guid] get_InstanceId() { return $this.Id }
    [System.Management.Automation.Host.PSHostUserInterface] get_UI() { return $this.Shown }
    [System.Globalization.CultureInfo] get_CurrentCulture() { return [System.Globalization.CultureInfo]::InvariantCulture }
    [System.Globalization.CultureInfo] get_CurrentUICulture() { return [System.Globalization.CultureInfo]::InvariantCulture }
    [void] SetShouldExit([int] $code) { }
    [void] EnterNestedPrompt() { }
    [void] ExitNestedPrompt() { }
    [void] NotifyBeginApplication() { }
    [void] NotifyEndApplication() { }
}
& {
    $command = @(Microsoft.PowerShell.Core\Get-Command -Name __NAME__ -CommandType Function, Cmdlet -ErrorAction Ignore)
    # One that a caller has defined is no module's, and may say what it likes.
    if ($command.Count -ne 1 -or -not $command[0].ModuleName -or -not $command[0].Parameters -or -not $command[0].Parameters.ContainsKey('WhatIf')) { return }
    $watcher = [HostOfWhatIf]::new()
    $settings = [System.Management.Automation.PSInvocationSettings]::new()
    $settings.Host = $watcher
    $shell = [powershell]::Create('CurrentRunspace')
    try {
        # Its parameter, and behind it what the text has: constants.
        $null = $shell.AddScript(__SCRIPT__, $true).AddArgument($command[0])
        $null = $shell.Invoke($null, $settings)
        $watcher.Shown.Lines
        foreach ($failure in $shell.Streams.Error) { "Error: $failure" }
    } catch { "Error: $($_.Exception.InnerException.Message ?? $_.Exception.Message)" }
    finally { $shell.Dispose() }
}
