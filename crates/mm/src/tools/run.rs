//! The tool `run`: a PowerShell command on a connection, or the list of connections.

use std::time::Duration;

use session_pool::domain::format::FormatName;
use session_pool::domain::wire::{AnswerStatus, JobAnswer, RunRequest};
use tokio::time::Instant;

use super::asked::AskedBefore;
use super::{
    ArgumentError, Arguments, Caller, DEFAULT_WAIT, Doing, Failure, LONGEST_WAIT, Outcome, Unread,
    Wait,
};
use crate::pool::Pool;

/// The arguments, in the order in which they are explained.
pub(crate) const ARGUMENTS: [&str; 9] = [
    "connection",
    "module",
    "site",
    "command",
    "confirmation",
    "confirmed",
    "format",
    "wait_seconds",
    "timeout_seconds",
];

/// The longest time in seconds that a command may take; the pool's own limit.
const LONGEST_TIMEOUT: u32 = 3600;

/// What `run` was called with.
#[derive(Debug)]
pub(crate) enum Run {
    /// Nothing: which connections are there?
    Connections,
    /// A command.
    Command(Box<Command>),
}

/// A command, and how long the call waits for it.
#[derive(Debug)]
pub(crate) struct Command {
    request: RunRequest,
    /// Seconds.
    wait: u32,
}

impl Run {
    /// Reads the arguments.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub(crate) fn parse(mut arguments: Arguments) -> Result<Self, ArgumentError> {
        if arguments.is_empty() {
            return Ok(Self::Connections);
        }
        let request = RunRequest {
            connection: arguments.text("connection")?,
            module: arguments.text("module")?,
            site: arguments.text("site")?,
            command: arguments.text("command")?,
            confirmation: arguments.text("confirmation")?,
            confirmed: arguments.flag("confirmed")?,
            format: arguments
                .text("format")?
                .map(|name| format(&name))
                .transpose()?,
            timeout_seconds: arguments.number_in("timeout_seconds", 1..=LONGEST_TIMEOUT)?,
            ..RunRequest::default()
        };
        let wait_seconds = wait_seconds(&mut arguments)?;
        arguments.finish(&ARGUMENTS)?;
        if request.command.is_none() {
            return Err(ArgumentError::Missing {
                names: vec!["command"],
                hint: "give connection, module and command to run PowerShell, or no arguments at all to list the connections",
            });
        }
        Ok(Self::Command(Box::new(Command {
            request,
            wait: wait_seconds.unwrap_or(DEFAULT_WAIT),
        })))
    }

    /// Does it.
    ///
    /// # Errors
    /// When the pool refuses or cannot be asked.
    pub(crate) async fn call(self, pool: &Pool, mut caller: Caller) -> Result<Outcome, Failure> {
        match self {
            Self::Connections => {
                let lists = tokio::try_join!(pool.connections(), pool.status());
                let (connections, status) = lists.map_err(Unread::list)?;
                Ok(Outcome::Connections(connections, status))
            }
            Self::Command(mut command) => {
                let asked = AskedBefore::of(&command, &caller);
                // The id first, the answer later: a call that is cancelled must know what to cancel.
                command.request.wait_seconds = Some(0);
                command.request.caller_id = caller.name.take();
                asked.run(pool, &command, &mut caller).await
            }
        }
    }
}

impl Command {
    /// What the pool is asked.
    pub(super) const fn request(&self) -> &RunRequest {
        &self.request
    }

    /// Sends it, and waits for its end as long as the call may; what a person took to say yes before
    /// does not count.
    pub(super) async fn send(
        &self,
        pool: &Pool,
        caller: &mut Caller,
    ) -> Result<JobAnswer, Failure> {
        let until = Instant::now() + Duration::from_secs(self.wait.into());
        let first = pool.run(&self.request).await?;
        if first.status != AnswerStatus::Running {
            return Ok(first);
        }
        let id = first.job;
        let answer = if self.wait == 0 {
            Ok(first.clone())
        } else {
            let mut wait = Wait::of(id, until);
            wait.is_known = true;
            tokio::select! {
                biased;
                () = caller.cancelled.cancelled() => Ok(first.clone()),
                answer = wait.for_job(pool, &mut caller.reporter) => answer,
            }
        };
        // Nobody hears the answer of a call that was cancelled, however early: the job must not go
        // on without anyone who knows of it.
        let answer = if caller.cancelled.is_cancelled() {
            pool.cancel(id).await
        } else {
            answer
        };
        answer.map_err(|error| Unread::failure(Doing::Started(Box::new(first)), error))
    }
}

/// Reads `wait_seconds`.
pub(super) fn wait_seconds(arguments: &mut Arguments) -> Result<Option<u32>, ArgumentError> {
    arguments.number_in("wait_seconds", 0..=LONGEST_WAIT)
}

fn format(name: &str) -> Result<FormatName, ArgumentError> {
    match name {
        "text" => Ok(FormatName::Text),
        "json" => Ok(FormatName::Json),
        _ => Err(ArgumentError::Type {
            name: "format",
            expected: "\"text\" or \"json\"",
            given: format!("{:?}", name.chars().take(50).collect::<String>()),
        }),
    }
}
