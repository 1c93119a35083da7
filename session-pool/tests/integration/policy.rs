//! The policy against a real checker: what a command's text says is what is decided on.

mod audit;
mod barrier;
mod caller_state;
mod checker;
mod checking;
mod corpus;
mod rewriting;
mod run;

use std::time::Duration;

use session_pool::domain::module::Module;
use session_pool::domain::policy::{Policy, Verdict};
use session_pool::host::checker::Checker;

use crate::support::{Context, Suite};

/// More than a loaded machine needs for one text.
const WITHIN: Duration = Duration::from_secs(20);

pub fn trials(suite: &mut Suite) {
    audit::trials(suite);
    barrier::trials(suite);
    caller_state::trials(suite);
    checker::trials(suite);
    checking::trials(suite);
    corpus::trials(suite);
    run::trials(suite);
}

/// A checker and a policy on top of the default one.
struct Judge {
    checker: Checker,
    policy: Policy,
}

impl Judge {
    async fn new(cx: &Context, own: &str) -> Self {
        Self {
            checker: Checker::start(&cx.spec(), &cx.reaper).await.unwrap(),
            policy: Policy::new(own).unwrap(),
        }
    }

    async fn decide(&mut self, command: &str) -> Verdict {
        let facts = self.checker.facts(command, WITHIN).await;
        let facts = facts.unwrap_or_else(|error| panic!("{command}: {error}"));
        self.policy.decide("contoso", Module::Exo, &facts)
    }

    async fn end(self) {
        self.checker.kill().await;
    }
}
