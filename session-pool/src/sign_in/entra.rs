//! Entra's endpoints: forms in, JSON out (RFC 6749, RFC 8628).
//!
//! Own form posts and not a crate's: `oauth2` drops `suberror`, `error_codes` and `claims` of a
//! refusal, which say what the person has to do.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;
use url::form_urlencoded::Serializer;

use super::error::{EntraError, Refusal};
use super::http::Http;
use crate::domain::cause::deepest;

/// Attempts at a request that Entra was too busy for, or that did not reach it.
const ATTEMPTS: u32 = 3;

/// The longest that one `Retry-After` of Entra's is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What one exchange may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes of an answer that are read; real ones have a tenth of it.
const LARGEST: usize = 256 * 1024;

/// One tenant's sign-in endpoints.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entra<'a> {
    pub(super) http: &'a Http,
    /// Without a slash at the end.
    pub(super) login: &'a str,
    pub(super) tenant: &'a str,
}

/// The answer to a request for a device code.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct DeviceCode {
    pub(super) user_code: String,
    pub(super) device_code: String,
    pub(super) verification_uri: String,
    /// Seconds.
    pub(super) expires_in: u32,
    /// Seconds between two polls.
    #[serde(default = "five")]
    pub(super) interval: u32,
}

// RFC 8628, section 3.2.
const fn five() -> u32 {
    5
}

/// A token, and what came with it.
#[derive(Debug, Deserialize)]
pub(super) struct TokenAnswer {
    pub(super) access_token: SecretString,
    #[serde(default)]
    pub(super) refresh_token: Option<SecretString>,
    #[serde(default)]
    pub(super) id_token: Option<SecretString>,
    #[serde(default)]
    pub(super) client_info: Option<String>,
    /// Seconds.
    pub(super) expires_in: u32,
    #[serde(default)]
    pub(super) ext_expires_in: Option<u32>,
    #[serde(default)]
    pub(super) refresh_in: Option<u32>,
    #[serde(default)]
    pub(super) scope: Option<String>,
    #[serde(default)]
    pub(super) token_type: Option<String>,
    #[serde(default)]
    pub(super) foci: Option<String>,
}

impl Entra<'_> {
    /// Asks for a device code.
    pub(super) async fn device_code(
        &self,
        client_id: &str,
        scope: &str,
    ) -> Result<DeviceCode, EntraError> {
        self.post("devicecode", &[("client_id", client_id), ("scope", scope)])
            .await
    }

    /// Asks for a token.
    pub(super) async fn token(&self, form: &[(&str, &str)]) -> Result<TokenAnswer, EntraError> {
        self.post("token", form).await
    }

    /// The address of the token endpoint, which a client assertion is made out to.
    pub(super) fn token_url(&self) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.login, self.tenant)
    }

    async fn post<T: DeserializeOwned>(
        &self,
        endpoint: &str,
        form: &[(&str, &str)],
    ) -> Result<T, EntraError> {
        let url = format!("{}/{}/oauth2/v2.0/{endpoint}", self.login, self.tenant);
        let url = Url::parse(&url).map_err(|error| unreachable(self.login, &error))?;
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let mut attempt = 1;
        loop {
            let outcome = tokio::time::timeout(PATIENCE, self.exchange(&url, &body)).await;
            let (error, wait) = match outcome {
                Ok(Ok(Answer::Read(status, bytes))) => return read(status, &bytes),
                Ok(Ok(Answer::Busy(status, wait))) => (EntraError::Busy(status), wait),
                Ok(Err(error)) => (error, Duration::from_millis(500)),
                Err(_) => return Err(unreachable(self.login, &"it did not answer in time")),
            };
            if attempt == ATTEMPTS || wait > LONGEST_WAIT {
                return Err(error);
            }
            attempt += 1;
            tokio::time::sleep(wait).await;
        }
    }

    async fn exchange(&self, url: &Url, body: &str) -> Result<Answer, EntraError> {
        let failed = |error: reqwest::Error| unreachable(self.login, &deepest(&error));
        let client = self.http.client(url).map_err(failed)?;
        let mut response = client
            .post(url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(body.to_owned())
            .send()
            .await
            .map_err(failed)?;
        let status = response.status().as_u16();
        if status == 429 || status >= 500 {
            let wait = response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.trim().parse().ok())
                .map_or(Duration::from_secs(1), Duration::from_secs);
            return Ok(Answer::Busy(status, wait));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if bytes.len() + chunk.len() > LARGEST {
                return Err(EntraError::Garbled(status));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Answer::Read(status, bytes))
    }
}

enum Answer {
    Read(u16, Vec<u8>),
    Busy(u16, Duration),
}

fn read<T: DeserializeOwned>(status: u16, bytes: &[u8]) -> Result<T, EntraError> {
    if (200..300).contains(&status) {
        return serde_json::from_slice(bytes).map_err(|_| EntraError::Garbled(status));
    }
    match Refusal::parse(bytes) {
        Some(refusal) => Err(EntraError::Refused(Box::new(refusal))),
        None => Err(EntraError::Garbled(status)),
    }
}

fn unreachable(login: &str, reason: &dyn std::fmt::Display) -> EntraError {
    EntraError::Unreachable {
        login: login.to_owned(),
        reason: reason.to_string(),
    }
}
