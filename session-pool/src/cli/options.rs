//! The settings, as flags and as environment variables, in four groups.

use std::net::{IpAddr, Ipv4Addr};
use std::num::{NonZeroU8, NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use clap::Args;
use clap::builder::BoolishValueParser;
use secrecy::SecretString;

use super::{LifeOptions, PolicyOptions};
use crate::domain::paging::PageBudget;
use crate::logging::LogLevel;

/// The settings of `serve`.
#[derive(Args, Debug)]
pub struct ServeOptions {
    /// Who may call, and where.
    #[command(flatten)]
    pub access: AccessOptions,
    /// Where things are.
    #[command(flatten)]
    pub places: PlaceOptions,
    /// What keeps sessions apart.
    #[command(flatten)]
    pub isolation: IsolationOptions,
    /// Which policy holds.
    #[command(flatten)]
    pub policy: PolicyOptions,
    /// PowerShell and what runs in it.
    #[command(flatten)]
    pub sessions: SessionOptions,
    /// How much there may be of what.
    #[command(flatten)]
    pub limits: LimitOptions,
    /// How long sign-ins and processes live.
    #[command(flatten)]
    pub life: LifeOptions,
}

/// Who may call, and where.
#[derive(Args, Debug)]
#[command(next_help_heading = "Access")]
pub struct AccessOptions {
    /// Address to listen on
    #[arg(long, env = "SESSION_POOL_HOST", default_value = "127.0.0.1", value_parser = address)]
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one
    #[arg(long, env = "SESSION_POOL_PORT", default_value_t = 5200, value_parser = whole::<u16, 0, 65535>)]
    pub port: u16,
    /// Name that callers may use for the pool in the Host header, beside loopback and its own;
    /// repeatable, or separated by commas
    #[arg(
        long = "allowed-host",
        value_name = "NAME",
        env = "SESSION_POOL_ALLOWED_HOSTS",
        value_delimiter = ','
    )]
    pub allowed_hosts: Vec<String>,
    /// Access token that callers must present [default: made on first start, in
    /// pool.token in the state directory]; as a flag every user of this machine can see it
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
    /// Certificate (PEM, with its issuers' behind it) to speak TLS with; read again when it changes
    #[arg(long, value_name = "FILE", env = "SESSION_POOL_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of that certificate (PEM)
    #[arg(long, value_name = "FILE", env = "SESSION_POOL_TLS_KEY")]
    pub tls_key: Option<PathBuf>,
    /// Ask callers for no token: every program on this machine can then run commands as you
    #[arg(long, env = "SESSION_POOL_NO_TOKEN", value_parser = BoolishValueParser::new())]
    pub no_token: bool,
    /// Allow --no-token together with an address that other machines reach
    #[arg(long, env = "SESSION_POOL_INSECURE_NO_TOKEN_ON_NETWORK", value_parser = BoolishValueParser::new())]
    pub insecure_no_token_on_network: bool,
}

/// The settings of `healthcheck`: those of the server that it asks.
#[derive(Args, Debug)]
pub struct HealthcheckOptions {
    /// Address that it listens on
    #[arg(long, env = "SESSION_POOL_HOST", default_value = "127.0.0.1", value_parser = address)]
    pub host: IpAddr,
    /// Port that it listens on
    #[arg(long, env = "SESSION_POOL_PORT", default_value_t = 5200, value_parser = whole::<u16, 1, 65535>)]
    pub port: u16,
    /// Certificate that it speaks TLS with, if it does
    #[arg(long, value_name = "FILE", env = "SESSION_POOL_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
}

/// Where things are.
#[derive(Args, Debug)]
#[command(next_help_heading = "Places")]
pub struct PlaceOptions {
    /// Registry of connections; it is only read
    #[arg(
        long,
        value_name = "FILE",
        env = "SESSION_POOL_REGISTRY",
        default_value = "~/.m365-connections.json"
    )]
    pub registry: PathBuf,
    /// Directory for the sessions' homes, the journal and the access token
    #[arg(
        long,
        value_name = "DIRECTORY",
        env = "SESSION_POOL_STATE_DIR",
        default_value = "~/.m365-state"
    )]
    pub state_dir: PathBuf,
    /// Directory of certificates and client secrets, one directory in it for each connection
    #[arg(
        long,
        value_name = "DIRECTORY",
        env = "SESSION_POOL_SECRETS_DIR",
        default_value = "~/.m365-secrets"
    )]
    pub secrets_dir: PathBuf,
    /// Directory for log files
    #[arg(
        long,
        value_name = "DIRECTORY",
        env = "SESSION_POOL_LOG_DIR",
        default_value = "~/.m365-logs"
    )]
    pub log_dir: PathBuf,
    /// How much is logged: error, warning, info, debug, trace
    #[arg(
        long,
        value_name = "LEVEL",
        env = "SESSION_POOL_LOG_LEVEL",
        default_value = "info"
    )]
    pub log_level: LogLevel,
    /// Serve this connection only
    #[arg(long, value_name = "NAME", env = "M365_CONNECTION")]
    pub connection: Option<String>,
}

/// What keeps sessions apart.
#[derive(Args, Debug)]
#[command(next_help_heading = "Isolation")]
pub struct IsolationOptions {
    /// Run the sessions of each connection under a user id of their own, so that none can read
    /// another's sign-ins or the pool's token; needs root
    #[arg(long, env = "SESSION_POOL_USER_IDS", value_parser = BoolishValueParser::new())]
    pub user_ids: bool,
    /// First of the user ids; no other account may have these
    #[arg(long, value_name = "ID", env = "SESSION_POOL_FIRST_USER_ID", default_value_t = 20_000,
          value_parser = whole::<u32, 1, 4_294_967_295>)]
    pub first_user_id: u32,
    /// Directory of the sessions' homes [default: homes in the state directory]; with --user-ids
    /// one that other users can pass through
    #[arg(long, value_name = "DIRECTORY", env = "SESSION_POOL_HOMES_DIR")]
    pub homes_dir: Option<PathBuf>,
}

/// PowerShell and what runs in it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Sessions")]
pub struct SessionOptions {
    /// PowerShell to run [default: pwsh in PATH, then the one of install-pwsh]
    #[arg(long, value_name = "FILE", env = "SESSION_POOL_PWSH")]
    pub pwsh: Option<PathBuf>,
    /// A PowerShell to try last.
    #[arg(long, value_name = "FILE", env = "SESSION_POOL_DEV_PWSH", hide = true)]
    pub dev_pwsh: Option<PathBuf>,
    /// Environment variable that sessions get too; repeatable, or separated by commas
    #[arg(
        long,
        value_name = "NAME",
        env = "SESSION_POOL_PASS_ENV",
        value_delimiter = ','
    )]
    pub pass_env: Vec<String>,
    /// Seconds that a command may run unless the caller says otherwise
    #[arg(long, value_name = "SECONDS", env = "COMMAND_TIMEOUT", default_value_t = 300,
          value_parser = whole::<u64, 1, 3600>)]
    pub command_timeout: u64,
    /// Seconds that running commands have to end when the pool is told to stop
    #[arg(long, value_name = "SECONDS", env = "SESSION_POOL_DRAIN_SECONDS", default_value_t = 10,
          value_parser = whole::<u64, 0, 3600>)]
    pub drain_seconds: u64,
    /// Columns of text output
    #[arg(
        long,
        value_name = "COLUMNS",
        env = "SESSION_POOL_WIDTH",
        default_value = "160",
        value_parser = whole::<NonZeroU16, 1, 65535>
    )]
    pub width: NonZeroU16,
    /// Levels of nested objects in JSON output
    #[arg(
        long,
        value_name = "LEVELS",
        env = "SESSION_POOL_DEPTH",
        default_value = "4",
        value_parser = whole::<NonZeroU8, 1, 100>
    )]
    pub depth: NonZeroU8,
}

/// How much there may be of what.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub struct LimitOptions {
    /// PowerShell processes at a time; each takes about 110 MB
    #[arg(
        long,
        value_name = "COUNT",
        env = "SESSION_POOL_MAX_PROCESSES",
        default_value = "64",
        value_parser = whole::<NonZeroU32, 1, 4_294_967_295>
    )]
    pub max_processes: NonZeroU32,
    /// Commands that wait for one session; one more is refused
    #[arg(
        long,
        value_name = "COUNT",
        env = "SESSION_POOL_QUEUE_LENGTH",
        default_value = "32",
        value_parser = whole::<NonZeroU32, 1, 4_294_967_295>
    )]
    pub queue_length: NonZeroU32,
    /// Characters that one answer holds; the rest is fetched page by page
    #[arg(long, value_name = "COUNT", env = "SESSION_POOL_PAGE_CHARACTERS", default_value = "40000",
          value_parser = page_characters)]
    pub page_characters: PageBudget,
    /// Output of one command; one that puts out more is ended
    #[arg(
        long,
        value_name = "SIZE",
        env = "SESSION_POOL_MAX_JOB_BYTES",
        default_value = "256MB",
        value_parser = size
    )]
    pub max_job_bytes: ByteSize,
    /// Results kept in memory
    #[arg(
        long,
        value_name = "SIZE",
        env = "SESSION_POOL_MAX_MEMORY_BYTES",
        default_value = "32MB",
        value_parser = size
    )]
    pub max_memory_bytes: ByteSize,
    /// Results kept on disk
    #[arg(
        long,
        value_name = "SIZE",
        env = "SESSION_POOL_MAX_SPOOL_BYTES",
        default_value = "2GB",
        value_parser = size
    )]
    pub max_spool_bytes: ByteSize,
    /// How long results are kept after their end
    #[arg(long, value_name = "DURATION", env = "SESSION_POOL_KEEP_RESULTS", default_value = "1h",
          value_parser = duration)]
    pub keep_results: Duration,
}

fn address(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    IpAddr::from_str(text.trim_start_matches('[').trim_end_matches(']')).map_err(|_| {
        "it must be an IP address, such as 127.0.0.1 or 0.0.0.0, or localhost".to_owned()
    })
}

/// A whole number from `LEAST` to `MOST`, which `T` can hold.
fn whole<T: FromStr, const LEAST: u64, const MOST: u64>(text: &str) -> Result<T, String> {
    let number = text.trim().parse().ok();
    number
        .filter(|number| (LEAST..=MOST).contains(number))
        .and_then(|number| number.to_string().parse().ok())
        .ok_or_else(|| format!("it must be a whole number from {LEAST} to {MOST}"))
}

pub(super) fn size(text: &str) -> Result<ByteSize, String> {
    text.parse()
        .map_err(|_| "it must be a size, such as 500KB, 256MB or 2GB".to_owned())
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "it must be a time with its unit, such as 90s, 30m or 1h 30m".to_owned())
}

fn page_characters(text: &str) -> Result<PageBudget, String> {
    let count = text
        .parse()
        .map_err(|_| "it must be a number of characters".to_owned())?;
    PageBudget::new(count).map_err(|error| error.to_string())
}
