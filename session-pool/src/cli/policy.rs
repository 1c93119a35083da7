//! What the command line says about policies.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};

use super::{PoolOptions, SessionOptions};
use crate::domain::module::Module;
use crate::domain::policy::SendGuards;

/// Which policy holds.
#[derive(Args, Debug)]
#[command(next_help_heading = "Policy")]
pub struct PolicyOptions {
    /// Policy file, on top of the default policy; where there is none, that holds alone
    #[arg(
        long,
        value_name = "FILE",
        env = "SESSION_POOL_POLICY",
        default_value = "~/.m365-policy/policy.toml"
    )]
    pub policy: PathBuf,
    /// Whether messages are shown before they are sent: true, false (they are sent), or legacy
    /// (`confirmed: true` is a yes)
    #[arg(
        long,
        value_name = "true|false|legacy",
        env = "MM_SEND_GUARDS",
        default_value = "true",
        value_parser = SendGuards::from_str
    )]
    pub send_guards: SendGuards,
    /// Write the text of every command into the audit, not only its SHA-256: it may hold passwords
    #[arg(long, env = "SESSION_POOL_AUDIT_COMMANDS", value_parser = BoolishValueParser::new())]
    pub audit_commands: bool,
}

/// The settings of `confirm`.
#[derive(Args, Debug)]
pub struct ConfirmOptions {
    /// The id of what waits for a yes
    pub id: String,
    /// Do not ask: the preview has been read elsewhere
    #[arg(long)]
    pub yes: bool,
    /// The pool.
    #[command(flatten)]
    pub pool: PoolOptions,
}

/// What can be done with a policy.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Print the default policy, and behind it the policy file
    Show(PolicyPlace),
    /// Explain what the policy says to a command; it is not run
    Check(Box<CheckOptions>),
    /// Run the [[test]] entries of the policy file
    Test(Box<TestOptions>),
}

/// Where the policy is.
#[derive(Args, Debug)]
pub struct PolicyPlace {
    /// Policy file
    #[arg(
        long,
        value_name = "FILE",
        env = "SESSION_POOL_POLICY",
        default_value = "~/.m365-policy/policy.toml"
    )]
    pub policy: PathBuf,
}

/// The settings of `policy check`.
#[derive(Args, Debug)]
pub struct CheckOptions {
    /// The PowerShell to explain
    pub command: String,
    /// The module: exo, pnp, azure or teams
    #[arg(long, value_parser = Module::from_str)]
    pub module: Module,
    /// The connection, where the policy file says something about it
    #[arg(long, value_name = "NAME", default_value = "")]
    pub connection: String,
    /// Where the policy is.
    #[command(flatten)]
    pub place: PolicyPlace,
    /// PowerShell, which parses the command.
    #[command(flatten)]
    pub sessions: SessionOptions,
}

/// The settings of `policy test`.
#[derive(Args, Debug)]
pub struct TestOptions {
    /// Where the policy is.
    #[command(flatten)]
    pub place: PolicyPlace,
    /// PowerShell, which parses the commands.
    #[command(flatten)]
    pub sessions: SessionOptions,
}
