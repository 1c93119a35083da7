//! What connections prove themselves with that sign in as an app.
//!
//! Files are read when a session needs them, and again when they have changed; a session gets a
//! copy of its own. Nothing of them is logged.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::credential::{self, Certificate, CredentialError};
use crate::domain::connect::Proof;
use crate::domain::registry::{
    Authentication, Connection, ConnectionName, SecretPath, SecretSource,
};
use crate::host::{HostError, UserIds, put_file, remove_files};

use super::telemetry;
use super::users::UsersError;

/// How long before its end the log speaks of a certificate: enough for who is away for two weeks.
const DAYS_OF_NOTICE: i64 = 21;

/// Names of the copies in a home begin so.
const COPY: &str = ".session-pool-app-";

/// Why a connection cannot prove itself.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The certificate or secret itself.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The session's copy.
    #[error(transparent)]
    Copy(#[from] HostError),
    /// The connection has no user id.
    #[error(transparent)]
    Users(#[from] UsersError),
    /// The pool ends, or reading the files failed in a way of its own.
    #[error("the certificate or secret was not read to its end; send the command again")]
    Interrupted,
    /// The system has no randomness to give.
    #[error("the system gives no random numbers: {0}")]
    NoRandomness(getrandom::Error),
}

impl ProofError {
    /// When the certificate has ended, where that is what is wrong.
    pub(super) const fn ended(&self) -> Option<Timestamp> {
        match self {
            Self::Credential(CredentialError::Expired { ended, .. }) => Some(*ended),
            _ => None,
        }
    }
}

/// The credentials of a pool's connections.
#[derive(Debug)]
pub struct Credentials {
    /// The directory of every connection's secrets.
    secrets: PathBuf,
    known: Mutex<HashMap<ConnectionName, Known>>,
}

#[derive(Debug)]
struct Known {
    authentication: Authentication,
    stamps: Vec<Stamp>,
    credential: Arc<Credential>,
}

/// What changes with a file.
type Stamp = Option<(u64, u64, i64, i64, u64)>;

/// A certificate or secret as it was read.
#[derive(Debug)]
pub(super) struct Credential {
    kind: Kind,
    /// Tells it from the one before; says nothing about it.
    mark: String,
}

#[derive(Debug)]
enum Kind {
    Certificate {
        certificate: Certificate,
        pfx: Vec<u8>,
        /// Of the copy, made up for it.
        password: SecretString,
    },
    Secret(SecretString),
}

impl Credentials {
    /// Reads from `~/.m365-secrets`, wherever that is.
    pub fn new(secrets: PathBuf) -> Self {
        Self {
            secrets,
            known: Mutex::default(),
        }
    }

    /// What the connection proves itself with now; none where a person signs in. Reads files.
    ///
    /// # Errors
    /// [`ProofError`], each with what to do.
    pub(super) fn current(
        &self,
        connection: &Connection,
    ) -> Result<Option<Arc<Credential>>, ProofError> {
        let Some(files) = self.files(connection) else {
            return Ok(None);
        };
        // Before the contents: what changes while they are read is read again.
        let stamps: Vec<_> = files.iter().map(|file| stamp(file)).collect();
        let now = Timestamp::now();
        let known = self
            .lock()
            .get(&connection.name)
            .filter(|known| {
                known.authentication == connection.authentication && known.stamps == stamps
            })
            .map(|known| Arc::clone(&known.credential));
        let credential = match known {
            Some(credential) => credential,
            None => {
                let credential = Arc::new(self.read(connection, now)?);
                let known = Known {
                    authentication: connection.authentication.clone(),
                    stamps,
                    credential: Arc::clone(&credential),
                };
                self.lock().insert(connection.name.clone(), known);
                credential
            }
        };
        if let Kind::Certificate { certificate, .. } = &credential.kind {
            certificate.check(now)?;
        }
        Ok(Some(credential))
    }

    fn read(&self, connection: &Connection, now: Timestamp) -> Result<Credential, ProofError> {
        let name = &connection.name;
        let kind = match &connection.authentication {
            Authentication::Certificate(files) => {
                let certificate = Certificate::read(files, &self.secrets, name, now)?;
                let password = SecretString::from(hexadecimal()?);
                Kind::Certificate {
                    pfx: certificate.to_pfx(&password)?,
                    certificate,
                    password,
                }
            }
            Authentication::Secret(source) => {
                Kind::Secret(credential::secret(source, &self.secrets, name)?)
            }
            Authentication::Device => Kind::Secret(SecretString::default()),
        };
        Ok(Credential {
            kind,
            mark: hexadecimal()?,
        })
    }

    /// The files that it is read from; none for a person's sign-in.
    fn files(&self, connection: &Connection) -> Option<Vec<PathBuf>> {
        let at = |path: &SecretPath| path.resolve(&self.secrets, &connection.name);
        match &connection.authentication {
            Authentication::Device => None,
            Authentication::Certificate(files) => Some(
                std::iter::once(&files.certificate)
                    .chain(&files.password)
                    .map(at)
                    .collect(),
            ),
            Authentication::Secret(SecretSource::File(file)) => Some(vec![at(file)]),
            Authentication::Secret(SecretSource::Variable(_)) => Some(Vec::new()),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ConnectionName, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Credential {
    /// The end of the certificate; a secret does not tell its own.
    pub(super) fn ends(&self) -> Option<Timestamp> {
        match &self.kind {
            Kind::Certificate { certificate, .. } => Some(certificate.ends()),
            Kind::Secret(_) => None,
        }
    }

    /// Tells it from the one before.
    pub(super) fn mark(&self) -> &str {
        &self.mark
    }

    /// Puts a copy into the home that only its user can read, and removes older copies. Their
    /// names change with them, so that nobody ever meets one's certificate with another's password.
    pub(super) fn put(&self, home: &Path, user: Option<UserIds>) -> Result<Proof, ProofError> {
        let put = |suffix: &str, contents: &[u8]| -> Result<(String, String), ProofError> {
            let name = format!("{COPY}{}.{suffix}", self.mark);
            let path = put_file(home, user, &name, contents)?;
            Ok((name, path.to_string_lossy().into_owned()))
        };
        let (names, proof) = match &self.kind {
            Kind::Certificate { pfx, password, .. } => {
                let (certificate_name, pfx) = put("pfx", pfx)?;
                let (password_name, password) =
                    put("password", password.expose_secret().as_bytes())?;
                let names = vec![certificate_name, password_name];
                (names, Proof::Certificate { pfx, password })
            }
            Kind::Secret(secret) => {
                let (name, file) = put("secret", secret.expose_secret().as_bytes())?;
                (vec![name], Proof::Secret { file })
            }
        };
        let keep: Vec<_> = names.iter().map(String::as_str).collect();
        remove_files(home, COPY, &keep)?;
        Ok(proof)
    }
}

/// Keeps an eye on the certificates of all connections, also of those that nobody uses.
#[derive(Debug, Default)]
pub(super) struct CertificateWatch {
    /// What was said of a connection, so that it is said once.
    said: HashMap<ConnectionName, String>,
}

impl CertificateWatch {
    /// Counts each certificate's end, and logs what a person should see to.
    pub(super) fn look(&mut self, credentials: &Credentials, connections: &[Arc<Connection>]) {
        for connection in connections {
            let (end, news) = match credentials.current(connection) {
                Ok(None) => continue,
                Ok(Some(credential)) => match credential.ends() {
                    None => (None, None),
                    Some(end) => (Some(end), ends_soon(end, Timestamp::now())),
                },
                Err(error) => (error.ended(), Some(error.to_string())),
            };
            if matches!(connection.authentication, Authentication::Certificate(_)) {
                telemetry::certificate_end(connection.name.as_str(), end);
            }
            match news {
                None => {
                    self.said.remove(&connection.name);
                }
                Some(news) if self.said.get(&connection.name) == Some(&news) => {}
                Some(news) => {
                    tracing::warn!(connection = %connection.name, "{news}");
                    self.said.insert(connection.name.clone(), news);
                }
            }
        }
    }
}

/// What to say of a certificate whose end is near: one sentence a day.
fn ends_soon(end: Timestamp, now: Timestamp) -> Option<String> {
    let days = end.duration_since(now).as_hours() / 24;
    (days < DAYS_OF_NOTICE).then(|| {
        format!(
            "the certificate ends in {days} days, on {end}: make a new one, upload its public part to the \
             app registration, and replace the file"
        )
    })
}

/// 32 hexadecimal digits that nobody can guess.
fn hexadecimal() -> Result<String, ProofError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(ProofError::NoRandomness)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(random)))
}

fn stamp(path: &Path) -> Stamp {
    let about = fs::metadata(path).ok()?;
    Some((
        about.dev(),
        about.ino(),
        // The change time: also a changed mode, and nobody can set it back.
        about.ctime(),
        about.ctime_nsec(),
        about.len(),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use std::os::unix::fs::PermissionsExt;

    use serde_json::{Value, json};

    use super::*;
    use crate::domain::registry::Registry;

    const PEM: &[u8] = include_bytes!("../sign_in/testdata/app.pem");
    const PFX: &[u8] = include_bytes!("../sign_in/testdata/app.pfx");
    const EXPIRED: &[u8] = include_bytes!("../sign_in/testdata/expired.pem");

    struct Stage {
        secrets: tempfile::TempDir,
        home: tempfile::TempDir,
        credentials: Credentials,
    }

    impl Stage {
        fn new() -> Self {
            let secrets = tempfile::tempdir().unwrap();
            fs::create_dir(secrets.path().join("Contoso_GA")).unwrap();
            let credentials = Credentials::new(secrets.path().to_owned());
            Self {
                secrets,
                home: tempfile::tempdir().unwrap(),
                credentials,
            }
        }

        fn put(&self, name: &str, contents: &[u8], mode: u32) {
            let path = self.secrets.path().join("Contoso_GA").join(name);
            fs::write(&path, contents).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }

        fn copies(&self) -> Vec<PathBuf> {
            let mut copies: Vec<_> = fs::read_dir(self.home.path())
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .collect();
            copies.sort();
            copies
        }

        fn current(&self, connection: &Connection) -> Result<Arc<Credential>, String> {
            match self.credentials.current(connection) {
                Ok(credential) => Ok(credential.expect("an app's")),
                Err(error) => Err(error.to_string()),
            }
        }
    }

    fn connection(fields: Value) -> Arc<Connection> {
        let text = json!({"connections": {"Contoso GA": fields}}).to_string();
        Arc::clone(Registry::parse(&text).unwrap().get("Contoso GA").unwrap())
    }

    fn by_certificate(file: &str) -> Arc<Connection> {
        connection(json!({
            "auth": "certificate", "certificateFile": file, "passwordFile": "password",
        }))
    }

    #[test]
    fn a_session_gets_a_copy_that_only_its_user_can_read() {
        let stage = Stage::new();
        stage.put("password", b"demo\n", 0o600);
        for (name, contents) in [("app.pem", PEM), ("app.pfx", PFX)] {
            stage.put(name, contents, 0o600);
            let credential = stage.current(&by_certificate(name)).unwrap();
            assert!(credential.ends().unwrap() > Timestamp::now());
            let proof = credential.put(stage.home.path(), None).unwrap();
            let Proof::Certificate { pfx, password } = proof else {
                panic!("{proof:?}")
            };
            assert_eq!(stage.copies(), [&password, &pfx].map(PathBuf::from));
            for copy in stage.copies() {
                assert_eq!(
                    fs::metadata(copy).unwrap().permissions().mode() & 0o777,
                    0o600
                );
            }
            // What the copy says is what the file said.
            let password = fs::read_to_string(password).unwrap();
            let store = p12_keystore::KeyStore::from_pkcs12(
                &fs::read(pfx).unwrap(),
                &password,
                p12_keystore::Pkcs12ImportPolicy::Strict,
            );
            let store = store.unwrap();
            let (_, chain) = store.private_key_chain().unwrap();
            assert!(chain.certs()[0].subject().contains("CN="), "{store:?}");
        }
    }

    #[test]
    fn a_file_that_changes_is_read_again_and_one_that_does_not_is_not() {
        let stage = Stage::new();
        stage.put("one", b"first\n", 0o600);
        let by_secret = connection(json!({"auth": "secret", "secretFile": "one"}));
        let first = stage.current(&by_secret).unwrap();
        assert_eq!(stage.current(&by_secret).unwrap().mark(), first.mark());
        first.put(stage.home.path(), None).unwrap();
        let old = stage.copies();
        assert_eq!(fs::read_to_string(&old[0]).unwrap(), "first");

        stage.put("one", b"second\n", 0o600);
        let second = stage.current(&by_secret).unwrap();
        assert_ne!(second.mark(), first.mark());
        second.put(stage.home.path(), None).unwrap();
        let new = stage.copies();
        assert_eq!(new.len(), 1, "the old copy is gone: {new:?}");
        assert_eq!(fs::read_to_string(&new[0]).unwrap(), "second");
        assert_ne!(old, new);

        stage.put("one", b"third\n", 0o640);
        let open = stage.current(&by_secret).unwrap_err();
        assert!(open.contains("chmod 600"), "{open}");
        stage.put("two", b"other\n", 0o600);
        let another = connection(json!({"auth": "secret", "secretFile": "two"}));
        stage.current(&another).unwrap();
        let gone = connection(json!({"auth": "secret", "secretFile": "three"}));
        assert!(stage.current(&gone).unwrap_err().contains("secretFile"));
    }

    #[test]
    fn what_cannot_be_used_says_why_and_shows_nothing_of_itself() {
        let stage = Stage::new();
        stage.put("password", b"wrong\n", 0o600);
        stage.put("app.pfx", PFX, 0o600);
        stage.put("expired.pem", EXPIRED, 0o600);
        stage.put("noise", b"hunter2", 0o600);
        for (file, expected) in [
            ("app.pfx", "passwordFile"),
            ("expired.pem", "expired on 2020"),
            ("noise", "neither PEM nor a PFX"),
            ("missing.pem", "certificateFile"),
        ] {
            let error = stage.current(&by_certificate(file)).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(
                !error.contains("hunter2") && !error.contains("wrong"),
                "{error}"
            );
        }
        let expired = stage.credentials.current(&by_certificate("expired.pem"));
        let ended = expired.unwrap_err().ended().unwrap();
        assert_eq!(ended.to_string(), "2020-01-01T00:00:00Z");
        let device = connection(json!({}));
        assert!(stage.credentials.current(&device).unwrap().is_none());
    }

    #[test]
    fn the_log_speaks_in_time_and_once_a_day() {
        let now: Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
        let after = |text: &str| ends_soon(text.parse().unwrap(), now);
        assert_eq!(after("2026-12-24T00:00:00Z"), None);
        let soon = after("2026-12-04T12:00:00Z").unwrap();
        assert!(soon.contains("in 10 days, on 2026-12-04"), "{soon}");
        let later = ends_soon(
            "2026-12-04T12:00:00Z".parse().unwrap(),
            now + jiff::SignedDuration::from_hours(1),
        );
        assert_eq!(later, Some(soon));
    }
}
