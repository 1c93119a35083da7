//! The official Python client (PyPI `mcp`), and its types as the specification's schema.

use std::process::Command;
use std::sync::{LazyLock, Mutex};

use serde_json::Value;

use crate::Case;

pub const CASES: &[Case] = &[];

/// Answers that were seen, for the schema.
static SEEN: Mutex<Vec<Value>> = Mutex::new(Vec::new());

/// Remembers an answer.
pub fn remember(method: &str, version: &str, answer: &Value) {
    if !answer["result"].is_null() {
        let line =
            serde_json::json!({"method": method, "version": version, "result": answer["result"]});
        SEEN.lock().unwrap().push(line);
    }
}

/// The interpreter.
pub fn interpreter() -> String {
    std::env::var("MM_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// Whether there is a Python with the client.
pub fn is_there() -> bool {
    static THERE: LazyLock<bool> = LazyLock::new(|| {
        Command::new(interpreter())
            .args(["-c", "import mcp.client, mcp_types.methods"])
            .output()
            .is_ok_and(|output| output.status.success())
    });
    *THERE
}
