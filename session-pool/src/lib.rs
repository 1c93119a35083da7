//! Long-lived PowerShell sessions for Microsoft 365, behind HTTP.
//!
//! Four layers that only look down: [`http`] and the other entry points, [`session`], [`host`],
//! [`domain`]. `docs/architecture.md` shows them on one page. Without the feature `server` only
//! [`domain`] is compiled: that is what `mm` links.

#[cfg(any(feature = "server", feature = "sign-in"))]
pub mod audit;
#[cfg(feature = "server")]
pub mod audit_command;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
pub mod compose_command;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod confirm_command;
#[cfg(any(feature = "server", feature = "sign-in"))]
pub mod credential;
#[cfg(feature = "server")]
pub mod demo;
#[cfg(all(unix, any(feature = "server", feature = "sign-in")))]
mod directories;
#[cfg(any(feature = "server", feature = "sign-in"))]
pub mod doctor;
pub mod domain;
#[cfg(feature = "server")]
pub mod healthcheck;
#[cfg(feature = "server")]
pub mod host;
#[cfg(feature = "server")]
pub mod http;
#[cfg(feature = "server")]
pub mod init;
#[cfg(feature = "server")]
pub mod install_pwsh;
#[cfg(feature = "server")]
pub mod isolation;
#[cfg(feature = "server")]
pub mod logging;
#[cfg(all(unix, any(feature = "server", feature = "sign-in")))]
mod own_file;
#[cfg(feature = "server")]
pub mod policy_command;
#[cfg(feature = "server")]
pub mod pool_client;
#[cfg(feature = "server")]
mod port_owner;
#[cfg(feature = "server")]
pub mod powershell;
#[cfg(feature = "server")]
pub mod router;
#[cfg(feature = "server")]
pub mod serve;
#[cfg(feature = "server")]
pub mod session;
#[cfg(feature = "sign-in")]
pub mod sign_in;
#[cfg(feature = "server")]
pub mod sign_in_command;
#[cfg(feature = "server")]
pub mod tls;
pub mod token_file;
