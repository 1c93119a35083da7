//! What the first process of a container owes the others: orphans become its children, and stay
//! zombies until it looks at them; and a signal that it does not handle is none.

use std::time::Duration;

use pid1::Pid1Settings;

use crate::host::privileges;

/// A second way to end the program is not wanted here: it keeps its own time, and Docker has a grace
/// period.
const FOREVER: Duration = Duration::from_hours(24);

/// Starts the program again as a child where this process is the first one, and then never returns:
/// it passes signals on, reaps, and ends with the child's exit code. Elsewhere it does nothing.
///
/// # Errors
/// Where the child cannot be started.
pub fn leave_first_place() -> Result<(), pid1::Error> {
    if std::process::id() == 1 {
        // This process has the same environment as the pool. If the system refuses, the pool, which
        // asks for the same, says so.
        let _refused = privileges::make_non_dumpable();
    }
    let mut settings = Pid1Settings::new();
    settings.timeout(FOREVER);
    settings.launch()
}
