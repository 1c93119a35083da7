//! What a yes is good for.

use sha2::{Digest as _, Sha256};

use super::Purpose;

/// Everything about a call that must be the same when it is sent, as one hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Binding([u8; 32]);

impl Binding {
    /// Of a tool's call in all its parts, in order.
    pub(crate) fn of<'a>(tool: &'a str, parts: impl IntoIterator<Item = Option<&'a [u8]>>) -> Self {
        let mut hash = Sha256::new();
        for part in std::iter::once(Some(tool.as_bytes())).chain(parts) {
            // With its length, so that no part can reach into the next.
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            hash.update(length.to_le_bytes());
            hash.update(part.unwrap_or_default());
        }
        Self(hash.finalize().into())
    }

    /// In hexadecimal, for a file.
    pub(super) fn hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// With what the sealed text is for.
    pub(super) fn with(self, purpose: Purpose) -> Vec<u8> {
        let purpose: &[u8] = match purpose {
            Purpose::Code => b"mm confirmation code 1 ",
            Purpose::Form => b"mm confirmation form 1 ",
        };
        [purpose, &self.0].concat()
    }
}

impl std::fmt::Debug for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Binding")
    }
}
