//! Whether an error record of a caller's command says that its sign-in is dead.
//!
//! Only the type of the exception and the `FullyQualifiedErrorId` decide, never what a command put
//! out: a mail about AADSTS errors must not sign anybody out. The words of an error count only
//! where its module tells its own errors apart by nothing else (PnP.PowerShell).

use super::aadsts;
use super::record::ErrorRecord;

/// Codes by which Entra refuses one resource and leaves the sign-in as it is: a consent, an
/// assignment or an admission by Conditional Access is missing there. A new sign-in would change
/// nothing, and throw away one that works for the rest.
/// <https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes>
const OF_ONE_RESOURCE: [u32; 13] = [
    50_105, 53_000, 53_001, 53_002, 53_003, 53_004, 65_001, 65_002, 65_004, 90_094, 500_011,
    500_014, 650_057,
];

/// Why the sign-in is dead, for people and without their names; `None` where the error does not
/// say that it is.
pub fn reason(error: &ErrorRecord) -> Option<String> {
    if aadsts::code_in(&error.message).is_some_and(|code| OF_ONE_RESOURCE.contains(&code)) {
        return None;
    }
    let says = aadsts::explain(&error.message);
    if is_dead(error, says.is_some()) {
        Some(says.unwrap_or_else(|| "the module has no sign-in that works any more".to_owned()))
    } else {
        None
    }
}

fn is_dead(error: &ErrorRecord, from_entra: bool) -> bool {
    let (name, place) = error.id.split_once(',').unwrap_or((&error.id, ""));
    match error.exception.as_str() {
        // MSAL's word for "a person is needed"; Az.Accounts' own for the same.
        "Microsoft.Identity.Client.MsalUiRequiredException"
        | "Microsoft.Azure.Commands.Common.Exceptions.AzPSAuthenticationFailedException" => true,
        // Also thrown where Entra is out of order; with a code it has refused.
        "Microsoft.Identity.Client.MsalServiceException"
        | "Azure.Identity.AuthenticationFailedException" => from_entra,
        // ExchangeOnlineManagement and MicrosoftTeams: somebody has disconnected.
        "System.UnauthorizedAccessException" => {
            name == "Microsoft.Exchange.Management.RestApiClient.AuthenticationRequired"
                || (name == "System.UnauthorizedAccessException" && place.contains("Team"))
        }
        // PnP.PowerShell wraps every error so, unless ErrorAction is Stop. Az without any sign-in.
        "System.Management.Automation.PSInvalidOperationException" => {
            (name == "InvalidOperation"
                && place.contains("PnP")
                && error.message.starts_with("AADSTS"))
                || (name.starts_with("Microsoft.Azure.Commands.")
                    && error.message.starts_with("Run Connect-AzAccount"))
        }
        // PnP.PowerShell: somebody has disconnected.
        "System.InvalidOperationException" => {
            name == "System.InvalidOperationException"
                && place.contains("PnP")
                && error.message.contains("Connect-PnPOnline")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(exception: &str, id: &str, message: &str) -> ErrorRecord {
        ErrorRecord {
            exception: exception.to_owned(),
            id: id.to_owned(),
            message: message.to_owned(),
            ..ErrorRecord::default()
        }
    }

    const FREQUENCY: &str = "AADSTS70043: The refresh token has expired. Trace ID: 0";

    #[test]
    fn each_module_s_error_is_known() {
        for (exception, id, message) in [
            (
                "Microsoft.Identity.Client.MsalUiRequiredException",
                "Microsoft.Identity.Client.MsalUiRequiredException,Get-EXOMailbox",
                FREQUENCY,
            ),
            (
                "Microsoft.Azure.Commands.Common.Exceptions.AzPSAuthenticationFailedException",
                "Microsoft.Azure.Commands.Profile.GetAzureVMCommand,Get-AzVM",
                "Your Azure credentials have not been set up or have expired.",
            ),
            (
                "System.UnauthorizedAccessException",
                "System.UnauthorizedAccessException,Microsoft.Teams.PowerShell.GetTeam",
                "Session is not established",
            ),
            (
                "System.UnauthorizedAccessException",
                "Microsoft.Exchange.Management.RestApiClient.AuthenticationRequired,Get-EXOMailbox",
                "You must call the Connect-ExchangeOnline cmdlet",
            ),
            (
                "System.Management.Automation.PSInvalidOperationException",
                "InvalidOperation,PnP.PowerShell.Commands.Lists.GetList",
                FREQUENCY,
            ),
            (
                "System.Management.Automation.PSInvalidOperationException",
                "Microsoft.Azure.Commands.Profile.GetAzureRMSubscriptionCommand",
                "Run Connect-AzAccount to login.",
            ),
            (
                "System.InvalidOperationException",
                "System.InvalidOperationException,PnP.PowerShell.Commands.Lists.GetList",
                "There is currently no connection yet. Use Connect-PnPOnline to connect.",
            ),
        ] {
            assert!(reason(&error(exception, id, message)).is_some(), "{id}");
        }
    }

    #[test]
    fn other_errors_are_not_whatever_they_say() {
        for (exception, id, message) in [
            // A command that throws the text of a mail.
            (
                "System.Management.Automation.RuntimeException",
                FREQUENCY,
                FREQUENCY,
            ),
            (
                "Microsoft.PowerShell.Commands.WriteErrorException",
                "Microsoft.PowerShell.Commands.WriteErrorException",
                FREQUENCY,
            ),
            (
                "System.UnauthorizedAccessException",
                "GetContentReaderUnauthorizedAccessError,Microsoft.PowerShell.Commands.GetContentCommand",
                "Access to the path '/Teams' is denied.",
            ),
            (
                "System.Management.Automation.PSInvalidOperationException",
                "InvalidOperation,PnP.PowerShell.Commands.Lists.GetList",
                "Item AADSTS70043 does not exist",
            ),
            (
                "System.InvalidOperationException",
                "System.InvalidOperationException,PnP.PowerShell.Commands.Lists.GetList",
                "Collection was modified",
            ),
            (
                "Microsoft.Identity.Client.MsalServiceException",
                "EXCEPTION,PnP.PowerShell.Commands.Lists.GetList",
                "The service is unavailable",
            ),
            // One resource refuses; the others go on with the same sign-in.
            (
                "Microsoft.Identity.Client.MsalUiRequiredException",
                "Microsoft.Identity.Client.MsalUiRequiredException,Get-EXOMailbox",
                "AADSTS65001: The user or administrator has not consented.",
            ),
            (
                "Microsoft.Azure.Commands.Common.Exceptions.AzPSAuthenticationFailedException",
                "Microsoft.Azure.Commands.Profile.GetAzureVMCommand,Get-AzVM",
                "AADSTS53003: Access has been blocked by Conditional Access policies.",
            ),
        ] {
            assert_eq!(reason(&error(exception, id, message)), None, "{id}");
        }
    }

    #[test]
    fn the_reason_is_code_and_advice_and_names_nobody() {
        let message = "AADSTS70043: ada@contoso.example in c0000001-7e57-4000-8000-00000c047050";
        let why = reason(&error(
            "Microsoft.Identity.Client.MsalUiRequiredException",
            "x",
            message,
        ));
        let why = why.unwrap_or_default();
        assert!(why.starts_with("AADSTS70043: "), "{why}");
        assert!(why.contains("sign-in frequency"), "{why}");
        assert!(!why.contains('@') && !why.contains("c0000001"), "{why}");
    }
}
