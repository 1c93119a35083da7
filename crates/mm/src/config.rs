//! What the environment and the flags say, read once.

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use url::{Host, Url};

use crate::token::{InvalidToken, Token, TokenSource};

/// Where the pool is when nobody says otherwise.
const DEFAULT_URL: &str = "http://localhost:5200";

/// What is wrong with an address that is no URL of the web.
const BEGINNING: &str = "it must begin with http:// or https://";

/// Names of the environment variables that `mm` reads, beside [`PATHS`] and `SESSION_POOL_TOKEN`;
/// registrations with clients repeat those that are set.
pub(crate) const VARIABLES: [&str; 3] = [
    "MM_SESSION_POOL_URL",
    "MM_TOKEN_OVER_HTTP",
    "MM_SEND_GUARDS",
];

/// Those that hold a path.
pub(crate) const PATHS: [&str; 8] = [
    "SESSION_POOL_STATE_DIR",
    "SESSION_POOL_TOKEN_FILE",
    "SESSION_POOL_LOG_DIR",
    "SESSION_POOL_REGISTRY",
    FILES_DIR,
    "MM_GRAPH_TOKENS_DIR",
    "MM_SECRETS_DIR",
    "SESSION_POOL_POLICY",
];

/// What `--files-dir` says.
pub(crate) const FILES_DIR: &str = "MM_FILES_DIR";

/// Everything that can be set.
#[derive(Debug)]
pub(crate) struct Config {
    /// The pool's address.
    pub(crate) pool: PoolUrl,
    /// Where its token is.
    pub(crate) token: TokenSource,
    /// Whether the token may go over plain HTTP to another machine.
    pub(crate) token_over_http: bool,
    /// Where tool calls are logged; `None` where there is no home directory.
    pub(crate) activity_log: Option<PathBuf>,
}

/// What the command line says in place of the environment.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    /// `--pool-url`.
    pub(crate) pool_url: Option<String>,
    /// `--files-dir`.
    pub(crate) files_dir: Option<PathBuf>,
    /// `--token-over-http`.
    pub(crate) token_over_http: bool,
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error(
        "{setting} cannot be {value:?}: {problem}. Give the address of the session pool, such as {DEFAULT_URL}"
    )]
    Url {
        setting: &'static str,
        value: String,
        problem: String,
    },
    #[error("{variable} cannot be {value:?}: use true or false")]
    Switch {
        variable: &'static str,
        value: String,
    },
    #[error("SESSION_POOL_TOKEN cannot be used: {0}")]
    Token(InvalidToken),
    #[error("{0} is not valid Unicode")]
    NotUnicode(&'static str),
    #[error("the path in {0} cannot be made absolute: give it from the root on")]
    NotAbsolute(&'static str),
    #[error(
        "there is no home directory, so the pool's token cannot be found: set SESSION_POOL_STATE_DIR or SESSION_POOL_TOKEN_FILE"
    )]
    NoHome,
}

impl Config {
    /// Reads this process's environment.
    ///
    /// # Errors
    /// The first variable that cannot be used.
    pub(crate) fn from_environment(overrides: &Overrides) -> Result<Self, ConfigError> {
        Self::from_variables(overrides, std::env::home_dir(), |name| {
            std::env::var_os(name).filter(|value| !value.is_empty())
        })
    }

    fn from_variables(
        overrides: &Overrides,
        home: Option<PathBuf>,
        variable: impl Fn(&'static str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
        let text = |name: &'static str| {
            variable(name)
                .map(|value| {
                    value
                        .into_string()
                        .map_err(|_| ConfigError::NotUnicode(name))
                })
                .transpose()
        };
        let path = |name: &'static str| variable(name).map(PathBuf::from);
        let pool = match &overrides.pool_url {
            Some(url) => PoolUrl::read("--pool-url", url)?,
            None => {
                let url = text("MM_SESSION_POOL_URL")?;
                PoolUrl::read("MM_SESSION_POOL_URL", url.as_deref().unwrap_or(DEFAULT_URL))?
            }
        };
        let token = if let Some(token) = text("SESSION_POOL_TOKEN")? {
            TokenSource::Given(Token::new(&token).map_err(ConfigError::Token)?)
        } else if let Some(file) = path("SESSION_POOL_TOKEN_FILE") {
            TokenSource::File(file)
        } else {
            let state = path("SESSION_POOL_STATE_DIR")
                .or_else(|| home.as_ref().map(|home| home.join(".m365-state")))
                .ok_or(ConfigError::NoHome)?;
            TokenSource::File(state.join("pool.token"))
        };
        let logs =
            path("SESSION_POOL_LOG_DIR").or_else(|| home.map(|home| home.join(".m365-logs")));
        Ok(Self {
            pool,
            token,
            token_over_http: overrides.token_over_http
                || switch("MM_TOKEN_OVER_HTTP", text("MM_TOKEN_OVER_HTTP")?)?,
            activity_log: logs.map(|directory| directory.join("mm.jsonl")),
        })
    }
}

fn switch(variable: &'static str, value: Option<String>) -> Result<bool, ConfigError> {
    let Some(value) = value else {
        return Ok(false);
    };
    match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(ConfigError::Switch { variable, value }),
    }
}

/// The address of a pool: http or https, without credentials, and without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PoolUrl(Url);

impl PoolUrl {
    /// Reads the value of this setting.
    ///
    /// # Errors
    /// [`ConfigError::Url`], which names the setting.
    pub(crate) fn read(setting: &'static str, value: &str) -> Result<Self, ConfigError> {
        let bad = |problem: &str| ConfigError::Url {
            setting,
            // What stands before the @ may be a password.
            value: value.rsplit('@').next().unwrap_or_default().to_owned(),
            problem: problem.to_owned(),
        };
        let mut url = Url::parse(value).map_err(|error| match error {
            url::ParseError::RelativeUrlWithoutBase => bad(BEGINNING),
            error => bad(&error.to_string()),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad(BEGINNING));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad(
                "it must not hold a user name or password; the token has its own file",
            ));
        }
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self(url))
    }

    /// The address of one of the pool's routes; `path` begins with a slash.
    pub(crate) fn route(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// Whether it is reached over TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether what is sent there can be read by nobody on the way: over TLS, or on this machine.
    pub(crate) fn is_private(&self) -> bool {
        self.is_https()
            || match self.0.host() {
                // Names below it are answered by whatever resolves names (RFC 6761, section 6.3, only
                // recommends loopback).
                Some(Host::Domain(name)) => name == "localhost",
                Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
                Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
                None => false,
            }
    }
}

impl fmt::Display for PoolUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
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

    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_variables(&Overrides::default(), Some("/home/ada".into()), |name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.into())
        })
    }

    #[test]
    fn the_defaults_are_the_pools_own() {
        let config = config(&[]).unwrap();
        assert_eq!(config.pool.route("/run"), "http://localhost:5200/run");
        assert_eq!(
            config.token,
            TokenSource::File("/home/ada/.m365-state/pool.token".into())
        );
        assert_eq!(
            config.activity_log,
            Some("/home/ada/.m365-logs/mm.jsonl".into())
        );
        assert!(!config.token_over_http);
    }

    #[test]
    fn the_token_is_looked_for_in_order() {
        let state = ("SESSION_POOL_STATE_DIR", "/state");
        let file = ("SESSION_POOL_TOKEN_FILE", "/token");
        let value = ("SESSION_POOL_TOKEN", "secret");
        assert_eq!(
            config(&[state]).unwrap().token,
            TokenSource::File("/state/pool.token".into())
        );
        assert_eq!(
            config(&[state, file]).unwrap().token,
            TokenSource::File("/token".into())
        );
        assert!(matches!(
            config(&[state, file, value]).unwrap().token,
            TokenSource::Given(_)
        ));
    }

    #[test]
    fn only_tls_and_this_machine_are_private() {
        for (url, private) in [
            ("http://localhost:5200", true),
            ("http://127.0.0.1", true),
            ("http://127.8.9.1", true),
            ("http://[::1]:1", true),
            ("https://pool.example", true),
            ("http://pool.example", false),
            ("http://10.0.0.1:5200", false),
            ("http://localhost.example", false),
            ("http://pool.localhost", false),
            ("http://127.0.0.1.nip.io", false),
            ("http://0.0.0.0", false),
        ] {
            let url = PoolUrl::read("MM_SESSION_POOL_URL", url).unwrap();
            assert_eq!(url.is_private(), private, "{url}");
        }
    }

    #[test]
    fn bad_values_name_their_variable_and_hide_passwords() {
        for (name, value) in [
            ("MM_SESSION_POOL_URL", "localhost:5200"),
            ("MM_SESSION_POOL_URL", "nonsense"),
            ("MM_SESSION_POOL_URL", "ftp://x"),
            ("MM_SESSION_POOL_URL", "http://user:hunter2@x"),
            ("MM_TOKEN_OVER_HTTP", "perhaps"),
            ("SESSION_POOL_TOKEN", "two words"),
        ] {
            let error = config(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
            assert!(
                !error.contains("hunter2") && !error.contains("words"),
                "{error}"
            );
            assert!(!error.contains("relative"), "{error}");
        }
    }

    #[test]
    fn a_path_in_front_is_kept() {
        let url = PoolUrl::read("MM_SESSION_POOL_URL", "https://host/m365/?q#f").unwrap();
        assert_eq!(url.route("/jobs"), "https://host/m365/jobs");
    }
}
