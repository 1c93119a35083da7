//! The demo: two made-up tenants, PowerShell modules that serve them, and a stand-in for Entra.
//!
//! Everything lies in one directory, which the modules find by [`DIRECTORY_VARIABLE`]:
//!
//! | path | written by | what |
//! |---|---|---|
//! | `modules/` | [`modules::unpack`] | goes first in a session's PSModulePath |
//! | `settings.json` | [`settings::Settings::save`] | how sign-ins and slow cmdlets behave |
//! | `pending/CODE.json` | a connect cmdlet | a device code that waits for a person |
//! | `signed-in/CODE.json`, `declined/CODE` | [`entra::DemoEntra`] | the person's answer |
//! | `revoked/MODULE[-TENANT].json` | [`entra::DemoEntra`] | ends the sign-ins made before it |

mod banner;
pub mod cloud;
pub mod command;
pub mod entra;
pub mod modules;
mod person;
mod printer;
mod recordings;
pub mod registry;
mod routes;
pub mod settings;

/// The environment variable that tells the demo modules where the demo directory is. Without it
/// they use `~/.m365-demo`.
pub const DIRECTORY_VARIABLE: &str = "SESSION_POOL_DEMO_DIR";
