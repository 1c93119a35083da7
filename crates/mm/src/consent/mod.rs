//! A yes to exactly one call: how it is asked for, proved, and used once.
//!
//! A code for the caller and the state of a form are sealed, so that any later process can prove
//! them and nothing has to be remembered. What waits for a person elsewhere lies in a file, which
//! `mm confirm` shows. All of it is in one private directory beside the tokens.

mod asking;
mod binding;
mod form;
mod keyring;
mod pending;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rmcp::model::{RequestStateCodec, SealOptions};
use serde::{Deserialize, Serialize};

pub(crate) use self::asking::{Asking, Way, at_terminal, is_there};
pub(crate) use self::binding::Binding;
pub(crate) use self::form::{FIELD, Reply, params, reply};
pub(crate) use self::pending::Waiting;
use self::pending::{Pending, PendingError};

/// How long a yes can be given, and used.
pub(crate) const VALID: Duration = Duration::from_secs(600);

/// The directory below that of the tokens.
const DIRECTORY: &str = "confirmations";

/// In front of the ids of what waits for a person here: the pool's ids are hexadecimal.
pub(crate) const PREFIX: char = 'g';

/// A yes cannot be asked for or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConsentError {
    #[error("{path} cannot be used: {source}. Check the directory's owner, mode and space")]
    Directory { path: String, source: io::Error },
    #[error(
        "the keys of confirmations {path} cannot be used: {reason}. Delete the file; codes from before are void then"
    )]
    Keys { path: String, reason: String },
    #[error(transparent)]
    Pending(#[from] PendingError),
}

/// What a sealed text is for: one cannot pass for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Code,
    Form,
}

/// What is sealed.
#[derive(Debug, Serialize, Deserialize)]
struct Sealed {
    /// Which yes it is, to use it once.
    #[serde(rename = "i")]
    id: String,
    /// What the form was about beside the call, such as the pool's own id.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    about: Option<String>,
}

/// A form's state that was proved and is used up by this.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) spent: Spent,
    pub(crate) about: Option<String>,
}

/// A yes that is used up.
#[derive(Debug)]
pub(crate) struct Spent(PathBuf);

impl Spent {
    /// Gives it back, where the call it was for has certainly done nothing.
    pub(crate) fn give_back(self) {
        // Where that fails, somebody says yes once more.
        let _ = fs::remove_file(self.0);
    }
}

/// Everything about a yes that needs files.
#[derive(Clone, Debug)]
pub(crate) struct Consents {
    directory: PathBuf,
}

impl Consents {
    /// Beside these tokens. Nothing is opened yet.
    pub(crate) fn new(tokens: &Path) -> Self {
        Self {
            directory: tokens.join(DIRECTORY),
        }
    }

    /// A code for the caller, good for what it is bound to.
    ///
    /// # Errors
    /// [`ConsentError`].
    pub(crate) fn code(&self, binding: Binding) -> Result<String, ConsentError> {
        self.seal(Purpose::Code, binding, None)
    }

    /// The state of a form.
    ///
    /// # Errors
    /// [`ConsentError`].
    pub(crate) fn state(
        &self,
        binding: Binding,
        about: Option<String>,
    ) -> Result<String, ConsentError> {
        self.seal(Purpose::Form, binding, about)
    }

    /// Uses a code up, where it is good for this.
    ///
    /// # Errors
    /// [`ConsentError`].
    pub(crate) fn redeem(
        &self,
        binding: Binding,
        code: &str,
    ) -> Result<Option<Spent>, ConsentError> {
        let opened = self.open(Purpose::Code, binding, code)?;
        Ok(opened.map(|opened| opened.spent))
    }

    /// Uses a form's state up, where it is good for this.
    ///
    /// # Errors
    /// [`ConsentError`].
    pub(crate) fn answered(
        &self,
        binding: Binding,
        state: &str,
    ) -> Result<Option<Opened>, ConsentError> {
        self.open(Purpose::Form, binding, state)
    }

    /// Lets a call wait for a person; one that waits already is not asked for anew.
    ///
    /// # Errors
    /// [`ConsentError`].
    pub(crate) fn wait(&self, binding: Binding, preview: &str) -> Result<Waiting, ConsentError> {
        let directory = self.directory()?;
        for pending in Pending::all(directory)? {
            if pending.is_for(binding) && !self.is_spent(&pending.id) {
                return Ok(pending.waiting());
            }
        }
        let pending = Pending::new(format!("{PREFIX}{}", self.random()?), binding, preview);
        pending.write(directory)?;
        Ok(pending.waiting())
    }

    /// Uses up a person's yes to exactly this, where one was said.
    ///
    /// # Errors
    /// [`ConsentError`].
    pub(crate) fn approved(&self, binding: Binding) -> Result<Option<Spent>, ConsentError> {
        let directory = self.directory()?;
        for pending in Pending::all(directory)? {
            if pending.is_for(binding)
                && pending.is_approved(directory)
                && let Some(spent) = self.spend(&pending.id)?
            {
                return Ok(Some(spent));
            }
        }
        Ok(None)
    }

    /// What waits under this id.
    ///
    /// # Errors
    /// [`PendingError::Nothing`] where nothing does.
    pub(crate) fn show(&self, id: &str) -> Result<Waiting, ConsentError> {
        let directory = self.directory()?;
        let pending = Pending::read(directory, id)?;
        if self.is_spent(id) {
            return Err(PendingError::Nothing.into());
        }
        Ok(pending.waiting())
    }

    /// A person says yes to what waits under this id.
    ///
    /// # Errors
    /// As [`Self::show`].
    pub(crate) fn approve(&self, id: &str) -> Result<(), ConsentError> {
        self.show(id)?;
        Ok(Pending::read(&self.directory, id)?.approve(&self.directory)?)
    }

    fn seal(
        &self,
        purpose: Purpose,
        binding: Binding,
        about: Option<String>,
    ) -> Result<String, ConsentError> {
        let sealed = Sealed {
            id: self.random()?,
            about,
        };
        let bound = binding.with(purpose);
        let options = SealOptions::new().associated_data(&bound).ttl(VALID);
        self.codec()?
            .seal_json_with(&sealed, &options)
            .map_err(|error| self.keys_failed(&error.to_string()))
    }

    fn open(
        &self,
        purpose: Purpose,
        binding: Binding,
        text: &str,
    ) -> Result<Option<Opened>, ConsentError> {
        let bound = binding.with(purpose);
        // Why it does not open is nobody's business.
        let Ok(sealed) = self.codec()?.open_json_with::<Sealed>(text.trim(), &bound) else {
            return Ok(None);
        };
        let spent = self.spend(&sealed.id)?;
        Ok(spent.map(|spent| Opened {
            spent,
            about: sealed.about,
        }))
    }

    fn codec(&self) -> Result<RequestStateCodec, ConsentError> {
        keyring::codec(self.directory()?)
    }

    fn keys_failed(&self, reason: &str) -> ConsentError {
        keyring::failed(&self.directory, reason)
    }

    /// Uses an id up: the first process that marks it has it.
    fn spend(&self, id: &str) -> Result<Option<Spent>, ConsentError> {
        let path = self.mark(id);
        match pending::private().create_new(true).write(true).open(&path) {
            Ok(_) => Ok(Some(Spent(path))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn is_spent(&self, id: &str) -> bool {
        self.mark(id).exists()
    }

    fn mark(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{id}.used"))
    }

    /// The directory, private, without what is long over.
    fn directory(&self) -> Result<&Path, ConsentError> {
        let made = pending::make_directory(&self.directory);
        made.map_err(|error| self.failed(error))?;
        pending::sweep(&self.directory);
        Ok(&self.directory)
    }

    fn failed(&self, source: io::Error) -> ConsentError {
        ConsentError::Directory {
            path: self.directory.display().to_string(),
            source,
        }
    }

    fn random(&self) -> Result<String, ConsentError> {
        let mut random = [0_u8; 16];
        aws_lc_rs::rand::fill(&mut random)
            .map_err(|_| self.keys_failed("the system gives no random numbers"))?;
        Ok(format!("{:032x}", u128::from_ne_bytes(random)))
    }
}

#[cfg(test)]
mod tests;
