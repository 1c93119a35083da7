//! The numbers that the pool promises, each as a ratio against a baseline of the same run.
//!
//! `cargo bench -p session-pool --bench pool [-- --short|--long] [NAME…]` starts the real binary
//! with the demo's registry and modules, measures, prints one table, and ends with 1 where a
//! promise is broken. Machines are noisy: medians count, and a number that fails is measured up to
//! three times. `docs/performance.md` has the table of a full run.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench is a program whose output is its purpose"
)]

mod cancel;
mod client;
mod crowd;
mod facts;
mod lines;
mod memory;
mod pwsh;
mod restart;
mod round_trip;
mod router;
mod scale;
mod server;
mod start;
mod table;
mod world;

use std::error::Error;
use std::process::ExitCode;

use scale::Scale;
use table::{Row, Table};
use world::World;

type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How often a number that fails is measured again, all in all.
const ATTEMPTS: usize = 3;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` only has to see that this compiles.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let scale = Scale::from_arguments(arguments.into_iter());
    match run(&scale).await {
        Ok(table) => {
            println!("{table}");
            if table.all_hold() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("the bench could not measure: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(scale: &Scale) -> Fallible<Table> {
    let world = World::create()?;
    let mut table = Table::default();
    measure!(table, scale, "start", start::ready_after_start(&world));
    measure!(
        table,
        scale,
        "memory",
        memory::alone_and_under_output(&world, scale)
    );
    measure!(
        table,
        scale,
        "round-trip",
        round_trip::of_one_plus_one(&world, scale)
    );
    measure!(
        table,
        scale,
        "facts",
        facts::about_the_corpus(&world, scale)
    );
    measure!(table, scale, "lines", lines::of_one_command(&world));
    measure!(table, scale, "cancel", cancel::to_free_session(&world));
    measure!(
        table,
        scale,
        "crowd",
        crowd::on_eight_sessions(&world, scale)
    );
    measure!(
        table,
        scale,
        "router",
        router::in_front_of_two_pools(&world, scale)
    );
    measure!(
        table,
        scale,
        "restart",
        restart::with_sign_ins_to_restore(&world, scale)
    );
    Ok(table)
}

/// Measures, and again where the result does not hold.
macro_rules! measure {
    ($table:expr, $scale:expr, $name:literal, $measurement:expr) => {
        if $scale.wants($name) {
            let mut rows: Vec<Row> = Vec::new();
            for attempt in 1..=ATTEMPTS {
                eprintln!("measuring {} ({attempt})", $name);
                rows = $measurement.await?;
                if rows.iter().all(Row::holds) {
                    break;
                }
            }
            $table.extend(rows);
        }
    };
}
use measure;
