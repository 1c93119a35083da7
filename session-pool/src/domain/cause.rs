//! What an error comes from.

use std::error::Error;

/// The deepest cause of an error, in its own words. It is the telling one ("connection refused");
/// the outer ones repeat the URL, which may name the tenant or be good for itself.
pub fn deepest(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn the_deepest_cause_is_told() {
        let alone = std::io::Error::other("connection refused");
        assert_eq!(deepest(&alone), "connection refused");
        assert_eq!(deepest(&Outer(alone)), "connection refused");
    }
}
