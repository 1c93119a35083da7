//! `session-pool confirm ID`: a person looks at what waits for a yes, and says it.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use reqwest::Method;

use crate::cli::ConfirmOptions;
use crate::domain::audit::ConfirmedHow;
use crate::domain::policy::{ConfirmRequest, ConfirmationRequest, Confirmed};
use crate::pool_client::{NOTHING, PoolClient, PoolClientError};

/// The pool answers such questions at once.
const WITHIN: Duration = Duration::from_secs(10);

/// Why nothing was confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmCommandError {
    /// The id could not stand in a path.
    #[error("{0:?} is no id of a confirmation: use the one of the answer, as it is")]
    Id(String),
    /// The pool cannot be asked, or says no.
    #[error(transparent)]
    Pool(#[from] PoolClientError),
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
    let pool = PoolClient::new(&options.pool, home)?;
    let path = format!("/confirmations/{}", options.id);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let asked: ConfirmationRequest = pool.ask(Method::GET, &path, NOTHING, WITHIN).await?;
            let mut out = io::stdout().lock();
            writeln!(out, "{}", asked.preview.trim_end())?;
            writeln!(out, "\nIt is good for {} more s.", asked.expires_in)?;
            if !options.yes && !person_says_yes(&mut out)? {
                return Err(ConfirmCommandError::NotConfirmed);
            }
            let how = ConfirmRequest {
                how: Some(ConfirmedHow::Command),
            };
            let _: Confirmed = pool.ask(Method::POST, &path, Some(&how), WITHIN).await?;
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
