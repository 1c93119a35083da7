//! The question that shows whether a sign-in still works, and what its answer means.

use serde_json::Value;

use super::script;
use crate::domain::dead_sign_in;
use crate::domain::life::Check;
use crate::domain::module::Module;
use crate::domain::record::{ErrorRecord, Record};

/// One cheap call that reaches the module's service. Get-ConnectionInformation, Get-AzContext and
/// Get-PnPConnection would not do: they answer from memory, also for a sign-in that is dead.
pub fn ping(module: Module) -> String {
    script(match module {
        Module::Exo => {
            "$null = ExchangeOnlineManagement\\Get-EXOMailbox -ResultSize 1 -ErrorAction Stop \
             -WarningAction SilentlyContinue"
        }
        // Az tells a refusal by the answer's status.
        Module::Azure => {
            "$answer = Az.Accounts\\Invoke-AzRestMethod -Method GET \
             -Path '/tenants?api-version=2022-12-01' -ErrorAction Stop\n\
             [pscustomobject]@{ status = [int]$answer.StatusCode }"
        }
        // No team has this id, and that the service says so is the answer. Get-CsTenant may hang,
        // and without an id every team is fetched.
        Module::Teams => {
            "try { $null = MicrosoftTeams\\Get-Team \
             -GroupId 00000000-0000-0000-0000-000000000000 -ErrorAction Stop }\n\
             catch { if ($_.Exception.Message -notmatch 'NotFound|No team found') { throw } }"
        }
        Module::Pnp => "$null = PnP.PowerShell\\Get-PnPWeb",
    })
}

/// What [`ping`]'s answer means; `error` is what ended it. Only the kind of an error decides, as for
/// a caller's command: that somebody may not read mailboxes, or that the service is out of order,
/// says nothing about the sign-in.
pub fn pong(error: Option<&ErrorRecord>, records: &[Record]) -> Check {
    match error {
        None if records.iter().any(is_refused_token) => {
            Check::Dead("the service no longer takes its token (status 401)".to_owned())
        }
        None => Check::Alive,
        Some(error) => dead_sign_in::reason(error).map_or(Check::Unclear, Check::Dead),
    }
}

fn is_refused_token(record: &Record) -> bool {
    let Record::Json { text } = record else {
        return false;
    };
    let value: Option<Value> = serde_json::from_str(text).ok();
    value.is_some_and(|value| value.get("status") == Some(&Value::from(401)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_is_asked_something_that_its_service_answers() {
        for module in Module::ALL {
            let text = ping(module);
            let qualified = format!("{}\\", module.powershell_name());
            assert!(text.contains(&qualified), "{text}");
            for from_memory in [
                "Get-ConnectionInformation",
                "Get-AzContext",
                "Get-PnPConnection",
            ] {
                assert!(!text.contains(from_memory), "{text}");
            }
        }
    }

    #[test]
    fn only_a_dead_sign_in_counts_as_one() {
        let error = |exception: &str, message: &str| ErrorRecord {
            exception: exception.to_owned(),
            message: message.to_owned(),
            ..ErrorRecord::default()
        };
        let dead = error(
            "Microsoft.Identity.Client.MsalUiRequiredException",
            "AADSTS70043: it is over",
        );
        assert!(matches!(pong(Some(&dead), &[]), Check::Dead(_)));
        let forbidden = error("Microsoft.Rest.ClientException", "403: you may not");
        assert_eq!(pong(Some(&forbidden), &[]), Check::Unclear);
        assert_eq!(pong(None, &[]), Check::Alive);
        let answer = |text: &str| Record::Json {
            text: text.to_owned(),
        };
        assert_eq!(pong(None, &[answer(r#"{"status":200}"#)]), Check::Alive);
        assert_eq!(pong(None, &[answer(r#"{"status":500}"#)]), Check::Alive);
        let refused = pong(None, &[answer(r#"{"status":401}"#)]);
        assert!(matches!(refused, Check::Dead(_)));
    }
}
