# The device-code sign-in, without Entra: the code is a file under pending/, and a file of the same
# name under signed-in/ or declined/ is the person's answer.

# Entra's user codes: nine characters without vowels and look-alikes.
function New-DemoUserCode {
    $alphabet = 'BCDFGHJKLMNPQRSTVWXZ23456789'
    -join (1..9 | ForEach-Object { $alphabet[[Security.Cryptography.RandomNumberGenerator]::GetInt32($alphabet.Length)] })
}

function Write-DemoFile {
    param([string] $Path, [string] $Text)
    [void][IO.Directory]::CreateDirectory([IO.Path]::GetDirectoryName($Path))
    $temporary = "$Path.$PID.tmp"
    [IO.File]::WriteAllText($temporary, $Text)
    [IO.File]::Move($temporary, $Path, $true)
}

function New-DemoSession {
    param([string] $Module, [string] $Account, [string] $TenantId, [string] $Method = 'device')
    [pscustomobject]@{
        Module = $Module; Account = $Account; TenantId = $TenantId; Method = $Method
        SignedInAt = [datetimeoffset]::UtcNow
    }
}

# Signs in by device code and returns a session, or throws an exception whose message begins with
# the AADSTS code. $Prompt gets the user code; the caller prints it on its module's own channel.
function Wait-DemoSignIn {
    param(
        [Parameter(Mandatory)][string] $Module,
        [AllowNull()] $Tenant,
        [Parameter(Mandatory)][scriptblock] $Prompt
    )
    $Tenant ??= Get-DemoHomeTenant
    $how = Get-DemoBehaviour -Module $Module
    if ($how.Behaviour -eq 'instant') { return New-DemoSession $Module $Tenant.admin $Tenant.tenantId }

    $code = New-DemoUserCode
    $lifetime = [double](Get-DemoSetting -Name 'code_lifetime_seconds' -Default 900)
    if ($how.Behaviour -eq 'expire') { $lifetime = [Math]::Min($lifetime, 1) }
    $created = [datetimeoffset]::UtcNow
    $directory = Get-DemoDirectory
    $pending = Join-Path $directory "pending/$code.json"
    $signedIn = Join-Path $directory "signed-in/$code.json"
    $declined = Join-Path $directory "declined/$code"
    try {
        Write-DemoFile $pending (ConvertTo-Json -Compress @{
                code = $code; module = $Module; tenant = $Tenant.tenantId; account = $Tenant.admin
                home = $HOME; process = $PID; created = $created.ToString('o'); lifetime_seconds = $lifetime
            })
        & $Prompt $code
        switch ($how.Behaviour) {
            'immediate' { return New-DemoSession $Module $Tenant.admin $Tenant.tenantId }
            'decline' { throw (New-DemoSignInException $Module 65004) }
            'aadsts' { throw (New-DemoSignInException $Module $how.Code) }
        }
        while ($true) {
            if ([IO.File]::Exists($signedIn)) {
                $answer = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($signedIn))
                return Resolve-DemoAnswer -Module $Module -Behaviour $how.Behaviour -Answer $answer
            }
            if ([IO.File]::Exists($declined)) { throw (New-DemoSignInException $Module 65004) }
            if (([datetimeoffset]::UtcNow - $created).TotalSeconds -ge $lifetime) {
                throw (New-DemoSignInException $Module 70020)
            }
            Start-Sleep -Milliseconds 100
        }
    } finally {
        foreach ($file in $pending, $signedIn, $declined) { if ([IO.File]::Exists($file)) { [IO.File]::Delete($file) } }
    }
}

# Who signed in: the person who was asked, or someone else where the settings say so.
function Resolve-DemoAnswer {
    param([string] $Module, [string] $Behaviour, $Answer)
    $tenant = Resolve-DemoTenant $Answer.tenantId
    switch ($Behaviour) {
        'other_account' { return New-DemoSession $Module $tenant.otherAccount $tenant.tenantId }
        'other_tenant' {
            $other = Get-DemoOtherTenant $tenant
            return New-DemoSession $Module $other.admin $other.tenantId
        }
    }
    New-DemoSession $Module $Answer.account $Answer.tenantId
}

function New-DemoSignInException {
    param([string] $Module, [int] $Code)
    $type = if ($Code -in 70020, 65004) { 'Microsoft.Identity.Client.MsalServiceException' }
    else { 'Microsoft.Identity.Client.MsalUiRequiredException' }
    New-DemoException $type (Get-DemoAadstsMessage $Code)
}

# Null for a sign-in that still works, else the exception that its renewal meets. A sign-in dies
# after token_lifetime_seconds (0: never) or by revoked/MODULE.json {at, code}.
function Get-DemoDeadSignIn {
    param([Parameter(Mandatory)] $Session)
    $lifetime = [double](Get-DemoSetting -Name 'token_lifetime_seconds' -Default 0)
    if ($lifetime -gt 0 -and ([datetimeoffset]::UtcNow - $Session.SignedInAt).TotalSeconds -ge $lifetime) {
        return New-DemoSignInException $Session.Module 70043
    }
    foreach ($name in "$($Session.Module)-$($Session.TenantId)", $Session.Module) {
        $file = Join-Path (Get-DemoDirectory) "revoked/$name.json"
        if (-not [IO.File]::Exists($file)) { continue }
        $revoked = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($file)) -AsHashtable -DateKind Offset
        if ([datetimeoffset]$revoked['at'] -ge $Session.SignedInAt) {
            return New-DemoSignInException $Session.Module ([int]($revoked['code'] ?? 50173))
        }
    }
}

# Signs in without a person: reads the certificate as the real modules do, so that a wrong file or
# password fails with the real words.
function New-DemoAppSession {
    param([string] $Module, $Tenant, [string] $AppId, [string] $CertificatePath, $Password, $Certificate)
    $how = Get-DemoBehaviour -Module $Module
    if ($how.Behaviour -eq 'aadsts') { throw (New-DemoSignInException $Module $how.Code) }
    if ($CertificatePath) {
        $file = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($CertificatePath)
        $plain = if ($Password -is [securestring]) { [Net.NetworkCredential]::new('', $Password).Password } else { [string]$Password }
        if (-not [IO.File]::Exists($file)) { throw [IO.FileNotFoundException]::new("Could not find file '$file'.", $file) }
        try { $Certificate = [Security.Cryptography.X509Certificates.X509CertificateLoader]::LoadPkcs12FromFile($file, $plain) }
        catch { throw $_.Exception.InnerException }
    }
    if ($Certificate -and $Certificate.NotAfter -lt [datetime]::Now) {
        throw (New-DemoException 'Microsoft.Identity.Client.MsalServiceException' (
                'AADSTS700027: The certificate with identifier used to sign the client assertion is expired on application.'))
    }
    if (-not $Tenant) { throw (New-DemoSignInException $Module 50059) }
    New-DemoSession $Module $AppId $Tenant.tenantId 'app'
}
