//! The settings of the commands that ask a pool, or a router, which runs already.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;
use url::Url;

use crate::domain::module::Module;

/// The pool to ask.
#[derive(Args, Debug)]
pub struct PoolOptions {
    /// The pool
    #[arg(
        long,
        value_name = "URL",
        env = "MM_SESSION_POOL_URL",
        default_value = "http://localhost:5200"
    )]
    pub url: Url,
    /// Access token; better use --token-file: other users see command lines
    #[arg(
        long,
        value_name = "TOKEN",
        env = "SESSION_POOL_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<SecretString>,
    /// File that holds the access token
    #[arg(long, value_name = "FILE", env = "SESSION_POOL_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// Directory of the pool, where the token lies if nothing else says so
    #[arg(
        long,
        value_name = "DIRECTORY",
        env = "SESSION_POOL_STATE_DIR",
        default_value = "~/.m365-state"
    )]
    pub state_dir: PathBuf,
}

/// The settings of `sign-in` and `sign-out`.
#[derive(Args, Debug)]
pub struct SignInOptions {
    /// Names of the connections
    #[arg(required = true, value_name = "CONNECTION")]
    pub connections: Vec<String>,
    /// Only these modules, with commas between them: exo, pnp, azure, teams
    #[arg(long, value_name = "MODULES", value_delimiter = ',')]
    pub modules: Vec<Module>,
    /// The pool.
    #[command(flatten)]
    pub pool: PoolOptions,
}
