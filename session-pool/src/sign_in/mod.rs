//! Signing in to Entra without PowerShell: device codes, refresh, certificates and secrets, over a
//! token cache that many processes and MSAL's libraries share.
//!
//! [`SignIn::token`] is the whole of it: a token from the cache, by refresh, by the app's own
//! credential, or the code that a person has to enter.

mod assertion;
mod audience;
mod cache;
#[cfg(test)]
mod cache_tests;
mod claims;
mod entra;
mod error;
mod flow;
pub mod http;
mod identity;
mod store;
#[cfg(all(test, feature = "server"))]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub use self::audience::Audience;
use self::audience::Wanted;
use self::cache::{Cached, MsalCache, Owner};
use self::entra::{Entra, TokenAnswer};
pub use self::error::{EntraError, Refusal, SignInError};
pub use self::flow::DevicePrompt;
use self::flow::PendingFlow;
use self::http::Http;
use self::identity::Identity;
pub use self::store::StoreError;
use self::store::{Locked, Store};
use crate::credential::{self, CredentialError};
use crate::domain::registry::{Authentication, Connection};

/// Signs connections in, and keeps their tokens.
#[derive(Clone, Debug)]
pub struct SignIn {
    tokens: PathBuf,
    secrets: PathBuf,
    http: Arc<Http>,
}

/// What a call gets.
#[derive(Debug)]
pub enum Access {
    /// A token.
    Granted(Grant),
    /// A person has to enter a code first.
    Pending(DevicePrompt),
}

/// A token, and whose it is.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The access token.
    pub token: SecretString,
    /// The account's sign-in name; an app has none.
    pub account: Option<String>,
    /// The tenant's id, where it is known.
    pub tenant: Option<String>,
    /// When the token ends.
    pub expires: Timestamp,
}

/// What a call knows about the token it had.
#[derive(Clone, Copy, Debug, Default)]
pub struct Challenge<'a> {
    /// The service refused this token.
    pub refused: Option<&'a SecretString>,
    /// The new one must satisfy this (JSON, from `WWW-Authenticate`).
    pub claims: Option<&'a str>,
}

impl SignIn {
    /// Works in the token directory (`~/.mm-graph-tokens`) with secrets from theirs
    /// (`~/.m365-secrets`).
    pub fn new(tokens: impl Into<PathBuf>, secrets: impl Into<PathBuf>, http: Arc<Http>) -> Self {
        Self {
            tokens: tokens.into(),
            secrets: secrets.into(),
            http,
        }
    }

    /// The directory of the token caches.
    pub fn directory(&self) -> &Path {
        &self.tokens
    }

    /// A token for the service, or the code that a person has to enter for one.
    ///
    /// Many processes may ask at once: one of them refreshes, the others take what it got. A
    /// pending code is asked about at most once in its interval, so this never waits for a person.
    ///
    /// # Errors
    /// [`SignInError`], each with what to do.
    pub async fn token(
        &self,
        connection: &Connection,
        audience: Audience,
        challenge: Challenge<'_>,
    ) -> Result<Access, SignInError> {
        let request = Request::new(self, connection, audience, challenge)?;
        if let Some(cached) = request.cached(&request.store.read()?) {
            return Ok(granted(cached));
        }
        let locked = request.store.lock().await?;
        let cache = locked.read()?;
        // Another process may have been faster.
        if let Some(cached) = request.cached(&cache) {
            return Ok(granted(cached));
        }
        if connection.authentication.is_app_only() {
            return request.as_app(&locked, cache).await.map(Access::Granted);
        }
        request.as_person(&locked, cache).await
    }

    /// Forgets everything about a connection: tokens and pending codes. Says whether there was
    /// anything. Entra is not told: it has no way to end one app's sign-in.
    ///
    /// # Errors
    /// Where the files cannot be deleted.
    pub async fn sign_out(&self, connection: &Connection) -> Result<bool, SignInError> {
        let locked = Store::new(&self.tokens, &connection.name).lock().await?;
        Ok(locked.remove_all()?)
    }
}

fn granted(cached: Cached) -> Access {
    Access::Granted(Grant {
        token: cached.secret,
        account: cached.username,
        tenant: cached.tenant,
        expires: cached.expires,
    })
}

/// One call's wish for a token.
struct Request<'a> {
    connection: &'a Connection,
    audience: Audience,
    challenge: Challenge<'a>,
    authority: String,
    owner: Owner,
    wanted: Wanted,
    store: Store,
    secrets: &'a Path,
    http: &'a Http,
}

impl<'a> Request<'a> {
    fn new(
        sign_in: &'a SignIn,
        connection: &'a Connection,
        audience: Audience,
        challenge: Challenge<'a>,
    ) -> Result<Self, SignInError> {
        let unconfigured = |remedy| SignInError::Unconfigured {
            connection: connection.name.clone(),
            service: audience.name(),
            remedy,
        };
        let app_only = connection.authentication.is_app_only();
        let client_id = audience.app(connection).ok_or_else(|| {
            unconfigured("add the id of your app registration as \"appId\" to the registry")
        })?;
        let authority = match connection.tenant_for_sign_in() {
            Some(tenant) => tenant,
            None if app_only => {
                return Err(unconfigured(
                    "an app signs in to one tenant: add \"tenantId\" to the registry",
                ));
            }
            None => "organizations".to_owned(),
        };
        let environment = Url::parse(connection.cloud.login_url())
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default();
        Ok(Self {
            connection,
            audience,
            challenge,
            owner: Owner {
                client_id: client_id.to_string(),
                environment,
                tenant: connection.tenant_id.map(|id| id.to_string()),
                authority: authority.clone(),
                account: connection.expected_email.clone().filter(|_| !app_only),
                app_only,
            },
            authority,
            wanted: audience.scopes(connection),
            store: Store::new(&sign_in.tokens, &connection.name),
            secrets: &sign_in.secrets,
            http: &sign_in.http,
        })
    }

    fn entra(&self) -> Entra<'_> {
        Entra {
            http: self.http,
            login: self.connection.cloud.login_url(),
            tenant: &self.authority,
        }
    }

    /// The cache's token, if the service has not refused just that one.
    fn cached(&self, cache: &MsalCache) -> Option<Cached> {
        let cached = cache.access(&self.owner, &self.wanted, Timestamp::now())?;
        let refused = self.challenge.refused.map(ExposeSecret::expose_secret);
        (refused != Some(cached.secret.expose_secret())).then_some(cached)
    }

    async fn as_app(&self, locked: &Locked, mut cache: MsalCache) -> Result<Grant, SignInError> {
        let entra = self.entra();
        let now = Timestamp::now();
        let name = &self.connection.name;
        let failed = |source| SignInError::Credential {
            connection: name.clone(),
            source,
        };
        let scope = self.wanted.app_only();
        let claims = claims::request(self.challenge.claims);
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", self.owner.client_id.as_str()),
            ("scope", &scope),
            ("claims", &claims),
        ];
        let proof = match &self.connection.authentication {
            Authentication::Certificate(files) => {
                let certificate = credential::Certificate::read(files, self.secrets, name, now)
                    .map_err(failed)?;
                form.push((
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ));
                let assertion =
                    assertion::sign(&certificate, &self.owner.client_id, &entra.token_url(), now)
                        .map_err(|_| {
                        failed(CredentialError::Unusable {
                            path: files.certificate.resolve(self.secrets, name),
                            what: "its key cannot sign; make a new RSA certificate",
                        })
                    })?;
                ("client_assertion", assertion)
            }
            Authentication::Secret(source) => (
                "client_secret",
                credential::secret(source, self.secrets, name).map_err(failed)?,
            ),
            Authentication::Device => ("client_secret", SecretString::default()),
        };
        form.push((proof.0, proof.1.expose_secret()));
        let answer = entra
            .token(&form)
            .await
            .map_err(|error| self.named(error))?;
        cache.add(&answer, None, &self.owner, &scope, now);
        locked.write(&cache)?;
        Ok(self.grant(answer, None, now))
    }

    async fn as_person(
        &self,
        locked: &Locked,
        mut cache: MsalCache,
    ) -> Result<Access, SignInError> {
        let mut reason = None;
        if let Some(refresh) = cache.refresh(&self.owner) {
            match self.refreshed(refresh.secret.expose_secret()).await {
                Ok(answer) => {
                    return self.accept(locked, cache, answer).map(Access::Granted);
                }
                Err(EntraError::Refused(refusal)) if refusal.needs_person() => {
                    if refusal.ends_refresh_token() {
                        cache.remove(&refresh);
                        locked.write(&cache)?;
                    }
                    reason = Some(self.explained(&refusal));
                }
                Err(error) => return Err(self.named(error)),
            }
        } else if cache.has_only_others(&self.owner) {
            cache.remove_all(&self.owner);
            locked.write(&cache)?;
            reason = Some(
                "the sign-in that was kept is another account's than the registry expects; it was \
                 dropped"
                    .to_owned(),
            );
        }
        self.by_code(locked, cache, reason).await
    }

    async fn refreshed(&self, token: &str) -> Result<TokenAnswer, EntraError> {
        let scope = self.wanted.delegated();
        let claims = claims::request(self.challenge.claims);
        self.entra()
            .token(&[
                ("grant_type", "refresh_token"),
                ("client_id", &self.owner.client_id),
                ("refresh_token", token),
                ("scope", &scope),
                ("claims", &claims),
                ("client_info", "1"),
            ])
            .await
    }

    /// Asks about the pending code, or makes one.
    async fn by_code(
        &self,
        locked: &Locked,
        cache: MsalCache,
        mut reason: Option<String>,
    ) -> Result<Access, SignInError> {
        let scope = self.wanted.delegated();
        let client_id = self.owner.client_id.as_str();
        let pending = locked
            .flow(self.audience)
            .filter(|flow| flow.is_for(client_id, &self.authority, &scope));
        if let Some(mut flow) = pending {
            let now = Timestamp::now();
            if flow.is_over(now) {
                reason = Some("the code before this one expired".to_owned());
            } else if flow.until_poll(now) > 0 {
                return Ok(Access::Pending(flow.prompt(false, reason, now)));
            } else {
                match self.polled(&flow).await {
                    Ok(answer) => {
                        locked.remove_flow(self.audience)?;
                        return self.accept(locked, cache, answer).map(Access::Granted);
                    }
                    Err(EntraError::Refused(refusal))
                        if refusal.is_pending() || refusal.error == "slow_down" =>
                    {
                        let now = Timestamp::now();
                        flow.polled(refusal.error == "slow_down", now);
                        locked.write_flow(self.audience, &flow)?;
                        return Ok(Access::Pending(flow.prompt(false, reason, now)));
                    }
                    Err(EntraError::Refused(refusal)) => reason = Some(self.explained(&refusal)),
                    Err(error) => return Err(self.named(error)),
                }
            }
            locked.remove_flow(self.audience)?;
        }
        let code = self
            .entra()
            .device_code(client_id, &scope)
            .await
            .map_err(|error| self.named(error))?;
        let now = Timestamp::now();
        let claims = self.challenge.claims;
        let flow = PendingFlow::new(code, client_id, &self.authority, &scope, claims, now);
        locked.write_flow(self.audience, &flow)?;
        Ok(Access::Pending(flow.prompt(true, reason, now)))
    }

    async fn polled(&self, flow: &PendingFlow) -> Result<TokenAnswer, EntraError> {
        let claims = claims::request(flow.claims.as_deref());
        self.entra()
            .token(&[
                ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                ("client_id", &self.owner.client_id),
                ("device_code", &flow.device_code),
                ("claims", &claims),
                ("client_info", "1"),
            ])
            .await
    }

    /// Keeps a person's token, if it is the right person's.
    fn accept(
        &self,
        locked: &Locked,
        mut cache: MsalCache,
        answer: TokenAnswer,
    ) -> Result<Grant, SignInError> {
        let identity = Identity::of(&answer);
        let checked = match &identity {
            Some(identity) => identity.check(self.connection),
            None if self.owner.account.is_some() || self.owner.tenant.is_some() => {
                Err(SignInError::Unverified {
                    connection: self.connection.name.clone(),
                })
            }
            None => Ok(()),
        };
        if let Err(error) = checked {
            cache.remove_all(&self.owner);
            locked.write(&cache)?;
            return Err(error);
        }
        let now = Timestamp::now();
        let asked = self.wanted.delegated();
        cache.add(&answer, identity.as_ref(), &self.owner, &asked, now);
        locked.write(&cache)?;
        Ok(self.grant(answer, identity, now))
    }

    fn grant(&self, answer: TokenAnswer, identity: Option<Identity>, now: Timestamp) -> Grant {
        let life = jiff::SignedDuration::from_secs(answer.expires_in.into());
        let (account, tenant) = match identity {
            Some(identity) => (Some(identity.username), Some(identity.tenant)),
            None => (None, self.owner.tenant.clone()),
        };
        Grant {
            token: answer.access_token,
            account,
            tenant,
            expires: now.saturating_add(life).unwrap_or(now),
        }
    }

    /// The error, with the permissions where it is they that are missing.
    fn named(&self, error: EntraError) -> SignInError {
        match error {
            EntraError::Refused(refusal) if refusal.wants_consent() => SignInError::Consent {
                refusal,
                scopes: self.wanted.names(),
            },
            other => SignInError::Entra(other),
        }
    }

    fn explained(&self, refusal: &Refusal) -> String {
        if refusal.wants_consent() {
            format!(
                "{refusal}. The permissions asked for are: {}",
                self.wanted.names()
            )
        } else {
            refusal.to_string()
        }
    }
}
