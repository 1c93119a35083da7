//! The task that owns the checker's process: it asks it one text after the other, and starts a
//! fresh one where it is gone.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::domain::policy::Facts;
use crate::host::checker::{CheckError, Checker};
use crate::host::{Reaper, SpawnSpec};

/// How long the checker has for one text.
const ANSWER: Duration = Duration::from_secs(5);

/// Texts that may wait for the checker.
pub(super) const WAITING: usize = 64;

/// A text of which facts are wanted.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) text: String,
    pub(super) answer: oneshot::Sender<Result<Facts, CheckError>>,
}

/// Answers questions until nobody can ask any more; then ends the process.
pub(super) async fn run(spec: SpawnSpec, reaper: Reaper, mut questions: mpsc::Receiver<Question>) {
    // The first question shall not wait for the start.
    let mut checker = start(&spec, &reaper).await.ok();
    loop {
        let question = tokio::select! {
            question = questions.recv() => question,
            () = gone(&mut checker) => {
                tracing::warn!("the process that checks commands ended; a fresh one takes its place");
                end(checker.take()).await;
                checker = start(&spec, &reaper).await.ok();
                continue;
            }
        };
        let Some(Question { text, answer }) = question else {
            break;
        };
        if answer.is_closed() {
            continue;
        }
        let facts = match &mut checker {
            Some(checker) => checker.facts(&text, ANSWER).await,
            None => match start(&spec, &reaper).await {
                Ok(started) => checker.insert(started).facts(&text, ANSWER).await,
                Err(error) => Err(error),
            },
        };
        let usable = facts
            .as_ref()
            .map_or_else(CheckError::leaves_it_usable, |_| true);
        if let Err(error) = &facts {
            tracing::warn!(%error, "no facts about a command: it is refused");
        }
        // Who asked may have hung up.
        let _ = answer.send(facts);
        if !usable {
            end(checker.take()).await;
            checker = start(&spec, &reaper).await.ok();
        }
    }
    end(checker).await;
}

async fn start(spec: &SpawnSpec, reaper: &Reaper) -> Result<Checker, CheckError> {
    match Checker::start(spec, reaper).await {
        Ok(checker) => {
            tracing::info!(
                pid = checker.pid(),
                "the process that checks commands started"
            );
            Ok(checker)
        }
        Err(error) => {
            tracing::error!(%error, "the process that checks commands did not start");
            Err(error.into())
        }
    }
}

async fn gone(checker: &mut Option<Checker>) {
    match checker {
        Some(checker) => checker.ended().await,
        None => std::future::pending().await,
    }
}

async fn end(checker: Option<Checker>) {
    if let Some(checker) = checker {
        checker.kill().await;
    }
}
