//! How an app proves itself: a client secret, or an assertion signed with a certificate's key.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::domain::registry::{CertificateFiles, ConnectionName, SecretSource};

/// Seconds that an assertion is good for; it is used at once.
const ASSERTION_LIFE: i64 = 300;

/// Largest file that is read; real ones have a hundredth of it.
const LARGEST: u64 = 1024 * 1024;

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
        ended: String,
    },
}

/// Reads a client secret.
pub(super) fn secret(
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

/// A certificate with its private key.
pub(super) struct Certificate {
    /// SHA-256 of the certificate, by which Entra finds its public part.
    thumbprint: String,
    key: EncodingKey,
}

impl Certificate {
    /// Reads PEM or PFX.
    pub(super) fn read(
        files: &CertificateFiles,
        secrets: &Path,
        connection: &ConnectionName,
        now: Timestamp,
    ) -> Result<Self, CredentialError> {
        let path = files.certificate.resolve(secrets, connection);
        let bytes = contents(&path, "certificateFile")?;
        let (certificate, key) = if bytes.windows(11).any(|window| window == b"-----BEGIN ") {
            from_pem(&bytes)
        } else {
            let password = match &files.password {
                Some(file) => first_line(&file.resolve(secrets, connection), "passwordFile")?,
                None => SecretString::default(),
            };
            from_pfx(&bytes, password.expose_secret())
        }
        .map_err(|what| CredentialError::Unusable {
            path: path.clone(),
            what,
        })?;
        let unusable = |what| CredentialError::Unusable {
            path: path.clone(),
            what,
        };
        let (_, parsed) = X509Certificate::from_der(&certificate)
            .map_err(|_| unusable("its certificate is damaged; export it again"))?;
        let ended = parsed.validity().not_after.timestamp();
        if ended < now.as_second() {
            let ended = Timestamp::from_second(ended)
                .map_or_else(|_| "an unknown day".to_owned(), |end| end.to_string());
            return Err(CredentialError::Expired {
                path: path.clone(),
                ended,
            });
        }
        // A PKCS#8 key becomes PEM again, because jsonwebtoken reads PKCS#1 only from DER.
        let label = match &key {
            PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
            PrivateKeyDer::Pkcs8(_) => "PRIVATE KEY",
            _ => return Err(unusable("its key is no RSA key, the only kind Entra takes")),
        };
        let pem = format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            STANDARD.encode(key.secret_der())
        );
        let key = EncodingKey::from_rsa_pem(pem.as_bytes())
            .map_err(|_| unusable("its key is no RSA key, the only kind Entra takes"))?;
        Ok(Self {
            thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)),
            key,
        })
    }

    /// A signed statement to be this app (RFC 7523), as Entra wants it: PS256, `x5t#S256`.
    pub(super) fn assertion(
        &self,
        client_id: &str,
        token_url: &str,
        now: Timestamp,
    ) -> Result<SecretString, jsonwebtoken::errors::Error> {
        let mut header = Header::new(Algorithm::PS256);
        header.x5t_s256 = Some(self.thumbprint.clone());
        let now = now.as_second();
        let claims = json!({
            "aud": token_url,
            "iss": client_id,
            "sub": client_id,
            "jti": uuid::Uuid::now_v7().to_string(),
            "iat": now,
            "nbf": now,
            "exp": now + ASSERTION_LIFE,
        });
        jsonwebtoken::encode(&header, &claims, &self.key).map(SecretString::from)
    }
}

type Parts = (Vec<u8>, PrivateKeyDer<'static>);

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
    let certificate = CertificateDer::from_pem_slice(bytes)
        .map_err(|_| "holds no certificate; put certificate and private key into one PEM file")?;
    let key = PrivateKeyDer::from_pem_slice(bytes)
        .map_err(|_| "holds no private key; put certificate and private key into one PEM file")?;
    Ok((certificate.to_vec(), key))
}

fn from_pfx(bytes: &[u8], password: &str) -> Result<Parts, &'static str> {
    let store = KeyStore::from_pkcs12(bytes, password, Pkcs12ImportPolicy::Relaxed).map_err(|_| {
        "is neither PEM nor a PFX that the password opens; check \"passwordFile\" in the registry"
    })?;
    let (_, chain) = store
        .private_key_chain()
        .ok_or("holds no private key; export it with its private key")?;
    let certificate = chain
        .certs()
        .first()
        .ok_or("holds no certificate for its private key; export both")?;
    let key = PrivateKeyDer::Pkcs8(chain.key().as_der().to_vec().into());
    Ok((certificate.as_der().to_vec(), key))
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
