//! What is asked of a session beside commands: to sign in ahead of need, to use a sign-in from before
//! again, to sign out.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::domain::connect;
use crate::domain::life::{Answer, Event, Fault, Request, Wants};
use crate::domain::registry::Connection;
use crate::domain::session_key::SessionKey;
use crate::domain::state::SignedIn;
use crate::host::{HostError, remove_directory};

use super::worker::{Shared, Worker};

/// Wishes that wait for one session.
pub(super) const MOST_WISHES: usize = 16;

/// One of them.
#[derive(Debug)]
pub(super) struct Wish {
    /// By whom, and for what.
    pub(super) request: Request,
    /// The connection as the registry has it; a sign-out needs none.
    pub(super) connection: Option<Arc<Connection>>,
    /// Where the answer goes; dropped without one where the session ends.
    pub(super) reply: oneshot::Sender<Answer>,
}

impl Worker {
    /// Does as somebody wishes.
    pub(super) async fn grant(&mut self, wish: Wish) {
        let Wish {
            request,
            connection,
            reply,
        } = wish;
        if let Some(connection) = connection {
            self.turn_to(&connection).await;
            self.renew_proof(&connection).await;
        }
        let wants = request.wants;
        self.wish = Some(reply);
        if wants == Wants::SignOut
            && let Err(error) = self.forget().await
        {
            self.reply(Answer::Failed(Fault::Process(error.to_string())));
        }
        self.advance(Event::Asked(request)).await;
        self.wish = None;
        if wants == Wants::Restore && self.life.state().signed_in().is_none() {
            self.view.send_modify(|view| {
                view.signed_out_by_restart = true;
                view.last_error
                    .get_or_insert_with(|| NOT_RESTORED.to_owned());
            });
        }
    }

    /// Answers the wish that is being granted, if one is.
    pub(super) fn reply(&mut self, answer: Answer) {
        if let Some(reply) = self.wish.take() {
            // Who asked may have hung up.
            drop(reply.send(answer));
        }
    }

    /// What is left of a sign-in whose process has gone.
    async fn forget(&mut self) -> Result<(), HostError> {
        self.view.send_modify(|view| {
            view.signed_out_by_restart = false;
            view.last_error = None;
        });
        self.write_down(None).await;
        if self.process.is_some() {
            // The module itself is asked first.
            return Ok(());
        }
        delete_caches(&self.shared, &self.key).await
    }

    /// Writes down who is signed in, where that has changed. A pool that cannot goes on: a restart then
    /// costs sign-ins.
    pub(super) async fn remember(&mut self) {
        let who = self.life.state().signed_in();
        if who != self.noted.as_ref() {
            let who = who.cloned();
            self.write_down(who).await;
        }
    }

    /// Writes down who is signed in.
    pub(super) async fn write_down(&mut self, who: Option<SignedIn>) {
        self.noted.clone_from(&who);
        let (shared, key) = (Arc::clone(&self.shared), self.key.clone());
        let written =
            tokio::task::spawn_blocking(move || shared.remembered.note(&key, who.as_ref())).await;
        if let Ok(Err(error)) = written {
            tracing::error!(session = %self.key, %error, "this sign-in will not be known after a restart");
        }
    }
}

/// Deletes what the session's module keeps in its connection's home.
pub(super) async fn delete_caches(shared: &Arc<Shared>, key: &SessionKey) -> Result<(), HostError> {
    let home = shared.launcher.home(key.connection());
    let kept = connect::kept_in(key.module());
    let delete = move || {
        kept.iter()
            .try_for_each(|directory| remove_directory(&home, directory).map(drop))
    };
    // A pool that ends deletes nothing more.
    tokio::task::spawn_blocking(delete).await.unwrap_or(Ok(()))
}

/// Why a session of the last life has nobody signed in.
pub(super) const SIGNED_OUT_BY_RESTART: &str = "signed out by restart: this module keeps no sign-in \
    beyond its process. The next command asks for a new one";

const NOT_RESTORED: &str = "signed out by restart: the sign-in from before cannot be used without a \
    person. The next command asks for a new one";
