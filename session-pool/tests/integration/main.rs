//! Tests that start real processes.
//!
//! `cargo test` passes without any PowerShell: what needs one shows as ignored, and a line at the
//! end says how to get it. With `SESSION_POOL_TESTS=all` a missing part is a failure.
//!
//! A module offers `trials(suite)`; each test is an `async fn(&Context)`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    unreachable_pub
)]

mod binary;
mod demo_modules;
mod demo_world;
mod host;
mod http;
mod policy;
mod pool;
mod router;
mod sign_in;
mod support;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    if let Some(directory) = std::env::var_os("SESSION_POOL_TEST_VICTIM") {
        support::victim(Path::new(&directory));
    }
    let mut suite = support::Suite::new();
    host::trials(&mut suite);
    pool::trials(&mut suite);
    http::trials(&mut suite);
    policy::trials(&mut suite);
    binary::trials(&mut suite);
    router::trials(&mut suite);
    demo_modules::trials(&mut suite);
    demo_world::trials(&mut suite);
    sign_in::trials(&mut suite);
    suite.run(&Arguments::from_args())
}
