//! What a connect command says, and what that means.

use jiff::{SignedDuration, Timestamp};

use crate::domain::aadsts;
use crate::domain::connect::Identity;
use crate::domain::life::Prompt;
use crate::domain::prompt::{DeviceCode, PromptScanner};
use crate::domain::record::Record;
use crate::domain::registry::Cloud;

/// How long a device code is valid (all four modules; RFC 8628 leaves it to the server).
const CODE_LIFETIME: SignedDuration = SignedDuration::from_secs(900);

/// Longest reason that is passed on.
const REASON_CHARACTERS: usize = 600;

/// What the running connect command has said so far.
#[derive(Debug)]
pub(super) struct Attempt {
    scanner: PromptScanner,
    /// The code that was told last.
    code: Option<DeviceCode>,
    identity: Option<Identity>,
    error: Option<String>,
    warning: Option<String>,
}

impl Attempt {
    pub(super) fn new(cloud: &Cloud) -> Self {
        Self {
            scanner: PromptScanner::new(cloud),
            code: None,
            identity: None,
            error: None,
            warning: None,
        }
    }

    /// Takes in what the command says, and returns a device code that is new in it. A module may
    /// begin anew by itself: then only the newest code counts.
    pub(super) fn note(&mut self, records: &[Record]) -> Option<Prompt> {
        let mut found = None;
        let short = |text: &str| Some(text.trim().chars().take(REASON_CHARACTERS).collect());
        for record in records {
            if let Some(code) = self.scanner.feed(record) {
                found = Some(code);
                continue;
            }
            match record {
                Record::Error(error) => self.error = short(&error.message),
                Record::Warning { text } => self.warning = short(text),
                _ => {}
            }
        }
        if let Some(identity) = Identity::find(records) {
            self.identity = Some(identity);
        }
        let code = found.filter(|code| self.code.as_ref() != Some(code))?;
        self.code = Some(code.clone());
        Some(Prompt {
            code: code.code,
            url: code.url.to_owned(),
            expires_at: Timestamp::now() + CODE_LIFETIME,
        })
    }

    /// Who has signed in, by the command's own words; `None` where nobody has, which some modules
    /// do not count as an error.
    pub(super) const fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Why the command failed: what the code of Entra's in its last error, else its last warning,
    /// asks for; without a code its own words, with nobody's name in them.
    pub(super) fn reason(&self) -> String {
        let said = self.error.as_deref().or(self.warning.as_deref());
        said.map_or_else(
            || "the connect command ended without saying why".to_owned(),
            |said| aadsts::explain(said).unwrap_or_else(|| aadsts::without_names(said)),
        )
    }
}
