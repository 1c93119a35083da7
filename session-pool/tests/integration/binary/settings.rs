//! A wrong value of each setting ends the program with 64 and a sentence that names the variable.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Context, Needs, Server, Suite, add, outcome, session_pool};
use session_pool::demo::settings::SignIn;

pub fn trials(suite: &mut Suite) {
    add!(
        suite,
        Needs::Nothing,
        [
            every_wrong_value_names_its_variable,
            a_value_that_is_no_text_names_its_variable,
            a_busy_port_is_no_wrong_value
        ]
    );
    add!(
        suite,
        Needs::Pwsh,
        [a_connection_that_the_registry_lacks_is_warned_about]
    );
}

/// Variable, wrong value, and what the sentence must say beside the variable.
const WRONG: &[(&str, &str, &str)] = &[
    ("SESSION_POOL_HOST", "nowhere", "IP address"),
    ("SESSION_POOL_HOST", "192.0.2.1", "192.0.2.1"),
    ("SESSION_POOL_PORT", "65536", "from 0 to 65535"),
    (
        "SESSION_POOL_ALLOWED_HOSTS",
        "http://pool.lan",
        "without scheme",
    ),
    (
        "SESSION_POOL_ALLOWED_HOSTS",
        "pool.lan,pool.lan:80",
        "pool.lan:80",
    ),
    ("MM_SEND_GUARDS", "perhaps", "legacy"),
    ("SESSION_POOL_TOKEN", "a b", "ASCII"),
    ("SESSION_POOL_TOKEN_FILE", "/nonexistent", "/nonexistent"),
    (
        "SESSION_POOL_TOKEN_FILE",
        "EMPTY",
        "does not hold an access token",
    ),
    (
        "SESSION_POOL_TLS_CERT",
        "/nonexistent",
        "SESSION_POOL_TLS_KEY",
    ),
    (
        "SESSION_POOL_TLS_KEY",
        "/nonexistent",
        "SESSION_POOL_TLS_CERT",
    ),
    ("SESSION_POOL_NO_TOKEN", "maybe", "maybe"),
    (
        "SESSION_POOL_INSECURE_NO_TOKEN_ON_NETWORK",
        "maybe",
        "maybe",
    ),
    ("SESSION_POOL_REGISTRY", "DIRECTORY", "is a directory"),
    ("SESSION_POOL_STATE_DIR", "EMPTY", "EMPTY"),
    ("SESSION_POOL_STATE_DIR", "/proc/state", "/proc/state"),
    ("SESSION_POOL_SECRETS_DIR", "EMPTY", "no directory"),
    ("SESSION_POOL_POLICY", "DIRECTORY", "cannot read the policy"),
    ("MM_SEND_GUARDS", "perhaps", "legacy"),
    ("SESSION_POOL_USER_IDS", "maybe", "maybe"),
    ("SESSION_POOL_AUDIT_COMMANDS", "maybe", "maybe"),
    ("SESSION_POOL_FIRST_USER_ID", "0", "from 1 to"),
    ("SESSION_POOL_HOMES_DIR", "EMPTY", "EMPTY"),
    ("SESSION_POOL_LOG_DIR", "EMPTY", "EMPTY"),
    ("SESSION_POOL_LOG_DIR", "/proc/logs", "/proc/logs"),
    ("SESSION_POOL_LOG_LEVEL", "loud", "debug"),
    ("M365_CONNECTION", "a/b", "slash"),
    (
        "SESSION_POOL_PWSH",
        "/nonexistent/pwsh",
        "/nonexistent/pwsh",
    ),
    ("SESSION_POOL_PWSH", "EMPTY", "cannot be started"),
    ("SESSION_POOL_PWSH", "OLD", "7.2.1 is too old"),
    ("SESSION_POOL_PASS_ENV", "A,B=C", "B=…"),
    ("COMMAND_TIMEOUT", "0", "from 1 to 3600"),
    ("COMMAND_TIMEOUT", "5m", "from 1 to 3600"),
    ("SESSION_POOL_DRAIN_SECONDS", "-1", "from 0 to 3600"),
    ("SESSION_POOL_WIDTH", "0", "from 1 to 65535"),
    ("SESSION_POOL_DEPTH", "101", "from 1 to 100"),
    ("SESSION_POOL_MAX_PROCESSES", "0", "from 1 to"),
    ("SESSION_POOL_QUEUE_LENGTH", "many", "from 1 to"),
    ("SESSION_POOL_PAGE_CHARACTERS", "1", "200"),
    ("SESSION_POOL_MAX_JOB_BYTES", "lots", "256MB"),
    ("SESSION_POOL_MAX_MEMORY_BYTES", "-1", "256MB"),
    ("SESSION_POOL_MAX_SPOOL_BYTES", "", "empty"),
    ("SESSION_POOL_KEEP_RESULTS", "-1", "with its unit"),
    ("SESSION_POOL_KEEP_RESULTS", "3600", "with its unit"),
    ("SESSION_POOL_KEEPALIVE", "often", "from 1s to 365d"),
    ("SESSION_POOL_MAX_IDLE", "-1", "from 1s to 365d"),
    ("SESSION_POOL_MAX_RSS", "lots", "256MB"),
    ("SESSION_POOL_MAX_AGE", "1ms", "from 1s to 365d"),
];

async fn a_value_that_is_no_text_names_its_variable(cx: &Context) {
    for (program, variable) in [
        ("serve", "COMMAND_TIMEOUT"),
        ("serve", "SESSION_POOL_TOKEN"),
        ("serve", "M365_CONNECTION"),
        ("demo", "SESSION_POOL_PORT"),
    ] {
        let mut command = session_pool(cx, &[program]);
        command.env(variable, std::ffi::OsStr::from_bytes(b"sec\xffret"));
        let (code, said) = outcome(command).await;
        let names = said.starts_with("error: ") && said.contains(variable);
        assert!(
            code == 64 && names && said.contains("UTF-8"),
            "{variable}: {code} {said}"
        );
        assert!(!said.contains("sec"), "{said}");
    }
}

async fn every_wrong_value_names_its_variable(cx: &Context) {
    let old = cx.path().join("OLD");
    std::fs::write(&old, "#!/bin/sh\necho PowerShell 7.2.1\n").unwrap();
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(cx.path().join("EMPTY"), "").unwrap();
    std::fs::create_dir(cx.path().join("DIRECTORY")).unwrap();
    let good = cx.path().join("good");
    std::fs::write(&good, "#!/bin/sh\necho PowerShell 7.6.0\n").unwrap();
    std::fs::set_permissions(&good, std::fs::Permissions::from_mode(0o755)).unwrap();

    for (variable, value, says) in WRONG {
        let mut command = session_pool(cx, &["serve"]);
        command
            .env("SESSION_POOL_PORT", "0")
            .env("SESSION_POOL_PWSH", &good);
        let is_place = ["EMPTY", "DIRECTORY", "OLD"].contains(value);
        let place = cx.path().join(value);
        command.env(
            variable,
            if is_place {
                place.as_os_str()
            } else {
                value.as_ref()
            },
        );
        let (code, said) = outcome(command).await;
        let names = said.starts_with("error: ") && said.contains(variable) && said.contains(says);
        assert!(code == 64 && names, "{variable}={value}: {code} {said}");
    }
    // `--help` has no variable that is not in the list.
    let help = session_pool(cx, &["serve", "--help"])
        .output()
        .await
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let told: BTreeSet<_> = help
        .split("[env: ")
        .skip(1)
        .filter_map(|rest| rest.split(['=', ']']).next())
        .collect();
    let tried: BTreeSet<_> = WRONG.iter().map(|(variable, ..)| *variable).collect();
    assert_eq!(told, tried);
}

async fn a_busy_port_is_no_wrong_value(cx: &Context) {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = session_pool(cx, &["serve", "--port", &port]);
    command.env("SESSION_POOL_PWSH", "/bin/true");
    let (code, said) = outcome(command).await;
    assert!(
        code == 70 && said.contains("SESSION_POOL_PORT"),
        "{code} {said}"
    );
}

async fn a_connection_that_the_registry_lacks_is_warned_about(cx: &Context) {
    let server = Server::with(cx, SignIn::Instant, &["--connection", "contosso"]).await;
    let log = server.log();
    let warned = log.lines().any(|line| {
        line.contains("WARN") && line.contains("M365_CONNECTION") && line.contains("contoso")
    });
    assert!(warned, "{log}");
    server.stop().await;
}
