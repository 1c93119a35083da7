//! The pool with its sessions, without HTTP.

mod failures;
mod reset;

use crate::support::Suite;

pub fn trials(suite: &mut Suite) {
    reset::trials(suite);
    failures::trials(suite);
}
