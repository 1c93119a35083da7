//! The router as a process, over pools in this one.

mod answers;
mod docker;
mod faults;
mod routes;
mod streams;
mod world;

use crate::support::Suite;

pub fn trials(suite: &mut Suite) {
    answers::trials(suite);
    routes::trials(suite);
    streams::trials(suite);
    faults::trials(suite);
    docker::trials(suite);
}
