//! One answer's share of a collection, an entity or a text: cut so that nothing is lost between
//! answers, in the same way as `run` cuts its output.

use serde_json::Value;

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
    text: String,
    left: Option<usize>,
    items: usize,
    cut: bool,
}

impl Page {
    /// A page of so many characters, or without end.
    pub(crate) fn new(characters: Option<usize>) -> Self {
        Self {
            text: String::new(),
            left: characters,
            items: 0,
            cut: false,
        }
    }

    /// Puts an item of a collection on the page; `offset` characters of it were delivered before.
    pub(crate) fn item(&mut self, item: &Value, offset: usize) -> Fit {
        // An array of the one item has it indented as it stands on the page.
        let array = serde_json::to_string_pretty(&[item]).unwrap_or_default();
        let indented = array
            .strip_prefix("[\n  ")
            .and_then(|rest| rest.strip_suffix("\n]"))
            .unwrap_or(&array);
        // Counted only where it matters: a shell's answer has no end.
        let length = self.left.map_or(0, |_| indented.chars().count() + 4);
        if offset == 0 && self.left.is_none_or(|left| length <= left) {
            self.text
                .push_str(if self.items == 0 { "[\n  " } else { ",\n  " });
            self.text.push_str(indented);
            self.left = self.left.map(|left| left - length);
            self.items += 1;
            return Fit::Whole;
        }
        if self.items > 0 {
            return Fit::Full;
        }
        self.fragment(&pretty(item), offset)
    }

    /// Puts a whole entity on the page.
    pub(crate) fn entity(&mut self, value: &Value, offset: usize) -> Fit {
        let text = pretty(value);
        if offset == 0 && self.fits(&text) {
            self.text = text;
            return Fit::Whole;
        }
        self.fragment(&text, offset)
    }

    /// Puts a text on the page.
    pub(crate) fn plain(&mut self, text: &str, offset: usize) -> Fit {
        let rest = skip(text, offset);
        if self.fits(rest) {
            self.text = rest.to_owned();
            return Fit::Whole;
        }
        let piece = take(rest, self.left.unwrap_or(usize::MAX));
        // Whole lines, where there are any.
        let piece = match piece.rfind('\n') {
            Some(end) => piece.get(..=end).unwrap_or(piece),
            None => piece,
        };
        self.text = piece.to_owned();
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
        self.text = format!("{}{}{}", FRAGMENT.0, escaped(piece), FRAGMENT.1);
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
    pub(crate) fn drain(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// How many items are on it.
    pub(crate) fn items(&self) -> usize {
        self.items
    }

    /// Whether it ends (or began) inside an item.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    /// The text of a collection's page.
    pub(crate) fn finish_collection(mut self) -> String {
        if self.items == 0 {
            return "[]".to_owned();
        }
        if !self.cut {
            self.text.push_str("\n]");
        }
        self.text
    }

    /// The text of anything else.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A text inside a JSON string.
fn escaped(text: &str) -> String {
    let quoted = Value::from(text).to_string();
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

    use serde_json::json;

    use super::*;

    #[test]
    fn items_stay_whole_and_the_page_is_an_array() {
        let mut page = Page::new(Some(60));
        let item = json!({"id": 1, "name": "x"});
        assert_eq!(page.item(&item, 0), Fit::Whole);
        assert_eq!(page.item(&item, 0), Fit::Full);
        let text = page.finish_collection();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!([item]));
    }

    #[test]
    fn what_fits_on_no_page_comes_in_pieces_that_make_the_whole() {
        let item = json!({"text": "line \"1\"\nü\t".repeat(40)});
        let whole = pretty(&item);
        let (mut offset, mut put_together, mut pages) = (0, String::new(), 0);
        loop {
            let mut page = Page::new(Some(200));
            let fit = page.item(&item, offset);
            let text = page.finish_collection();
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
    fn a_text_is_cut_at_lines() {
        let text = "one\ntwo\nthree\n";
        let mut page = Page::new(Some(9));
        assert_eq!(page.plain(text, 0), Fit::Cut(8));
        assert_eq!(page.finish(), "one\ntwo\n");
        let mut page = Page::new(Some(9));
        assert_eq!(page.plain(text, 8), Fit::Whole);
        assert_eq!(page.finish(), "three\n");
    }
}
