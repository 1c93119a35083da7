//! The pool: which sessions there are, and how a request becomes a job of one of them.

mod sign_ins;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::domain::job::JobId;
use crate::domain::module::Module;
use crate::domain::policy::{CheckRequest, Verdict};
use crate::domain::registry::{Connection, ConnectionName, Registry};
use crate::domain::session_key::SessionKey;
use crate::domain::wire::{JobSummary, RunRequest, SessionStatus};

use super::audit_log::Audit;
use super::budget::ResultBudget;
use super::catalog::{Catalog, JobMissing};
use super::credentials::{CertificateWatch, Credentials};
use super::departure::Departure;
use super::engine::Engines;
use super::guard::Guard;
use super::job::Job;
use super::journal::Journal;
use super::launcher::Launcher;
use super::limits::Limits;
use super::order::Order;
use super::refused::Refused;
use super::registry_watch::RegistryHandle;
use super::remembered::Remembered;
use super::sessions::Sessions;
use super::stop::{CloseOrder, StopOrder};
use super::turns::Turns;
use super::worker::{Shared, Work};

/// What a pool is made of.
#[derive(Debug)]
pub struct PoolParts {
    /// How processes are started.
    pub launcher: Launcher,
    /// The registry, as it changes.
    pub registry: RegistryHandle,
    /// What connections prove themselves with that sign in as apps.
    pub credentials: Credentials,
    /// Decides on commands.
    pub guard: Guard,
    /// What survives a restart.
    pub journal: Journal,
    /// Where commands are written down.
    pub audit: Audit,
    /// Who was signed in when the pool ended.
    pub remembered: Remembered,
    /// The limits.
    pub limits: Limits,
    /// The one connection that is served; all of the registry's where none is named.
    pub only: Option<String>,
}

/// Time at the end of a drain that is kept for cancelling what has not finished, where there is as
/// much.
const CANCEL_SHARE: Duration = Duration::from_secs(3);

/// Between the end of a command and that of its process, when a session is reset.
const FAREWELL: Duration = Duration::from_secs(3);
/// How often certificates are looked at that no session needs just now.
const LOOK_AT_CERTIFICATES: Duration = Duration::from_secs(60);

/// The pool. Clones are the same pool.
#[derive(Clone, Debug)]
pub struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Arc<Shared>,
    registry: RegistryHandle,
    limits: Limits,
    only: Option<String>,
    sessions: Mutex<Sessions>,
    turns: Turns,
}

impl Pool {
    /// A pool without sessions, with the jobs that the journal knows.
    pub fn new(parts: PoolParts) -> Self {
        let PoolParts {
            launcher,
            registry,
            credentials,
            guard,
            journal,
            audit,
            remembered,
            limits,
            only,
        } = parts;
        let journal = Arc::new(journal);
        let budget = Arc::new(ResultBudget::new(limits.results.clone()));
        let catalog = Catalog::new(limits.keep_results, budget, Arc::clone(&journal), audit);
        Self(Arc::new(Inner {
            shared: Arc::new(Shared {
                registry: registry.clone(),
                guard,
                launcher,
                engines: Engines::default(),
                credentials: Arc::new(credentials),
                catalog,
                journal,
                remembered,
                processes: Arc::new(Semaphore::new(limits.max_processes)),
                max_processes: limits.max_processes,
                grace: limits.cancel_grace,
                rules: limits.rules.clone(),
            }),
            registry,
            limits,
            only,
            sessions: Mutex::default(),
            turns: Turns::default(),
        }))
    }

    /// What the policy says to a command. Nothing is run.
    ///
    /// # Errors
    /// [`Refused`]: the connection or the module is unknown, or there is no command.
    pub async fn check(&self, request: CheckRequest) -> Result<Verdict, Refused> {
        let connection = self.connection(request.connection.as_deref())?;
        let request = RunRequest {
            module: request.module,
            command: request.command,
            ..RunRequest::default()
        };
        let (order, command) = Order::of(request, None, &connection, &self.0.limits)?;
        Ok(self
            .0
            .shared
            .guard
            .explain(&order.key, &connection, &command)
            .await)
    }

    /// What decides on commands.
    pub fn guard(&self) -> &Guard {
        &self.0.shared.guard
    }

    /// A job that is still known.
    ///
    /// # Errors
    /// [`JobMissing`]: it never was, or its results were dropped.
    pub fn job(&self, id: JobId) -> Result<Arc<Job>, JobMissing> {
        self.0.shared.catalog.get(id)
    }

    /// Every job that is still known, newest first.
    pub fn jobs(&self) -> Vec<JobSummary> {
        self.0.shared.catalog.summaries()
    }

    /// Cancels a job and waits until it is final.
    ///
    /// # Errors
    /// [`JobMissing`]: there is no such job any more.
    pub async fn cancel(&self, id: JobId) -> Result<Arc<Job>, JobMissing> {
        let job = self.job(id)?;
        const BY: &str = "a caller";
        self.0.shared.catalog.cancel_if_queued(&job, BY);
        // Its session may be signing in for it, or running it.
        job.request_cancel(BY);
        job.finished().await;
        Ok(job)
    }

    /// Ends a connection's sessions, or only a module's, and cancels their jobs. Caches on disk
    /// stay. Returns the ids of the sessions.
    ///
    /// # Errors
    /// [`Refused`]: the connection or the module is unknown.
    pub async fn reset(
        &self,
        connection: Option<&str>,
        module: Option<&str>,
    ) -> Result<Vec<String>, Refused> {
        let name = self.connection_or_its_sessions(connection)?;
        let module = module.map(str::parse::<Module>).transpose()?;
        let wanted = |key: &SessionKey| {
            key.connection().as_str() == name && module.is_none_or(|module| key.module() == module)
        };
        Ok(self.close(wanted, self.close_order("a reset")).await)
    }

    /// Ends the sessions of these keys, and their jobs; returns the ids.
    async fn close(&self, wanted: impl Fn(&SessionKey) -> bool, order: CloseOrder) -> Vec<String> {
        let closed = self.lock().close(&wanted, order);
        let catalog = &self.0.shared.catalog;
        // Those too whose command the policy has not judged yet: they are in no session's queue.
        for job in catalog.queued_where(&wanted) {
            catalog.cancel_if_queued(&job, order.stop.by);
        }
        let (mut ids, departures): (Vec<_>, Vec<_>) = closed.into_iter().unzip();
        ids.dedup();
        all_gone(departures).await;
        ids
    }

    /// Ends the sessions of connections that the registry no longer has, for as long as the pool lives.
    /// What it has of others a session sees by itself.
    pub async fn watch_connections(&self) {
        let mut registry = self.0.registry.subscribe();
        while registry.changed().await.is_ok() {
            let known = self.registry();
            let gone = |key: &SessionKey| known.get(key.connection().as_str()).is_err();
            let order = self.close_order("the removal of its connection from the registry");
            let ids = self.close(gone, order).await;
            if !ids.is_empty() {
                tracing::info!(
                    sessions = ids.join(", "),
                    "the registry has their connection no longer: they have ended"
                );
            }
        }
    }

    fn close_order(&self, by: &'static str) -> CloseOrder {
        let grace = self.0.limits.cancel_grace;
        CloseOrder {
            stop: StopOrder { by, grace },
            until: Instant::now() + grace + FAREWELL,
        }
    }

    /// Every session, by id.
    pub fn status(&self) -> Vec<SessionStatus> {
        let mut sessions = self.lock().status();
        for session in &mut sessions {
            let name: Option<ConnectionName> = session.connection.parse().ok();
            session.user_id = name.and_then(|name| self.0.shared.launcher.user_id(&name));
        }
        sessions
    }

    /// The registry as it is now.
    pub fn registry(&self) -> Arc<Registry> {
        self.0.registry.registry()
    }

    /// The connections that this pool serves.
    pub fn connections(&self) -> Vec<Arc<Connection>> {
        let served = |connection: &&Arc<Connection>| {
            self.0
                .only
                .as_deref()
                .is_none_or(|only| connection.name.as_str() == only)
        };
        self.registry()
            .connections()
            .filter(served)
            .cloned()
            .collect()
    }

    /// The one connection that is served; `None` where all of the registry's are.
    pub fn only(&self) -> Option<&str> {
        self.0.only.as_deref()
    }

    /// How often idle sign-ins are checked, if they are.
    pub fn keepalive(&self) -> Option<Duration> {
        self.0.limits.rules.keepalive
    }

    /// Bytes of results that are kept, in memory and on disk.
    pub fn result_bytes(&self) -> u64 {
        self.0.shared.catalog.budget().total()
    }

    /// Drops results when their time has come, for as long as the pool lives.
    pub async fn expire_results(&self) {
        loop {
            let next = self.0.shared.catalog.expire_old(Instant::now());
            tokio::time::sleep(next.max(Duration::from_secs(1))).await;
        }
    }

    /// Counts the ends of certificates and says so in the log when one is near, for as long as the
    /// pool lives.
    pub async fn watch_certificates(&self) {
        let mut watch = CertificateWatch::default();
        let mut registry = self.0.registry.subscribe();
        loop {
            let connections = self.connections();
            let credentials = Arc::clone(&self.0.shared.credentials);
            let look = tokio::task::spawn_blocking(move || {
                watch.look(&credentials, &connections);
                watch
            });
            let Ok(back) = look.await else { return };
            watch = back;
            // Early where the registry names others; its watcher's end is the pool's.
            drop(tokio::time::timeout(LOOK_AT_CERTIFICATES, registry.changed()).await);
        }
    }

    /// Ends the pool: takes no more work, cancels what waits, lets what runs go on for most of
    /// `within`, stops the rest and ends every process. Takes no longer than `within`, but for what
    /// the kernel needs to end killed processes.
    pub async fn drain(&self, within: Duration) {
        let until = Instant::now() + within;
        // What ends from here on ends with the pool, and the next one restores it.
        self.0.shared.remembered.freeze();
        self.lock().drain();
        let jobs: Vec<_> = self
            .jobs()
            .into_iter()
            .filter(|job| !job.state.is_final())
            .collect();
        let running: Vec<_> = jobs
            .iter()
            .filter_map(|job| self.job(job.job).ok())
            .collect();
        for job in &running {
            let catalog = &self.0.shared.catalog;
            catalog.cancel_if_queued(job, "the end of the pool");
        }
        let finished = async {
            for job in &running {
                job.finished().await;
            }
        };
        let share = within.min(CANCEL_SHARE);
        drop(tokio::time::timeout(within - share, finished).await);
        let order = CloseOrder {
            stop: StopOrder {
                by: "the end of the pool",
                grace: share / 3,
            },
            until,
        };
        let departures = self.lock().close_all(order);
        all_gone(departures).await;
        self.0.shared.guard.end().await;
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0.shared
    }

    pub(super) fn turns(&self) -> &Turns {
        &self.0.turns
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Puts a work into the queue of its session, which is made where there is none.
    pub(super) fn enqueue(
        &self,
        key: &SessionKey,
        make: impl FnOnce() -> Work,
    ) -> Result<(), Refused> {
        let mut sessions = self.lock();
        // Under the lock: who finds its entry here opens a session before those of removed ones end.
        self.registry().get(key.connection().as_str())?;
        let session = sessions.open(key, &self.0.shared, self.0.limits.queue_length)?;
        session.submit(|| (make(), ()))
    }

    /// Who is signed in to a session, as far as the module tells.
    pub(super) fn signed_in(&self, key: &SessionKey) -> Option<String> {
        self.lock().signed_in(key)
    }

    /// Whether somebody is signed in to a session that has nothing to do.
    pub(super) fn is_idle(&self, key: &SessionKey) -> bool {
        self.lock().is_idle(key)
    }

    /// Whether the queue of this session takes one more, as far as can be said before it is tried.
    pub(super) fn has_room(&self, key: &SessionKey) -> Result<(), Refused> {
        self.lock().has_room(key)
    }

    pub(super) fn connection(&self, asked: Option<&str>) -> Result<Arc<Connection>, Refused> {
        let only = self.0.only.as_deref();
        let name = match (asked.filter(|name| !name.is_empty()), only) {
            (Some(asked), Some(served)) if asked != served => {
                return Err(Refused::WrongConnection {
                    served: served.to_owned(),
                    asked: asked.to_owned(),
                });
            }
            (Some(name), _) | (None, Some(name)) => name,
            (None, None) => return Err(Refused::MissingField("connection")),
        };
        Ok(Arc::clone(self.registry().get(name)?))
    }

    /// The connection's name, also of one that has left the registry and still has sessions.
    fn connection_or_its_sessions(&self, asked: Option<&str>) -> Result<String, Refused> {
        match self.connection(asked) {
            Ok(connection) => Ok(connection.name.as_str().to_owned()),
            Err(Refused::UnknownConnection(unknown)) if self.has_sessions(&unknown.name) => {
                Ok(unknown.name)
            }
            Err(refused) => Err(refused),
        }
    }

    fn has_sessions(&self, name: &str) -> bool {
        let sessions = self.lock();
        sessions
            .keys()
            .map(SessionKey::connection)
            .map(ConnectionName::as_str)
            .any(|open| open == name)
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.0
            .sessions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Resolves when these sessions have ended; they do it side by side.
async fn all_gone(departures: Vec<Departure>) {
    for mut departure in departures {
        departure.done().await;
    }
}
