//! A session's part in signing in as an app: its copy of the certificate or secret, and a new
//! sign-in where that was replaced.

use std::sync::Arc;

use crate::domain::connect;
use crate::domain::life::Event;
use crate::domain::registry::Connection;

use super::credentials::{Credential, ProofError};
use super::worker::Worker;

impl Worker {
    /// The text that signs the session in: by device code, or as the app with what it proves
    /// itself with now. `Err` is why there is none, for callers.
    pub(super) async fn connect_script(
        &mut self,
        connection: &Arc<Connection>,
    ) -> Result<String, String> {
        let (module, site) = (self.key.module(), self.key.site());
        // Before any file is looked at: a module that has no such way needs none.
        connection
            .check(module)
            .map_err(|unusable| unusable.to_string())?;
        let credential = self.credential(connection).await;
        let ends = match &credential {
            Ok(credential) => credential.as_ref().and_then(|credential| credential.ends()),
            Err(error) => error.ended(),
        };
        self.view.send_modify(|view| view.certificate_ends = ends);
        let credential = credential.map_err(|error| error.to_string())?;
        let script = match &credential {
            None => connect::connect(connection, module, &site),
            Some(credential) => {
                let proof = self
                    .put_copy(connection, Arc::clone(credential))
                    .await
                    .map_err(|error| error.to_string())?;
                connect::connect_app(connection, module, &site, &proof)
            }
        };
        self.proved_with = credential;
        script.map_err(|unusable| unusable.to_string())
    }

    /// Forgets an app's sign-in whose certificate or secret was replaced, so that the next command
    /// signs in with the new one. What cannot be read ends no sign-in that still works.
    pub(super) async fn renew_proof(&mut self, connection: &Arc<Connection>) {
        let Some(used) = self.proved_with.clone() else {
            return;
        };
        if self.life.state().signed_in().is_none() {
            return;
        }
        if let Ok(Some(now)) = self.credential(connection).await
            && now.mark() != used.mark()
        {
            tracing::info!(session = %self.key, "the certificate or secret was replaced: signing in anew");
            self.advance(Event::ProofReplaced).await;
        }
    }

    async fn credential(
        &self,
        connection: &Arc<Connection>,
    ) -> Result<Option<Arc<Credential>>, ProofError> {
        if !connection.authentication.is_app_only() {
            return Ok(None);
        }
        let (credentials, connection) =
            (Arc::clone(&self.shared.credentials), Arc::clone(connection));
        blocking(move || credentials.current(&connection)).await
    }

    async fn put_copy(
        &self,
        connection: &Connection,
        credential: Arc<Credential>,
    ) -> Result<connect::Proof, ProofError> {
        let launcher = &self.shared.launcher;
        let home = launcher.home(&connection.name);
        let user = launcher.user(&connection.name)?;
        blocking(move || credential.put(&home, user)).await
    }
}

/// Files may lie on a network.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ProofError> + Send + 'static,
) -> Result<T, ProofError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or(Err(ProofError::Interrupted))
}
