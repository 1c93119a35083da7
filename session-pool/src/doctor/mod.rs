//! Looking for what is wrong before somebody runs into it: `session-pool doctor`, `mm doctor`.

#[cfg(feature = "server")]
mod command;
mod files;
mod hosts;
#[cfg(feature = "server")]
mod pwsh;

#[cfg(feature = "server")]
pub use command::{DoctorError, Unwell, run};
pub use files::{private_directory, private_file, secrets};
pub use hosts::reach;
