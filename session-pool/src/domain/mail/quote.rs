//! Where one's own words end and the mail begins that is answered.

use std::ops::Range;

/// First words of a header block, in the languages that Outlook writes it in.
const FROM: [&str; 7] = ["from:", "von:", "de:", "de :", "da:", "van:", "från:"];

/// Words of its other lines.
const REST: [&str; 18] = [
    "sent:",
    "date:",
    "to:",
    "subject:",
    "cc:",
    "gesendet:",
    "datum:",
    "an:",
    "betreff:",
    "envoyé",
    "objet",
    "enviado",
    "para:",
    "asunto:",
    "inviato:",
    "oggetto:",
    "verzonden:",
    "skickat:",
];

/// Verbs of the line above a quotation.
const WROTE: [&str; 8] = [
    "wrote",
    "schrieb",
    "a écrit",
    "escribió",
    "ha scritto",
    "schreef",
    "skrev",
    "escreveu",
];

/// The lines that are one's own and may end in a signature: those before what is answered, or, where
/// the answer stands below it, those after.
pub(super) fn own(lines: &[&str]) -> Range<usize> {
    let hard = (0..lines.len())
        .find(|&at| begins_quote(lines, at))
        .unwrap_or(lines.len());
    let lines = lines.get(..hard).unwrap_or_default();
    let is_quoted = |line: &&str| line.trim_start().starts_with('>');
    let Some(last) = lines.iter().rposition(is_quoted) else {
        return 0..hard;
    };
    let below = lines.get(last + 1..).unwrap_or_default();
    if below.iter().any(|line| !line.trim().is_empty()) {
        return last + 1..hard;
    }
    // The quotation ends the mail: what is above it is one's own, without the line that introduces it.
    let quoted = |at: &usize| {
        lines
            .get(*at)
            .is_some_and(|line| is_quoted(line) || line.trim().is_empty())
    };
    let mut first = (0..=last).rev().take_while(quoted).last().unwrap_or(last);
    while first > 0 && (1..=2).any(|back| first >= back && attributes(lines, first - back)) {
        first -= 1;
    }
    let above = lines.get(..first).unwrap_or_default();
    let begin = above.iter().rposition(is_quoted).map_or(0, |at| at + 1);
    begin..first
}

/// Whether the rest of the mail is another's from here on.
fn begins_quote(lines: &[&str], at: usize) -> bool {
    let Some(line) = lines.get(at).map(|line| line.trim()) else {
        return false;
    };
    let dashed = line.starts_with("---")
        && line.ends_with("---")
        && line
            .trim_matches('-')
            .trim()
            .chars()
            .any(char::is_alphabetic);
    let following = || {
        let after = lines.get(at + 1..).unwrap_or_default();
        after
            .iter()
            .map(|line| line.trim())
            .filter(|line| !line.is_empty())
    };
    let ruled = line.len() >= 10 && line.chars().all(|c| c == '_');
    let heads = |line: &str| {
        let line = line.trim_start_matches('*').to_lowercase();
        FROM.iter().any(|word| line.starts_with(word))
    };
    let block = |mut after: Box<dyn Iterator<Item = &str> + '_>| {
        after.any(|line| {
            let line = line.trim_start_matches('*').to_lowercase();
            REST.iter().any(|word| line.starts_with(word))
        })
    };
    if dashed {
        return true;
    }
    if heads(line) && block(Box::new(following().take(3))) {
        return true;
    }
    if ruled && following().next().is_some_and(heads) {
        return true;
    }
    attributes(lines, at) && !following().take(2).any(|line| line.starts_with('>'))
}

/// Whether this line, or it and the next, say who wrote what follows, and when.
fn attributes(lines: &[&str], at: usize) -> bool {
    let line = lines.get(at).map_or("", |line| line.trim());
    let next = lines.get(at + 1).map_or("", |line| line.trim());
    let says = |text: &str| {
        let text = text.to_lowercase();
        text.ends_with(':')
            && text.chars().count() < 250
            && text.chars().any(|c| c.is_ascii_digit())
            && WROTE.iter().any(|verb| text.contains(verb))
            && [
                "on ", "am ", "le ", "el ", "il ", "op ", "den ", "em ", "at ",
            ]
            .iter()
            .any(|word| text.starts_with(word))
    };
    says(line) || (!line.is_empty() && !next.is_empty() && says(&format!("{line} {next}")))
}
