//! What may run: facts of a command, rules, and the decision on it.
//!
//! [`Facts`] are what the checker process reads off a command's syntax tree; [`Policy`] decides on
//! them and on nothing else. The default policy is `default.toml` beside this file; `file` reads it
//! and what the policy file of the machine adds.

mod decision;
mod engine;
mod facts;
mod file;
mod graph;
mod pattern;
pub mod preview;
mod rule;
mod send_guards;
mod sending;
#[cfg(test)]
mod tests;
mod wire;

pub use decision::{ConfirmBy, Decision, RuleHit, Verdict};
pub use engine::Policy;
pub use facts::{
    ANYTHING, Argument, Command, CommandKind, Definition, Facts, Parameter, Place, Use, UseKind,
    Via, WhatIf,
};
pub use file::{PolicyError, PolicyTest};
pub use graph::GraphRules;
pub use pattern::Pattern;
pub use send_guards::{SendGuards, UnknownSendGuards};
pub use wire::{CheckAnswer, CheckRequest, ConfirmRequest, ConfirmationRequest, Confirmed};

/// The policy that holds where no file says otherwise, as `session-pool policy show` prints it.
pub const DEFAULT: &str = include_str!("default.toml");
