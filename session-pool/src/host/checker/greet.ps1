# The PowerShell side of the checker. session-pool starts `pwsh -File checker.ps1 SOCKET`; this script
# dials back, reads texts, parses them and answers with facts about them. It never runs a text.
#
# From the pool, one line a question: TOKEN SPACE BASE64. To the pool: TOKEN SPACE JSON, as
# domain/policy/facts.rs describes it. The greeting is the same as in bootstrap.ps1.
param([Parameter(Mandatory)] [string] $SocketPath)

$ErrorActionPreference = 'Stop'
# A look-up must not import a module, and with it run its code.
$PSModuleAutoLoadingPreference = 'None'

$nonceFile = [IO.Path]::Combine($PSScriptRoot, 'nonce')
$nonce = [IO.File]::ReadAllText($nonceFile)
[IO.File]::Delete($nonceFile)
$socket = [IO.Pipes.NamedPipeClientStream]::new('.', $SocketPath, 'InOut', 'Asynchronous')
$socket.Connect(10000)
$utf8 = [Text.UTF8Encoding]::new($false)
$reader = [IO.StreamReader]::new($socket, $utf8, $false, 65536)
$writer = [IO.StreamWriter]::new($socket, $utf8, 65536)
$writer.WriteLine("H$nonce $($PSVersionTable.PSVersion)")
$writer.Flush()

