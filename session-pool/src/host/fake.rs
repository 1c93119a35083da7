//! A stand-in for PowerShell.

/// The hidden word of the command line that runs it.
pub const COMMAND: &str = "__fake-host";
/// The environment variable that names the scenario file.
pub const SCENARIO: &str = "SESSION_POOL_FAKE_SCENARIO";
