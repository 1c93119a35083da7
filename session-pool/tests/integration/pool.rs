//! The pool with its sessions, without HTTP.

mod failures;
mod reset;
mod restore;
mod results;

use crate::support::Suite;

pub fn trials(suite: &mut Suite) {
    reset::trials(suite);
    restore::trials(suite);
    failures::trials(suite);
    results::trials(suite);
}
