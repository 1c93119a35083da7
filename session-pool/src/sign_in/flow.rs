//! A device code that waits for a person, kept on disk between calls.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::entra::DeviceCode;

/// The seconds that `slow_down` adds to the interval (RFC 8628, section 3.5).
const SLOWER: u32 = 5;

/// A pending sign-in. The first keys are those of Python MSAL's flow object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PendingFlow {
    pub(super) user_code: String,
    pub(super) device_code: String,
    pub(super) verification_uri: String,
    /// Seconds between two polls.
    pub(super) interval: u32,
    /// When the code dies, in epoch seconds.
    pub(super) expires_at: i64,
    /// When it may be asked about next, in epoch seconds.
    pub(super) next_poll: i64,
    /// Whom it is for: a changed registry makes it useless.
    pub(super) client_id: String,
    pub(super) authority: String,
    pub(super) scope: String,
    /// What the sign-in must satisfy, where a service asked for more.
    #[serde(default)]
    pub(super) claims: Option<String>,
}

/// What to show to the person who is to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DevicePrompt {
    /// What to enter.
    pub code: String,
    /// Where to enter it.
    pub url: String,
    /// Seconds until it is worth nothing.
    pub seconds_left: u32,
    /// Seconds until it makes sense to ask again.
    pub ask_again_in: u32,
    /// Whether the code was made just now.
    pub is_new: bool,
    /// Why a person is needed, where there was a sign-in or a code before.
    pub reason: Option<String>,
}

impl PendingFlow {
    /// A code that was just made.
    pub(super) fn new(
        code: DeviceCode,
        client_id: &str,
        authority: &str,
        scope: &str,
        claims: Option<&str>,
        now: Timestamp,
    ) -> Self {
        let now = now.as_second();
        Self {
            user_code: code.user_code,
            device_code: code.device_code,
            verification_uri: code.verification_uri,
            interval: code.interval.clamp(1, 60),
            expires_at: now + i64::from(code.expires_in.min(3600)),
            next_poll: now + i64::from(code.interval.clamp(1, 60)),
            client_id: client_id.to_owned(),
            authority: authority.to_owned(),
            scope: scope.to_owned(),
            claims: claims.map(str::to_owned),
        }
    }

    /// Whether it is for what is wanted now.
    pub(super) fn is_for(&self, client_id: &str, authority: &str, scope: &str) -> bool {
        self.client_id == client_id && self.authority == authority && self.scope == scope
    }

    /// Whether the code is worth nothing any more.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        now.as_second() >= self.expires_at
    }

    /// Seconds until it may be asked about.
    pub(super) fn until_poll(&self, now: Timestamp) -> u32 {
        let left = self.next_poll.saturating_sub(now.as_second());
        u32::try_from(left.clamp(0, 60)).unwrap_or(0)
    }

    /// Notes that it was asked about just now.
    pub(super) fn polled(&mut self, slow_down: bool, now: Timestamp) {
        if slow_down {
            self.interval = self.interval.saturating_add(SLOWER).min(60);
        }
        self.next_poll = now.as_second() + i64::from(self.interval);
    }

    /// What to show to a person.
    pub(super) fn prompt(
        &self,
        is_new: bool,
        reason: Option<String>,
        now: Timestamp,
    ) -> DevicePrompt {
        let left = self.expires_at.saturating_sub(now.as_second()).max(0);
        DevicePrompt {
            code: self.user_code.clone(),
            url: self.verification_uri.clone(),
            seconds_left: u32::try_from(left).unwrap_or(u32::MAX),
            ask_again_in: self.until_poll(now),
            is_new,
            reason,
        }
    }
}
