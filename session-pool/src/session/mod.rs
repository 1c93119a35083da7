//! Sessions: one task owns one session and its process.
pub mod registry_watch;
pub mod telemetry;
