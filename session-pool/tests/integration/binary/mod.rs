//! The program as its users run it: a process with settings, signals and restarts.

mod compose;
mod demo;
mod doctor;
mod healthcheck;
mod install;
mod losses;
mod policy;
mod restart;
mod serving;
mod settings;
mod tenants;
mod tls;

use crate::support::Suite;

pub fn trials(suite: &mut Suite) {
    settings::trials(suite);
    compose::trials(suite);
    demo::trials(suite);
    doctor::trials(suite);
    healthcheck::trials(suite);
    install::trials(suite);
    losses::trials(suite);
    policy::trials(suite);
    restart::trials(suite);
    serving::trials(suite);
    tenants::trials(suite);
    tls::trials(suite);
}
