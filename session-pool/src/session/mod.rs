//! Sessions: one task owns one session and its process.
pub mod telemetry;
