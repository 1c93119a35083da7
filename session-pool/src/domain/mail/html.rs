//! HTML as lines of text that know where in the source they stand.
//!
//! The tokenizer is lol_html's, which reads as browsers do. Nothing is left out because a style
//! sheet hides it: what is hidden from readers is sent to them all the same.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use lol_html::html_content::{Element, TextChunk, TextType};
use lol_html::{RewriteStrSettings, doc_text, element, end_tag, rewrite_str};

/// Elements that begin and end a line. Source: HTML Standard, section 15.3 (rendering), without
/// those that mail has no use for.
const BLOCKS: [&str; 34] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "html",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tbody",
    "tr",
    "ul",
    "head",
];

/// A line of text.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pub(super) text: String,
    /// Bytes of the source: from its first character to behind its last.
    pub(super) bytes: Option<Range<usize>>,
    /// Where the element begins that holds quoted mail from this line on.
    pub(super) quote: Option<usize>,
    /// Whether it stands in an element that mail programs make for signatures.
    pub(super) signature: bool,
    /// Whether it is a horizontal rule, which begins at its `bytes`.
    pub(super) rule: bool,
}

/// A tag in the source.
#[derive(Clone, Debug)]
struct Tag {
    bytes: Range<usize>,
    /// The other tag of the same element; none where there is none, or it is not written.
    partner: Option<usize>,
    /// Whether it is an element by itself, such as an image.
    whole: bool,
}

/// A page.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) lines: Vec<Line>,
    tags: Vec<Tag>,
    current: Line,
    /// Elements open whose text is shown to nobody (styles, the title).
    silent: usize,
    /// Elements open that hold a signature.
    signatures: usize,
    /// Addresses of the links that are open, and where their text begins.
    links: Vec<(String, usize)>,
}

impl Page {
    /// Reads HTML. What cannot be read as HTML is text.
    pub(super) fn read(html: &str) -> Self {
        let page = Rc::new(RefCell::new(Self::default()));
        let (on_element, on_text) = (Rc::clone(&page), Rc::clone(&page));
        let settings = RewriteStrSettings::new()
            .append_element_content_handler(element!("*", move |element: &mut Element<'_, '_>| {
                begin(&on_element, element)
            }))
            .append_document_content_handler(doc_text!(move |chunk: &mut TextChunk<'_>| {
                on_text.borrow_mut().text_chunk(chunk);
                Ok(())
            }));
        let read = rewrite_str(html, settings);
        let mut page = page.take();
        if read.is_err() {
            return Self::plain(html);
        }
        page.end_line();
        page
    }

    fn plain(text: &str) -> Self {
        let lines = text.lines().map(|line| Line {
            text: line.to_owned(),
            ..Line::default()
        });
        Self {
            lines: lines.collect(),
            ..Self::default()
        }
    }

    /// All lines, of several empty ones in a row one.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut empty = true;
        for line in &self.lines {
            let words = line.text.split_whitespace().collect::<Vec<_>>().join(" ");
            if words.is_empty() && empty {
                continue;
            }
            empty = words.is_empty();
            text.push_str(&words);
            text.push('\n');
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// The source without these bytes, but with every tag in them whose partner stays.
    pub(super) fn without(&self, html: &str, cut: Range<usize>) -> String {
        let mut rest = html.get(..cut.start).unwrap_or_default().to_owned();
        let inside = |tag: &Tag| cut.start <= tag.bytes.start && tag.bytes.end <= cut.end;
        let mut tags: Vec<&Tag> = self
            .tags
            .iter()
            .filter(|tag| {
                let partner = tag.partner.and_then(|index| self.tags.get(index));
                inside(tag) && !tag.whole && !partner.is_some_and(inside)
            })
            .collect();
        tags.sort_by_key(|tag| tag.bytes.start);
        for tag in tags {
            rest.push_str(html.get(tag.bytes.clone()).unwrap_or_default());
        }
        rest.push_str(html.get(cut.end..).unwrap_or_default());
        rest
    }

    fn text_chunk(&mut self, chunk: &TextChunk<'_>) {
        if self.silent > 0 || !matches!(chunk.text_type(), TextType::Data | TextType::RCData) {
            return;
        }
        let text = html_escape::decode_html_entities(chunk.as_str());
        if text.trim().is_empty() {
            // White space between tags is seen between words only.
            if !self.current.text.is_empty() && !text.is_empty() {
                self.current.text.push(' ');
            }
            return;
        }
        let location = chunk.source_location().bytes();
        self.covers(location);
        self.current.text.push_str(&text.replace(['\r', '\n'], " "));
    }

    fn covers(&mut self, bytes: Range<usize>) {
        let first = self
            .current
            .bytes
            .as_ref()
            .map_or(bytes.start, |own| own.start);
        self.current.bytes = Some(first..bytes.end);
        self.current.signature = self.signatures > 0;
    }

    /// Ends the line if it has begun.
    fn end_line(&mut self) {
        if self.current.bytes.is_some() || self.current.quote.is_some() {
            self.lines.push(std::mem::take(&mut self.current));
        }
        self.current.text.clear();
    }
}

fn begin(page: &Rc<RefCell<Page>>, element: &mut Element<'_, '_>) -> lol_html::HandlerResult {
    let name = element.tag_name();
    let bytes = element.source_location().bytes();
    let block = BLOCKS.contains(&name.as_str());
    let silent = matches!(name.as_str(), "style" | "script" | "title" | "template");
    let quote = is_quote(&name, element);
    let signature = is_signature(element);
    let link = (name == "a")
        .then(|| element.get_attribute("href"))
        .flatten();
    let has_content = element.can_have_content();
    let index = {
        let mut page = page.borrow_mut();
        page.tags.push(Tag {
            bytes: bytes.clone(),
            partner: None,
            whole: !has_content,
        });
        if block || quote || signature {
            page.end_line();
        }
        if quote && page.current.quote.is_none() {
            page.current.quote = Some(bytes.start);
        }
        match name.as_str() {
            "br" => {
                let line = std::mem::take(&mut page.current);
                page.lines.push(line);
            }
            "hr" => {
                page.end_line();
                page.lines.push(Line {
                    bytes: Some(bytes.clone()),
                    rule: true,
                    ..Line::default()
                });
            }
            "img" => {
                let shown = element
                    .get_attribute("alt")
                    .filter(|alt| !alt.trim().is_empty())
                    .or_else(|| element.get_attribute("src"))
                    .map_or_else(String::new, |src| src.chars().take(200).collect());
                page.covers(bytes.clone());
                page.current.text.push_str(&format!("[image {shown}]"));
            }
            "td" | "th" if !page.current.text.is_empty() => page.current.text.push_str(" | "),
            _ => {}
        }
        page.tags.len() - 1
    };
    if !has_content {
        return Ok(());
    }
    {
        let mut page = page.borrow_mut();
        page.silent += usize::from(silent);
        page.signatures += usize::from(signature);
        if let Some(href) = &link {
            let begun = page.current.text.len();
            page.links.push((href.clone(), begun));
        }
    }
    let page = Rc::clone(page);
    element.on_end_tag(end_tag!(move |end| {
        let mut page = page.borrow_mut();
        let own = page.tags.len();
        page.tags.push(Tag {
            bytes: end.source_location().bytes(),
            partner: Some(index),
            whole: false,
        });
        if let Some(tag) = page.tags.get_mut(index) {
            tag.partner = Some(own);
        }
        if link.is_some()
            && let Some((href, begun)) = page.links.pop()
        {
            let shown = page
                .current
                .text
                .get(begun..)
                .unwrap_or_default()
                .trim()
                .to_owned();
            let href = html_escape::decode_html_entities(&href).into_owned();
            if !href.starts_with('#') && shown != href && format!("mailto:{shown}") != href {
                page.current.text.push_str(&format!(" ({href})"));
            }
        }
        if block {
            page.end_line();
        }
        page.silent -= usize::from(silent);
        page.signatures -= usize::from(signature);
        Ok(())
    }))
}

/// Whether mail programs put the mail that is answered into such an element.
fn is_quote(name: &str, element: &Element<'_, '_>) -> bool {
    name == "blockquote"
        || names(element).any(|own| {
            matches!(
                own.as_str(),
                "gmail_quote"
                    | "gmail_extra"
                    | "gmail_quote_container"
                    | "yahoo_quoted"
                    | "moz-cite-prefix"
                    | "moz-forward-container"
                    | "protonmail_quote"
                    | "appendonsend"
                    | "divrplyfwdmsg"
                    | "mail-editor-reference-message-container"
                    | "olk_src_body_section"
            )
        })
}

fn is_signature(element: &Element<'_, '_>) -> bool {
    names(element).any(|own| {
        matches!(
            own.as_str(),
            "signature"
                | "ms-outlook-mobile-signature"
                | "gmail_signature"
                | "moz-signature"
                | "applemailsignature"
                | "protonmail_signature_block"
        )
    })
}

/// The element's id and classes, as programs that quote one another change them (`x_` in front).
fn names(element: &Element<'_, '_>) -> impl Iterator<Item = String> {
    let own = [element.get_attribute("id"), element.get_attribute("class")];
    let own: Vec<String> = own
        .into_iter()
        .flatten()
        .flat_map(|names| {
            names
                .split_whitespace()
                .map(|name| name.trim_start_matches("x_").to_ascii_lowercase())
                .collect::<Vec<_>>()
        })
        .collect();
    own.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_shown_as_it_reads_with_what_it_hides() {
        let page = Page::read(
            "<html><head><title>t</title><style>p{}</style></head><body><p>Dear&nbsp;Ada,</p>\
             <div>see <a href=\"https://evil.example/?a=1&amp;b=2\">https://good.example</a><br>\
             second</div><span style=\"display:none\">hidden</span><table><tr><td>a</td><td>b</td>\
             </tr></table><img src=\"x.png\" alt=\"logo\"><!-- c --></body></html>",
        );
        assert_eq!(
            page.text(),
            "Dear Ada,\nsee https://good.example (https://evil.example/?a=1&b=2)\nsecond\nhidden\n\
             a | b\n[image logo]"
        );
    }

    #[test]
    fn a_cut_leaves_the_tags_in_balance() {
        let html = "<div><p>Text</p><p>Ada <b>L</b><br><img></p></div>";
        let page = Page::read(html);
        let end = html.len() - "</div>".len();
        assert_eq!(page.without(html, 16..end), "<div><p>Text</p></div>");
        assert_eq!(page.without(html, 19..end), "<div><p>Text</p><p></p></div>");
    }
}
