//! What people see who wait at a shell: lines on standard output, and on standard error how long there
//! is still time.

use std::io::{self, IsTerminal as _, Write as _};

/// Looks between two lines of the countdown where standard error is no terminal.
const LINE_EVERY: u32 = 60;

/// Prints a line. A closed standard output is the caller's choice.
pub(super) fn say(line: &str) {
    let mut error = io::stderr().lock();
    if error.is_terminal() {
        // The countdown stands there, mostly on the same terminal.
        let _ = write!(error, "\r\x1b[K");
        let _ = error.flush();
    }
    let _ = writeln!(io::stdout(), "{line}");
}

/// Shows how long there is still time: on a terminal in one line that changes.
#[derive(Debug, Default)]
pub(super) struct Countdown {
    looks: u32,
}

impl Countdown {
    /// Shows it as it is now.
    pub(super) fn show(&mut self, line: &str) {
        let mut error = io::stderr().lock();
        if error.is_terminal() {
            let _ = write!(error, "\r\x1b[K{line}");
            let _ = error.flush();
        } else if self.looks.is_multiple_of(LINE_EVERY) {
            let _ = writeln!(error, "{line}");
        }
        self.looks += 1;
    }
}
