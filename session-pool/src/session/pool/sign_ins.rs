//! Signing in ahead of need, signing out, and what becomes of sign-ins over a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use tokio::sync::oneshot;

use super::Pool;
use crate::domain::connect::restores;
use crate::domain::life::{Answer, Fault, Request, Wants};
use crate::domain::module::Module;
use crate::domain::registry::{Connection, ConnectionName};
use crate::domain::session_key::SessionKey;
use crate::domain::wire::{
    AnswerStatus, SessionSignIn, SessionStatus, SharedUserId, SignInAnswer, SignInRequest,
    SignOutAnswer, SignOutFailure, SignOutRequest,
};
use crate::session::answer::{Who, what_to_do};
use crate::session::ending::FailureCode;
use crate::session::handle::{Past, SessionHandle};
use crate::session::order::{check_caller, session_key};
use crate::session::refused::Refused;
use crate::session::wish::delete_caches;

/// Sessions of the last life that are restored at a time: each starts a PowerShell, and callers want
/// some of the machine too.
const RESTORED_AT_A_TIME: usize = 4;

/// What is waited for, or why there is nothing to wait for.
type Asked = Result<oneshot::Receiver<Answer>, Refused>;

impl Pool {
    /// Signs modules of a connection in, each in its session. Returns when each is signed in, waits
    /// for a person or has failed.
    ///
    /// # Errors
    /// [`Refused`]: nothing was begun.
    pub async fn sign_in(&self, request: SignInRequest) -> Result<SignInAnswer, Refused> {
        let connection = self.connection(request.connection.as_deref())?;
        check_caller(request.caller_id.as_deref())?;
        let modules = match modules(request.modules.as_deref())? {
            Some(modules) => modules,
            None => {
                let usable: BTreeSet<_> = connection.modules().into_iter().collect();
                if usable.is_empty() {
                    // What is missing for the first stands for all.
                    connection.check(Module::Exo)?;
                }
                usable
            }
        };
        let keys = modules
            .into_iter()
            .map(|module| session_key(&connection, module, None))
            .collect::<Result<Vec<_>, _>>()?;
        let by = request.caller_id.as_deref();
        let asked: Vec<(SessionKey, Asked)> = keys
            .into_iter()
            .map(|key| {
                let asked = self.ask_to_sign_in(&key, &connection, by);
                (key, asked)
            })
            .collect();
        let connection = connection.as_ref();
        let each = asked.into_iter().map(|(key, asked)| async move {
            match asked {
                Ok(answer) => {
                    let answer = answer.await.unwrap_or(Answer::Cancelled);
                    self.told(&key, connection, by, answer)
                }
                Err(refused) => refused_one(&key, connection, &refused),
            }
        });
        Ok(SignInAnswer::of(join_all(each).await))
    }

    fn ask_to_sign_in(
        &self,
        key: &SessionKey,
        connection: &Arc<Connection>,
        by: Option<&str>,
    ) -> Asked {
        let request = Request {
            by: by.map(str::to_owned),
            wants: Wants::SignIn,
        };
        let mut sessions = self.lock();
        let session = sessions.open(key, &self.0.shared, self.0.limits.queue_length)?;
        let status = session.status();
        if status.authenticated && status.busy {
            // A command of an hour is nothing to wait for.
            let (reply, answer) = oneshot::channel();
            drop(reply.send(Answer::SignedIn));
            return Ok(answer);
        }
        Ok(session.wish(request, Some(Arc::clone(connection))))
    }

    /// What became of one session, in the words of the API.
    fn told(
        &self,
        key: &SessionKey,
        connection: &Connection,
        by: Option<&str>,
        answer: Answer,
    ) -> SessionSignIn {
        let mut told = blank(key, connection);
        match answer {
            Answer::SignedIn => {
                let status = self.lock().get(key).map(SessionHandle::status);
                told.status = AnswerStatus::Success;
                told.authenticated_as = status.as_ref().and_then(|it| it.authenticated_as.clone());
                told.tenant_id = status.and_then(|it| it.tenant_id);
            }
            Answer::AuthRequired(pending) => {
                let account = connection.expected_email.clone();
                told.status = AnswerStatus::AuthRequired;
                let who = Who {
                    expected: account.as_deref(),
                    asks: by,
                };
                told.message = Some(what_to_do(key, &pending, who));
                told.expires_in = Some(pending.seconds_left(jiff::Timestamp::now()));
                told.expected_account = account;
                told.device_code = Some(pending.code);
                told.auth_url = Some(pending.url);
                told.asked_by = pending.asked_by;
            }
            Answer::Failed(fault) => {
                let code = match fault {
                    Fault::ProcessLimit(_) => FailureCode::ProcessLimit,
                    Fault::Process(_) => FailureCode::SessionLost,
                    Fault::SignIn(_) => FailureCode::SignInFailed,
                    Fault::WrongIdentity(_) => FailureCode::WrongAccount,
                };
                told.code = Some(code.as_str().to_owned());
                told.error = Some(fault.reason().to_owned());
            }
            Answer::Ran
            | Answer::SignedOut
            | Answer::NotRestored
            | Answer::Cancelled
            | Answer::Busy => {
                told.code = Some(FailureCode::SessionLost.as_str().to_owned());
                told.error = Some(ENDED.to_owned());
            }
        }
        told
    }

    /// Ends the sign-ins of a connection, or of some of its modules, and deletes what they keep, also
    /// where no session is open. Jobs that run or wait there are cancelled.
    ///
    /// # Errors
    /// [`Refused`]: nothing was done.
    pub async fn sign_out(&self, request: SignOutRequest) -> Result<SignOutAnswer, Refused> {
        let asked = request.connection.as_deref();
        let name: ConnectionName = self
            .connection_or_its_sessions(asked)?
            .parse()
            .map_err(|_| Refused::MissingField("connection"))?;
        let modules = match modules(request.modules.as_deref())? {
            Some(modules) => modules,
            None => Module::ALL.into_iter().collect(),
        };
        let mut signed_out = BTreeSet::new();
        let mut failed = BTreeMap::new();
        let mut asked = BTreeSet::new();
        // Again after the caches are gone: a session may have been opened meanwhile.
        for round in 0..2 {
            self.cancel_jobs(&name, &modules);
            let sessions = self.ask_to_sign_out(&name, &modules, &mut asked);
            for (key, answer) in sessions {
                match answer.await {
                    Ok(Answer::SignedOut) => drop(signed_out.insert(key.to_string())),
                    Ok(Answer::Failed(fault)) => {
                        failed.insert(key.module(), fault.reason().to_owned());
                    }
                    // It has ended, and its sign-in with it.
                    Err(_) => drop(signed_out.insert(key.to_string())),
                    Ok(_) => drop(failed.insert(key.module(), ENDED.to_owned())),
                }
            }
            if round == 0 {
                for module in &modules {
                    let key = SessionKey::new(name.clone(), (*module).into());
                    if let Err(error) = delete_caches(&self.0.shared, &key).await {
                        failed.insert(*module, error.to_string());
                    }
                }
            }
        }
        let caches_deleted = modules
            .into_iter()
            .filter(|module| !failed.contains_key(module))
            .collect();
        Ok(SignOutAnswer {
            status: match failed.is_empty() {
                true => AnswerStatus::Success,
                false => AnswerStatus::Error,
            },
            signed_out: signed_out.into_iter().collect(),
            caches_deleted,
            failed: failed
                .into_iter()
                .map(|(module, error)| SignOutFailure { module, error })
                .collect(),
        })
    }

    fn ask_to_sign_out(
        &self,
        name: &ConnectionName,
        modules: &BTreeSet<Module>,
        asked: &mut BTreeSet<SessionKey>,
    ) -> Vec<(SessionKey, oneshot::Receiver<Answer>)> {
        let sessions = self.lock();
        let wanted = |key: &&SessionKey| {
            key.connection() == name
                && modules.contains(&key.module())
                && asked.insert((*key).clone())
        };
        let keys: Vec<_> = sessions.keys().filter(wanted).cloned().collect();
        let request = Request {
            by: None,
            wants: Wants::SignOut,
        };
        let open = keys.into_iter().filter_map(|key| {
            let answer = sessions.get(&key)?.wish(request.clone(), None);
            Some((key, answer))
        });
        open.collect()
    }

    fn cancel_jobs(&self, name: &ConnectionName, modules: &BTreeSet<Module>) {
        const BY: &str = "a sign-out";
        let catalog = &self.0.shared.catalog;
        for summary in self.jobs().iter().filter(|job| !job.state.is_final()) {
            if summary.connection == name.as_str()
                && modules.contains(&summary.module)
                && let Ok(job) = self.job(summary.job)
            {
                catalog.cancel_if_queued(&job, BY);
                job.request_cancel(BY);
            }
        }
    }

    /// Takes the sessions of the pool's last life up: those that need no person are signed in again by
    /// the future that this returns, a few at a time; the others show that a restart has signed them
    /// out.
    pub fn restore(&self) -> impl Future<Output = ()> + Send + use<> {
        let shared = &self.0.shared;
        let registry = self.registry();
        let (mut restorable, mut lost) = (Vec::new(), Vec::new());
        for key in shared.remembered.sessions() {
            let name = key.connection().as_str();
            // Of another pool, or of a registry that is not there yet: it stays in the file.
            if self.only().is_some_and(|only| only != name) {
                continue;
            }
            let Ok(connection) = registry.get(name) else {
                continue;
            };
            let usable = connection.check(key.module()).is_ok();
            if usable && restores(connection, key.module()) {
                restorable.push((key, Arc::clone(connection)));
            } else {
                lost.push(key);
            }
        }
        let mut sessions = self.lock();
        let past = restorable
            .iter()
            .map(|(key, _)| (key, Past::Restorable))
            .chain(lost.iter().map(|key| (key, Past::Lost)));
        for (key, past) in past {
            sessions.resume(key.clone(), shared, self.0.limits.queue_length, past);
        }
        drop(sessions);
        if !restorable.is_empty() || !lost.is_empty() {
            tracing::info!(
                restoring = restorable.len(),
                signed_out = lost.len(),
                "taking up the sign-ins from before"
            );
        }
        let pool = self.clone();
        async move {
            pool.lose(lost).await;
            futures_util::stream::iter(restorable)
                .for_each_concurrent(RESTORED_AT_A_TIME, |(key, connection)| {
                    pool.restore_one(key, connection)
                })
                .await;
        }
    }

    async fn restore_one(&self, key: SessionKey, connection: Arc<Connection>) {
        let request = Request {
            by: None,
            wants: Wants::Restore,
        };
        let asked = self
            .lock()
            .get(&key)
            .map(|session| session.wish(request, Some(connection)));
        let Some(asked) = asked else { return };
        match asked.await {
            Ok(Answer::SignedIn) => tracing::info!(session = %key, "the sign-in is restored"),
            Ok(
                Answer::NotRestored
                | Answer::AuthRequired(_)
                | Answer::Failed(Fault::WrongIdentity(_)),
            ) => {
                tracing::warn!(session = %key, "signed out by restart");
                self.lose(vec![key]).await;
            }
            // Nothing is known of the sign-in itself: the next restart tries again.
            Ok(Answer::Failed(fault)) => {
                tracing::warn!(session = %key, reason = fault.reason(), "the sign-in is not restored");
            }
            Ok(_) | Err(_) => {}
        }
    }

    async fn lose(&self, lost: Vec<SessionKey>) {
        let shared = Arc::clone(&self.0.shared);
        let written = tokio::task::spawn_blocking(move || shared.remembered.lose(&lost)).await;
        if let Ok(Err(error)) = written {
            tracing::error!(%error, "the sign-ins that are lost will be looked for again");
        }
    }

    /// User ids under which sessions of several connections run.
    pub fn shared_user_ids(sessions: &[SessionStatus]) -> Vec<SharedUserId> {
        let mut by_id: BTreeMap<u32, Vec<&SessionStatus>> = BTreeMap::new();
        for session in sessions {
            if let Some(id) = session.user_id {
                by_id.entry(id).or_default().push(session);
            }
        }
        let of_several = |sessions: &Vec<&SessionStatus>| {
            let mut connections = sessions.iter().map(|session| &session.connection);
            let first = connections.next();
            connections.any(|other| Some(other) != first)
        };
        by_id
            .into_iter()
            .filter(|(_, sessions)| of_several(sessions))
            .map(|(user_id, sessions)| SharedUserId {
                user_id,
                sessions: sessions.iter().map(|it| it.session_id.clone()).collect(),
            })
            .collect()
    }
}

const ENDED: &str =
    "the session was ended meanwhile, or has more to do than it takes; send it again";

/// The modules that a request names.
fn modules(named: Option<&[String]>) -> Result<Option<BTreeSet<Module>>, Refused> {
    let Some(named) = named.filter(|named| !named.is_empty()) else {
        return Ok(None);
    };
    let modules: Result<_, _> = named.iter().map(|name| name.parse()).collect();
    Ok(Some(modules?))
}

fn blank(key: &SessionKey, connection: &Connection) -> SessionSignIn {
    SessionSignIn {
        status: AnswerStatus::Error,
        session_id: key.to_string(),
        module: key.module(),
        tenant: connection.tenant.clone(),
        authenticated_as: None,
        tenant_id: None,
        device_code: None,
        auth_url: None,
        expires_in: None,
        asked_by: None,
        expected_account: None,
        message: None,
        error: None,
        code: None,
    }
}

fn refused_one(key: &SessionKey, connection: &Connection, refused: &Refused) -> SessionSignIn {
    SessionSignIn {
        error: Some(refused.to_string()),
        code: Some(refused.code().to_owned()),
        ..blank(key, connection)
    }
}
