//! What keeps the pool's own memory and environment from what runs in its sessions.

use std::io;

use rustix::process::{DumpableBehavior, geteuid, set_dumpable_behavior};
use rustix::thread::{
    CapabilitySet, capabilities, capability_is_in_bounding_set,
    remove_capability_from_bounding_set, set_capabilities,
};

/// Closes this process's memory and environment to other processes of its user.
///
/// # Errors
/// What the system says.
pub fn make_non_dumpable() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// What opens other processes' memory to root: to debuggers, since Linux 6.14 also to performance
/// monitors, and to administrators in the place of either. Each has to go alone.
const OPENING: [CapabilitySet; 3] = [
    CapabilitySet::SYS_PTRACE,
    CapabilitySet::PERFMON,
    CapabilitySet::SYS_ADMIN,
];

/// Keeps what would open this process from all programs that this thread, and the threads it starts
/// from now on, will run. To be called before there are others; what this process itself may do
/// stays as it is.
///
/// # Errors
/// What the system says; a process that is not root's has nothing to give away, and no error.
pub fn close_to_children() -> io::Result<()> {
    let mut sets = capabilities(None)?;
    for capability in OPENING {
        sets.inheritable.remove(capability);
    }
    set_capabilities(None, sets)?;
    for capability in OPENING {
        // A program that root starts gets whatever is in the bounding set. One that this kernel
        // does not know is not in it.
        if !capability_is_in_bounding_set(capability).unwrap_or(false) {
            continue;
        }
        match remove_capability_from_bounding_set(capability) {
            Err(_) if !geteuid().is_root() && !sets.permitted.contains(capability) => {}
            removed => removed?,
        }
    }
    Ok(())
}
