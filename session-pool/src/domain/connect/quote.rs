//! Values inside PowerShell text.

/// The value as a PowerShell string in single quotes, in which nothing has a meaning but the end.
///
/// PowerShell ends such a string at any of four typographic quotes as well as at the straight one
/// (`CharExtensions.IsSingleQuote` in its tokenizer); each stands for itself when doubled.
pub fn quote(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('\'');
    for c in value.chars() {
        if matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}') {
            quoted.push(c);
        }
        quoted.push(c);
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_but_quotes_is_changed() {
        for (value, quoted) in [
            ("", "''"),
            ("a b", "'a b'"),
            ("O'Neill", "'O''Neill'"),
            ("a’; Remove-Item / #", "'a’’; Remove-Item / #'"),
            ("‘’‚‛", "'‘‘’’‚‚‛‛'"),
            ("$x `n \"y\" $(z)", "'$x `n \"y\" $(z)'"),
            ("two\nlines", "'two\nlines'"),
        ] {
            assert_eq!(quote(value), quoted);
        }
    }

    proptest! {
        // Between the outer quotes, every quote character has its double beside it.
        #[test]
        fn no_value_ends_the_string(value in "['‘’‚‛a;]{0,30}") {
            let quoted = quote(&value);
            let inner: Vec<char> = quoted.chars().skip(1).take(quoted.chars().count() - 2).collect();
            let mut rest = inner.as_slice();
            while let Some((first, tail)) = rest.split_first() {
                if "'‘’‚‛".contains(*first) {
                    prop_assert_eq!(tail.first(), Some(first));
                    rest = &tail[1..];
                } else {
                    rest = tail;
                }
            }
        }
    }
}
