#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::ffi::OsString;

use super::*;
use crate::cli::{Cli, Command};

fn config(line: &str) -> Result<ServeConfig, ConfigError> {
    let words = format!("session-pool serve {line}");
    let cli = Cli::read(words.split_whitespace().map(OsString::from)).unwrap();
    let Command::Serve(options) = cli.command else {
        panic!("not serve")
    };
    ServeConfig::new(*options, Some(Path::new("/home/me")))
}

#[test]
fn the_defaults_are_the_documented_ones() {
    let config = config("").unwrap();
    assert_eq!(config.access.listen.to_string(), "127.0.0.1:5200");
    assert!(matches!(config.access.token, TokenPolicy::Kept));
    assert_eq!(
        config.places.registry,
        Path::new("/home/me/.m365-connections.json")
    );
    assert_eq!(config.places.state_dir, Path::new("/home/me/.m365-state"));
    assert_eq!(
        config.places.log().directory,
        Path::new("/home/me/.m365-logs")
    );
    assert_eq!(config.places.log().file_name, "session-pool-unified.log");
    assert_eq!(config.sessions.command_timeout, Duration::from_secs(300));
    assert_eq!(config.sessions.drain, Duration::from_secs(10));
    assert_eq!(config.limits.queue_length, 32);
    assert_eq!(config.limits.page, PageBudget::default());
    assert_eq!(config.limits.max_job_bytes, 256_000_000);
    assert_eq!(config.limits.max_memory_bytes, 32_000_000);
    assert_eq!(config.limits.max_spool_bytes, 2_000_000_000);
    assert_eq!(config.limits.keep_results, Duration::from_secs(3600));
    assert_eq!(config.rules, Rules::default());
    assert_eq!(config.rules.keepalive, Some(Duration::from_secs(300)));
    assert_eq!(config.rules.max_resident, Some(1_000_000_000));
    assert_eq!((config.rules.max_idle, config.rules.max_age), (None, None));
}

#[test]
fn a_limit_of_0_is_none() {
    let rules = config("--keepalive 0 --max-idle 8h --max-rss 0 --max-age 1d")
        .unwrap()
        .rules;
    assert_eq!((rules.keepalive, rules.max_resident), (None, None));
    assert_eq!(rules.max_idle, Some(Duration::from_secs(8 * 3600)));
    assert_eq!(rules.max_age, Some(Duration::from_secs(24 * 3600)));
}

#[test]
fn one_connection_names_the_files() {
    let config = config("--connection Contoso.GA").unwrap();
    assert_eq!(config.places.log().file_name, "session-pool-Contoso_GA.log");
}

#[test]
fn the_pool_is_not_opened_unasked() {
    let open = "--no-token --host 0.0.0.0";
    assert!(matches!(config(open), Err(ConfigError::OpenToNetwork(_))));
    let meant = config(&format!("{open} --insecure-no-token-on-network")).unwrap();
    assert!(matches!(
        meant.access.token,
        TokenPolicy::Open { to_network: true }
    ));
    let local = config("--no-token --host localhost").unwrap();
    assert!(matches!(
        local.access.token,
        TokenPolicy::Open { to_network: false }
    ));
    assert!(matches!(
        config("--host ::").unwrap().access.token,
        TokenPolicy::Kept
    ));
}

#[test]
fn contradictions_name_what_to_change() {
    for (line, text) in [
        ("--token abc --token-file x", "SESSION_POOL_TOKEN_FILE"),
        ("--token abc --no-token", "SESSION_POOL_NO_TOKEN"),
        ("--token ä", "SESSION_POOL_TOKEN"),
        ("--connection a/b", "M365_CONNECTION"),
        ("--pass-env A,B=hunter2", "SESSION_POOL_PASS_ENV"),
        (
            "--allowed-host http://pool.lan",
            "SESSION_POOL_ALLOWED_HOSTS",
        ),
        ("--allowed-host pool.lan:5200", "SESSION_POOL_ALLOWED_HOSTS"),
        ("--allowed-host *.lan", "SESSION_POOL_ALLOWED_HOSTS"),
    ] {
        let error = config(line).unwrap_err().to_string();
        assert!(
            error.contains(text) && !error.contains("hunter2"),
            "{line}: {error}"
        );
    }
}

#[test]
fn lists_may_be_repeated_or_separated() {
    let config = config("--pass-env A,B --pass-env C --allowed-host pool.lan,[fd00::1]").unwrap();
    assert_eq!(config.sessions.pass_env, ["A", "B", "C"]);
    assert_eq!(config.access.allowed_hosts, ["pool.lan", "[fd00::1]"]);
}

#[test]
fn without_a_home_the_variable_is_named() {
    let cli = Cli::read(["session-pool".into()]).unwrap();
    let Command::Serve(options) = cli.command else {
        panic!("not serve")
    };
    let error = ServeConfig::new(*options, None).unwrap_err().to_string();
    assert!(error.contains("SESSION_POOL_REGISTRY"), "{error}");
}
