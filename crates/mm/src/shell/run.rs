//! `mm run`.

use std::io::Read;

use session_pool::domain::format::FormatName;
use session_pool::domain::wire::RunRequest;

use super::{Exit, Following, Output, interrupt, list, pool, wait};
use crate::cli::{Format, Run};
use crate::config::Overrides;
use crate::pool::Pool;
use crate::tools::{Failure, Outcome, Unread};

/// Runs a command and prints what it says as it comes.
pub(crate) async fn run(run: Run, overrides: &Overrides) -> Exit {
    let json = run.follow.json;
    if let Err(failure) = wait(run.follow.wait_seconds) {
        return Output::new(json).failure(&failure).await;
    }
    let pool = match pool(overrides) {
        Ok(pool) => pool,
        Err(failure) => return Output::new(json).failure(&failure).await,
    };
    let Some(command) = run.command else {
        if run.module.is_some() || run.connection.is_some() {
            let usage = "give CONNECTION, MODULE and COMMAND, or nothing".to_owned();
            return Output::new(json).failure(&Failure::Usage(usage)).await;
        }
        return list(connections(&pool).await, json).await;
    };
    let command = match command.as_str() {
        "-" => match read_command() {
            Ok(command) => command,
            Err(error) => {
                let usage = format!("cannot read the command from standard input: {error}");
                return Output::new(json).failure(&Failure::Usage(usage)).await;
            }
        },
        _ => command,
    };
    let request = RunRequest {
        connection: run.connection,
        module: run.module,
        site: run.site,
        command: Some(command),
        caller_id: Some("mm run".to_owned()),
        format: Some(match run.format {
            Format::Text => FormatName::Text,
            Format::Json => FormatName::Json,
        }),
        width: run.width,
        timeout_seconds: run.timeout_seconds,
        wait_seconds: Some(0),
        max_characters: Some(SMALLEST_PAGE),
        confirmation: run.confirmation.clone(),
        confirmed: run.confirmed.then_some(true),
        ..RunRequest::default()
    };
    let mut output = Output::new(json);
    // Heard from here on: a job that is being made has to be known before it can be cancelled.
    let interrupted = interrupt();
    let answer = match pool.run(&request).await {
        Ok(answer) => answer,
        Err(error) => return output.failure(&error.into()).await,
    };
    let job = answer.job;
    let following = Following::started(answer).follow(&pool, run.follow.wait_seconds, &mut output);
    tokio::select! {
        biased;
        () = interrupted.cancelled() => {}
        exit = following => return exit,
    }
    let message = match pool.cancel(job).await {
        Ok(answer) => format!("interrupted; job {job} is {}", answer.state),
        Err(error) => format!("interrupted, but job {job} may go on, see `mm job {job}`: {error}"),
    };
    output.interrupted(job, &message).await
}

/// The output comes as events; the first answer only has to name the job.
const SMALLEST_PAGE: u64 = 200;

async fn connections(pool: &Pool) -> Result<Outcome, Failure> {
    let lists = tokio::try_join!(pool.connections(), pool.status());
    let (connections, status) = lists.map_err(Unread::list)?;
    Ok(Outcome::Connections(connections, status))
}

fn read_command() -> std::io::Result<String> {
    let mut command = String::new();
    std::io::stdin().read_to_string(&mut command)?;
    Ok(command)
}
