//! Finds the device code in what a connect command says.
//!
//! Only a connect command that the pool itself started may be listened to: what a caller's command
//! prints can hold somebody else's code.

use std::collections::VecDeque;

use super::ansi;
use super::record::Record;
use super::registry::Cloud;

/// How many words back a prompt can begin.
const WORDS: usize = 32;

/// Longest word that is kept; every address and code is shorter.
const LONGEST: usize = 128;

/// A device code, and where a person enters it (RFC 8628: `user_code`, `verification_uri`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCode {
    /// The code.
    pub code: String,
    /// The page; always one of [`Cloud::device_login_urls`].
    pub url: &'static str,
}

/// Reads the records of one connect command, and remembers just enough of them to find a prompt
/// that is broken over several.
///
/// The wordings known: MSAL's and thereby that of ExchangeOnlineManagement, Az.Accounts and
/// MicrosoftTeams ("… open the page URL and enter the code CODE to authenticate"), and those of
/// PnP.PowerShell ("Code CODE has been copied to your clipboard and …", without a URL; "We opened
/// a browser and navigated to URL Enter code: CODE"; in a cloud shell MSAL's).
#[derive(Debug)]
pub struct PromptScanner {
    urls: &'static [&'static str],
    words: VecDeque<String>,
}

impl PromptScanner {
    /// A scanner that believes the addresses of this cloud.
    pub fn new(cloud: &Cloud) -> Self {
        Self {
            urls: cloud.device_login_urls(),
            words: VecDeque::with_capacity(WORDS),
        }
    }

    /// Reads one record; answers the prompt that it completes.
    pub fn feed(&mut self, record: &Record) -> Option<DeviceCode> {
        match record {
            Record::Output { text }
            | Record::Warning { text }
            | Record::Verbose { text }
            | Record::Debug { text }
            | Record::Information { text, .. }
            | Record::Console { text, .. } => self.read(text),
            Record::Error(error) => self.read(&error.message),
            // Other values than texts are no prompts.
            Record::Json { text } => self.read(&serde_json::from_str::<String>(text).ok()?),
            _ => None,
        }
    }

    fn read(&mut self, text: &str) -> Option<DeviceCode> {
        let plain = ansi::strip(text);
        let mut found = None;
        for word in plain.split(|c: char| c.is_whitespace() || c.is_control()) {
            if word.is_empty() {
                continue;
            }
            if self.words.len() == WORDS {
                self.words.pop_front();
            }
            self.words.push_back(word.chars().take(LONGEST).collect());
            if let Some(prompt) = self.prompt_at_end() {
                self.words.clear();
                found = Some(prompt);
            }
        }
        found
    }

    /// The prompt whose last word has just been read.
    fn prompt_at_end(&self) -> Option<DeviceCode> {
        let default = *self.urls.first()?;
        if let Some(code) = self.code_after_request() {
            let url = match self.url_before_request() {
                None => default,
                Some(address) => self.known(address)?,
            };
            return Some(DeviceCode { code, url });
        }
        let code = self.code_in_clipboard()?;
        Some(DeviceCode { code, url: default })
    }

    /// `… enter the code CODE`, `… enter code: CODE`.
    fn code_after_request(&self) -> Option<String> {
        let (code, before) = (self.back(0)?, self.back(1)?);
        let asked = match before.to_ascii_lowercase().as_str() {
            "code" | "code:" => {
                self.back_is(2, "enter") || self.back_is(2, "the") && self.back_is(3, "enter")
            }
            _ => false,
        };
        if asked { user_code(code) } else { None }
    }

    /// `Code CODE has been copied to your clipboard`.
    fn code_in_clipboard(&self) -> Option<String> {
        const AFTER: [&str; 6] = ["has", "been", "copied", "to", "your", "clipboard"];
        let wording = (0..)
            .zip(AFTER.iter().rev())
            .all(|(back, word)| self.back_is(back, word));
        let code = AFTER.len();
        if wording && self.back_is(code + 1, "code") {
            user_code(self.back(code)?)
        } else {
            None
        }
    }

    /// The last address in the sentence that asks for the code.
    fn url_before_request(&self) -> Option<&str> {
        for distance in 2..self.words.len() {
            let word = self.back(distance)?;
            if looks_like_url(word) {
                return Some(word);
            }
            if word.ends_with(['.', '!']) {
                return None;
            }
        }
        None
    }

    fn known(&self, address: &str) -> Option<&'static str> {
        let address = address
            .trim_matches(|c: char| !c.is_ascii_alphanumeric())
            .to_ascii_lowercase();
        let address = address.strip_prefix("https://").unwrap_or(&address);
        self.urls
            .iter()
            .copied()
            .find(|url| url.strip_prefix("https://") == Some(address))
    }

    fn back(&self, distance: usize) -> Option<&str> {
        let position = self.words.len().checked_sub(distance + 1)?;
        self.words.get(position).map(String::as_str)
    }

    fn back_is(&self, distance: usize, word: &str) -> bool {
        self.back(distance)
            .is_some_and(|at| at.eq_ignore_ascii_case(word))
    }
}

fn looks_like_url(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word.contains("://") || word.contains("/device") || word.contains("www.")
}

/// A user code as Entra makes them: 8 or 9 capital letters and digits; a little more is allowed.
fn user_code(word: &str) -> Option<String> {
    let code = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let well_formed = (6..=16).contains(&code.len())
        && code
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-');
    well_formed.then(|| code.to_owned())
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
    use crate::domain::record::{ConsoleStream, ErrorRecord};

    const MSAL: &str = "To sign in, use a web browser to open the page \
                        https://microsoft.com/devicelogin and enter the code QX563W3CX to authenticate.";

    fn console(text: &str) -> Record {
        Record::Console {
            stream: ConsoleStream::Stdout,
            text: text.to_owned(),
        }
    }

    fn scan(cloud: &Cloud, texts: &[&str]) -> Vec<(String, &'static str)> {
        let mut scanner = PromptScanner::new(cloud);
        let found = texts.iter().filter_map(|text| scanner.feed(&console(text)));
        found.map(|prompt| (prompt.code, prompt.url)).collect()
    }

    #[test]
    fn knows_every_wording() {
        for (text, url) in [
            (MSAL.to_owned(), "https://microsoft.com/devicelogin"),
            (format!("\u{1b}[93m[Login to Azure]\u{1b}[0m {MSAL}"), "https://microsoft.com/devicelogin"),
            (
                "To sign in, use a web browser to open the page https://login.microsoft.com/device and \
                 enter the code \u{1b}[1mQX563W3CX\u{1b}[22m to authenticate."
                    .to_owned(),
                "https://login.microsoft.com/device",
            ),
            (
                "\n\nCode QX563W3CX has been copied to your clipboard and a new tab in the browser has \
                 been opened. Please paste this code in there and proceed.\n\n"
                    .to_owned(),
                "https://microsoft.com/devicelogin",
            ),
            (
                "\n\nPlease login.\n\nWe opened a browser and navigated to \
                 https://www.microsoft.com/devicelogin?\n\nEnter code: QX563W3CX (we copied this code \
                 to your clipboard)\n\nNOTICE: close the browser tab"
                    .to_owned(),
                "https://www.microsoft.com/devicelogin",
            ),
            (
                "To sign in, use a web browser to open the page https://aka.ms/devicelogin. \
                 Enter the code QX563W3CX to authenticate."
                    .to_owned(),
                "https://aka.ms/devicelogin",
            ),
            ("Enter the code QX563W3CX".to_owned(), "https://microsoft.com/devicelogin"),
        ] {
            assert_eq!(scan(&Cloud::Global, &[&text]), [("QX563W3CX".to_owned(), url)], "{text}");
        }
    }

    #[test]
    fn each_cloud_has_its_own_pages() {
        let ask = |page: &str| {
            format!("open the page {page} and enter the code ABCD12345 to authenticate")
        };
        for (cloud, page, known) in [
            (Cloud::UsGov, "https://microsoft.com/deviceloginus", true),
            (
                Cloud::UsGovDod,
                "https://login.microsoftonline.us/common/oauth2/deviceauth",
                true,
            ),
            (Cloud::China, "https://microsoft.com/deviceloginchina", true),
            (
                Cloud::China,
                "https://login.partner.microsoftonline.cn/common/oauth2/deviceauth",
                true,
            ),
            (
                Cloud::Global,
                "https://login.microsoftonline.com/common/oauth2/deviceauth",
                true,
            ),
            (Cloud::Global, "https://microsoft.com/deviceloginus", false),
            (
                Cloud::UsGov,
                "https://microsoft.com/deviceloginchina",
                false,
            ),
        ] {
            assert_eq!(
                scan(&cloud, &[&ask(page)]).len(),
                usize::from(known),
                "{cloud:?} {page}"
            );
        }
        let clipboard = "Code ABCD12345 has been copied to your clipboard";
        assert_eq!(
            scan(&Cloud::China, &[clipboard])[0].1,
            "https://microsoft.com/deviceloginchina"
        );
    }

    #[test]
    fn other_pages_and_other_texts_are_no_prompt() {
        for text in [
            "open the page https://evil.example/devicelogin and enter the code ABCD12345 to authenticate",
            "open the page http://microsoft.com/devicelogin and enter the code ABCD12345",
            "open the page https://microsoft.com.evil.example/devicelogin and enter the code ABCD12345",
            "open the page https://microsoft.com@evil.example/devicelogin and enter the code ABCD12345",
            "open the page https://microsoft.com/devicelogin/evil and enter the code ABCD12345",
            "open the page evil.example/device which is the company's own and enter the code ABCD12345",
            "please enter the code shown by your authenticator",
            "enter the code ABC",
            "the error code ABCD12345 has been copied",
            "Your code: ABCD12345",
            "",
        ] {
            let found = scan(&Cloud::Global, &[text]);
            assert!(found.is_empty(), "{text}: {found:?}");
        }
    }

    #[test]
    fn a_prompt_may_come_in_pieces_and_by_any_stream() {
        let words: Vec<_> = MSAL.split(' ').collect();
        assert_eq!(scan(&Cloud::Global, &words).len(), 1);

        let text = MSAL.to_owned();
        let shown = false;
        for record in [
            Record::Output { text: text.clone() },
            Record::Json {
                text: serde_json::to_string(&text).unwrap(),
            },
            Record::Warning { text: text.clone() },
            Record::Verbose { text: text.clone() },
            Record::Debug { text: text.clone() },
            Record::Information {
                text: text.clone(),
                shown,
            },
            Record::Error(ErrorRecord {
                message: text.clone(),
                ..ErrorRecord::default()
            }),
            console(&text),
        ] {
            assert!(
                PromptScanner::new(&Cloud::Global).feed(&record).is_some(),
                "{record:?}"
            );
        }
    }

    #[test]
    fn each_prompt_is_told_once() {
        let second = MSAL.replace("QX563W3CX", "NEWCODE22");
        let codes: Vec<_> = scan(
            &Cloud::Global,
            &[MSAL, "waiting", &second, "to authenticate."],
        )
        .into_iter()
        .map(|(code, _)| code)
        .collect();
        assert_eq!(codes, ["QX563W3CX", "NEWCODE22"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(texts in prop::collection::vec("(enter|the|code:?|has|been|copied|https://|[A-Z0-9]{0,12}|.{0,12}| |\u{1b}\\[){0,30}", 0..6)) {
            let mut scanner = PromptScanner::new(&Cloud::Global);
            for text in texts {
                if let Some(prompt) = scanner.feed(&Record::Output { text }) {
                    prop_assert!(Cloud::Global.device_login_urls().contains(&prompt.url));
                    prop_assert!((6..=16).contains(&prompt.code.len()));
                }
                prop_assert!(scanner.words.len() <= WORDS);
            }
        }
    }
}
