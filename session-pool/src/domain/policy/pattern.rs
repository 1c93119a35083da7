//! Names with `*` and `?`, against texts of which parts may be unknown.

use std::fmt;

use super::facts::ANYTHING;

/// A pattern: `*` is any text, `?` any one character; case does not matter, and neither does which
/// of Unicode's dashes is written, because PowerShell takes several for the same.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    text: Vec<char>,
    /// The characters before the first `*` or `?`: most texts differ there.
    plain: usize,
}

/// A text, made ready for many patterns.
#[derive(Debug)]
pub(super) struct Folded {
    text: Vec<char>,
    has_holes: bool,
}

impl Folded {
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: fold(text),
            has_holes: text.contains(ANYTHING),
        }
    }
}

impl Pattern {
    /// Every text is a pattern.
    pub fn new(text: &str) -> Self {
        let text = fold(text);
        let wild = text.iter().position(|c| matches!(c, '*' | '?'));
        Self {
            plain: wild.unwrap_or(text.len()),
            text,
        }
    }

    /// Whether the text fits, for every meaning of its unknown parts: those stand for themselves.
    pub fn fits(&self, text: &str) -> bool {
        self.fits_folded(&Folded::new(text))
    }

    /// Whether the text could fit: an unknown part of it may be anything.
    pub fn may_fit(&self, text: &str) -> bool {
        self.may_fit_folded(&Folded::new(text))
    }

    pub(super) fn fits_folded(&self, text: &Folded) -> bool {
        self.begins(text) && overlap(&self.text, &text.text, false)
    }

    pub(super) fn may_fit_folded(&self, text: &Folded) -> bool {
        if !text.has_holes {
            return self.fits_folded(text);
        }
        overlap(&self.text, &text.text, true)
    }

    /// Whether the text begins as the pattern does; quick, and enough to tell most texts off.
    fn begins(&self, text: &Folded) -> bool {
        let plain = self.text.get(..self.plain).unwrap_or_default();
        text.text.starts_with(plain)
            && (self.plain < self.text.len() || text.text.len() == self.plain)
    }

    /// Whether every text fits.
    pub(super) fn is_everything(&self) -> bool {
        self.text == ['*']
    }

    /// The name itself, where there is only one that fits.
    pub fn name(&self) -> Option<String> {
        (self.plain == self.text.len()).then(|| self.text.iter().collect())
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.text.iter().collect();
        write!(f, "{text:?}")
    }
}

fn fold(text: &str) -> Vec<char> {
    text.chars()
        .map(|c| match c {
            // What PowerShell's own reader takes for a dash: SpecialChars.IsDash.
            '\u{2013}' | '\u{2014}' | '\u{2015}' => '-',
            c => c.to_lowercase().next().unwrap_or(c),
        })
        .collect()
}

/// Whether there is a text that both describe. One row of the table at a time: `row[j]` says
/// whether the pattern so far and the first `j` characters have a text in common.
fn overlap(pattern: &[char], text: &[char], open: bool) -> bool {
    let anything = |c: char| open && c == ANYTHING;
    let mut row = Vec::with_capacity(text.len() + 1);
    row.push(true);
    for c in text {
        row.push(row.last() == Some(&true) && anything(*c));
    }
    for p in pattern {
        let mut before = row.first().copied().unwrap_or_default();
        let mut left = before && *p == '*';
        let mut next = Vec::with_capacity(row.len());
        next.push(left);
        for (c, above) in text.iter().zip(row.iter().skip(1).copied()) {
            let fits = match *p {
                '*' => above || left || before,
                // An unknown part may end before this character, here, or go on.
                _ if anything(*c) => above || left || before,
                '?' => before,
                p => before && p == *c,
            };
            before = above;
            left = fits;
            next.push(fits);
        }
        row = next;
    }
    row.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_and_case_and_dashes() {
        for (pattern, text, fits) in [
            ("Remove-Az*", "remove-azVM", true),
            ("Remove-Az*", "Remove-PnPFile", false),
            ("Remove-Mailbox", "Remove\u{2013}Mailbox", true),
            ("*", "", true),
            ("", "a", false),
            ("?x", "ax", true),
            ("?x", "x", false),
            ("*a*b", "xxaxxb", true),
            ("*a*b", "xxaxxbc", false),
        ] {
            assert_eq!(Pattern::new(pattern).fits(text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_unknown_may_be_anything_where_that_is_asked() {
        let anchored = Pattern::new("https://login.example/*");
        assert!(anchored.may_fit("\u{FFFC}"));
        assert!(anchored.may_fit("https://\u{FFFC}/x"));
        assert!(!anchored.may_fit("https://graph.example/\u{FFFC}"));
        assert!(!anchored.fits("\u{FFFC}"));
        assert!(Pattern::new("get-x").may_fit("Get\u{FFFC}-x"));
    }

    proptest! {
        #[test]
        fn a_text_with_a_hole_may_fit_whatever_the_whole_text_fits(
            pattern in "[ab*?]{0,6}", front in "[ab]{0,3}", hidden in "[ab]{0,3}", back in "[ab]{0,3}"
        ) {
            let pattern = Pattern::new(&pattern);
            if pattern.fits(&format!("{front}{hidden}{back}")) {
                let holed = format!("{front}{ANYTHING}{back}");
                prop_assert!(pattern.may_fit(&holed));
            }
        }
    }
}
