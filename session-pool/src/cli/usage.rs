//! What is wrong with the command line, in words that name the variable where it was one.

use std::any::TypeId;
use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

/// `EX_USAGE` of sysexits.h: the program was called wrongly.
const EX_USAGE: u8 = 64;

/// The arguments or the environment are wrong, or only asked for help.
#[derive(Debug)]
pub struct UsageError {
    text: String,
    is_mistake: bool,
}

impl UsageError {
    pub(super) fn new(error: &clap::Error, command: &Command, arguments: &[OsString]) -> Self {
        let text = of_variable(error, command, arguments)
            .or_else(|| of_bytes(error, command, arguments))
            .unwrap_or_else(|| error.to_string());
        Self {
            text,
            is_mistake: error.use_stderr(),
        }
    }

    /// A mistake that shows only when all settings are looked at together.
    pub fn mistake(text: impl fmt::Display) -> Self {
        Self {
            text: format!("error: {text}\n"),
            is_mistake: true,
        }
    }

    /// 64 for a mistake, 0 for help.
    pub const fn exit_code(&self) -> u8 {
        if self.is_mistake { EX_USAGE } else { 0 }
    }

    /// Whether it belongs to standard error.
    pub const fn is_mistake(&self) -> bool {
        self.is_mistake
    }
}

impl Error for UsageError {}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The sentence for a wrong value of an environment variable; clap itself puts it down to the flag.
fn of_variable(error: &clap::Error, command: &Command, arguments: &[OsString]) -> Option<String> {
    if !matches!(
        error.kind(),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation
    ) {
        return None;
    }
    let Some(ContextValue::String(usage)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    // `--port <PORT>`
    let flag = usage.split([' ', '=', '[']).next()?;
    let given = |argument: &OsString| {
        argument
            .to_string_lossy()
            .split('=')
            .next()
            .is_some_and(|name| name == flag)
    };
    if arguments.iter().any(given) {
        return None;
    }
    let argument = argument(command, flag)?;
    let variable = argument.get_env()?.to_string_lossy().into_owned();
    let value = match error.get(ContextKind::InvalidValue) {
        Some(ContextValue::String(value)) => value.as_str(),
        _ => "",
    };
    if value.is_empty() {
        return Some(format!(
            "error: {variable} is empty: give it a value or unset it (or use {flag})\n"
        ));
    }
    let shown = if argument.is_hide_env_values_set() {
        "holds something that is not valid".to_owned()
    } else {
        format!("is {value:?}, which is not valid")
    };
    let why = match (error.source(), error.get(ContextKind::ValidValue)) {
        (Some(source), _) => format!(": {source}"),
        (None, Some(ContextValue::Strings(values))) => {
            format!(": use one of {}", values.join(", "))
        }
        _ => String::new(),
    };
    Some(format!(
        "error: {variable} {shown}{why} (as a flag: {flag})\n"
    ))
}

/// The sentence for a variable whose value is no text; clap does not say which one it is.
fn of_bytes(error: &clap::Error, command: &Command, arguments: &[OsString]) -> Option<String> {
    if error.kind() != ErrorKind::InvalidUtf8 {
        return None;
    }
    let chosen = command.find_subcommand(arguments.get(1)?)?;
    let takes_bytes = |argument: &Arg| {
        let taken = argument.get_value_parser().type_id();
        taken == TypeId::of::<PathBuf>() || taken == TypeId::of::<OsString>()
    };
    let argument = with_nested(chosen)
        .filter(|argument| !takes_bytes(argument))
        .find(|argument| {
            let value = argument.get_env().and_then(std::env::var_os);
            value.is_some_and(|value| value.to_str().is_none())
        })?;
    let variable = argument.get_env()?.to_string_lossy();
    let flag = argument.get_long().unwrap_or_default();
    Some(format!(
        "error: {variable} is not valid UTF-8: correct it or unset it (as a flag: --{flag})\n"
    ))
}

/// The arguments of a command and of those below it.
fn with_nested(command: &Command) -> impl Iterator<Item = &Arg> {
    let below = command.get_subcommands().flat_map(Command::get_arguments);
    command.get_arguments().chain(below)
}

fn argument<'a>(command: &'a Command, flag: &str) -> Option<&'a Arg> {
    let name = flag.strip_prefix("--")?;
    command
        .get_subcommands()
        .flat_map(Command::get_arguments)
        .find(|argument| argument.get_long() == Some(name))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use clap::{CommandFactory, Parser};

    use super::*;

    /// The same road with variables that every test process has, because setting one is not safe
    /// beside other threads: CARGO_PKG_NAME is `session-pool`, CARGO_PKG_VERSION_PRE is empty.
    #[derive(Debug, Parser)]
    struct Outer {
        #[command(subcommand)]
        _inner: Inner,
    }

    #[derive(Debug, clap::Subcommand)]
    enum Inner {
        Number {
            #[arg(long, env = "CARGO_PKG_NAME")]
            _port: u16,
        },
        Secret {
            #[arg(long, env = "CARGO_PKG_NAME", hide_env_values = true)]
            _pin: u16,
        },
        Empty {
            #[arg(long, env = "CARGO_PKG_VERSION_PRE")]
            _none: u16,
        },
    }

    fn text(arguments: &[&str]) -> String {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let error = Outer::try_parse_from(&arguments).unwrap_err();
        UsageError::new(&error, &Outer::command(), &arguments).to_string()
    }

    #[test]
    fn a_wrong_variable_is_named() {
        assert_eq!(
            text(&["x", "number"]),
            "error: CARGO_PKG_NAME is \"session-pool\", which is not valid: invalid digit found in \
             string (as a flag: --port)\n"
        );
        let secret = text(&["x", "secret"]);
        assert!(
            secret.contains("CARGO_PKG_NAME") && !secret.contains("session-pool"),
            "{secret}"
        );
        assert!(text(&["x", "empty"]).contains("CARGO_PKG_VERSION_PRE is empty"));
    }

    #[test]
    fn a_wrong_flag_is_put_down_to_the_flag() {
        for arguments in [
            &["x", "number", "--port", "a"][..],
            &["x", "number", "--port=a"],
        ] {
            let text = text(arguments);
            assert!(
                text.contains("--port") && !text.contains("CARGO_PKG_NAME"),
                "{text}"
            );
        }
    }
}
