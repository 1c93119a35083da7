//! A pool, or a router, that runs already, as the commands see it that ask it something.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Client, Method, StatusCode, redirect::Policy};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::cli::PoolOptions;
use crate::config::{ConfigError, Places};
use crate::domain::cause::deepest;
use crate::domain::wire::Refusal;
use crate::token_file::{self, AccessToken, MalformedToken, TokenFileError};

/// Why a pool could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum PoolClientError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The token cannot be read.
    #[error(transparent)]
    TokenFile(#[from] TokenFileError),
    /// The token cannot be sent.
    #[error("SESSION_POOL_TOKEN (--token) cannot be used: {0}")]
    Token(#[from] MalformedToken),
    /// Nothing answers there.
    #[error(
        "cannot ask the pool at {url}: {reason}. Is it running? --url (MM_SESSION_POOL_URL) names another"
    )]
    NoPool {
        /// Where it was looked for.
        url: Url,
        /// What went wrong.
        reason: String,
    },
    /// What answers there is something else.
    #[error("what answers at {0} is no session pool of this version")]
    NotAPool(Url),
    /// The token is not the pool's.
    #[error("{0}")]
    Unauthorized(String),
    /// The pool says no.
    #[error("{0}")]
    Refused(String),
}

impl PoolClientError {
    /// The program's exit code, as sysexits.h has them: 64 for a mistake of the caller's, 69 where no
    /// pool answers, 77 where it does not let the caller in.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Token(_) | Self::Refused(_) => 64,
            Self::NoPool { .. } | Self::NotAPool(_) => 69,
            Self::TokenFile(_) | Self::Unauthorized(_) => 77,
        }
    }
}

/// A pool that can be asked.
#[derive(Debug)]
pub struct PoolClient {
    client: Client,
    url: Url,
    authorization: String,
}

impl PoolClient {
    /// The pool that the settings name; nothing is sent yet.
    ///
    /// # Errors
    /// [`PoolClientError`], where there is no token to send.
    pub fn new(options: &PoolOptions, home: Option<&Path>) -> Result<Self, PoolClientError> {
        let token = token(options, home)?;
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| no_pool(&options.url, &error))?;
        Ok(Self {
            client,
            url: options.url.clone(),
            authorization: format!("Bearer {}", token.expose()),
        })
    }

    /// Asks; the path begins with a slash. The answer has so much time.
    ///
    /// # Errors
    /// [`PoolClientError`].
    pub async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
        within: Duration,
    ) -> Result<T, PoolClientError> {
        let mut route = self.url.clone();
        route.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        let failed = |error: reqwest::Error| no_pool(&self.url, &error);
        let mut request = self
            .client
            .request(method, route)
            .timeout(within)
            .header("authorization", &self.authorization)
            .header("content-type", "application/json");
        if let Some(body) = body {
            let bytes = serde_json::to_vec(body)
                .map_err(|_| PoolClientError::NotAPool(self.url.clone()))?;
            request = request.body(bytes);
        }
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(failed)?;
        if status.is_success()
            && let Ok(answer) = serde_json::from_slice(&bytes)
        {
            return Ok(answer);
        }
        let refusal = serde_json::from_slice::<Refusal>(&bytes);
        Err(match refusal {
            Ok(refusal) if status == StatusCode::UNAUTHORIZED => {
                PoolClientError::Unauthorized(refusal.error)
            }
            // A pool of an earlier version, or something else.
            Ok(refusal) if refusal.code != "not_found" => PoolClientError::Refused(refusal.error),
            _ => PoolClientError::NotAPool(self.url.clone()),
        })
    }
}

/// The body of requests that have none.
pub const NOTHING: Option<&()> = None;

fn no_pool(url: &Url, error: &reqwest::Error) -> PoolClientError {
    PoolClientError::NoPool {
        url: url.clone(),
        reason: deepest(error),
    }
}

fn token(options: &PoolOptions, home: Option<&Path>) -> Result<AccessToken, PoolClientError> {
    use secrecy::ExposeSecret as _;
    if let Some(token) = &options.token {
        return Ok(AccessToken::new(token.expose_secret())?);
    }
    let file: PathBuf = match &options.token_file {
        Some(file) => file.clone(),
        None => Places::state_dir_at(options.state_dir.clone(), home)?.join(token_file::FILE_NAME),
    };
    Ok(token_file::read(&file)?)
}
