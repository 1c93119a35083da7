//! Audit files: who appends to them, and who reads them.

mod file;
mod reader;

pub use file::{AuditError, AuditFile};
pub use reader::{AuditReader, Found};
