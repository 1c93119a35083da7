//! Cutting a job's records into answers of bounded size, so that nothing is lost between them.
//!
//! Text pages are to be put behind one another as they are; JSON pages are arrays of their own.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::format::FormatName;
use super::record::{ErrorRecord, Record};

/// A place in a job's records. Opaque to callers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// Number of the record, from 0.
    pub record: u64,
    /// Characters of that record which were already delivered.
    pub offset: u64,
}

impl Cursor {
    /// The place in front of this record.
    pub const fn at(record: u64) -> Self {
        Self { record, offset: 0 }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{:x}", self.record)?;
        if self.offset > 0 {
            write!(f, "-{:x}", self.offset)?;
        }
        Ok(())
    }
}

/// The given text is no cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a cursor: use the \"cursor\" of an earlier answer of this job, as it is")]
pub struct InvalidCursor(pub String);

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidCursor(text.to_owned());
        let numbers = text.strip_prefix('r').ok_or_else(invalid)?;
        let (record, offset) = numbers.split_once('-').unwrap_or((numbers, "0"));
        let hex = |digits: &str| u64::from_str_radix(digits, 16).map_err(|_| invalid());
        Ok(Self {
            record: hex(record)?,
            offset: hex(offset)?,
        })
    }
}

/// How many characters an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageBudget(usize);

/// A page cannot be this small or large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a page holds {min} to {max} characters, not {0}", min = PageBudget::MIN, max = PageBudget::MAX)]
pub struct InvalidBudget(pub u64);

impl PageBudget {
    /// The smallest page: room for one error of fair length.
    pub const MIN: u64 = 200;
    /// The largest page.
    pub const MAX: u64 = 10_000_000;

    /// A budget of this many Unicode scalar values.
    pub fn new(characters: u64) -> Result<Self, InvalidBudget> {
        if !(Self::MIN..=Self::MAX).contains(&characters) {
            return Err(InvalidBudget(characters));
        }
        usize::try_from(characters)
            .map(Self)
            .map_err(|_| InvalidBudget(characters))
    }

    /// The number of characters.
    pub const fn characters(self) -> usize {
        self.0
    }

    /// The longest text that is listed (beside the output) in one piece.
    const fn listed(self) -> usize {
        let quarter = self.0 / 4;
        if quarter < 8_000 { quarter } else { 8_000 }
    }
}

impl Default for PageBudget {
    fn default() -> Self {
        Self(40_000)
    }
}

/// A message that is neither output nor error nor warning (format `json` only: in `text` it stands
/// in the output).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Message {
    /// `verbose`, `debug`, `information`, `stdout` or `stderr`.
    pub stream: String,
    /// What it said.
    pub text: String,
}

/// One answer's share of a job's records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The output: lines, or a JSON array.
    pub output: String,
    /// Errors among this page's records.
    pub errors: Vec<ErrorRecord>,
    /// Warnings among this page's records.
    pub warnings: Vec<String>,
    /// Other messages among this page's records.
    pub messages: Vec<Message>,
    /// Where the next page begins.
    pub next: Cursor,
    /// Whether the page ends inside a line, or holds a fragment of an element.
    pub partial: bool,
}

/// Fills one page with records, in order.
#[derive(Debug)]
pub struct Pager {
    format: FormatName,
    budget: PageBudget,
    used: usize,
    page: Page,
    elements: usize,
    /// A fragment of an element stands alone on its page.
    closed: bool,
    /// What is on the page ends inside a line or element.
    inside: bool,
}

/// Whether a page takes more records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// The record is on the page; give the next one.
    More,
    /// The page is full.
    Full,
}

impl Pager {
    /// A page that begins here. Give it the records from `from.record` on.
    pub fn new(format: FormatName, from: Cursor, budget: PageBudget) -> Self {
        let brackets = match format {
            FormatName::Text => 0,
            FormatName::Json => 2,
        };
        Self {
            format,
            budget,
            used: brackets,
            page: Page {
                next: from,
                ..Page::default()
            },
            elements: 0,
            closed: false,
            inside: false,
        }
    }

    /// Puts a record on the page, whole if it fits, in part if it fits on no page.
    pub fn push(&mut self, record: &Record) -> Room {
        if self.closed {
            return Room::Full;
        }
        let whole = Shown::of(self.format, record);
        let json = self.format == FormatName::Json;
        if json && whole.is_piece && !self.is_empty() {
            return Room::Full;
        }
        let offset = usize::try_from(self.page.next.offset).unwrap_or(usize::MAX);
        let listed = if offset == 0 {
            listed_characters(self.format, record, self.budget)
        } else {
            0
        };
        let rest = whole
            .text
            .as_ref()
            .map(|text| skip_characters(text, offset));
        let fragment = offset > 0 || whole.is_piece;
        let inline = rest.map_or(0, |text| whole.cost(text, fragment));
        if self.used + listed + inline <= self.budget.0 {
            self.list(record, listed);
            if let Some(text) = rest {
                self.write(text, fragment, whole.ends_line);
                self.closed = fragment && json;
                // A fragment says that it is one, also where the element ends with it.
                self.inside = !whole.ends_line || self.closed;
            }
            self.used += listed + inline;
            self.page.next = Cursor::at(self.page.next.record.saturating_add(1));
            return Room::More;
        }
        if !self.is_empty() {
            return Room::Full;
        }
        // Alone on the page and still too long: cut inside.
        self.list(record, listed);
        if let Some(text) = rest {
            let room = self.budget.0.saturating_sub(self.used + listed);
            let piece = take_fitting(text, room, self.format);
            self.write(piece, true, false);
            let taken = piece.chars().count() as u64;
            self.page.next.offset = self.page.next.offset.saturating_add(taken.max(1));
            self.inside = true;
        }
        Room::Full
    }

    /// The page as it is now.
    pub fn finish(mut self) -> Page {
        self.page.partial = self.inside;
        if self.format == FormatName::Json {
            self.page.output.insert(0, '[');
            self.page.output.push(']');
        }
        self.page
    }

    fn is_empty(&self) -> bool {
        self.page.output.is_empty()
            && self.page.errors.is_empty()
            && self.page.warnings.is_empty()
            && self.page.messages.is_empty()
    }

    fn write(&mut self, text: &str, fragment: bool, complete: bool) {
        let output = &mut self.page.output;
        match self.format {
            FormatName::Text => {
                output.push_str(text);
                if complete {
                    output.push('\n');
                }
            }
            FormatName::Json => {
                if self.elements > 0 {
                    output.push_str(",\n");
                }
                self.elements += 1;
                if fragment {
                    output.push_str(FRAGMENT.0);
                    output.extend(text.chars().flat_map(json_escaped));
                    output.push_str(FRAGMENT.1);
                } else {
                    output.push_str(text);
                }
            }
        }
    }

    fn list(&mut self, record: &Record, characters: usize) {
        if characters == 0 {
            return;
        }
        let short = |text: &str| cut(text, self.budget.listed()).into_owned();
        match record {
            Record::Error(error) => self.page.errors.push(listed_error(error, self.budget)),
            Record::Warning { text } => self.page.warnings.push(short(text)),
            Record::Verbose { text } => self.message("verbose", short(text)),
            Record::Debug { text } => self.message("debug", short(text)),
            Record::Information { text, .. } => self.message("information", short(text)),
            Record::Console { stream, text } => self.message(stream.as_str(), short(text)),
            Record::Output { .. }
            | Record::Json { .. }
            | Record::Piece { .. }
            | Record::Progress(_) => {}
        }
    }

    fn message(&mut self, stream: &str, text: String) {
        self.page.messages.push(Message {
            stream: stream.to_owned(),
            text,
        });
    }
}

/// Characters that a record takes up in answers: what `remaining_characters` adds up.
pub fn weight(format: FormatName, record: &Record) -> u64 {
    let shown = Shown::of(format, record);
    let inline = shown
        .text
        .as_ref()
        .map_or(0, |text| shown.cost(text, false));
    (inline + listed_characters(format, record, PageBudget::default())) as u64
}

const FRAGMENT: (&str, &str) = ("{\"fragment\":\"", "\"}");

/// What of a record stands in the output itself.
struct Shown<'a> {
    format: FormatName,
    text: Option<Cow<'a, str>>,
    /// Whether it is a part of something longer.
    is_piece: bool,
    /// Whether a line or element ends with it.
    ends_line: bool,
}

impl<'a> Shown<'a> {
    fn of(format: FormatName, record: &'a Record) -> Self {
        let text = match format {
            FormatName::Json => match record {
                Record::Json { text } | Record::Piece { text, .. } => {
                    Some(Cow::Borrowed(text.as_str()))
                }
                _ => None,
            },
            FormatName::Text => as_seen(record),
        };
        Self {
            format,
            text,
            is_piece: matches!(record, Record::Piece { .. }),
            ends_line: !matches!(record, Record::Piece { last: false, .. }),
        }
    }

    /// What this much of it adds to the page.
    fn cost(&self, text: &str, fragment: bool) -> usize {
        match self.format {
            FormatName::Text => text.chars().count() + 1,
            FormatName::Json if fragment => {
                FRAGMENT.0.len() + FRAGMENT.1.len() + 2 + escaped_characters(text)
            }
            FormatName::Json => text.chars().count() + 2,
        }
    }
}

/// A record as a person would see it at a console, or `None` for what one would not see.
fn as_seen(record: &Record) -> Option<Cow<'_, str>> {
    match record {
        Record::Output { text }
        | Record::Json { text }
        | Record::Piece { text, .. }
        | Record::Console { text, .. } => Some(Cow::Borrowed(text)),
        Record::Information { text, shown } => shown.then_some(Cow::Borrowed(text.as_str())),
        Record::Warning { text } => Some(format!("WARNING: {text}").into()),
        Record::Verbose { text } => Some(format!("VERBOSE: {text}").into()),
        Record::Debug { text } => Some(format!("DEBUG: {text}").into()),
        Record::Error(error) if error.rendered.is_empty() => Some(Cow::Borrowed(&error.message)),
        Record::Error(error) => Some(Cow::Borrowed(error.rendered.trim_end_matches('\n'))),
        Record::Progress(_) => None,
    }
}

/// Characters of what is listed beside the output: all that the JSON of its entry takes, and a comma.
fn listed_characters(format: FormatName, record: &Record, budget: PageBudget) -> usize {
    let message = |stream: &str, text: &str| {
        characters_of(&Message {
            stream: stream.to_owned(),
            text: cut(text, budget.listed()).into_owned(),
        })
    };
    match (format, record) {
        (_, Record::Error(error)) => characters_of(&listed_error(error, budget)),
        (_, Record::Warning { text }) => characters_of(&cut(text, budget.listed())),
        (FormatName::Json, Record::Verbose { text }) => message("verbose", text),
        (FormatName::Json, Record::Debug { text }) => message("debug", text),
        (FormatName::Json, Record::Information { text, .. }) => message("information", text),
        (FormatName::Json, Record::Console { stream, text }) => message(stream.as_str(), text),
        _ => 0,
    }
}

fn characters_of(entry: &impl serde::Serialize) -> usize {
    // Strings and numbers: it cannot fail.
    let json = serde_json::to_string(entry).unwrap_or_default();
    json.chars().count() + 1
}

/// An error without its console form, its texts cut to what one answer can hold.
fn listed_error(error: &ErrorRecord, budget: PageBudget) -> ErrorRecord {
    let short = |text: &str| cut(text, budget.listed() / 4).into_owned();
    ErrorRecord {
        message: cut(&error.message, budget.listed()).into_owned(),
        category: short(&error.category),
        id: short(&error.id),
        exception: short(&error.exception),
        line: error.line,
        column: error.column,
        terminating: error.terminating,
        rendered: String::new(),
    }
}

/// The text, or its beginning with a word on how much is missing; never longer than `most` in JSON.
fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if escaped_characters(text) <= most {
        return Cow::Borrowed(text);
    }
    let length = text.chars().count();
    let note = format!("… ({length} characters; /jobs/ID/events has all)");
    let mut left = most.saturating_sub(note.chars().count());
    let fits = |character: &char| {
        let room = left.checked_sub(escaped_width(*character));
        left = room.unwrap_or(0);
        room.is_some()
    };
    let mut short: String = text.chars().take_while(fits).collect();
    short.extend(note.chars().take(most));
    short.into()
}

fn skip_characters(text: &str, characters: usize) -> &str {
    let start = text
        .char_indices()
        .nth(characters)
        .map_or(text.len(), |(index, _)| index);
    text.get(start..).unwrap_or_default()
}

/// The longest beginning that costs at most `room`; at least one character, so that paging ends.
fn take_fitting(text: &str, room: usize, format: FormatName) -> &str {
    let overhead = match format {
        FormatName::Text => 0,
        FormatName::Json => FRAGMENT.0.len() + FRAGMENT.1.len() + 2,
    };
    let mut left = room.saturating_sub(overhead);
    let mut end = 0;
    for (index, character) in text.char_indices() {
        let cost = match format {
            FormatName::Text => 1,
            FormatName::Json => escaped_width(character),
        };
        if cost > left && end > 0 {
            break;
        }
        left = left.saturating_sub(cost);
        end = index + character.len_utf8();
    }
    text.get(..end).unwrap_or_default()
}

/// A character inside a JSON string (RFC 8259, section 7).
fn json_escaped(character: char) -> impl Iterator<Item = char> {
    let escape = match character {
        '"' => Cow::Borrowed("\\\""),
        '\\' => Cow::Borrowed("\\\\"),
        '\n' => Cow::Borrowed("\\n"),
        '\r' => Cow::Borrowed("\\r"),
        '\t' => Cow::Borrowed("\\t"),
        control if control < ' ' => Cow::Owned(format!("\\u{:04x}", u32::from(control))),
        plain => Cow::Owned(plain.to_string()),
    };
    escape.chars().collect::<Vec<_>>().into_iter()
}

/// Characters that [`json_escaped`] makes of one.
const fn escaped_width(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' => 2,
        '\0'..' ' => 6,
        _ => 1,
    }
}

fn escaped_characters(text: &str) -> usize {
    text.chars().map(escaped_width).sum()
}

mod rest;
pub use rest::rest_of;

#[cfg(test)]
mod tests;
