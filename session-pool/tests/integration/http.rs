//! The HTTP API, in process.

mod access;
pub mod api;
mod jobs;
mod refusals;

use crate::support::Suite;

pub fn trials(suite: &mut Suite) {
    access::trials(suite);
    refusals::trials(suite);
    jobs::trials(suite);
}
