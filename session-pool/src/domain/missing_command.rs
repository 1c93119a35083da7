//! A command of Azure's modules that no module here has.

use std::collections::BTreeSet;

use super::record::{ErrorRecord, Record};

/// The commands that a text called in vain; each is spoken of once.
#[derive(Clone, Debug, Default)]
pub struct MissingCommands(BTreeSet<String>);

/// Most that are spoken of: a script can call any number.
const MOST: usize = 10;

impl MissingCommands {
    /// What to say to these records.
    pub fn hints(&mut self, records: &[Record]) -> Vec<Record> {
        let errors = records.iter().filter_map(|record| match record {
            Record::Error(error) => Some(error),
            _ => None,
        });
        errors
            .filter_map(hint)
            .filter(|text| self.0.len() < MOST && self.0.insert(text.clone()))
            .map(|text| Record::Warning { text })
            .collect()
    }
}

/// What to do instead, where the error says that PowerShell knows no command of this name although it
/// has looked into every module, and the name is one of Azure's (`VERB-Az…`): the images do not have
/// all of Az. The error's own kind decides, not a list of names.
fn hint(error: &ErrorRecord) -> Option<String> {
    let is_unknown = error.id.split(',').next() == Some("CommandNotFoundException")
        && error.exception == "System.Management.Automation.CommandNotFoundException";
    if !is_unknown {
        return None;
    }
    let name = quoted(&error.message)?;
    let (verb, noun) = name.split_once('-')?;
    let is_azures = verb.chars().all(char::is_alphabetic)
        && noun
            .get(..2)
            .is_some_and(|az| az.eq_ignore_ascii_case("az"))
        && noun.chars().nth(2).is_some_and(|c| c.is_ascii_uppercase());
    is_azures.then(|| {
        format!(
            "no module that is installed here has {name}. If it is not misspelt, call the service \
             itself: Invoke-AzRestMethod -Method GET -Path \
             \"/subscriptions/ID/resourceGroups/NAME/providers/…?api-version=…\""
        )
    })
}

/// The name that PowerShell's message has in quotation marks.
fn quoted(message: &str) -> Option<&str> {
    let (_, behind) = message.split_once(['\'', '"'])?;
    behind.split(['\'', '"']).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(exception: &str, id: &str, name: &str) -> ErrorRecord {
        ErrorRecord {
            message: format!("The term '{name}' is not recognized as a name of a cmdlet"),
            id: id.to_owned(),
            exception: exception.to_owned(),
            ..ErrorRecord::default()
        }
    }

    #[test]
    fn only_an_unknown_command_of_azures_gets_the_hint() {
        const UNKNOWN: &str = "System.Management.Automation.CommandNotFoundException";
        let hinted = |exception, id, name| hint(&error(exception, id, name)).is_some();
        assert!(hinted(
            UNKNOWN,
            "CommandNotFoundException",
            "Get-AzFluxConfig"
        ));
        assert!(!hinted(UNKNOWN, "CommandNotFoundException", "Get-Mailbox"));
        assert!(!hinted(UNKNOWN, "CommandNotFoundException", "Get-Azimuth"));
        assert!(!hinted(UNKNOWN, "CommandNotFoundException", "az"));
        assert!(!hinted(
            "System.Exception",
            "CommandNotFoundException",
            "Get-AzVM"
        ));
        assert!(!hinted(UNKNOWN, "Other,Microsoft.Azure", "Get-AzVM"));
        let mut missing = MissingCommands::default();
        let twice =
            [0, 1].map(|_| Record::Error(error(UNKNOWN, "CommandNotFoundException", "Get-AzVM")));
        assert_eq!(missing.hints(&twice).len(), 1, "each once");
        assert!(missing.hints(&twice).is_empty());
    }
}
