//! How a connection is signed in to: by a person's device code, or as an app.

use std::path::{Path, PathBuf};

use super::ConnectionName;

/// The way of signing in (`auth`). The registry names files and variables, never their contents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Authentication {
    /// A person enters a device code (RFC 8628).
    #[default]
    Device,
    /// The app proves itself by a certificate's private key.
    Certificate(CertificateFiles),
    /// The app proves itself by a client secret.
    Secret(SecretSource),
}

impl Authentication {
    /// The names that `auth` can have.
    pub const NAMES: [&'static str; 3] = ["device", "certificate", "secret"];

    /// Whether no person is needed, and the account is the app itself.
    pub const fn is_app_only(&self) -> bool {
        !matches!(self, Self::Device)
    }
}

/// Where a certificate lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// PEM (certificate and private key) or PFX (`certificateFile`).
    pub certificate: SecretPath,
    /// The PFX's password, the file's first line (`passwordFile`).
    pub password: Option<SecretPath>,
}

/// Where a client secret lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// The first line of a file (`secretFile`).
    File(SecretPath),
    /// An environment variable of the process that signs in (`secretEnv`).
    Variable(String),
}

/// The path of a secret: absolute, or in the connection's own directory of secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPath(PathBuf);

impl SecretPath {
    /// Takes a path that cannot climb out of the connection's directory.
    pub(super) fn new(text: &str) -> Result<Self, &'static str> {
        let path = Path::new(text);
        let plain = path.components().all(|part| {
            use std::path::Component::{CurDir, Normal, Prefix, RootDir};
            match part {
                Normal(_) | CurDir => true,
                RootDir | Prefix(_) => path.is_absolute(),
                _ => false,
            }
        });
        if plain && !text.chars().any(char::is_control) {
            Ok(Self(path.to_owned()))
        } else {
            Err(
                "must be a file's path without \"..\", absolute or relative to \
                 ~/.m365-secrets/<safe name of the connection>/",
            )
        }
    }

    /// The file itself, where `secrets` is the directory of every connection's secrets
    /// (`~/.m365-secrets`).
    pub fn resolve(&self, secrets: &Path, connection: &ConnectionName) -> PathBuf {
        // `join` takes an absolute path as it is.
        secrets.join(connection.safe_name()).join(&self.0)
    }
}

/// A permission that a sign-in asks for, such as `Mail.Read`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(String);

impl Scope {
    /// Takes one scope token (RFC 6749, section 3.3).
    pub(super) fn new(text: &str) -> Result<Self, &'static str> {
        let token = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        if !text.is_empty() && text.len() <= 300 && text.bytes().all(token) {
            Ok(Self(text.to_owned()))
        } else {
            Err("must be permissions such as \"Mail.Read\", as a list or separated by spaces")
        }
    }

    /// The scope as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Takes the name of an environment variable.
pub(super) fn variable_name(text: &str) -> Result<String, &'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.chars().all(plain) && !text.starts_with(|c: char| c.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err(
            "must be the name of an environment variable, such as CONTOSO_SECRET; the secret itself \
             must not stand in the registry",
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn secrets_lie_in_the_connections_own_directory_or_where_the_path_says() {
        let name = ConnectionName::new("Contoso GA").unwrap();
        let resolve = |text| {
            SecretPath::new(text)
                .map(|path| path.resolve(Path::new("/s"), &name))
                .ok()
        };
        assert_eq!(resolve("app.pfx"), Some("/s/Contoso_GA/app.pfx".into()));
        assert_eq!(resolve("/etc/app.pem"), Some("/etc/app.pem".into()));
        assert_eq!(resolve("../other/app.pem"), None);
        assert_eq!(resolve("/etc/../app.pem"), None);
        assert_eq!(resolve("a\nb"), None);
    }

    #[test]
    fn a_secret_is_no_variable_name() {
        assert!(variable_name("CONTOSO_SECRET").is_ok());
        assert!(variable_name("8Q~abc.def").is_err());
    }
}
