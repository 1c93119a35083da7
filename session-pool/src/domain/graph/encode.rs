//! Percent-encoding of what people write, without touching what is encoded already.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays in a path besides letters and digits: unreserved characters, sub-delimiters, `:` and
/// `@` (RFC 3986, section 3.3).
const PATH: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// What stays in a query: as in a path, with `/` and `?`, without `&` and `+`, which have a
/// meaning there, and `'`, which the web's URLs encode (URL Standard, special-query set).
const QUERY: AsciiSet = PATH
    .remove(b'/')
    .remove(b'?')
    .add(b'\'')
    .add(b'&')
    .add(b'+');

/// What stays in a value that is taken as it is.
const RAW: AsciiSet = QUERY.add(b'=').add(b'%');

/// A value that nobody has encoded: everything that could be read otherwise is encoded.
pub(super) fn raw(value: &str) -> String {
    utf8_percent_encode(value, &RAW).to_string()
}

/// A character of a path, or of a query.
pub(super) fn path_character(c: char, out: &mut String) {
    push(c, &PATH, out);
}

pub(super) fn query_character(c: char, out: &mut String) {
    push(c, &QUERY, out);
}

fn push(c: char, keep: &'static AsciiSet, out: &mut String) {
    let mut buffer = [0; 4];
    out.extend(utf8_percent_encode(c.encode_utf8(&mut buffer), keep));
}

/// Whether `%` at the beginning of this text begins an encoded byte.
pub(super) fn is_encoded(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next() == Some(b'%')
        && bytes.next().is_some_and(|b| b.is_ascii_hexdigit())
        && bytes.next().is_some_and(|b| b.is_ascii_hexdigit())
}

/// The text with every encoding undone, also an encoded encoding; what can never mean anything
/// good stays visible.
pub fn fully_decoded(text: &str) -> String {
    let mut text = text.to_owned();
    // Each round makes the text shorter, so this ends.
    while text.contains('%') {
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            break;
        }
        text = decoded;
    }
    text
}
