//! `mm confirm`: a person looks at what waits for a yes, and says it.

use std::io::{self, Write as _};

use super::{Exit, complain, pool};
use session_pool::domain::audit::ConfirmedHow;

use crate::cli::Confirm;
use crate::config::Overrides;
use crate::consent::{self, Consents, PREFIX, Reply};
use crate::graph::Places;
use crate::pool::Pool;
use crate::text::{self, Reader};
use crate::tools::Failure;

/// Who keeps what waits.
enum Keeper {
    Pool(Box<Pool>),
    Own(Consents),
}

impl Keeper {
    /// The pool's ids are hexadecimal, ours begin with another letter.
    fn of(id: &str, overrides: &Overrides) -> Result<Self, Failure> {
        if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self::Pool(Box::new(pool(overrides)?)));
        }
        if !id.starts_with(PREFIX) {
            let usage =
                format!("{id:?} is no id of a confirmation: use the one of the answer, as it is");
            return Err(Failure::Usage(usage));
        }
        let places = Places::from_environment(None).map_err(crate::graph::GraphError::Places)?;
        Ok(Self::Own(Consents::new(&places.tokens)))
    }

    async fn show(&self, id: &str) -> Result<(String, u64), Failure> {
        match self {
            Self::Pool(pool) => {
                let asked = pool.confirmation(id).await?;
                Ok((asked.preview, asked.expires_in))
            }
            Self::Own(consents) => {
                let waiting = consents.show(id)?;
                Ok((waiting.preview, waiting.expires_in))
            }
        }
    }

    async fn approve(&self, id: &str) -> Result<(), Failure> {
        match self {
            Self::Pool(pool) => Ok(pool.confirm(id, ConfirmedHow::Command).await?),
            Self::Own(consents) => Ok(consents.approve(id)?),
        }
    }
}

/// Shows, asks, and confirms.
pub(crate) async fn confirm(confirm: Confirm, overrides: &Overrides) -> Exit {
    match confirmed(&confirm, overrides).await {
        Ok(exit) => exit,
        Err(failure) => {
            let exit = Exit::without_answer(&failure);
            complain(&text::reason(&failure, Reader::Shell), exit)
        }
    }
}

async fn confirmed(confirm: &Confirm, overrides: &Overrides) -> Result<Exit, Failure> {
    let keeper = Keeper::of(&confirm.id, overrides)?;
    let (preview, expires_in) = keeper.show(&confirm.id).await?;
    let shown = format!(
        "{}\n\nIt is good for {expires_in} more s.",
        session_pool::domain::visible::visible(preview.trim_end())
    );
    if confirm.yes {
        let _ = writeln!(io::stdout(), "{shown}");
    } else if !consent::is_there() {
        let _ = writeln!(io::stdout(), "{shown}");
        let words = "this is no terminal, so nobody can say yes: run it in one, or give --yes";
        return Ok(complain(words, Exit::NotConfirmed));
    } else if consent::at_terminal(&shown) != Reply::Yes {
        return Ok(complain("nothing was confirmed", Exit::NotConfirmed));
    }
    keeper.approve(&confirm.id).await?;
    let _ = writeln!(
        io::stdout(),
        "Confirmed: the very same call goes through when it is sent again."
    );
    Ok(Exit::Succeeded)
}
