//! What the product is about, as values and rules: no tokio, no I/O, no clock of its own.

pub mod module;
pub mod record;
