//! What to register with an MCP client, so that it starts `mm`.

use std::ffi::OsString;
use std::io::Write;

use serde_json::{Map, Value, json};

use crate::cli::Client;
use crate::config::{Config, ConfigError, FILES_DIR, Overrides, PATHS, VARIABLES};
use crate::graph::{Places, PlacesError};
use crate::shell::{Exit, complain};

/// What the gateway shows of the server.
const DESCRIPTION: &str = "Microsoft Master: Microsoft 365 administration over PowerShell \
                           (Exchange Online, SharePoint, Azure, Teams)";

/// The token does not go where others read.
const TOKEN_LEFT_OUT: &str = "SESSION_POOL_TOKEN is set, but not repeated in the registration, \
which others may read: put the token into a file of mode 0600 and set SESSION_POOL_TOKEN_FILE, or \
set SESSION_POOL_STATE_DIR to the pool's state directory, and print the registration again";

/// Prints the registration on standard output, and where it belongs on standard error.
pub(crate) fn print(client: Client, overrides: &Overrides) -> Exit {
    // What cannot be used here cannot be used there.
    if let Err(error) = Config::from_environment(overrides) {
        return complain(
            &format!("nothing to register: {error}"),
            Exit::Configuration,
        );
    }
    // Without a home directory the pool can still be used.
    let places = Places::from_environment(overrides.files_dir.clone());
    if let Err(error @ PlacesError::SendGuards(_)) = places {
        return complain(
            &format!("nothing to register: {error}"),
            Exit::Configuration,
        );
    }
    let command = std::env::current_exe()
        .ok()
        .and_then(|path| path.into_os_string().into_string().ok())
        .unwrap_or_else(|| "mm".to_owned());
    let environment = match environment(overrides, std::env::var_os) {
        Ok(environment) => environment,
        Err(error) => {
            return complain(
                &format!("nothing to register: {error}"),
                Exit::Configuration,
            );
        }
    };
    let (registration, place) = registration(client, &command, environment);
    let printed = format!("{registration:#}\n");
    let _ = writeln!(std::io::stderr(), "{place}");
    if std::env::var_os("SESSION_POOL_TOKEN").is_some_and(|token| !token.is_empty()) {
        let _ = writeln!(std::io::stderr(), "{TOKEN_LEFT_OUT}");
    }
    match std::io::stdout().write_all(printed.as_bytes()) {
        Ok(()) => Exit::Succeeded,
        Err(_) => Exit::NobodyReads,
    }
}

/// What is set here and must be set there too: clients start `mm` with an environment and in a
/// directory of their own. The token itself is not repeated: such files are read by many.
fn environment(
    overrides: &Overrides,
    variable: impl Fn(&'static str) -> Option<OsString>,
) -> Result<Value, ConfigError> {
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    let mut set = Map::new();
    let mut add = |name: &'static str, value: OsString| {
        let text = value
            .into_string()
            .map_err(|_| ConfigError::NotUnicode(name))?;
        set.insert(name.to_owned(), Value::String(text));
        Ok(())
    };
    for name in VARIABLES {
        if let Some(value) = variable(name) {
            add(name, value)?;
        }
    }
    for name in PATHS {
        let given = match &overrides.files_dir {
            Some(directory) if name == FILES_DIR => Some(directory.clone().into_os_string()),
            _ => variable(name),
        };
        if let Some(path) = given {
            let path = std::path::absolute(path).map_err(|_| ConfigError::NotAbsolute(name))?;
            add(name, path.into_os_string())?;
        }
    }
    if let Some(url) = &overrides.pool_url {
        set.insert("MM_SESSION_POOL_URL".to_owned(), json!(url));
    }
    if overrides.token_over_http {
        set.insert("MM_TOKEN_OVER_HTTP".to_owned(), json!("true"));
    }
    Ok(Value::Object(set))
}

fn registration(client: Client, command: &str, environment: Value) -> (Value, &'static str) {
    let server = json!({"command": command, "args": [], "env": environment});
    let typed = json!({"type": "stdio", "command": command, "args": [], "env": environment});
    match client {
        Client::Mcpjungle => (
            json!({
                "name": "mm",
                "transport": "stdio",
                "description": DESCRIPTION,
                "command": command,
                "args": [],
                "env": environment,
                "session_mode": "stateless",
            }),
            "Save this as mm.json and run: mcpjungle register -c mm.json",
        ),
        Client::Claude => (
            json!({"mcpServers": {"mm": server}}),
            "Put this into claude_desktop_config.json (Claude Desktop: Settings, Developer, Edit Config) and restart it",
        ),
        Client::ClaudeCode => (
            json!({"mcpServers": {"mm": typed}}),
            "Put this into .mcp.json of your project, or run: claude mcp add-json mm \"$(mm config claude-code 2>/dev/null | jq -c .mcpServers.mm)\"",
        ),
        Client::Vscode => (
            json!({"servers": {"mm": typed}}),
            "Put this into .vscode/mcp.json, or into the user's mcp.json (command: MCP: Open User Configuration)",
        ),
        Client::Cursor => (
            json!({"mcpServers": {"mm": server}}),
            "Put this into ~/.cursor/mcp.json, or into .cursor/mcp.json of your project",
        ),
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

    #[test]
    fn the_environment_is_repeated_without_the_token() {
        let set = environment(&Overrides::default(), |name| match name {
            "SESSION_POOL_TOKEN" => Some("secret".into()),
            "SESSION_POOL_STATE_DIR" => Some("/state".into()),
            "SESSION_POOL_LOG_DIR" => Some("".into()),
            _ => None,
        });
        assert_eq!(set, Ok(json!({"SESSION_POOL_STATE_DIR": "/state"})));
    }

    #[test]
    fn flags_are_repeated_and_paths_are_absolute() {
        let overrides = Overrides {
            pool_url: Some("http://localhost:1".into()),
            files_dir: Some("files".into()),
            token_over_http: true,
        };
        let set = environment(&overrides, |name| match name {
            "MM_SESSION_POOL_URL" => Some("http://localhost:2".into()),
            "MM_FILES_DIR" => Some("/other".into()),
            "SESSION_POOL_STATE_DIR" => Some("state".into()),
            _ => None,
        });
        let here = |name| std::path::absolute(name).unwrap();
        assert_eq!(
            set,
            Ok(json!({
                "MM_SESSION_POOL_URL": "http://localhost:1",
                "MM_TOKEN_OVER_HTTP": "true",
                "MM_FILES_DIR": here("files"),
                "SESSION_POOL_STATE_DIR": here("state"),
            }))
        );
    }

    #[test]
    fn the_file_in_the_repository_is_what_is_printed() {
        let file = include_str!("../mcpjungle-config.json");
        let (printed, _) = registration(Client::Mcpjungle, "mm", json!({}));
        assert_eq!(serde_json::from_str::<Value>(file).unwrap(), printed);
    }
}
