//! Which backend has what an id names.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use axum::http::uri::PathAndQuery;
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use crate::domain::job::JobId;
use crate::http::error::ApiError;
use crate::session::{JobMissing, NothingToConfirm};

use super::backend::{Backend, Standing};
use super::backends::{BackendMap, Backends};
use super::error::RouterError;

/// Owners that are remembered; about a megabyte.
const MOST: usize = 10_000;

/// The owners of jobs that were asked for.
#[derive(Debug, Default)]
pub(super) struct JobOwners(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    owners: HashMap<JobId, Arc<str>>,
    order: VecDeque<JobId>,
}

impl JobOwners {
    /// The backend that has the job: the one that is remembered, or else all are asked.
    ///
    /// # Errors
    /// Where none has it; or none that answers, while others do not answer.
    pub(super) async fn find(
        &self,
        backends: &Backends,
        job: JobId,
    ) -> Result<Arc<Backend>, RouterError> {
        let all = backends.all();
        let known = self.lock().owners.get(&job).cloned();
        if let Some(backend) = known.and_then(|owner| all.get(&*owner)) {
            return Ok(Arc::clone(backend));
        }
        // The smallest page there is.
        let path = format!("/jobs/{job}?wait_seconds=0&max_characters=200");
        let path = path.parse().map_err(|_| ApiError::Internal)?;
        match holder(&all, &path).await {
            Ok(Some(backend)) => {
                self.remember(job, backend.connection());
                Ok(backend)
            }
            Ok(None) => Err(ApiError::Job(JobMissing::Unknown(job)).into()),
            Err(unreachable) => Err(RouterError::OutOfReach {
                what: format!("the job {job}"),
                unreachable,
            }),
        }
    }

    fn remember(&self, job: JobId, owner: &str) {
        let mut known = self.lock();
        if known.owners.insert(job, owner.into()).is_none() {
            known.order.push_back(job);
        }
        if known.order.len() > MOST
            && let Some(oldest) = known.order.pop_front()
        {
            known.owners.remove(&oldest);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The backend that something waits for a yes in.
///
/// # Errors
/// Where none has it; or none that answers, while others do not answer.
pub(super) async fn of_confirmation(
    backends: &Backends,
    path: &PathAndQuery,
) -> Result<Arc<Backend>, RouterError> {
    match holder(&backends.all(), path).await {
        Ok(Some(backend)) => Ok(backend),
        Ok(None) => Err(ApiError::Confirmation(NothingToConfirm).into()),
        Err(unreachable) => Err(RouterError::OutOfReach {
            what: "what waits for a yes under this id".to_owned(),
            unreachable,
        }),
    }
}

/// The backend that has something at this path; where none has, those that may but do not answer.
async fn holder(
    all: &BackendMap,
    path: &PathAndQuery,
) -> Result<Option<Arc<Backend>>, BTreeMap<String, String>> {
    let mut asked: FuturesUnordered<_> = all
        .values()
        .map(|backend| async move { (backend, has(backend, path.clone()).await) })
        .collect();
    let mut unreachable = BTreeMap::new();
    while let Some((backend, has)) = asked.next().await {
        match has {
            Ok(true) => return Ok(Some(Arc::clone(backend))),
            Ok(false) => {}
            Err(reason) => {
                unreachable.insert(backend.connection().to_owned(), reason);
            }
        }
    }
    if unreachable.is_empty() {
        Ok(None)
    } else {
        Err(unreachable)
    }
}

/// Whether the backend has it, or had it: then it says that it has expired.
async fn has(backend: &Backend, path: PathAndQuery) -> Result<bool, String> {
    let key = match backend.standing().await {
        Standing::Up(key) => key,
        Standing::Down { reason, .. } => return Err(reason),
        Standing::Unknown => return Err("nobody has looked at it yet".to_owned()),
    };
    match backend.ask(path, "application/json", Some(&key)).await?.0 {
        StatusCode::OK | StatusCode::GONE => Ok(true),
        StatusCode::NOT_FOUND => Ok(false),
        other => Err(format!("http://{} answers {other}", backend.address())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use super::*;

    #[test]
    fn the_memory_is_bounded_and_the_oldest_goes() {
        let owners = JobOwners::default();
        let random = || JobId::random(jiff::Timestamp::UNIX_EPOCH);
        let first = random();
        owners.remember(first, "a");
        for _ in 0..MOST {
            owners.remember(random(), "b");
        }
        let known = owners.lock();
        assert_eq!((known.owners.len(), known.order.len()), (MOST, MOST));
        assert!(!known.owners.contains_key(&first));
    }
}
