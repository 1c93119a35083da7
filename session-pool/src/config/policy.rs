//! Which policy holds.

use std::path::{Path, PathBuf};

use super::{ConfigError, at_home};
use crate::cli::PolicyOptions;
use crate::domain::policy::SendGuards;

/// Which policy holds.
#[derive(Clone, Debug)]
pub struct PolicyConfig {
    /// The file that adds to the default policy.
    pub file: PathBuf,
    /// Whether messages are shown before they are sent.
    pub sends: SendGuards,
    /// Whether the audit holds the commands' texts.
    pub audit_commands: bool,
}

impl PolicyConfig {
    /// Checks this group; `~/` stands for the home directory.
    ///
    /// # Errors
    /// [`ConfigError::NoHome`] where the home directory is needed and not known.
    pub fn new(options: PolicyOptions, home: Option<&Path>) -> Result<Self, ConfigError> {
        Ok(Self {
            file: Self::place(options.policy, home)?,
            sends: options.send_guards,
            audit_commands: options.audit_commands,
        })
    }

    /// Where the policy file is; `~/` stands for the home directory.
    ///
    /// # Errors
    /// [`ConfigError::NoHome`] where the home directory is needed and not known.
    pub fn place(file: PathBuf, home: Option<&Path>) -> Result<PathBuf, ConfigError> {
        at_home(file, home, "SESSION_POOL_POLICY")
    }
}
