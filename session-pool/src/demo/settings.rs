//! `settings.json`: how the demo tenants behave. The modules read it at every connect and command,
//! so that a change acts at once.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::entra::{EntraError, write_atomically};
use crate::domain::module::Module;

/// What happens to the next sign-in of a module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "behaviour", rename_all = "snake_case")]
pub enum SignIn {
    /// A prompt, then a person.
    #[default]
    Normal,
    /// Signed in without a prompt, as from a cache.
    Instant,
    /// A prompt, and signed in before anyone can read it.
    Immediate,
    /// A prompt whose code expires within a second.
    Expire,
    /// A prompt that is refused.
    Decline,
    /// The person signs in with another account of the tenant.
    OtherAccount,
    /// The person signs in to the other tenant.
    OtherTenant,
    /// pnp only: the sign-in works, and every command then waits for a second code that nobody
    /// prints.
    Silent,
    /// A prompt that ends with an Entra error.
    Aadsts {
        /// The number after `AADSTS`.
        code: u32,
    },
}

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// How long a device code lives, in seconds.
    pub code_lifetime_seconds: f64,
    /// How long a sign-in lives, in seconds; 0 is for ever.
    pub token_lifetime_seconds: f64,
    /// How long a slow cmdlet takes, in seconds.
    pub slow_seconds: f64,
    /// What sign-ins do, by module; a module that is not named is [`SignIn::Normal`].
    pub sign_in: BTreeMap<Module, SignIn>,
    /// Which tenant (id, domain or name) a session's home belongs to, where its last part does
    /// not say so.
    pub homes: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            code_lifetime_seconds: 900.0,
            token_lifetime_seconds: 0.0,
            slow_seconds: 10.0,
            sign_in: BTreeMap::new(),
            homes: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Writes the settings into the demo directory, replacing what was there in one step.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn save(&self, directory: &Path) -> Result<(), EntraError> {
        let path = directory.join("settings.json");
        let text = serde_json::to_vec_pretty(self).map_err(|source| EntraError::Json {
            path: path.clone(),
            source,
        })?;
        write_atomically(&path, &text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn the_file_is_what_the_modules_read() {
        let mut settings = Settings::default();
        settings
            .sign_in
            .insert(Module::Exo, SignIn::Aadsts { code: 53003 });
        settings.sign_in.insert(Module::Pnp, SignIn::OtherTenant);
        let json = serde_json::to_value(&settings).unwrap();
        assert_eq!(
            json["sign_in"],
            serde_json::json!({
                "exo": {"behaviour": "aadsts", "code": 53003},
                "pnp": {"behaviour": "other_tenant"},
            })
        );
        assert_eq!(serde_json::from_value::<Settings>(json).unwrap(), settings);
    }
}
