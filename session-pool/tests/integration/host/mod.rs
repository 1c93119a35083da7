//! The host against a real PowerShell, and against a stand-in for faults a real one cannot show.

mod cancel;
mod faults;
mod forged;
mod output;
mod scripts;
mod start;
mod state;

use session_pool::host::Host;

use crate::support::{Suite, group_is_gone};

pub fn trials(suite: &mut Suite) {
    scripts::trials(suite);
    output::trials(suite);
    state::trials(suite);
    cancel::trials(suite);
    faults::trials(suite);
    forged::trials(suite);
    start::trials(suite);
}

/// Ends a host in good order, and sees that nothing is left of it.
async fn done(host: Host) {
    let group = host.pid();
    host.shut_down().await;
    assert!(group_is_gone(group));
}
