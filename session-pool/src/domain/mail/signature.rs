//! Signatures at the end of one's own words, and mail without them.
//!
//! An assistant adds "Best regards" and a name where the mailbox adds its own. Nothing is cut that
//! is not certain: a question below the name, quoted mail, a postscript stay.

use std::ops::Range;

use super::html::Page;
use super::quote;

/// Words that end a letter, alone on their line or with a name behind a comma.
const CLOSINGS: [&str; 58] = [
    "best regards",
    "kind regards",
    "warm regards",
    "warmest regards",
    "kindest regards",
    "with kind regards",
    "with best regards",
    "with warm regards",
    "regards",
    "best wishes",
    "with best wishes",
    "all the best",
    "sincerely",
    "yours sincerely",
    "sincerely yours",
    "yours faithfully",
    "yours truly",
    "very truly yours",
    "respectfully",
    "respectfully yours",
    "cordially",
    "thanks and regards",
    "thanks & regards",
    "thanks and best regards",
    "many thanks and best regards",
    "mit freundlichen grüßen",
    "mit freundlichen grüssen",
    "mit freundlichen gruessen",
    "mit freundlichem gruß",
    "mit besten grüßen",
    "freundliche grüße",
    "freundliche grüsse",
    "viele grüße",
    "viele grüsse",
    "beste grüße",
    "beste grüsse",
    "liebe grüße",
    "schöne grüße",
    "herzliche grüße",
    "mfg",
    "cordialement",
    "bien cordialement",
    "bien à vous",
    "meilleures salutations",
    "sincères salutations",
    "saludos",
    "saludos cordiales",
    "un saludo",
    "atentamente",
    "cordiali saluti",
    "distinti saluti",
    "met vriendelijke groet",
    "met vriendelijke groeten",
    "atenciosamente",
    "cumprimentos",
    "med vänliga hälsningar",
    "vänliga hälsningar",
    "med venlig hilsen",
];

/// Words that end a letter where a name follows, and mean what they say where none does.
const WEAK: [&str; 9] = [
    "best",
    "thanks",
    "many thanks",
    "thank you",
    "cheers",
    "take care",
    "lg",
    "vg",
    "merci",
];

/// Beginnings of the lines that telephones and programs add.
const DEVICES: [&str; 18] = [
    "sent from my ",
    "sent from mail for ",
    "sent from outlook",
    "sent from yahoo mail",
    "sent from proton mail",
    "sent with proton mail",
    "sent from samsung",
    "sent via ",
    "get outlook for ",
    "von meinem ",
    "gesendet von ",
    "envoyé de mon ",
    "envoyé depuis ",
    "enviado desde mi ",
    "enviado do meu ",
    "inviato da ",
    "verzonden vanaf mijn ",
    "skickat från min ",
];

/// Words of the notices that companies put below a signature.
const NOTICES: [&str; 14] = [
    "confidential",
    "privileged",
    "intended recipient",
    "intended for",
    "disclaimer",
    "print this",
    "registered",
    "vertraulich",
    "handelsregister",
    "registergericht",
    "geschäftsführer",
    "confidentiel",
    "confidencial",
    "unsubscribe",
];

/// Most lines with something on them that are a signature.
const MOST_LINES: usize = 20;

/// Text without the signature at the end of one's own words; none where there is no signature, or
/// nothing would be left.
pub fn without_signature(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.split('\n').collect();
    let own = quote::own(&lines);
    let cut = find(&lines, own, &|_| false)?;
    let above = lines.get(..cut.start)?.join("\n");
    let below = lines.get(cut.end..)?.join("\n");
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    Some(if below.trim().is_empty() {
        above.trim_end().to_owned()
    } else {
        format!(
            "{}{line_end}{line_end}{}",
            above.trim_end(),
            below.trim_start_matches(['\r', '\n'])
        )
    })
}

/// The same for HTML, where every tag stays whose partner does.
pub fn without_signature_in_html(html: &str) -> Option<String> {
    let page = Page::read(html);
    let lines: Vec<&str> = page.lines.iter().map(|line| line.text.as_str()).collect();
    let mut own = quote::own(&lines);
    if let Some(element) = page.lines.iter().position(|line| line.quote.is_some())
        && element < own.end
    {
        own = own.start.min(element)..element;
    }
    // A rule above quoted mail belongs to it.
    while own.end > own.start
        && let Some(line) = page.lines.get(own.end - 1)
        && own.end < lines.len()
        && (line.rule || line.text.trim().is_empty())
    {
        own.end -= 1;
    }
    let marked = |at: usize| page.lines.get(at).is_some_and(|line| line.signature);
    let cut = find(&lines, own.clone(), &marked)?;
    let begin = page
        .lines
        .get(..cut.start)?
        .iter()
        .rev()
        .find_map(|line| line.bytes.as_ref().map(|bytes| bytes.end))?;
    let end = page
        .lines
        .get(cut.end..)?
        .iter()
        .find_map(|line| {
            let text = line.bytes.as_ref().map(|bytes| bytes.start);
            line.quote.or(text)
        })
        .unwrap_or(html.len());
    (begin < end).then(|| page.without(html, begin..end))
}

/// The lines of the signature among one's own. `marked`: what a mail program has marked as one.
fn find(lines: &[&str], own: Range<usize>, marked: &dyn Fn(usize) -> bool) -> Option<Range<usize>> {
    let text = |at: usize| lines.get(at).map_or("", |line| line.trim());
    let filled = |range: Range<usize>| range.filter(|&at| !text(at).is_empty());
    let last = filled(own.clone()).next_back()?;
    let mut end = last + 1;
    let mut begin = None;

    // RFC 3676, section 4.3: a line of two hyphens and a space.
    let delimiter = own.clone().rfind(|&at| {
        let line = lines.get(at).map_or("", |line| line.trim_end_matches('\r'));
        line == "-- " || (line.trim() == "--" && filled(at + 1..end).count() <= MOST_LINES)
    });
    if delimiter.is_some_and(|at| filled(at + 1..end).count() <= 2 * MOST_LINES) {
        begin = delimiter;
    }
    if begin.is_none() && marked(last) {
        begin = (own.start..=last)
            .rev()
            .take_while(|&at| marked(at) || text(at).is_empty())
            .filter(|&at| marked(at))
            .last();
    }
    if begin.is_none() {
        begin = own.clone().find(|&at| {
            is_device(text(at)) && filled(at + 1..end).all(|after| is_device(text(after)))
        });
    }
    // A closing above all that, or by itself.
    let upto = begin.unwrap_or(end);
    let closing = own.clone().rfind(|&at| at < upto && closes(text(at)));
    if let Some(at) = closing {
        let mut after: Vec<usize> = filled(at + 1..upto).collect();
        let postscript = after.iter().position(|&line| is_postscript(text(line)));
        if let Some(position) = postscript.filter(|_| begin.is_none()) {
            end = *after.get(position)?;
            after.truncate(position);
        }
        if is_block(
            text(at),
            &after.iter().map(|&at| text(at)).collect::<Vec<_>>(),
        ) {
            begin = Some(at);
        }
    }
    let begin = begin?;
    // A mail that would be empty is sent as it was written.
    filled(own.start..begin).next()?;
    Some(begin..end)
}

/// A line without the marks around it, for comparison.
fn plain(line: &str) -> String {
    let line = line.replace('\u{A0}', " ").to_lowercase();
    let marks = [',', '.', '!', ';', ':', '-', '–', '—', ' ', '*', '_'];
    line.trim_matches(marks).to_owned()
}

fn closes(line: &str) -> bool {
    let known = |words: &str| CLOSINGS.contains(&words) || WEAK.contains(&words);
    if known(&plain(line)) {
        return true;
    }
    line.split_once(',')
        .is_some_and(|(words, name)| known(&plain(words)) && is_name(name))
}

/// Whether the lines below a closing are a signature and no more.
fn is_block(closing: &str, after: &[&str]) -> bool {
    let words = plain(closing.split_once(',').map_or(closing, |(words, _)| words));
    let has_name = closing
        .split_once(',')
        .is_some_and(|(_, name)| is_name(name))
        || after.first().is_some_and(|line| is_name(line));
    if WEAK.contains(&words.as_str()) && !has_name {
        return false;
    }
    after.len() <= MOST_LINES && after.iter().all(|line| !is_prose(line))
}

/// Whether this can be somebody's name.
fn is_name(line: &str) -> bool {
    let line = line.trim();
    let words = line.split_whitespace().count();
    (1..=5).contains(&words)
        && line.chars().count() <= 50
        && !line.ends_with(['?', '!', ':'])
        && line
            .chars()
            .next()
            .is_some_and(|c| c.is_uppercase() || "[*".contains(c))
}

/// Whether this says something to the reader.
fn is_prose(line: &str) -> bool {
    let lower = line.to_lowercase();
    if NOTICES.iter().any(|notice| lower.contains(notice)) {
        return false;
    }
    let words = line.split_whitespace().count();
    line.ends_with('?')
        || (words >= 5 && line.trim_end().ends_with(['.', '!', ':']))
        || line.chars().count() > 120
}

fn is_device(line: &str) -> bool {
    let lower = line.to_lowercase();
    let device = DEVICES.iter().any(|words| lower.starts_with(words));
    let wanted = !lower.starts_with("von meinem ") || lower.contains("gesendet");
    device && wanted && lower.split_whitespace().count() <= 8 && lower.chars().count() <= 120
}

fn is_postscript(line: &str) -> bool {
    let lower = line.to_lowercase();
    ["ps:", "ps.", "ps ", "p.s.", "p.s ", "pps", "p.p.s"]
        .iter()
        .any(|words| lower.starts_with(words))
}
