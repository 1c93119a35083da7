//! What the product is about, as values and rules: no tokio, no I/O, no clock of its own.

pub mod aadsts;
pub mod ansi;
pub mod audit;
pub mod caller_state;
pub mod cause;
pub mod compose;
pub mod connect;
pub mod dead_sign_in;
pub mod doctor;
pub mod exposition;
pub mod format;
pub mod graph;
pub mod job;
pub mod life;
pub mod module;
pub mod nearest;
pub mod paging;
pub mod policy;
pub mod prompt;
pub mod record;
pub mod registry;
pub mod session_key;
pub mod site;
pub mod state;
pub mod trace;
pub mod wire;
