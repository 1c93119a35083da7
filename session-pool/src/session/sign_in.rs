//! What a session knows of its sign-in.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::domain::connect::Identity;
use crate::domain::prompt::{DeviceCode, PromptScanner};
use crate::domain::record::Record;
use crate::domain::registry::Cloud;
use crate::domain::state::{PendingSignIn, SignedIn};

/// How long a device code is valid (all four modules; RFC 8628 leaves it to the server).
const CODE_LIFETIME: Duration = Duration::from_secs(900);

/// A connect command ends by itself when its code does; past this it is ended.
const CODE_GRACE: Duration = Duration::from_secs(30);

/// Longest reason that is passed on.
const REASON_CHARACTERS: usize = 600;

/// Who is signed in, as far as the session knows.
#[derive(Debug)]
pub(super) enum SignIn {
    /// A fresh process has not been asked yet.
    Unknown,
    /// Nobody.
    SignedOut,
    /// A connect command waits for a person.
    Pending(Box<PendingConnect>),
    /// Somebody.
    SignedIn(SignedIn),
    /// The last try failed.
    Failed { reason: String },
}

impl SignIn {
    /// When a pending code has ended for certain.
    pub(super) fn code_end(&self) -> Option<Instant> {
        match self {
            Self::Pending(pending) => Some(pending.ends),
            _ => None,
        }
    }

    /// Why the last try failed, if it did.
    pub(super) fn failure(&self) -> Option<String> {
        match self {
            Self::Failed { reason } => Some(reason.clone()),
            _ => None,
        }
    }
}

/// What the running connect command has said so far.
#[derive(Debug)]
pub(super) struct Attempt {
    scanner: PromptScanner,
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

    /// Takes in what the command says, and returns a device code that is among it.
    pub(super) fn note(&mut self, records: &[Record]) -> Option<DeviceCode> {
        let short = |text: &str| Some(text.trim().chars().take(REASON_CHARACTERS).collect());
        for record in records {
            if let Some(code) = self.scanner.feed(record) {
                self.code = Some(code);
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
        self.code.take()
    }

    /// Who has signed in, by the command's own words.
    pub(super) fn identity(&self) -> Identity {
        self.identity.clone().unwrap_or_default()
    }

    /// Why the command failed, by its own words: the last error, else the last warning.
    pub(super) fn reason(&self) -> String {
        self.error
            .clone()
            .or_else(|| self.warning.clone())
            .unwrap_or_else(|| "the connect command ended without saying why".to_owned())
    }
}

/// A connect command that has shown its code and still runs.
#[derive(Debug)]
pub(super) struct PendingConnect {
    shown: PendingSignIn,
    ends: Instant,
    attempt: Attempt,
}

impl PendingConnect {
    /// The code is shown from now on.
    pub(super) fn new(
        code: DeviceCode,
        attempt: Attempt,
        asked_by: Option<String>,
        after: Option<String>,
    ) -> Self {
        Self {
            shown: PendingSignIn {
                code: code.code,
                url: code.url.to_owned(),
                expires_at: code_expiry(),
                asked_by,
                after,
            },
            ends: Instant::now() + CODE_LIFETIME + CODE_GRACE,
            attempt,
        }
    }

    /// What callers are told.
    pub(super) const fn shown(&self) -> &PendingSignIn {
        &self.shown
    }

    /// What the command has said so far.
    pub(super) const fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// Takes in what the command says. A module may begin anew by itself: then only the new code
    /// counts.
    pub(super) fn note(&mut self, records: &[Record]) {
        if let Some(code) = self.attempt.note(records)
            && code.code != self.shown.code
        {
            self.shown.code = code.code;
            self.shown.url = code.url.to_owned();
            self.shown.expires_at = code_expiry();
            self.ends = Instant::now() + CODE_LIFETIME + CODE_GRACE;
        }
    }
}

fn code_expiry() -> Timestamp {
    let lifetime = SignedDuration::try_from(CODE_LIFETIME).unwrap_or_default();
    Timestamp::now() + lifetime
}
