//! The known names that a mistyped one probably meant.

/// How many suggestions help; more are a list to read.
const MOST: usize = 3;

/// Jaro-Winkler similarity from which two names are taken for the same one mistyped.
const SIMILAR: f64 = 0.8;

/// Names longer than this are nobody's typing error, and the comparison is quadratic.
const LONGEST: usize = 200;

/// The candidates that resemble `wanted`, the most similar first, at most three.
///
/// Upper and lower case count as equal; candidates that contain `wanted` or are contained in it
/// resemble it too, and those that it shortens (`cmd` for `command`), from three characters on.
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    if wanted.chars().nth(LONGEST).is_some() {
        return Vec::new();
    }
    let wanted = wanted.to_lowercase();
    let mut similar: Vec<(f64, &str)> = candidates
        .into_iter()
        .filter(|candidate| candidate.chars().nth(LONGEST).is_none())
        .map(|candidate| (similarity(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score >= SIMILAR)
        .collect();
    similar.sort_by(|(a, left), (b, right)| b.total_cmp(a).then_with(|| left.cmp(right)));
    similar
        .into_iter()
        .take(MOST)
        .map(|(_, candidate)| candidate.to_owned())
        .collect()
}

fn similarity(wanted: &str, candidate: &str) -> f64 {
    let contained = wanted.len().min(candidate.len()) >= 3
        && (candidate.contains(wanted) || wanted.contains(candidate));
    let score = strsim::jaro_winkler(wanted, candidate);
    if contained || shortens(wanted, candidate) {
        score.max(SIMILAR)
    } else {
        score
    }
}

/// Whether `wanted` is `candidate` with letters left out, its first kept.
fn shortens(wanted: &str, candidate: &str) -> bool {
    let mut letters = candidate.chars();
    wanted.len() >= 3
        && wanted.chars().next() == candidate.chars().next()
        && wanted
            .chars()
            .all(|letter| letters.any(|other| other == letter))
}

/// `did you mean "a" or "b"?`, or nothing where there are no suggestions.
pub fn did_you_mean(suggestions: &[String]) -> Option<String> {
    let (last, rest) = suggestions.split_last()?;
    let mut text = String::from("did you mean ");
    for (position, suggestion) in rest.iter().enumerate() {
        let separator = if position == 0 { "" } else { ", " };
        text.push_str(&format!("{separator}{suggestion:?}"));
    }
    let or = if rest.is_empty() { "" } else { " or " };
    text.push_str(&format!("{or}{last:?}?"));
    Some(text)
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
    fn finds_the_name_that_was_meant() {
        let names = ["Contoso-GA", "Fabrikam", "Fabrikam-Test", "Northwind"];
        for (wanted, expected) in [
            ("contoso-ga", vec!["Contoso-GA"]),
            ("Contosso-GA", vec!["Contoso-GA"]),
            ("contoso", vec!["Contoso-GA"]),
            ("fabrikam-tset", vec!["Fabrikam-Test", "Fabrikam"]),
            ("nortwhind", vec!["Northwind"]),
            ("zzz", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(nearest(wanted, names), expected, "{wanted:?}");
        }
    }

    #[test]
    fn asks_in_one_sentence() {
        let names = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(did_you_mean(&[]), None);
        assert_eq!(
            did_you_mean(&names(&["a"])).unwrap(),
            r#"did you mean "a"?"#
        );
        assert_eq!(
            did_you_mean(&names(&["a", "b", "c"])).unwrap(),
            r#"did you mean "a", "b" or "c"?"#
        );
    }

    proptest! {
        #[test]
        fn any_text_is_compared(wanted in ".{0,300}", candidates in prop::collection::vec(".{0,40}", 0..8)) {
            let found = nearest(&wanted, candidates.iter().map(String::as_str));
            prop_assert!(found.len() <= MOST);
            prop_assert!(found.iter().all(|name| candidates.contains(name)));
        }
    }
}
