//! `session-pool confirm ID`: a person looks at what waits for a yes, and says it.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Client, Method, redirect::Policy};
use serde::de::DeserializeOwned;
use url::Url;

use crate::cli::ConfirmOptions;
use crate::config::{ConfigError, Places};
use crate::domain::audit::ConfirmedHow;
use crate::domain::policy::{ConfirmRequest, ConfirmationRequest, Confirmed};
use crate::domain::wire::Refusal;
use crate::token_file::{self, AccessToken, MalformedToken, TokenFileError};

/// The pool answers such questions at once.
const WITHIN: Duration = Duration::from_secs(10);

/// Why nothing was confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmCommandError {
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The token cannot be read.
    #[error(transparent)]
    TokenFile(#[from] TokenFileError),
    /// The token cannot be sent.
    #[error("SESSION_POOL_TOKEN (--token) cannot be used: {0}")]
    Token(#[from] MalformedToken),
    /// The id could not stand in a path.
    #[error("{0:?} is no id of a confirmation: use the one of the answer, as it is")]
    Id(String),
    /// The pool cannot be asked.
    #[error(
        "cannot ask the pool at {url}: {source}. Is it running? --url (MM_SESSION_POOL_URL) names another"
    )]
    Pool {
        /// Where it was looked for.
        url: Url,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// The pool says no.
    #[error("{0}")]
    Refused(String),
    /// The person says no.
    #[error("nothing was confirmed")]
    NotConfirmed,
    /// There is nobody to ask.
    #[error("standard input is no terminal, so nobody can say yes: run it in one, or give --yes")]
    NobodyThere,
    /// The system refused.
    #[error("the system refused: {0}")]
    System(#[from] io::Error),
}

/// Shows, asks, and confirms.
///
/// # Errors
/// [`ConfirmCommandError`].
pub fn run(options: ConfirmOptions, home: Option<&Path>) -> Result<(), ConfirmCommandError> {
    if !options.id.bytes().all(|byte| byte.is_ascii_hexdigit()) || options.id.is_empty() {
        return Err(ConfirmCommandError::Id(options.id));
    }
    let token = token(&options, home)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let pool = Pool::new(&options.url, &options.id, &token)?;
            let asked: ConfirmationRequest = pool.ask(Method::GET, None).await?;
            let mut out = io::stdout().lock();
            writeln!(out, "{}", asked.preview.trim_end())?;
            writeln!(out, "\nIt is good for {} more s.", asked.expires_in)?;
            if !options.yes && !person_says_yes(&mut out)? {
                return Err(ConfirmCommandError::NotConfirmed);
            }
            let how = ConfirmRequest {
                how: Some(ConfirmedHow::Command),
            };
            let _: Confirmed = pool.ask(Method::POST, Some(&how)).await?;
            writeln!(
                out,
                "Confirmed: the very same command runs when it is sent again."
            )?;
            Ok(())
        })
}

fn person_says_yes(out: &mut impl io::Write) -> Result<bool, ConfirmCommandError> {
    if !io::stdin().is_terminal() {
        return Err(ConfirmCommandError::NobodyThere);
    }
    write!(out, "Type yes to confirm: ")?;
    out.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().eq_ignore_ascii_case("yes"))
}

fn token(
    options: &ConfirmOptions,
    home: Option<&Path>,
) -> Result<AccessToken, ConfirmCommandError> {
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

struct Pool {
    client: Client,
    url: Url,
    authorization: String,
}

impl Pool {
    fn new(url: &Url, id: &str, token: &AccessToken) -> Result<Self, ConfirmCommandError> {
        let failed = |source| ConfirmCommandError::Pool {
            url: url.clone(),
            source,
        };
        let client = Client::builder()
            .timeout(WITHIN)
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(failed)?;
        let mut route = url.clone();
        route.set_path(&format!(
            "{}/confirmations/{id}",
            url.path().trim_end_matches('/')
        ));
        Ok(Self {
            client,
            url: route,
            authorization: format!("Bearer {}", token.expose()),
        })
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        body: Option<&ConfirmRequest>,
    ) -> Result<T, ConfirmCommandError> {
        let failed = |source| ConfirmCommandError::Pool {
            url: self.url.clone(),
            source,
        };
        let response = self
            .client
            .request(method, self.url.clone())
            .header("authorization", &self.authorization)
            .header("content-type", "application/json")
            .body(
                body.map(serde_json::to_vec)
                    .and_then(Result::ok)
                    .unwrap_or_default(),
            )
            .send()
            .await
            .map_err(failed)?;
        let bytes = response.bytes().await.map_err(failed)?;
        serde_json::from_slice(&bytes).map_err(|_| {
            let refusal = serde_json::from_slice::<Refusal>(&bytes);
            ConfirmCommandError::Refused(refusal.map_or_else(
                |_| format!("what answers at {} is no session pool", self.url),
                |refusal| refusal.error,
            ))
        })
    }
}
