//! Sign-ins of the pool, with the demo's modules in a real PowerShell.

mod ahead;
mod dead;
mod first;
mod life;
mod partner;
mod stage;
mod what_if;

use crate::support::Suite;

/// Adds the named functions of this module to a suite, once for each PowerShell module.
macro_rules! for_each_module {
    ($suite:expr, [$($test:ident),* $(,)?]) => {
        for module in session_pool::domain::module::Module::ALL {
            $($suite.add(
                &format!(
                    "{}::{}::{module}",
                    module_path!().trim_start_matches("integration::"),
                    stringify!($test)
                ),
                $crate::support::Needs::Pwsh,
                async move |cx: &$crate::support::Context| $test(cx, module).await,
            );)*
        }
    };
}
use for_each_module;

pub fn trials(suite: &mut Suite) {
    ahead::trials(suite);
    dead::trials(suite);
    first::trials(suite);
    life::trials(suite);
    partner::trials(suite);
    what_if::trials(suite);
}
