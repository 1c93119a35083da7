//! The stand-in for Entra's device-code page: lists the codes that connect cmdlets wait for, and
//! answers them. Files are the hand-over, so that any process can be the person.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::module::Module;

/// A device code that a connect cmdlet waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PendingCode {
    /// The code a person would type.
    pub code: String,
    /// The module that asks. The modules write `azure` for Az.Accounts, as the pool does.
    pub module: Module,
    /// The tenant id that the connect command names, or else the one its home belongs to.
    pub tenant: String,
    /// The account that this tenant's registry entry expects.
    pub account: String,
    /// The home of the session that asks.
    pub home: String,
    /// The id of its process.
    pub process: u32,
    /// When the prompt was printed.
    pub created: Timestamp,
    /// How long it lives, in seconds.
    pub lifetime_seconds: f64,
}

/// Who answers a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// The account's sign-in name.
    pub account: String,
    /// The tenant it signed in to.
    pub tenant_id: String,
}

/// What went wrong in the demo directory.
#[derive(Debug, thiserror::Error)]
pub enum EntraError {
    /// A file could not be read or written.
    #[error("the demo directory: {path}: {source}; check that it exists and is yours")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("the demo directory: {path} is not the JSON it should be: {source}; remove it")]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// Nothing waits for this code.
    #[error("no sign-in waits for the code {0:?}: it may have expired; look at the latest prompt")]
    UnknownCode(String),
}

/// The demo's device-code page.
#[derive(Clone, Debug)]
pub struct DemoEntra {
    directory: PathBuf,
}

impl DemoEntra {
    /// Works in the demo directory, which need not exist yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// The codes that wait for a person, oldest first. Codes of processes that died without
    /// tidying up are left out once their lifetime is over.
    ///
    /// # Errors
    /// When the directory cannot be read. A single file that vanishes meanwhile is no error.
    pub fn pending(&self) -> Result<Vec<PendingCode>, EntraError> {
        let pending = self.directory.join("pending");
        let entries = match fs::read_dir(&pending) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(EntraError::File {
                    path: pending,
                    source,
                });
            }
        };
        let mut codes = Vec::new();
        for entry in entries {
            let path = entry
                .map_err(|source| EntraError::File {
                    path: pending.clone(),
                    source,
                })?
                .path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let text = match fs::read(&path) {
                Ok(text) => text,
                // Answered, cancelled or expired between listing and reading.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(EntraError::File { path, source }),
            };
            let code: PendingCode =
                serde_json::from_slice(&text).map_err(|source| EntraError::Json {
                    path: path.clone(),
                    source,
                })?;
            if code.is_alive(Timestamp::now()) {
                codes.push(code);
            }
        }
        codes.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.code.cmp(&b.code)));
        Ok(codes)
    }

    /// Signs the waiting code in as the account that its connection expects.
    ///
    /// # Errors
    /// [`EntraError::UnknownCode`] where nothing waits for it.
    pub fn complete(&self, code: &str) -> Result<PendingCode, EntraError> {
        let pending = self.find(code)?;
        self.answer(
            &pending,
            &SignedIn {
                account: pending.account.clone(),
                tenant_id: pending.tenant.clone(),
            },
        )?;
        Ok(pending)
    }

    /// Signs the waiting code in as someone else.
    ///
    /// # Errors
    /// As [`Self::complete`].
    pub fn complete_as(&self, code: &str, who: &SignedIn) -> Result<PendingCode, EntraError> {
        let pending = self.find(code)?;
        self.answer(&pending, who)?;
        Ok(pending)
    }

    /// Signs in everything that waits, each as its connection expects.
    ///
    /// # Errors
    /// As [`Self::pending`], or when an answer cannot be written.
    pub fn complete_all(&self) -> Result<Vec<PendingCode>, EntraError> {
        let all = self.pending()?;
        for pending in &all {
            self.answer(
                pending,
                &SignedIn {
                    account: pending.account.clone(),
                    tenant_id: pending.tenant.clone(),
                },
            )?;
        }
        Ok(all)
    }

    /// Refuses the waiting code.
    ///
    /// # Errors
    /// As [`Self::complete`].
    pub fn decline(&self, code: &str) -> Result<PendingCode, EntraError> {
        let pending = self.find(code)?;
        write_atomically(&self.directory.join("declined").join(&pending.code), b"")?;
        Ok(pending)
    }

    /// Ends every sign-in of a module that was made before now, in one tenant or in all: the next
    /// command fails as a dead sign-in does, with this AADSTS code.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn revoke(
        &self,
        module: Module,
        tenant_id: Option<&str>,
        aadsts: u32,
    ) -> Result<(), EntraError> {
        let name = match tenant_id {
            Some(tenant) => format!("{module}-{tenant}.json"),
            None => format!("{module}.json"),
        };
        let path = self.directory.join("revoked").join(name);
        let body = serde_json::json!({ "at": Timestamp::now().to_string(), "code": aadsts });
        write_atomically(&path, body.to_string().as_bytes())
    }

    // The code becomes a file name only after it was found among the waiting ones.
    fn find(&self, code: &str) -> Result<PendingCode, EntraError> {
        self.pending()?
            .into_iter()
            .find(|pending| pending.code.eq_ignore_ascii_case(code.trim()))
            .ok_or_else(|| EntraError::UnknownCode(code.to_owned()))
    }

    fn answer(&self, pending: &PendingCode, who: &SignedIn) -> Result<(), EntraError> {
        let path = self
            .directory
            .join("signed-in")
            .join(format!("{}.json", pending.code));
        let body = serde_json::to_vec(who).map_err(|source| EntraError::Json {
            path: path.clone(),
            source,
        })?;
        write_atomically(&path, &body)
    }
}

impl PendingCode {
    fn is_alive(&self, now: Timestamp) -> bool {
        now.duration_since(self.created).as_secs_f64() < self.lifetime_seconds
    }
}

/// Replaces a file in one step, so that a module that polls for it never reads half of it.
pub(super) fn write_atomically(path: &Path, contents: &[u8]) -> Result<(), EntraError> {
    let attempt = || {
        let parent = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent)?;
        // Sessions may have user ids of their own, and nothing in here is true.
        let mut file = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o644))
            .tempfile_in(parent)?;
        file.write_all(contents)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    attempt().map_err(|source| EntraError::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn waiting(directory: &Path, code: &str, age_seconds: i64) {
        let pending = PendingCode {
            code: code.to_owned(),
            module: Module::Exo,
            tenant: "t1".to_owned(),
            account: "admin@contoso.example".to_owned(),
            home: "/home/x".to_owned(),
            process: 1,
            created: Timestamp::now() - jiff::SignedDuration::from_secs(age_seconds),
            lifetime_seconds: 900.0,
        };
        let path = directory.join("pending").join(format!("{code}.json"));
        write_atomically(&path, &serde_json::to_vec(&pending).unwrap()).unwrap();
    }

    #[test]
    fn lists_living_codes_oldest_first_and_answers_by_code() {
        let directory = tempfile::tempdir().unwrap();
        let entra = DemoEntra::new(directory.path());
        assert!(entra.pending().unwrap().is_empty());
        waiting(directory.path(), "NEW", 1);
        waiting(directory.path(), "OLD", 60);
        waiting(directory.path(), "DEAD", 901);
        let codes: Vec<_> = entra
            .pending()
            .unwrap()
            .into_iter()
            .map(|p| p.code)
            .collect();
        assert_eq!(codes, ["OLD", "NEW"]);

        entra.complete("old ").unwrap();
        let answer = fs::read(directory.path().join("signed-in/OLD.json")).unwrap();
        let answer: SignedIn = serde_json::from_slice(&answer).unwrap();
        assert_eq!(answer.account, "admin@contoso.example");
        entra.decline("NEW").unwrap();
        assert!(directory.path().join("declined/NEW").exists());
    }

    #[test]
    fn a_code_that_nobody_waits_for_writes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let entra = DemoEntra::new(directory.path());
        assert!(matches!(
            entra.complete("../../x"),
            Err(EntraError::UnknownCode(_))
        ));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
