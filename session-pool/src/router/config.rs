//! The router's settings, checked once and typed.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use axum::http::Uri;
use axum::http::uri::{Authority, Scheme};

use crate::cli::RouterOptions;
use crate::config::{AccessConfig, ConfigError, Places};
use crate::domain::registry::{ConnectionName, InvalidName};
use crate::logging::LogConfig;

use super::docker::DockerAddress;

/// Everything that `router` can be told.
#[derive(Debug)]
pub struct RouterConfig {
    /// Who may call, and where.
    pub access: AccessConfig,
    /// Where things are.
    pub places: Places,
    /// Backends that are not where their connection's name says.
    pub backends: BTreeMap<ConnectionName, Authority>,
    /// Where Docker's API is, if the router may use it.
    pub docker: Option<DockerAddress>,
    /// How long answers that have begun may take when the router is told to stop.
    pub drain: Duration,
}

/// The router's settings cannot be used together.
#[derive(Debug, thiserror::Error)]
pub enum RouterConfigError {
    /// Settings that the pool has too.
    #[error(transparent)]
    Pool(#[from] ConfigError),
    /// One connection in two places.
    #[error("SESSION_POOL_BACKENDS (--backend) names {0:?} twice: leave one out")]
    Twice(String),
}

impl RouterConfig {
    /// Checks the settings together. `home` is the user's home directory, where it is known.
    ///
    /// # Errors
    /// [`RouterConfigError`], the first one found.
    pub fn new(options: RouterOptions, home: Option<&Path>) -> Result<Self, RouterConfigError> {
        let mut backends = BTreeMap::new();
        for backend in options.backends {
            let BackendAddress { name, address } = backend;
            if backends.insert(name.clone(), address).is_some() {
                return Err(RouterConfigError::Twice(name.to_string()));
            }
        }
        Ok(Self {
            access: AccessConfig::new(options.access)?,
            places: Places::new(options.places, home)?,
            backends,
            docker: options.docker,
            drain: Duration::from_secs(options.drain_seconds),
        })
    }

    /// Where the log goes.
    pub fn log(&self) -> LogConfig {
        LogConfig {
            directory: self.places.log_dir.clone(),
            file_name: "session-pool-router.log".to_owned(),
            level: self.places.log_level,
        }
    }
}

/// `NAME=URL`: where the backend of a connection is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendAddress {
    name: ConnectionName,
    address: Authority,
}

/// The text names no backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBackend {
    /// It is not `NAME=URL`.
    #[error("it must be NAME=URL, such as contoso=http://127.0.0.1:5210")]
    Form,
    /// The name can be no connection's.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The URL is more than scheme, host and port, or of another scheme.
    #[error("the URL must be http://HOST:PORT and no more")]
    Url,
    /// Other machines would see the token.
    #[error(
        "the host must be this machine's own, such as 127.0.0.1: backends elsewhere would get their \
         token in plain text; in containers they are found by their names"
    )]
    Elsewhere,
}

impl FromStr for BackendAddress {
    type Err = InvalidBackend;

    fn from_str(text: &str) -> Result<Self, InvalidBackend> {
        // A name may hold the sign; a URL of this form does not.
        let (name, url) = text.rsplit_once('=').ok_or(InvalidBackend::Form)?;
        let uri: Uri = url.parse().map_err(|_| InvalidBackend::Url)?;
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let address = uri
            .authority()
            .filter(|address| !address.as_str().contains('@'));
        let plain = uri.scheme() == Some(&Scheme::HTTP);
        let Some(address) = address.filter(|_| bare && plain) else {
            return Err(InvalidBackend::Url);
        };
        let host = address.host().trim_matches(['[', ']']);
        let loopback = host.eq_ignore_ascii_case("localhost")
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        if !loopback {
            return Err(InvalidBackend::Elsewhere);
        }
        Ok(Self {
            name: name.parse()?,
            address: address.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use std::ffi::OsString;

    use super::*;
    use crate::cli::{Cli, Command};

    fn config(line: &str) -> Result<RouterConfig, RouterConfigError> {
        let words = format!("session-pool router {line}");
        let cli = Cli::read(words.split_whitespace().map(OsString::from)).unwrap();
        let Command::Router(options) = cli.command else {
            panic!("not router")
        };
        RouterConfig::new(*options, Some(Path::new("/home/me")))
    }

    #[test]
    fn the_defaults_are_those_of_the_pool() {
        let config = config("").unwrap();
        assert_eq!(config.access.listen.to_string(), "127.0.0.1:5200");
        assert_eq!(config.places.state_dir, Path::new("/home/me/.m365-state"));
        assert_eq!(config.log().file_name, "session-pool-router.log");
        assert!(config.backends.is_empty());
    }

    #[test]
    fn backends_are_named_and_on_this_machine() {
        let config = config(
            "--backend a=http://127.0.0.1:1,b=http://[::1]:2 --backend c=http://localhost:3/",
        )
        .unwrap();
        let found: Vec<_> = config
            .backends
            .iter()
            .map(|(name, address)| format!("{name} {address}"))
            .collect();
        assert_eq!(found, ["a 127.0.0.1:1", "b [::1]:2", "c localhost:3"]);
    }

    #[test]
    fn what_is_no_backend_is_refused() {
        for (text, error) in [
            ("contoso", InvalidBackend::Form),
            ("a=https://127.0.0.1:1", InvalidBackend::Url),
            ("a=127.0.0.1:1", InvalidBackend::Url),
            ("a=http://127.0.0.1:1/path", InvalidBackend::Url),
            ("a=http://user@127.0.0.1:1", InvalidBackend::Url),
            ("a=http://10.0.0.1:1", InvalidBackend::Elsewhere),
            (
                "a=http://localhost.evil.example:1",
                InvalidBackend::Elsewhere,
            ),
        ] {
            assert_eq!(text.parse::<BackendAddress>(), Err(error), "{text}");
        }
        assert!(matches!(
            "a/b=http://127.0.0.1:1".parse::<BackendAddress>(),
            Err(InvalidBackend::Name(_))
        ));
        assert!(matches!(
            config("--backend a=http://127.0.0.1:1,a=http://127.0.0.1:2"),
            Err(RouterConfigError::Twice(_))
        ));
    }
}
