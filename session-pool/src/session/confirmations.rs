//! What waits for somebody's yes, and what that yes is good for.
//!
//! A yes is bound to one payload: tool, connection, account, command and the facts about it. It holds
//! for ten minutes and for one call. Ids and codes live in the pool's memory only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::domain::audit::{Confirmation, ConfirmedHow};
use crate::domain::policy::{ConfirmBy, ConfirmationRequest, Facts};
use crate::domain::registry::Connection;
use crate::domain::session_key::SessionKey;

/// How long a yes can be given, and used.
const VALID: Duration = Duration::from_secs(600);

/// Confirmations that are kept; the oldest goes first.
const MOST: usize = 1_000;

/// What a yes is bound to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Binding([u8; 32]);

impl Binding {
    /// Everything that must be the same at the second call. `account` is who is signed in, or who is
    /// expected to be where nobody is.
    pub(super) fn of(
        key: &SessionKey,
        connection: &Connection,
        account: Option<&str>,
        command: &str,
        facts: &Facts,
    ) -> Self {
        let facts = serde_json::to_vec(facts).unwrap_or_default();
        let key = key.to_string();
        let tenant_id = connection.tenant_id.map(|id| id.to_string());
        let account = account.map(str::to_lowercase);
        let parts: [Option<&[u8]>; 8] = [
            Some(b"run"),
            Some(key.as_bytes()),
            connection.tenant.as_deref().map(str::as_bytes),
            tenant_id.as_deref().map(str::as_bytes),
            connection.expected_email.as_deref().map(str::as_bytes),
            account.as_deref().map(str::as_bytes),
            Some(command.as_bytes()),
            Some(&facts),
        ];
        let mut hash = Sha256::new();
        for part in parts {
            // With its length, so that no part can reach into the next.
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            hash.update(length.to_le_bytes());
            hash.update(part.unwrap_or_default());
        }
        Self(hash.finalize().into())
    }
}

impl std::fmt::Debug for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Binding")
    }
}

#[derive(Debug)]
struct Pending {
    binding: Binding,
    by: ConfirmBy,
    /// Only where the caller itself may say yes.
    code: Option<String>,
    preview: String,
    /// How a person has said yes, where one has.
    approved: Option<ConfirmedHow>,
    made: Instant,
}

/// A yes that was taken for one call. If that call comes to nothing, because somebody has to sign in
/// first, dropping it gives it back.
#[derive(Debug)]
pub(super) struct Yes {
    from: Arc<Confirmations>,
    pending: Option<(String, Pending)>,
}

impl Yes {
    /// Whose it is, and how it came.
    pub(super) fn confirmation(&self) -> Option<Confirmation> {
        let (_, pending) = self.pending.as_ref()?;
        Some(match pending.approved {
            Some(how) => Confirmation {
                by: ConfirmBy::Person,
                how,
            },
            None => Confirmation {
                by: ConfirmBy::Assistant,
                how: ConfirmedHow::Code,
            },
        })
    }

    /// The call goes ahead, whatever becomes of it.
    pub(super) fn use_up(mut self) {
        self.pending = None;
    }
}

impl Drop for Yes {
    fn drop(&mut self) {
        if let Some((id, pending)) = self.pending.take() {
            self.from.lock(Instant::now()).insert(id, pending);
        }
    }
}

/// There is nothing to say yes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "nothing waits for a yes under this id: it was used, it is older than 10 minutes, or it is \
     another pool's. Send the command again for a new one"
)]
pub struct NothingToConfirm;

/// The system gives no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRandomness;

/// Everything that waits for a yes.
#[derive(Debug, Default)]
pub(super) struct Confirmations(Mutex<HashMap<String, Pending>>);

impl Confirmations {
    /// Asks for a yes. A person who was asked for the same before is not asked anew.
    pub(super) fn ask(
        &self,
        binding: Binding,
        by: ConfirmBy,
        preview: String,
        now: Instant,
    ) -> Result<ConfirmationRequest, NoRandomness> {
        let mut all = self.lock(now);
        let waiting = all.iter().find(|(_, pending)| {
            by == ConfirmBy::Person && pending.by == by && pending.binding == binding
        });
        if let Some((id, pending)) = waiting {
            return Ok(request(id, pending, now));
        }
        if all.len() >= MOST
            && let Some(oldest) = all
                .iter()
                .min_by_key(|(_, pending)| pending.made)
                .map(|(id, _)| id.clone())
        {
            all.remove(&oldest);
        }
        let id = random()?;
        let pending = Pending {
            binding,
            by,
            code: match by {
                ConfirmBy::Assistant => Some(random()?),
                ConfirmBy::Person => None,
            },
            preview,
            approved: None,
            made: now,
        };
        let asked = request(&id, &pending, now);
        all.insert(id, pending);
        Ok(asked)
    }

    /// The yes that somebody has said to exactly this: a person, or the caller by its code.
    pub(super) fn take(
        self: &Arc<Self>,
        binding: Binding,
        by: ConfirmBy,
        code: Option<&str>,
        now: Instant,
    ) -> Option<Yes> {
        let mut all = self.lock(now);
        let said = all.iter().find(|(_, pending)| {
            let by_code = by == ConfirmBy::Assistant
                && pending
                    .code
                    .as_deref()
                    .zip(code)
                    .is_some_and(|(own, given)| bool::from(own.as_bytes().ct_eq(given.as_bytes())));
            pending.by >= by
                && pending.binding == binding
                && (pending.approved.is_some() || by_code)
        });
        let id = said.map(|(id, _)| id.clone())?;
        let pending = all.remove(&id)?;
        Some(Yes {
            from: Arc::clone(self),
            pending: Some((id, pending)),
        })
    }

    /// A person says yes.
    pub(super) fn approve(
        &self,
        id: &str,
        how: ConfirmedHow,
        now: Instant,
    ) -> Result<(), NothingToConfirm> {
        let mut all = self.lock(now);
        all.get_mut(id).ok_or(NothingToConfirm)?.approved = Some(how);
        Ok(())
    }

    /// Adds to a preview; what is asked, with the code, where it still waits.
    pub(super) fn add(&self, id: &str, text: &str, now: Instant) -> Option<ConfirmationRequest> {
        let mut all = self.lock(now);
        let pending = all.get_mut(id)?;
        // The same question may have been put before, and answered the same.
        if !pending.preview.ends_with(text) {
            pending.preview.push_str(text);
        }
        Some(request(id, pending, now))
    }

    /// What a person is asked to say yes to.
    pub(super) fn show(
        &self,
        id: &str,
        now: Instant,
    ) -> Result<ConfirmationRequest, NothingToConfirm> {
        let all = self.lock(now);
        let pending = all.get(id).ok_or(NothingToConfirm)?;
        Ok(ConfirmationRequest {
            code: None,
            ..request(id, pending, now)
        })
    }

    /// All that are still good.
    fn lock(&self, now: Instant) -> MutexGuard<'_, HashMap<String, Pending>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, pending| now.duration_since(pending.made) < VALID);
        all
    }
}

fn request(id: &str, pending: &Pending, now: Instant) -> ConfirmationRequest {
    ConfirmationRequest {
        id: id.to_owned(),
        by: pending.by,
        code: pending.code.clone(),
        preview: pending.preview.clone(),
        expires_in: VALID
            .saturating_sub(now.duration_since(pending.made))
            .as_secs(),
    }
}

/// 32 hexadecimal digits that nobody can guess.
fn random() -> Result<String, NoRandomness> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| NoRandomness)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(random)))
}

#[cfg(test)]
mod tests;
