//! How a request becomes a job: an order, the policy's word, and a place in the queue.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::domain::loss::Tellings;
use crate::domain::registry::Connection;
use crate::domain::wire::RunRequest;

use super::audit_log::Asked;
use super::ending::{Ending, Failure, FailureCode};
use super::guard::{Ask, Passage, Stopped};
use super::job::Job;
use super::order::{Caller, Order};
use super::pool::Pool;
use super::refused::Refused;
use super::trial::Trial;
use super::worker::Work;

/// So long a request waits for the policy's word whatever its own wait is. It comes within a
/// millisecond as a rule, and says whether there is to be a job.
const WORD: Duration = Duration::from_millis(250);

/// A request on its way.
#[derive(Debug)]
struct Candidate {
    job: Arc<Job>,
    connection: Arc<Connection>,
    command: String,
    code: Option<String>,
    confirmed: bool,
    asked: Tellings,
    known: Mutex<Known>,
}

/// What its caller has been told.
#[derive(Debug)]
enum Known {
    /// Nothing yet: it may still be refused.
    Nothing,
    /// There is a job.
    Job,
    /// There is none.
    Refused(Refused),
}

impl Candidate {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a job of it, unless its caller has been told that there is none.
    fn note_job(&self, make: impl FnOnce()) -> Result<(), Refused> {
        let mut known = self.known();
        if let Known::Refused(refused) = &*known {
            return Err(refused.clone());
        }
        *known = Known::Job;
        make();
        Ok(())
    }
}

impl Pool {
    /// Makes a job of a request. Waits for nothing but the policy's decision; a command that is
    /// refused, or needs a yes, is a job that has ended.
    ///
    /// # Errors
    /// [`Refused`]: no job was made and nothing runs.
    pub async fn submit(&self, request: RunRequest, from: Caller) -> Result<Arc<Job>, Refused> {
        self.submit_until(request, from, None).await
    }

    /// As [`submit`](Self::submit), but no longer than this: then there is a job, queued, for which
    /// the policy's word and a place in the queue are still waited for.
    ///
    /// # Errors
    /// [`Refused`]: no job was made and nothing runs.
    pub async fn submit_until(
        &self,
        request: RunRequest,
        from: Caller,
        until: Option<Instant>,
    ) -> Result<Arc<Job>, Refused> {
        let asked = self.shared().journal.tellings();
        let connection = self.connection(request.connection.as_deref())?;
        let code = request.confirmation.clone();
        let confirmed = request.confirmed.unwrap_or_default();
        let (order, command) = Order::of(request, from.trace, &connection, self.limits())?;
        let catalog = &self.shared().catalog;
        let job = Job::new(order, Arc::clone(catalog.budget()));
        job.note_asked(Asked {
            client: from.client,
            account: self.signed_in(&job.order().key),
            ..catalog.audit().asked(&command)
        });
        let candidate = Arc::new(Candidate {
            job: Arc::new(job),
            connection,
            command,
            code,
            confirmed,
            asked,
            known: Mutex::new(Known::Nothing),
        });
        // A task of its own: it goes on where the caller waits no longer.
        let pool = self.clone();
        let admitted = Arc::clone(&candidate);
        let key = &candidate.job.order().key;
        let lined_up = self.turns().line_up(key, self.limits().queue_length).await;
        let turn = lined_up.map_err(|waiting| Refused::queue_full(key, waiting))?;
        let mut admission = tokio::spawn(async move {
            let _turn = turn.await;
            pool.admit(&admitted).await
        });
        let ended = match until {
            None => Some((&mut admission).await),
            Some(until) => {
                let until = until.max(Instant::now() + WORD);
                timeout_at(until, &mut admission).await.ok()
            }
        };
        match ended {
            Some(Ok(admitted)) => admitted?,
            Some(Err(failed)) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => return Err(Refused::ShuttingDown),
            },
            None => self
                .announce(&candidate)
                .inspect_err(|_| admission.abort())?,
        }
        Ok(Arc::clone(&candidate.job))
    }

    /// Says that there is a job, before the policy has said anything; or that there is none, and will be
    /// none.
    fn announce(&self, candidate: &Candidate) -> Result<(), Refused> {
        let mut known = candidate.known();
        match &*known {
            Known::Job => return Ok(()),
            Known::Refused(refused) => return Err(refused.clone()),
            Known::Nothing => {}
        }
        // It would find no place.
        if let Err(refused) = self.has_room(&candidate.job.order().key) {
            *known = Known::Refused(refused.clone());
            return Err(refused);
        }
        *known = Known::Job;
        self.shared().catalog.add(&candidate.job);
        Ok(())
    }

    async fn admit(&self, candidate: &Candidate) -> Result<(), Refused> {
        let job = &candidate.job;
        let mut asked = job.asked();
        let account = asked.account.clone();
        let ask = Ask {
            key: &job.order().key,
            connection: &candidate.connection,
            command: &candidate.command,
            code: candidate.code.as_deref(),
            confirmed: candidate.confirmed,
            account: account.as_deref(),
        };
        let catalog = &self.shared().catalog;
        let passed = tokio::select! {
            biased;
            // Somebody has cancelled it: who comes behind it shall not wait for its check.
            () = job.finished() => return Ok(()),
            passed = self.shared().guard.pass(ask, &mut asked) => passed,
        };
        job.note_asked(asked);
        let Stopped { ending, what_if } = match passed {
            Ok(passage) => return self.place(candidate, passage, None),
            Err(stopped) => stopped,
        };
        match what_if.filter(|_| self.is_idle(&job.order().key)) {
            Some(what_if) => {
                let trial = Box::new(Trial { what_if, ending });
                self.place(candidate, Passage::default(), Some(trial))
            }
            None => candidate.note_job(|| {
                catalog.add(job);
                catalog.conclude(job, ending);
            }),
        }
    }

    /// Takes a place in the queue. Where there is none: no job, or, where its caller knows of one, one
    /// that has ended.
    fn place(
        &self,
        candidate: &Candidate,
        passage: Passage,
        trial: Option<Box<Trial>>,
    ) -> Result<(), Refused> {
        let job = &candidate.job;
        let catalog = &self.shared().catalog;
        // Held over all of it: whoever is told something is told what has happened.
        let mut known = candidate.known();
        if let Known::Refused(refused) = &*known {
            return Err(refused.clone());
        }
        let enqueued = self.enqueue(&job.order().key, || {
            catalog.add(job);
            Work {
                job: Arc::clone(job),
                connection: Arc::clone(&candidate.connection),
                command: candidate.command.clone(),
                passage,
                asked: candidate.asked,
                trial,
            }
        });
        let Err(refused) = enqueued else {
            *known = Known::Job;
            return Ok(());
        };
        if matches!(*known, Known::Nothing) {
            *known = Known::Refused(refused.clone());
            return Err(refused);
        }
        let code = FailureCode::Refused(refused.code());
        let failure = Failure::new(code, format!("{refused}. Nothing was run"));
        catalog.conclude(job, Ending::Failed(failure));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
