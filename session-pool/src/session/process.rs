//! The PowerShell process of a session, driven through one submission at a time.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;

use crate::domain::format::OutputFormat;
use crate::domain::policy::Policy;
use crate::domain::record::Record;
use crate::domain::session_key::SessionKey;
use crate::host::{Finished, HostError, HostEvent, Submission};

use super::engine::Engine;
use super::stop::StopOrder;
use super::telemetry::{self, ProcessEnd, RunningProcess};
use super::worker::Shared;

/// Levels of the JSON that the pool's own questions are answered in.
const OWN_DEPTH: OutputFormat = OutputFormat::JSON_DEFAULT;

/// Records that are kept of an answer to the pool itself.
const OWN_RECORDS: usize = 1_000;

/// A running process.
#[derive(Debug)]
pub(super) struct Process {
    host: Engine,
    counted: RunningProcess,
    /// Its share of the limit on processes, until it is gone.
    permit: OwnedSemaphorePermit,
    /// The policy whose refusals its barrier knows, or whose barrier callers were told it lacks.
    policy: Arc<Policy>,
}

/// What to do after some records of a running command.
pub(super) enum Flow<T> {
    /// Go on.
    Continue,
    /// Stop the command, for this reason.
    Stop(T),
    /// Return at once and let the command run.
    Leave(T),
}

/// Why a command was asked to stop.
#[derive(Debug)]
pub(super) enum StopCause<T> {
    Deadline,
    Interrupted(StopOrder),
    Records(T),
}

/// How a submission ended.
#[derive(Debug)]
pub(super) enum End {
    Finished(Finished),
    /// The process is no more.
    Gone(HostError),
    /// It did not stop within its grace period; the process has to be killed.
    Stuck,
}

/// What [`Process::drive`] came to.
#[derive(Debug)]
pub(super) enum Driven<T> {
    /// The command still runs.
    Left(T),
    Ended {
        /// Why it had been asked to stop, if it had.
        cause: Option<StopCause<T>>,
        end: End,
    },
}

/// What the pool's own submission said.
#[derive(Debug)]
pub(super) struct OwnAnswer {
    pub(super) finished: Finished,
    pub(super) records: Vec<Record>,
}

/// Why the pool's own submission has no answer. But for an interruption, the process has to be
/// ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum OwnError {
    #[error(transparent)]
    Gone(#[from] HostError),
    /// Unless it is stuck, the process may go on here.
    #[error("it did not answer within {} s", within.as_secs())]
    Late { within: Duration, stuck: bool },
    /// Here the process may go on, unless it is stuck.
    #[error("interrupted by {}", .order.by)]
    Interrupted { order: StopOrder, stuck: bool },
}

impl Process {
    /// Starts a process for a session; returns when it takes commands, or when nothing is left of
    /// one that was called off.
    pub(super) async fn start(
        shared: &Shared,
        key: &SessionKey,
        called_off: impl Future<Output = ()>,
    ) -> Result<Self, StartError> {
        let permit = Arc::clone(&shared.processes)
            .try_acquire_owned()
            .map_err(|_| StartError::ProcessLimit {
                limit: shared.max_processes,
            })?;
        let launcher = &shared.launcher;
        let policy = shared.guard.policy();
        let barrier = policy.barrier(key.connection().as_str(), key.module());
        let spec = launcher.spec(key, barrier)?;
        let began = Instant::now();
        let counted = telemetry::process_started(key.connection().as_str(), key.module());
        let host = shared
            .engines
            .start(&spec, launcher.reaper(), called_off)
            .await?;
        counted.is_ready(began.elapsed());
        tracing::info!(session = %key, pid = host.pid(), version = %host.version(),
            elapsed_ms = began.elapsed().as_millis(), "PowerShell started");
        Ok(Self {
            host,
            counted,
            permit,
            policy,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.host.pid()
    }

    /// Resident bytes, with those of everything that it has started.
    pub(super) async fn resident(&self) -> Option<u64> {
        self.host.resident().await
    }

    pub(super) async fn next(&mut self) -> HostEvent {
        self.host.next().await
    }

    /// What callers should know where another policy holds now than at this process's start. Told
    /// once for each policy.
    pub(super) fn barrier_note(&mut self, shared: &Shared, key: &SessionKey) -> Option<String> {
        let policy = shared.guard.policy();
        if Arc::ptr_eq(&policy, &self.policy) {
            return None;
        }
        let of = |policy: &Policy| policy.barrier(key.connection().as_str(), key.module());
        let differs = of(&policy) != of(&self.policy);
        self.policy = policy;
        differs.then(|| {
            "the policy has changed and holds for this command; the barrier inside this session is \
             still the one before, until the session is reset (POST /reset)"
                .to_owned()
        })
    }

    pub(super) async fn submit(&mut self, submission: Submission) -> Result<(), HostError> {
        self.host.submit(submission).await
    }

    /// Follows the running submission to its end. It is asked to stop at the deadline, on the
    /// interruption or where `on_records` says so; after the grace period it counts as stuck.
    pub(super) async fn drive<T>(
        &mut self,
        deadline: tokio::time::Instant,
        grace: Duration,
        interruption: impl Future<Output = StopOrder>,
        mut on_records: impl FnMut(Vec<Record>) -> Flow<T>,
    ) -> Driven<T> {
        tokio::pin!(interruption);
        let cause = loop {
            tokio::select! {
                event = self.host.next() => match event {
                    HostEvent::Records(records) => match on_records(records) {
                        Flow::Continue => {}
                        Flow::Stop(reason) => break StopCause::Records(reason),
                        Flow::Leave(reason) => return Driven::Left(reason),
                    },
                    HostEvent::Finished(finished) => {
                        return Driven::Ended { cause: None, end: End::Finished(finished) };
                    }
                    HostEvent::Gone(error) => {
                        return Driven::Ended { cause: None, end: End::Gone(error) };
                    }
                },
                order = &mut interruption => break StopCause::Interrupted(order),
                () = tokio::time::sleep_until(deadline) => break StopCause::Deadline,
            }
        };
        let grace = match &cause {
            StopCause::Interrupted(order) => order.grace,
            StopCause::Deadline | StopCause::Records(_) => grace,
        };
        let end = self.stop_running(grace, on_records).await;
        Driven::Ended {
            cause: Some(cause),
            end,
        }
    }

    /// Stops the submission that runs; one that does not stop within the grace period is stuck.
    pub(super) async fn stop(&mut self, grace: Duration) -> End {
        self.stop_running(grace, |_| Flow::<()>::Continue).await
    }

    async fn stop_running<T>(
        &mut self,
        grace: Duration,
        mut on_records: impl FnMut(Vec<Record>) -> Flow<T>,
    ) -> End {
        if let Err(error) = self.host.cancel().await {
            return End::Gone(error);
        }
        let stopped = async {
            loop {
                match self.host.next().await {
                    // What comes now is kept as long as it is wanted; it no longer decides anything.
                    HostEvent::Records(records) => drop(on_records(records)),
                    HostEvent::Finished(finished) => return End::Finished(finished),
                    HostEvent::Gone(error) => return End::Gone(error),
                }
            }
        };
        tokio::time::timeout(grace, stopped)
            .await
            .unwrap_or(End::Stuck)
    }

    /// Runs a script of the pool's own and collects what it says.
    pub(super) async fn ask(
        &mut self,
        script: String,
        within: Duration,
        grace: Duration,
        interruption: impl Future<Output = StopOrder>,
    ) -> Result<OwnAnswer, OwnError> {
        self.submit(Submission::own(script, OWN_DEPTH)).await?;
        let mut records = Vec::new();
        let deadline = tokio::time::Instant::now() + within;
        let driven = self
            .drive(deadline, grace, interruption, |batch| {
                let room = OWN_RECORDS.saturating_sub(records.len());
                records.extend(batch.into_iter().take(room));
                Flow::<()>::Continue
            })
            .await;
        match driven {
            Driven::Left(()) => Err(OwnError::Late {
                within,
                stuck: true,
            }),
            Driven::Ended { cause, end } => match (cause, end) {
                (_, End::Gone(error)) => Err(OwnError::Gone(error)),
                (None, End::Finished(finished)) => Ok(OwnAnswer { finished, records }),
                (Some(StopCause::Interrupted(order)), end) => Err(OwnError::Interrupted {
                    order,
                    stuck: matches!(end, End::Stuck),
                }),
                (_, end) => Err(OwnError::Late {
                    within,
                    stuck: matches!(end, End::Stuck),
                }),
            },
        }
    }

    /// Ends the process and its group, and waits for that. One that is closed has so much time, and
    /// never more than two seconds.
    pub(super) async fn end(self, how: ProcessEnd, within: Option<Duration>) {
        match how {
            ProcessEnd::Closed | ProcessEnd::Replaced => self.host.shut_down(within).await,
            ProcessEnd::Killed | ProcessEnd::Died => self.host.kill().await,
        }
        self.counted.ended(how);
        drop(self.permit);
    }
}

/// Why a session has no process.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No further process is allowed.
    #[error(
        "{limit} PowerShell processes run, and no more are allowed; nothing was run. Reset a \
         session that is not needed (POST /reset), or raise --max-processes"
    )]
    ProcessLimit {
        /// The limit.
        limit: usize,
    },
    /// The connection has no user id.
    #[error(transparent)]
    Users(#[from] super::users::UsersError),
    /// The process could not be started.
    #[error(transparent)]
    Host(#[from] HostError),
}
