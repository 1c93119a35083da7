//! Who has the port that the pool wants.

use std::io;

/// Half a sentence that names the process which listens on the port, or nothing where the port is
/// not the trouble or the process belongs to somebody else.
pub(crate) fn describe(error: &io::Error, port: u16) -> String {
    if error.kind() != io::ErrorKind::AddrInUse {
        return String::new();
    }
    listeners::get_process_by_port(port, listeners::Protocol::TCP).map_or_else(
        |_| " (by a process of another user)".to_owned(),
        |process| format!(" (by {}, process {})", process.name, process.pid),
    )
}
