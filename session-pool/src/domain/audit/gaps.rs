//! Lines that are missing.

use std::fmt;

/// Numbers that no line has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            write!(f, "line {} is missing", self.from)
        } else {
            write!(f, "lines {} to {} are missing", self.from, self.to)
        }
    }
}

/// Looks for gaps in the numbers of one file's lines, the oldest first.
///
/// What stands before the first line is no gap: old files are dropped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gaps {
    last: Option<u64>,
}

impl Gaps {
    /// The gap in front of a line of this number.
    pub fn before(&mut self, seq: u64) -> Option<Gap> {
        let last = self.last.replace(seq)?;
        let from = last.saturating_add(1);
        (from < seq).then(|| Gap { from, to: seq - 1 })
    }

    /// The gap behind the last line, where so many numbers have been given out.
    pub fn at_end(self, given_out: u64) -> Option<Gap> {
        let mut all = Self {
            last: self.last.or(Some(0)),
        };
        all.before(given_out.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_no_line_has_are_told() {
        let mut gaps = Gaps::default();
        let found: Vec<_> = [7, 8, 10, 14, 15]
            .into_iter()
            .filter_map(|seq| gaps.before(seq))
            .map(|gap| gap.to_string())
            .collect();
        assert_eq!(
            found,
            ["line 9 is missing", "lines 11 to 13 are missing"],
            "and nothing before 7: old files are dropped"
        );
        assert_eq!(gaps.at_end(15), None);
        assert_eq!(gaps.at_end(17), Some(Gap { from: 16, to: 17 }));
    }

    #[test]
    fn a_file_whose_lines_are_all_gone_has_a_gap() {
        assert_eq!(Gaps::default().at_end(0), None);
        assert_eq!(Gaps::default().at_end(3), Some(Gap { from: 1, to: 3 }));
    }
}
