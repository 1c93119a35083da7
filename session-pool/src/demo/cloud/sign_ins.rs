//! Device codes that wait for a person.

use std::time::{Duration, Instant};

/// How long a code lives, as at Entra.
pub(super) const CODE_LIFE: Duration = Duration::from_secs(900);

/// Codes that wait at the same time; the oldest go first.
const MOST: usize = 100;

/// A device code that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingCode {
    /// What the person enters.
    pub code: String,
    /// The tenant's name.
    pub tenant: String,
}

/// A device code, and what became of it.
#[derive(Clone, Debug)]
struct Code {
    user_code: String,
    device_code: String,
    tenant: String,
    app: String,
    scope: String,
    made: Instant,
    answer: Answer,
}

#[derive(Clone, Debug)]
enum Answer {
    None,
    Yes(Option<String>),
    No,
}

/// What a poll gets.
#[derive(Clone, Debug)]
pub(super) enum Polled {
    Pending,
    Declined,
    Expired,
    Unknown,
    /// Tenant, app, scopes, and the account where it is not the tenant's own.
    SignedIn {
        tenant: String,
        app: String,
        scope: String,
        account: Option<String>,
    },
}

/// All codes.
#[derive(Debug, Default)]
pub(super) struct SignIns {
    codes: Vec<Code>,
    made: u32,
    /// Codes are answered by themselves after this time.
    pub(super) answer_after: Option<Duration>,
}

impl SignIns {
    /// Makes a code; answers with what the person enters, and what the program polls with.
    pub(super) fn make(&mut self, tenant: &str, app: &str, scope: &str) -> (String, String) {
        self.made = self.made.wrapping_add(1);
        if self.codes.len() >= MOST {
            self.codes.remove(0);
        }
        let device_code = uuid::Uuid::now_v7().simple().to_string();
        // Nine characters, as Entra's; of the id's last, random ones.
        let random: String = device_code.chars().rev().take(6).collect();
        let user_code = format!("{:03}{}", self.made % 1000, random.to_ascii_uppercase());
        self.codes.push(Code {
            user_code: user_code.clone(),
            device_code: device_code.clone(),
            tenant: tenant.to_owned(),
            app: app.to_owned(),
            scope: scope.to_owned(),
            made: Instant::now(),
            answer: Answer::None,
        });
        (user_code, device_code)
    }

    pub(super) fn waiting(&self) -> Vec<WaitingCode> {
        self.codes
            .iter()
            .filter(|code| matches!(code.answer, Answer::None) && code.made.elapsed() < CODE_LIFE)
            .map(|code| WaitingCode {
                code: code.user_code.clone(),
                tenant: code.tenant.clone(),
            })
            .collect()
    }

    pub(super) fn complete(&mut self, code: &str, account: Option<&str>) -> bool {
        self.answer(code, Answer::Yes(account.map(str::to_owned)))
    }

    pub(super) fn decline(&mut self, code: &str) -> bool {
        self.answer(code, Answer::No)
    }

    fn answer(&mut self, user_code: &str, answer: Answer) -> bool {
        let user_code = user_code.trim();
        let waiting = self.codes.iter_mut().find(|code| {
            code.user_code.eq_ignore_ascii_case(user_code) && matches!(code.answer, Answer::None)
        });
        match waiting {
            Some(code) => {
                code.answer = answer;
                true
            }
            None => false,
        }
    }

    /// What became of a code. One that was answered is gone after this.
    pub(super) fn poll(&mut self, device_code: &str) -> Polled {
        let Some(position) = self
            .codes
            .iter()
            .position(|code| code.device_code == device_code)
        else {
            return Polled::Unknown;
        };
        let Some(code) = self.codes.get(position) else {
            return Polled::Unknown;
        };
        let age = code.made.elapsed();
        let answer = match &code.answer {
            Answer::None if self.answer_after.is_some_and(|after| age >= after) => {
                Answer::Yes(None)
            }
            other => other.clone(),
        };
        match answer {
            Answer::None if age < CODE_LIFE => Polled::Pending,
            Answer::None => {
                self.codes.remove(position);
                Polled::Expired
            }
            Answer::No => {
                self.codes.remove(position);
                Polled::Declined
            }
            Answer::Yes(account) => {
                let code = self.codes.remove(position);
                Polled::SignedIn {
                    tenant: code.tenant,
                    app: code.app,
                    scope: code.scope,
                    account,
                }
            }
        }
    }
}
