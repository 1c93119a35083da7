//! Terminal escape sequences, which are no part of a text's meaning.

use std::borrow::Cow;

const ESCAPE: char = '\u{1b}';

/// The text without escape sequences (ECMA-48) and the one-character forms of their introducers.
///
/// A sequence that is cut off takes the rest of the text with it.
pub fn strip(text: &str) -> Cow<'_, str> {
    if !text.contains([ESCAPE, '\u{9b}', '\u{9d}']) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            ESCAPE => match rest.next() {
                Some('[') => skip_control_sequence(&mut rest),
                Some(']' | 'P' | '_' | '^' | 'X') => skip_string(&mut rest),
                // A designation of a character set has one more character.
                Some('(' | ')' | '*' | '+') => drop(rest.next()),
                Some(_) | None => {}
            },
            '\u{9b}' => skip_control_sequence(&mut rest),
            '\u{9d}' => skip_string(&mut rest),
            _ => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

/// Parameters, then one final character.
fn skip_control_sequence(rest: &mut std::str::Chars<'_>) {
    let _final = rest.find(|c| ('@'..='~').contains(c));
}

/// Everything to BEL or to the string terminator.
fn skip_string(rest: &mut std::str::Chars<'_>) {
    while let Some(c) = rest.next() {
        match c {
            '\u{7}' | '\u{9c}' => return,
            ESCAPE => {
                let _backslash = rest.next();
                return;
            }
            _ => {}
        }
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

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_text_is_left() {
        for (text, plain) in [
            ("plain", "plain"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("a\u{1b}[?1hb", "ab"),
            ("\u{9b}7mx", "x"),
            (
                "\u{1b}]8;;https://a.example\u{1b}\\link\u{1b}]8;;\u{7}",
                "link",
            ),
            ("\u{1b}(Bx", "x"),
            ("cut \u{1b}[1;3", "cut "),
            ("cut \u{1b}", "cut "),
        ] {
            assert_eq!(strip(text), plain, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_introduces_a_sequence_afterwards(text in "[\u{1b}\u{9b}\u{9d}a-c;\\[\\](]{0,60}") {
            let left = strip(&text).contains([ESCAPE, '\u{9b}', '\u{9d}']);
            prop_assert!(!left);
        }
    }
}
