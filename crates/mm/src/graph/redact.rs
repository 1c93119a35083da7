//! The services' error messages without what names tenants and people: ids, addresses, domains,
//! hosts, and the names that stand behind "tenant", "user" and their like. What the caller wrote may
//! be repeated.

use std::iter::Peekable;
use std::str::CharIndices;

/// Characters of a message that are looked at.
const LONGEST: usize = 2000;

/// Hosts and namespaces that are everybody's.
const PUBLIC: [&str; 22] = [
    "aka.ms",
    "api.flow.microsoft.com",
    "dev.azure.com",
    "developer.microsoft.com",
    "docs.microsoft.com",
    "dod-graph.microsoft.us",
    "entra.microsoft.com",
    "go.microsoft.com",
    "graph.microsoft.com",
    "graph.microsoft.us",
    "graph.windows.net",
    "learn.microsoft.com",
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "manage.office.com",
    "microsoft.com",
    "microsoftgraph.chinacloudapi.cn",
    "outlook.office.com",
    "outlook.office365.com",
    "portal.azure.com",
    "service.flow.microsoft.com",
    "sts.windows.net",
];

/// What a name stands behind, quoted or in brackets.
const NAMED: [&str; 15] = [
    "account",
    "app",
    "application",
    "company",
    "customer",
    "directory",
    "domain",
    "environment",
    "group",
    "organisation",
    "organization",
    "principal",
    "site",
    "tenant",
    "user",
];

/// Of those, the ones behind which a name may stand without quotes.
const BARE: [&str; 4] = ["company", "organisation", "organization", "tenant"];

/// Words with a capital that are no names.
const NO_NAMES: [&str; 16] = [
    "Admin",
    "Administrator",
    "Administrators",
    "Allow",
    "Does",
    "GUID",
    "Guid",
    "ID",
    "Id",
    "Is",
    "License",
    "Name",
    "Not",
    "Object",
    "SKU",
    "SPO",
];

/// The message without what the caller did not write and names somebody. `written` is what the
/// caller wrote, `known` the tenant's own names as the registry has them.
pub(crate) fn redacted(message: &str, written: &str, known: &[&str]) -> String {
    let message: String = message.chars().take(LONGEST).collect();
    let mut redactor = Redactor {
        written: written.to_lowercase(),
        known: known.iter().flat_map(|name| labels(name)).collect(),
        out: String::with_capacity(message.len()),
        message: &message,
        behind: 0,
        bare: false,
    };
    redactor.run();
    redactor.out.trim().to_owned()
}

/// What of a domain or address names its owner: `contoso` of `ada@contoso.com`.
fn labels(name: &str) -> Option<String> {
    let domain = name.rsplit('@').next().unwrap_or(name);
    let label = domain.split('.').next().unwrap_or_default().to_lowercase();
    // A short one is a part of too many words, and an id is known by its form.
    (label.len() > 3 && label.chars().any(char::is_alphabetic)).then_some(label)
}

struct Redactor<'a> {
    written: String,
    known: Vec<String>,
    out: String,
    message: &'a str,
    /// Words for which what is quoted is still a name: it may stand as in `tenant with name 'x'`.
    behind: u8,
    /// Whether a name may follow without quotes.
    bare: bool,
}

type Chars<'a> = Peekable<CharIndices<'a>>;

impl Redactor<'_> {
    fn run(&mut self) {
        let message = self.message;
        let mut chars: Chars<'_> = message.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if is_of_word(c) {
                let end = end_of(&mut chars, message, is_of_word);
                self.word(message.get(at..end).unwrap_or_default());
                continue;
            }
            let rest = message.get(at + c.len_utf8()..).unwrap_or_default();
            let before = message.get(..at).and_then(|text| text.chars().next_back());
            if let Some(name) = self.name_in(before, c, rest) {
                self.out.push(c);
                self.out.push_str("[name]");
                let end = at + c.len_utf8() + name.len();
                end_of(&mut chars, message, |_| false);
                while chars.peek().is_some_and(|(next, _)| *next < end) {
                    chars.next();
                }
                continue;
            }
            if !c.is_whitespace() && !"'\"([:=".contains(c) {
                (self.behind, self.bare) = (0, false);
            }
            self.out.push(if c.is_control() { ' ' } else { c });
        }
    }

    /// The name that is quoted here, if it is one and nobody wrote it.
    fn name_in<'t>(&self, before: Option<char>, open: char, rest: &'t str) -> Option<&'t str> {
        let close = match open {
            // Behind a word it is an apostrophe, or the end of what was quoted.
            '\'' | '"' if before.is_none_or(|c| c.is_whitespace() || "([{:=,<".contains(c)) => open,
            '\u{2018}' => '\u{2019}',
            '\u{201c}' => '\u{201d}',
            '(' => ')',
            _ => return None,
        };
        let name = rest.get(..rest.find(close)?)?;
        // One word that is hidden anyway says more about what it was.
        let word = name.chars().all(is_of_word) && self.mark(name).is_some();
        let told = name.trim().is_empty() || self.is_own(name) || name.contains(['\'', '"']);
        (self.behind > 0 && !told && !word && !is_form(name)).then_some(name)
    }

    fn word(&mut self, word: &str) {
        // A full stop at a word's end is the sentence's.
        let bare = word.trim_end_matches(['.', '-', '_', '%']);
        let mark = self.mark(bare);
        match mark {
            Some(mark) => self.out.push_str(mark),
            None => self.out.push_str(bare),
        }
        self.out
            .push_str(word.get(bare.len()..).unwrap_or_default());
        let lower = bare.to_lowercase();
        let singular = lower.strip_suffix('s').unwrap_or(&lower);
        let names = |list: &[&str]| list.contains(&lower.as_str()) || list.contains(&singular);
        if names(&NAMED) {
            (self.behind, self.bare) = (3, names(&BARE) && bare == word);
        } else {
            // An id may have the name behind it: `'…'(Contoso HR)`.
            self.behind = if mark.is_some() {
                1
            } else {
                self.behind.saturating_sub(1)
            };
            self.bare &= mark == Some("[name]") && bare == word;
        }
    }

    /// What is written in place of a word.
    fn mark(&self, word: &str) -> Option<&'static str> {
        if word.is_empty() || self.is_own(word) {
            return None;
        }
        if holds_id(word) {
            return Some("[id]");
        }
        if word.contains('@') && !word.starts_with('@') || word.contains("#EXT#") {
            return Some("[address]");
        }
        let lower = word.trim_start_matches('@').to_lowercase();
        if is_host(word.trim_start_matches('@')) && !PUBLIC.contains(&lower.as_str()) {
            return Some("[host]");
        }
        if self.known.iter().any(|name| lower.contains(name)) {
            return Some("[tenant]");
        }
        let capital = word.starts_with(char::is_uppercase);
        (self.bare && capital && !NO_NAMES.contains(&word)).then_some("[name]")
    }

    fn is_own(&self, text: &str) -> bool {
        self.written.contains(&text.to_lowercase())
    }
}

/// Where what begins here ends, which is taken.
fn end_of(chars: &mut Chars<'_>, message: &str, belongs: impl Fn(char) -> bool) -> usize {
    while chars.next_if(|(_, c)| belongs(*c)).is_some() {}
    chars.peek().map_or(message.len(), |(index, _)| *index)
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || "@._-+%#".contains(c)
}

/// Whether what is quoted is a word of the service's own: a property, a type, a permission.
fn is_form(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/$,| ".contains(c);
    let technical = |word: &str| {
        word.contains(['.', '/', '$'])
            || word.starts_with(char::is_lowercase)
            || word.chars().skip(1).any(char::is_uppercase)
    };
    name.chars().all(plain)
        && name
            .split([',', ' ', '|'])
            .all(|word| word.is_empty() || technical(word))
}

/// Whether an id stands in the word, with or without hyphens: `Default-<id>`, `<id>_<id>`.
fn holds_id(word: &str) -> bool {
    let bytes: Vec<u8> = word.bytes().filter(|byte| *byte != b'-').collect();
    let mut run = 0;
    for byte in bytes {
        run = if byte.is_ascii_hexdigit() { run + 1 } else { 0 };
        if run >= 32 {
            return true;
        }
    }
    false
}

/// Whether the word is a host's or a domain's name: its labels are those of one, and the last is not
/// the capitalised word of a permission or a type.
fn is_host(word: &str) -> bool {
    let mut labels: Vec<&str> = word.split('.').collect();
    let Some(last) = labels.pop() else {
        return false;
    };
    let plain = |label: &&str| {
        !label.is_empty()
            && label
                .chars()
                .all(|c| c.is_alphanumeric() || "-_%".contains(c))
    };
    let same_case = last.chars().all(char::is_lowercase)
        || last.chars().all(char::is_uppercase)
        || last.to_lowercase().starts_with("xn--");
    let namespace = matches!(
        labels.first(),
        Some(&("microsoft" | "odata" | "graph" | "edm"))
    );
    last.chars().count() > 1
        && same_case
        && !labels.is_empty()
        && labels.iter().all(plain)
        && !(namespace && labels.len() < 3 && !last.eq_ignore_ascii_case("com"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 2] = ["contoso.example", "admin@contoso.example"];

    #[test]
    fn what_the_caller_did_not_write_is_not_told() {
        for (message, written, expected) in [
            (
                "Resource 'ada@fabrikam.com' does not exist in tenant 72f988bf-86f1-41af-91ab-2d7cd011db47.",
                "/users/ada@fabrikam.com",
                "Resource 'ada@fabrikam.com' does not exist in tenant [id].",
            ),
            (
                "User bob@fabrikam.com of fabrikam.onmicrosoft.com lacks a license",
                "/users",
                "User [address] of [host] lacks a license",
            ),
            // Ids in every writing.
            (
                "Tenant 72F988BF86F141AF91AB2D7CD011DB47 and {72f988bf-86f1-41af-91ab-2d7cd011db47}",
                "",
                "Tenant [id] and {[id]}",
            ),
            (
                "The environment 'Default-72f988bf-86f1-41af-91ab-2d7cd011db47' could not be found",
                "",
                "The environment '[id]' could not be found",
            ),
            (
                "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/ is not https://aka.ms/x",
                "",
                "https://sts.windows.net/[id]/ is not https://aka.ms/x",
            ),
            (
                "ada_fabrikam.com#EXT#@adatum.onmicrosoft.com is a guest",
                "",
                "[address] is a guest",
            ),
            // Entra's words, as Graph repeats them.
            (
                "AADSTS50020: User account '{EmailHidden}' from identity provider 'live.com' does not exist in tenant 'Contoso Ltd' and cannot access the application '4765445b-32c6-49b0-83e6-1d93765276ca'(Contoso HR) in that tenant.",
                "",
                "AADSTS50020: User account '[name]' from identity provider '[host]' does not exist in tenant '[name]' and cannot access the application '[id]'([name]) in that tenant.",
            ),
            (
                "AADSTS700016: Application with identifier 'x1' was not found in the directory 'Fabrikam'.",
                "",
                "AADSTS700016: Application with identifier 'x1' was not found in the directory '[name]'.",
            ),
            (
                "The tenant Adatum Works has no license for contoso-my.sharepoint.com, says Contoso.",
                "",
                "The tenant [name] [name] has no license for [host], says [tenant].",
            ),
            // What helps stays.
            (
                "Invalid filter clause at position 3: 'displayName' is no 'Edm.String' of 'microsoft.graph.user'.",
                "",
                "Invalid filter clause at position 3: 'displayName' is no 'Edm.String' of 'microsoft.graph.user'.",
            ),
            (
                "Missing scope permissions on the request. API requires one of 'ChannelMessage.Read.All, Group.Read.All'. Scopes on the request 'User.Read'",
                "",
                "Missing scope permissions on the request. API requires one of 'ChannelMessage.Read.All, Group.Read.All'. Scopes on the request 'User.Read'",
            ),
            (
                "Tenant does not have a SPO license. Neither tenant is B2C nor does the tenant have premium license.",
                "",
                "Tenant does not have a SPO license. Neither tenant is B2C nor does the tenant have premium license.",
            ),
            (
                "Resource not found for the segment 'user'. See https://learn.microsoft.com/graph v1.0",
                "",
                "Resource not found for the segment 'user'. See https://learn.microsoft.com/graph v1.0",
            ),
            (
                "Access to the group 'Sales Team' is denied\r\nfor this user 'Ada Archer'",
                "/groups?$filter=displayName eq 'Sales Team'",
                "Access to the group 'Sales Team' is denied  for this user '[name]'",
            ),
        ] {
            assert_eq!(redacted(message, written, &KNOWN), expected);
        }
    }

    #[test]
    fn no_message_is_too_much() {
        for message in [
            "'",
            "tenant '",
            "tenant ('",
            "",
            "@",
            "%",
            ".",
            "#EXT#",
            "tenant 'ü",
            "(('",
        ] {
            let _ = redacted(message, "", &KNOWN);
        }
        let long = "tenant 'Ä ".repeat(5000);
        assert!(redacted(&long, "", &KNOWN).chars().count() <= 2 * LONGEST);
    }
}
