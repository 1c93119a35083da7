//! The audit: one line for every command and every Graph call, and what is read from such lines.
//!
//! The pool writes `audit-SCOPE.jsonl`, `mm` writes `audit-graph.jsonl`, both in this form.

mod entry;
mod filter;
mod gaps;

pub use entry::{AuditEntry, AuditLine, Confirmation, ConfirmedHow};
pub use filter::AuditFilter;
pub use gaps::{Gap, Gaps};

/// What the file of Graph calls is called after: `audit-graph.jsonl`.
pub const GRAPH_SCOPE: &str = "graph";

/// Name of the file of a scope: `unified`, a connection's safe name, or [`GRAPH_SCOPE`].
pub fn file_name(scope: &str) -> String {
    format!("audit-{scope}.jsonl")
}
