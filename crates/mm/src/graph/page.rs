//! One answer's share of a collection, an entity or a text: cut so that nothing is lost between
//! answers, in the same way as `run` cuts its output.

use bytes::Bytes;
use serde::Serialize;

use super::target::Form;

/// Characters of an answer to an assistant, as many as one of `run`.
pub(crate) const CHARACTERS: usize = 40_000;

const FRAGMENT: (&str, &str) = ("[{\"fragment\":\"", "\"}]");

/// Whether something is on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// All of it.
    Whole,
    /// Nothing: the page is full.
    Full,
    /// Its beginning, up to this character.
    Cut(usize),
}

/// A page that is being filled.
#[derive(Debug)]
pub(crate) struct Page {
    /// UTF-8.
    text: Vec<u8>,
    form: Form,
    left: Option<usize>,
    items: usize,
    cut: bool,
}

impl Page {
    /// A page of so many characters, or without end.
    pub(crate) fn new(characters: Option<usize>, form: Form) -> Self {
        Self {
            text: Vec::new(),
            form,
            left: characters,
            items: 0,
            cut: false,
        }
    }

    /// Puts an item of a collection on the page; `offset` characters of it were delivered before.
    ///
    /// # Errors
    /// Where the item cannot be written.
    pub(crate) fn item<T: Serialize>(
        &mut self,
        item: &T,
        offset: usize,
    ) -> Result<Fit, serde_json::Error> {
        if offset == 0 {
            let start = self.text.len();
            self.append(item)?;
            match self.left {
                // Nobody counts: a shell's answer has no end.
                None => {
                    self.items += 1;
                    return Ok(Fit::Whole);
                }
                Some(left) => {
                    let length = characters(self.text.get(start..).unwrap_or_default());
                    if length + CLOSE.len() <= left {
                        self.left = Some(left - length);
                        self.items += 1;
                        return Ok(Fit::Whole);
                    }
                    self.text.truncate(start);
                }
            }
        }
        if self.items > 0 {
            return Ok(Fit::Full);
        }
        Ok(self.fragment(&serde_json::to_string_pretty(item)?, offset))
    }

    /// Writes an item with what stands in front of it.
    fn append<T: Serialize>(&mut self, item: &T) -> Result<(), serde_json::Error> {
        let start = self.text.len();
        // An array of the one item has it as it stands on the page, but for the array's ends.
        let (written, close) = match self.form {
            Form::Indented => (
                serde_json::to_writer_pretty(&mut self.text, &[item]),
                CLOSE.len(),
            ),
            Form::Compact => (serde_json::to_writer(&mut self.text, &[item]), 1),
        };
        if let Err(error) = written {
            self.text.truncate(start);
            return Err(error);
        }
        self.text.truncate(self.text.len() - close);
        if self.items > 0
            && let Some(open) = self.text.get_mut(start)
        {
            *open = b',';
        }
        Ok(())
    }

    /// Puts a whole entity on the page.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn entity<T: Serialize>(
        &mut self,
        value: &T,
        offset: usize,
    ) -> Result<Fit, serde_json::Error> {
        let text = serde_json::to_string_pretty(value)?;
        if offset == 0 && self.fits(&text) {
            self.text = text.into();
            return Ok(Fit::Whole);
        }
        Ok(self.fragment(&text, offset))
    }

    /// Puts a text on the page.
    pub(crate) fn plain(&mut self, text: &str, offset: usize) -> Fit {
        let rest = skip(text, offset);
        if self.fits(rest) {
            self.text = rest.into();
            return Fit::Whole;
        }
        let piece = take(rest, self.left.unwrap_or(usize::MAX));
        // Whole lines, where there are any.
        let piece = match piece.rfind('\n') {
            Some(end) => piece.get(..=end).unwrap_or(piece),
            None => piece,
        };
        self.text = piece.into();
        self.cut = true;
        Fit::Cut(offset + piece.chars().count())
    }

    /// A piece of JSON that fits on no page, as a text that says so.
    fn fragment(&mut self, text: &str, offset: usize) -> Fit {
        let rest = skip(text, offset);
        let room = self.left.map_or(usize::MAX, |left| {
            left.saturating_sub(FRAGMENT.0.len() + FRAGMENT.1.len())
        });
        let mut piece = take(rest, room);
        // Escaping makes a text longer, at most six times.
        while escaped(piece).chars().count() > room && piece.len() > 1 {
            piece = take(piece, piece.chars().count() * 3 / 4);
        }
        self.text = format!("{}{}{}", FRAGMENT.0, escaped(piece), FRAGMENT.1).into();
        self.cut = true;
        self.items = 1;
        self.left = Some(0);
        if piece.len() == rest.len() {
            Fit::Whole
        } else {
            Fit::Cut(offset + piece.chars().count().max(1))
        }
    }

    fn fits(&self, text: &str) -> bool {
        self.left.is_none_or(|left| text.chars().count() <= left)
    }

    /// Takes out what is there so far, to be written elsewhere.
    pub(crate) fn drain(&mut self) -> Bytes {
        // The next piece is about as long.
        let length = self.text.len();
        std::mem::replace(&mut self.text, Vec::with_capacity(length)).into()
    }

    /// How many items are on it.
    pub(crate) fn items(&self) -> usize {
        self.items
    }

    /// Whether it ends (or began) inside an item.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Ends a collection; [`Self::finish`] or [`Self::drain`] then has its text.
    pub(crate) fn close(&mut self) {
        let close = match (self.items, self.cut, self.form) {
            (0, ..) => "[]",
            (_, true, _) => "",
            (_, _, Form::Indented) => CLOSE,
            (_, _, Form::Compact) => "]",
        };
        self.text.extend_from_slice(close.as_bytes());
    }

    /// The text.
    pub(crate) fn finish(self) -> String {
        // JSON and whole characters only were put in.
        String::from_utf8(self.text).unwrap_or_default()
    }
}

/// The end of an indented array.
const CLOSE: &str = "\n]";

/// Characters of UTF-8.
fn characters(text: &[u8]) -> usize {
    let is_first = |byte: &&u8| (**byte & 0b1100_0000) != 0b1000_0000;
    text.iter().filter(is_first).count()
}

/// A text inside a JSON string.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or_default()
        .to_owned()
}

fn skip(text: &str, characters: usize) -> &str {
    let start = text
        .char_indices()
        .nth(characters)
        .map_or(text.len(), |(index, _)| index);
    text.get(start..).unwrap_or_default()
}

fn take(text: &str, characters: usize) -> &str {
    let end = text
        .char_indices()
        .nth(characters)
        .map_or(text.len(), |(index, _)| index);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

    use serde_json::{Value, json};

    use super::*;

    fn of(characters: usize) -> Page {
        Page::new(Some(characters), Form::Indented)
    }

    #[test]
    fn items_stay_whole_and_the_page_is_an_array() {
        let mut page = of(60);
        let item = json!({"id": 1, "name": "x"});
        assert_eq!(page.item(&item, 0).unwrap(), Fit::Whole);
        assert_eq!(page.item(&item, 0).unwrap(), Fit::Full);
        page.close();
        let text = page.finish();
        assert!(text.chars().count() <= 60);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!([item]));
    }

    #[test]
    fn what_fits_on_no_page_comes_in_pieces_that_make_the_whole() {
        let item = json!({"text": "line \"1\"\nü\t".repeat(40)});
        let whole = serde_json::to_string_pretty(&item).unwrap();
        let (mut offset, mut put_together, mut pages) = (0, String::new(), 0);
        loop {
            let mut page = of(200);
            let fit = page.item(&item, offset).unwrap();
            page.close();
            let text = page.finish();
            assert!(text.chars().count() <= 200);
            let parsed: Value = serde_json::from_str(&text).unwrap();
            put_together.push_str(parsed[0]["fragment"].as_str().unwrap());
            pages += 1;
            match fit {
                Fit::Cut(next) => offset = next,
                Fit::Whole => break,
                Fit::Full => panic!("an empty page is not full"),
            }
        }
        assert_eq!(put_together, whole);
        assert!(pages > 2);
    }

    #[test]
    fn pieces_of_a_page_make_the_page() {
        for form in [Form::Indented, Form::Compact] {
            let items = [json!({"a": [1, {"b": "ü"}]}), json!(2), json!({})];
            let mut page = Page::new(None, form);
            let mut text = String::new();
            for item in &items {
                assert_eq!(page.item(item, 0).unwrap(), Fit::Whole);
                text.push_str(std::str::from_utf8(&page.drain()).unwrap());
            }
            page.close();
            text.push_str(&page.finish());
            let expected = match form {
                Form::Indented => serde_json::to_string_pretty(&items),
                Form::Compact => serde_json::to_string(&items),
            };
            assert_eq!(text, expected.unwrap());
            let mut empty = Page::new(None, form);
            empty.close();
            assert_eq!(empty.finish(), "[]");
        }
    }

    #[test]
    fn a_text_is_cut_at_lines() {
        let text = "one\ntwo\nthree\n";
        let mut page = of(9);
        assert_eq!(page.plain(text, 0), Fit::Cut(8));
        assert_eq!(page.finish(), "one\ntwo\n");
        let mut page = of(9);
        assert_eq!(page.plain(text, 8), Fit::Whole);
        assert_eq!(page.finish(), "three\n");
    }
}
