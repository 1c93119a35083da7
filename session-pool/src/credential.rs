//! What an app proves itself with: a client secret, or a certificate with its private key, read
//! from files that only their owner can read, or from the environment.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12ImportPolicy, PrivateKey, PrivateKeyChain};
use pkcs8::der::Encode;
use pkcs8::der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use pkcs8::spki::AlgorithmIdentifierRef;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::domain::registry::{CertificateFiles, ConnectionName, SecretSource};

/// Largest file that is read; real ones have a hundredth of it.
const LARGEST: u64 = 1024 * 1024;

/// `rsaEncryption` (RFC 8017, appendix C).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A certificate or a secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}; check \"{key}\" in the registry", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The registry's key that names it.
        key: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Others can read it.
    #[error("{path} can be read or changed by others than its owner; run: chmod 600 '{path}'", path = path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// The variable is not there.
    #[error("the environment variable {0}, which \"secretEnv\" in the registry names, is not set")]
    NoVariable(String),
    /// The file holds something else.
    #[error("{path}: {what}", path = path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong and what it should be.
        what: &'static str,
    },
    /// The certificate's time is over.
    #[error(
        "the certificate in {path} expired on {ended}; make a new one, upload its public part to the \
         app registration, and replace the file", path = path.display()
    )]
    Expired {
        /// The file.
        path: PathBuf,
        /// When.
        ended: Timestamp,
    },
}

/// Reads a client secret.
///
/// # Errors
/// [`CredentialError`], each with what to do.
pub fn secret(
    source: &SecretSource,
    secrets: &Path,
    connection: &ConnectionName,
) -> Result<SecretString, CredentialError> {
    match source {
        SecretSource::Variable(name) => match std::env::var(name) {
            Ok(secret) if !secret.trim().is_empty() => Ok(secret.trim().into()),
            _ => Err(CredentialError::NoVariable(name.clone())),
        },
        SecretSource::File(path) => {
            let path = path.resolve(secrets, connection);
            first_line(&path, "secretFile")
        }
    }
}

/// A certificate with its private key, which is an RSA key.
#[derive(Debug)]
pub struct Certificate {
    path: PathBuf,
    /// The certificate, and those that signed it as far as the file has them; in DER.
    chain: Vec<Vec<u8>>,
    /// PKCS#8, in DER.
    key: SecretBox<Vec<u8>>,
    ends: Timestamp,
}

impl Certificate {
    /// Reads PEM or PFX.
    ///
    /// # Errors
    /// [`CredentialError`], also where the certificate has expired.
    pub fn read(
        files: &CertificateFiles,
        secrets: &Path,
        connection: &ConnectionName,
        now: Timestamp,
    ) -> Result<Self, CredentialError> {
        let path = files.certificate.resolve(secrets, connection);
        let bytes = contents(&path, "certificateFile")?;
        let unusable = |what| CredentialError::Unusable {
            path: path.clone(),
            what,
        };
        let (chain, key) = if bytes.windows(11).any(|window| window == b"-----BEGIN ") {
            from_pem(&bytes)
        } else {
            let password = match &files.password {
                Some(file) => first_line(&file.resolve(secrets, connection), "passwordFile")?,
                None => SecretString::default(),
            };
            from_pfx(&bytes, password.expose_secret())
        }
        .map_err(unusable)?;
        let damaged = || unusable("its certificate is damaged; export it again");
        let leaf = chain.first().ok_or_else(damaged)?;
        let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| damaged())?;
        let ends = Timestamp::from_second(parsed.validity().not_after.timestamp())
            .map_err(|_| damaged())?;
        let is_rsa = PrivateKey::from_der(&key).is_ok_and(|key| key.oid() == RSA);
        if !is_rsa {
            return Err(unusable(
                "its key is no RSA key, the only kind Entra takes; make a new RSA certificate",
            ));
        }
        let certificate = Self {
            path,
            chain,
            key: SecretBox::new(Box::new(key)),
            ends,
        };
        certificate.check(now)?;
        Ok(certificate)
    }

    /// Whether it can be used at this time.
    ///
    /// # Errors
    /// [`CredentialError::Expired`].
    pub fn check(&self, now: Timestamp) -> Result<(), CredentialError> {
        if self.ends < now {
            return Err(CredentialError::Expired {
                path: self.path.clone(),
                ended: self.ends,
            });
        }
        Ok(())
    }

    /// The end of its validity.
    pub const fn ends(&self) -> Timestamp {
        self.ends
    }

    /// The certificate itself, in DER.
    pub fn leaf(&self) -> &[u8] {
        self.chain.first().map_or(&[], Vec::as_slice)
    }

    /// The private key: PKCS#8, in DER.
    pub fn key(&self) -> &[u8] {
        self.key.expose_secret()
    }

    /// The same as PFX, the one form that all PowerShell modules take; encrypted as current systems
    /// do (AES-256), because .NET on Linux may not open what older ones exported.
    ///
    /// # Errors
    /// [`CredentialError::Unusable`] for a certificate that cannot be written down again.
    pub fn to_pfx(&self, password: &SecretString) -> Result<Vec<u8>, CredentialError> {
        let write = || -> Result<Vec<u8>, p12_keystore::error::Error> {
            let certificates = self
                .chain
                .iter()
                .map(|der| p12_keystore::Certificate::from_der(der))
                .collect::<Result<Vec<_>, _>>()?;
            let key = PrivateKey::from_der(self.key())?;
            let chain = PrivateKeyChain::new(vec![1], key, certificates);
            let mut store = KeyStore::new();
            store.add_entry("app", KeyStoreEntry::PrivateKeyChain(chain));
            store.writer(password.expose_secret()).write()
        };
        write().map_err(|_| CredentialError::Unusable {
            path: self.path.clone(),
            what: "its certificate cannot be made a PFX; export it again",
        })
    }
}

/// The certificates, and the key as PKCS#8.
type Parts = (Vec<Vec<u8>>, Vec<u8>);

fn from_pem(bytes: &[u8]) -> Result<Parts, &'static str> {
    let encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY";
    if bytes
        .windows(encrypted.len())
        .any(|window| window == encrypted)
    {
        return Err(
            "its private key has a password, which is supported in PFX only; remove it with: openssl \
             pkey -in FILE, or make a PFX and name \"passwordFile\"",
        );
    }
    let chain: Vec<_> = CertificateDer::pem_slice_iter(bytes)
        .map_while(Result::ok)
        .map(|certificate| certificate.to_vec())
        .collect();
    if chain.is_empty() {
        return Err("holds no certificate; put certificate and private key into one PEM file");
    }
    let key = PrivateKeyDer::from_pem_slice(bytes)
        .map_err(|_| "holds no private key; put certificate and private key into one PEM file")?;
    let key = match &key {
        PrivateKeyDer::Pkcs1(key) => as_pkcs8(key.secret_pkcs1_der()),
        key => Some(key.secret_der().to_vec()),
    };
    Ok((chain, key.ok_or("its private key is damaged")?))
}

/// An RSA key in the wrapping that all the libraries here read (RFC 5958).
fn as_pkcs8(pkcs1: &[u8]) -> Option<Vec<u8>> {
    let algorithm = AlgorithmIdentifierRef {
        oid: RSA,
        parameters: Some(AnyRef::NULL),
    };
    let key = OctetStringRef::new(pkcs1).ok()?;
    pkcs8::PrivateKeyInfoRef::new(algorithm, key).to_der().ok()
}

fn from_pfx(bytes: &[u8], password: &str) -> Result<Parts, &'static str> {
    let store = KeyStore::from_pkcs12(bytes, password, Pkcs12ImportPolicy::Relaxed).map_err(|_| {
        "is neither PEM nor a PFX that the password opens; check \"passwordFile\" in the registry"
    })?;
    let (_, chain) = store
        .private_key_chain()
        .ok_or("holds no private key; export it with its private key")?;
    let certificates: Vec<_> = chain
        .certs()
        .iter()
        .map(|certificate| certificate.as_der().to_vec())
        .collect();
    if certificates.is_empty() {
        return Err("holds no certificate for its private key; export both");
    }
    Ok((certificates, chain.key().as_der().to_vec()))
}

fn first_line(path: &Path, key: &'static str) -> Result<SecretString, CredentialError> {
    let bytes = contents(path, key)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    match text.lines().next().map(str::trim_end) {
        Some(line) if !line.is_empty() => Ok(line.into()),
        _ => Err(CredentialError::Unusable {
            path: path.to_owned(),
            what: "its first line must be the secret",
        }),
    }
}

fn contents(path: &Path, key: &'static str) -> Result<Vec<u8>, CredentialError> {
    let unreadable = |source| CredentialError::Unreadable {
        path: path.to_owned(),
        key,
        source,
    };
    let about = fs::metadata(path).map_err(unreadable)?;
    if about.len() > LARGEST {
        return Err(unreadable(io::Error::from(io::ErrorKind::FileTooLarge)));
    }
    #[cfg(unix)]
    if std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o077 != 0 {
        return Err(CredentialError::Open {
            path: path.to_owned(),
        });
    }
    fs::read(path).map_err(unreadable)
}
