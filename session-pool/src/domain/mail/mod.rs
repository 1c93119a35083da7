//! Mail and messages as people read them: their text, their parts, and where the signature is.

mod html;
mod letter;
mod mime;
mod outgoing;
mod quote;
mod signature;

pub use letter::Letter;
pub use mime::letter as mime_letter;
pub use outgoing::cut_signatures;
pub use signature::{without_signature, without_signature_in_html};

/// The text of HTML, a line for every line that is seen, with the addresses behind links.
pub fn text_of_html(html: &str) -> String {
    html::Page::read(html).text()
}

#[cfg(test)]
mod signature_tests;
