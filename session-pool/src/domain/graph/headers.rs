//! The headers that a caller may set.

/// A header that changes nothing about who calls or where the call goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name, as the allow-list has it.
    pub name: &'static str,
    /// Its value: visible ASCII, spaces and tabs.
    pub value: String,
}

/// A header cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It is not on the list.
    #[error("the header {0:?} cannot be set: use {list}", list = Header::ALLOWED.join(", "))]
    NotAllowed(String),
    /// Its value cannot go into a request.
    #[error("the value of the header {0} must be one line of ASCII text, at most 1000 characters")]
    Value(&'static str),
}

impl Header {
    /// The list of headers that may be set.
    pub const ALLOWED: [&'static str; 6] = [
        "ConsistencyLevel",
        "Prefer",
        "If-Match",
        "If-None-Match",
        "Content-Type",
        "Accept-Language",
    ];

    /// Takes a header.
    ///
    /// # Errors
    /// [`HeaderError`] where it is not on the list, or its value could end the header.
    pub fn new(name: &str, value: &str) -> Result<Self, HeaderError> {
        let name = Self::ALLOWED
            .into_iter()
            .find(|allowed| allowed.eq_ignore_ascii_case(name.trim()))
            .ok_or_else(|| HeaderError::NotAllowed(name.chars().take(60).collect()))?;
        let value = value.trim();
        let plain = |b: u8| b == b' ' || b == b'\t' || b.is_ascii_graphic();
        if value.is_empty() || value.len() > 1000 || !value.bytes().all(plain) {
            return Err(HeaderError::Value(name));
        }
        Ok(Self {
            name,
            value: value.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_headers_pass() {
        for (name, value, good) in [
            ("consistencylevel", "eventual", true),
            (
                "Prefer",
                "outlook.timezone=\"W. Europe Standard Time\"",
                true,
            ),
            ("If-Match", "W/\"abc\"", true),
            ("Content-Type", "text/plain", true),
            ("Authorization", "Bearer x", false),
            ("Host", "evil.example", false),
            ("Prefer", "a\r\nHost: evil", false),
            ("Prefer", "", false),
            ("Accept-Language", "\u{fc}", false),
        ] {
            assert_eq!(Header::new(name, value).is_ok(), good, "{name}: {value:?}");
        }
    }
}
