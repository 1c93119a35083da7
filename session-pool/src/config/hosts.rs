//! The names that callers may have for the pool.

use std::net::IpAddr;

use super::{ConfigError, not_empty};

/// Host names and addresses as a Host header has them, less the port.
pub(super) fn checked(names: Vec<String>) -> Result<Vec<String>, ConfigError> {
    let names = not_empty(names);
    let is_name = |name: &str| {
        let labels = name.strip_suffix('.').unwrap_or(name).split('.');
        let label = |label: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            (1..=63).contains(&label.len()) && label.chars().all(plain)
        };
        name.len() <= 254 && labels.clone().all(label)
    };
    let is_address = |name: &str| {
        let bare = name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'));
        bare.unwrap_or(name).parse::<IpAddr>().is_ok()
    };
    match names
        .iter()
        .find(|name| !is_name(name) && !is_address(name))
    {
        Some(name) => Err(ConfigError::AllowedHost(name.clone())),
        None => Ok(names),
    }
}
