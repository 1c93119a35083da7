//! Text for people's eyes: what would change how the rest looks is shown for what it is.

use std::fmt::Write as _;

/// The text with control characters, bidi marks and what has no width made visible. Line feeds and
/// tabs stay, and a carriage return before a line feed is dropped.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' | '\t' => shown.push(c),
            '\r' if rest.peek() == Some(&'\n') => {}
            c => push(c, &mut shown),
        }
    }
    shown
}

/// The same for what is one line: a line feed in it is none of ours.
pub fn visible_line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        push(c, &mut shown);
    }
    shown
}

fn push(c: char, shown: &mut String) {
    if c.is_control() || is_unseen(c) {
        // Writing to a string cannot fail.
        let _ = write!(shown, "⟦U+{:04X}⟧", u32::from(c));
    } else {
        shown.push(c);
    }
}

/// Formatting characters, and what looks like nothing. Source: Unicode 16, general categories Cf, Zl
/// and Zp, and Default_Ignorable_Code_Point without the variation selectors that emoji need.
const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{600}'..='\u{605}' | '\u{61C}' | '\u{6DD}' | '\u{70F}'
        | '\u{890}'..='\u{891}' | '\u{8E2}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
        | '\u{110BD}' | '\u{110CD}' | '\u{13430}'..='\u{1343F}' | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_mislead_is_shown() {
        for (text, shown) in [
            ("plain, ümlaut, 日本 👍️", "plain, ümlaut, 日本 👍️"),
            ("two\r\nlines\tand a tab", "two\nlines\tand a tab"),
            ("back\rspace\u{8}", "back⟦U+000D⟧space⟦U+0008⟧"),
            ("\u{202E}fdp.exe", "⟦U+202E⟧fdp.exe"),
            (
                "a\u{200B}b\u{2066}c\u{E0041}",
                "a⟦U+200B⟧b⟦U+2066⟧c⟦U+E0041⟧",
            ),
            ("\u{1B}[2J", "⟦U+001B⟧[2J"),
        ] {
            assert_eq!(visible(text), shown);
        }
        assert_eq!(visible_line("a\nTo: b"), "a⟦U+000A⟧To: b");
    }
}
