# Exceptions and error records that carry the real modules' type names. Types are emitted at first
# use: Add-Type with source is slow, and missing from some builds of PowerShell.

$script:ExceptionTypes = @{}

function New-DemoException {
    param([Parameter(Mandatory)][string] $TypeName, [Parameter(Mandatory)][string] $Message)
    $type = $script:ExceptionTypes[$TypeName]
    if ($null -eq $type) {
        $assembly = [Reflection.Emit.AssemblyBuilder]::DefineDynamicAssembly("DemoTenant.$TypeName", 'Run')
        $builder = $assembly.DefineDynamicModule('Exceptions').DefineType($TypeName, 'Public,Class', [Exception])
        $body = $builder.DefineConstructor('Public', 'Standard', [type[]]@([string])).GetILGenerator()
        $body.Emit([Reflection.Emit.OpCodes]::Ldarg_0)
        $body.Emit([Reflection.Emit.OpCodes]::Ldarg_1)
        $body.Emit([Reflection.Emit.OpCodes]::Call, [Exception].GetConstructor([type[]]@([string])))
        $body.Emit([Reflection.Emit.OpCodes]::Ret)
        $type = $builder.CreateType()
        $script:ExceptionTypes[$TypeName] = $type
    }
    [Activator]::CreateInstance($type, @($Message))
}

function New-DemoErrorRecord {
    param(
        [Parameter(Mandatory)][Exception] $Exception,
        [Parameter(Mandatory)][string] $Id,
        [Management.Automation.ErrorCategory] $Category = 'NotSpecified',
        $Target
    )
    [Management.Automation.ErrorRecord]::new($Exception, $Id, $Category, $Target)
}

# What Entra says, by AADSTS code. The ids at the end are made up and always the same.
$script:AadstsText = @{
    50005  = 'User tried to log in to a device from a platform that''s currently not supported through Conditional Access policy.'
    50053  = 'The account is locked, you''ve tried to sign in too many times with an incorrect user ID or password.'
    50055  = 'The password is expired.'
    50057  = 'The user account is disabled.'
    50059  = 'No tenant-identifying information found in either the request or implied by any provided credentials.'
    50076  = 'Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource.'
    50079  = 'Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access the resource.'
    50105  = 'Your administrator has configured the application to block users unless they are specifically granted (''assigned'') access to the application.'
    50173  = 'The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.'
    53000  = 'Device is not in required device state: unknown. Conditional Access policy requires a compliant device, and the device is not compliant.'
    53003  = 'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.'
    65001  = 'The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource.'
    65004  = 'User declined to consent to access the app.'
    70008  = 'The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource.'
    70020  = 'The provided value for the input parameter ''device_code'' is not valid. This device code has expired.'
    70043  = 'The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The token was issued and the maximum allowed lifetime for this request is 3600.'
    700016 = 'Application was not found in the directory. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.'
    700082 = 'The refresh token has expired due to inactivity. The token was inactive for 90.00:00:00.'
    7000218 = 'The request body must contain the following parameter: ''client_assertion'' or ''client_secret''.'
}

function Get-DemoAadstsMessage {
    param([Parameter(Mandatory)][int] $Code)
    $text = $script:AadstsText[$Code] ?? 'The request was refused.'
    "AADSTS${Code}: $text Trace ID: 00000000-0000-0000-0000-0000000d3300 " +
    "Correlation ID: 00000000-0000-0000-0000-0000000d3301 Timestamp: $([datetime]::UtcNow.ToString('yyyy-MM-dd HH:mm:ssZ'))"
}
