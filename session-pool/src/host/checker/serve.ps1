$writer.WriteLine("R$nonce ")
$writer.Flush()
$nonce = $null

# The first runs of everything are slow. They are made while nobody waits.
$next = $reader.ReadLineAsync()
$samples = @(
    '1+1', 'Get-Mailbox -Identity "a" -ResultSize 1 | Where-Object { $_.Name -like "a*" } | Select-Object Name, @{ n = "b"; e = { $_.B.ToString() } }'
    '$p = @{ A = 1; B = "c$x" }; Set-Thing @p -Force:$false; foreach ($i in 1..2) { [math]::Round($i, 1) > $null }; Set-Alias a Get-Date; function b { param([string] $c) $env:D }; New-Object System.Text.StringBuilder'
)
for ($i = 0; $i -lt 40 -and -not $next.IsCompleted; $i++) { foreach ($sample in $samples) { $null = Get-Fact $sample } }

try {
    while ($true) {
        $line = $next.GetAwaiter().GetResult()
        if ($null -eq $line) { break }
        $next = $reader.ReadLineAsync()
        $token, $question = $line.Split(' ')
        $answer = try { Get-Fact $utf8.GetString([Convert]::FromBase64String($question)) } catch { '!' }
        $writer.WriteLine("$token $answer")
        $writer.Flush()
    }
} finally { [Environment]::Exit(0) }
