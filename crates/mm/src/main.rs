//! `mm`: Microsoft 365 in an assistant's hands, over MCP; and from a shell.

mod activity_log;
mod asking;
mod cli;
mod client_config;
mod config;
mod consent;
mod graph;
mod incoming;
mod pool;
mod progress;
mod serve;
mod server;
mod shell;
mod stdio;
mod tasks;
mod text;
mod token;
mod tools;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Word};
use crate::shell::Exit;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return shell::not_understood(&error),
    };
    let overrides = cli.overrides();
    match cli.word {
        Some(Word::Config { client }) => client_config::print(client, &overrides).into(),
        word => {
            // One thread: a call waits for the pool nearly all of its time.
            let runtime = match tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
            {
                Ok(runtime) => runtime,
                Err(error) => {
                    return shell::complain(&format!("cannot start: {error}"), Exit::Failed);
                }
            };
            let exit = match word {
                Some(Word::Run(run)) => runtime.block_on(shell::run::run(run, &overrides)),
                Some(Word::Graph(call)) => {
                    runtime.block_on(shell::graph::graph(*call, overrides.files_dir.clone()))
                }
                Some(Word::Confirm(confirm)) => {
                    runtime.block_on(shell::confirm::confirm(confirm, &overrides))
                }
                Some(Word::SignIn(who)) => {
                    runtime.block_on(shell::sign_in::sign_in(who, &overrides))
                }
                Some(Word::SignOut(who)) => {
                    runtime.block_on(shell::sign_in::sign_out(who, &overrides))
                }
                Some(Word::Doctor { json }) => {
                    runtime.block_on(shell::doctor::doctor(json, &overrides))
                }
                Some(Word::Job(job)) => runtime.block_on(shell::job::job(job, &overrides)),
                _ => runtime.block_on(serve::serve(&overrides)),
            };
            // A read of standard input that is a terminal or a socket cannot be given up.
            runtime.shutdown_background();
            stdio::Stderr::finish();
            exit.into()
        }
    }
}
