//! The task that owns the checker's process: it asks it one text after the other, and starts a
//! fresh one where it is gone.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::domain::policy::Facts;
use crate::host::checker::{CheckError, Checker};
use crate::host::{HostError, Reaper, SpawnSpec};

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

/// How the process is started, and until when.
#[derive(Debug)]
pub(super) struct Checking {
    pub(super) spec: SpawnSpec,
    pub(super) reaper: Reaper,
    pub(super) stop: CancellationToken,
}

impl Checking {
    /// Answers questions until it is told to stop; then ends the process.
    pub(super) async fn run(self, mut questions: mpsc::Receiver<Question>) {
        // The first question shall not wait for the start.
        let mut checker = self.start().await.ok();
        loop {
            let question = tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                () = gone(&mut checker) => {
                    tracing::warn!("the process that checks commands ended; a fresh one takes its place");
                    end(checker.take()).await;
                    checker = self.start().await.ok();
                    continue;
                }
                question = questions.recv() => question,
            };
            let Some(Question { text, answer }) = question else {
                break;
            };
            if answer.is_closed() {
                continue;
            }
            let facts = self.facts(&mut checker, &text).await;
            let usable = match &facts {
                Ok(_) => true,
                Err(error) => {
                    tracing::warn!(%error, "no facts about a command: it is refused");
                    error.leaves_it_usable()
                }
            };
            // Who asked may have hung up.
            let _ = answer.send(facts);
            if !usable {
                end(checker.take()).await;
                checker = self.start().await.ok();
            }
        }
        end(checker).await;
    }

    async fn facts(&self, checker: &mut Option<Checker>, text: &str) -> Result<Facts, CheckError> {
        let checker = match checker {
            Some(checker) => checker,
            None => checker.insert(self.start().await?),
        };
        checker.facts(text, ANSWER).await
    }

    async fn start(&self) -> Result<Checker, CheckError> {
        let called_off = self.stop.cancelled();
        match Checker::start_unless(&self.spec, &self.reaper, called_off).await {
            Ok(checker) => {
                tracing::info!(
                    pid = checker.pid(),
                    "the process that checks commands started"
                );
                Ok(checker)
            }
            Err(error) => {
                if !matches!(error, HostError::CalledOff) {
                    tracing::error!(%error, "the process that checks commands did not start");
                }
                Err(error.into())
            }
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
