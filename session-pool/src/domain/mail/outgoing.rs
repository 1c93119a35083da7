//! Mail that a call of Graph sends, without the signatures in it.

use serde_json::{Map, Value};

use super::{without_signature, without_signature_in_html};

/// Cuts the signatures from the texts of a mail as Graph takes it: `message`, `post`, `posts`, each
/// with a `body`, and `comment`.
pub fn cut_signatures(mail: &mut Value) {
    let Value::Object(object) = mail else { return };
    for (key, value) in object {
        match (key.to_ascii_lowercase().as_str(), &mut *value) {
            ("message" | "post", Value::Object(_)) => cut_signatures(value),
            ("posts", Value::Array(posts)) => posts.iter_mut().for_each(cut_signatures),
            ("comment", Value::String(text)) => cut(text, false),
            ("body", Value::Object(body)) => cut_in_body(body),
            _ => {}
        }
    }
}

fn cut_in_body(body: &mut Map<String, Value>) {
    let html = body.iter().any(|(key, value)| {
        key.eq_ignore_ascii_case("contentType")
            && value
                .as_str()
                .is_some_and(|kind| kind.eq_ignore_ascii_case("html"))
    });
    for (key, value) in body {
        if let Value::String(text) = value
            && key.eq_ignore_ascii_case("content")
        {
            cut(text, html);
        }
    }
}

fn cut(text: &mut String, html: bool) {
    let shorter = if html || text.contains("</") || text.contains("<br") {
        without_signature_in_html(text)
    } else {
        without_signature(text)
    };
    if let Some(shorter) = shorter {
        *text = shorter;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn signatures_go_wherever_a_mail_has_its_text() {
        let mut mail = json!({
            "Message": {"subject": "Best regards", "Body": {"contentType": "HTML", "content": "<p>Hi</p><p>Best regards</p>"}},
            "comment": "Hi\n\nBest regards\nAda",
            "saveToSentItems": true,
        });
        cut_signatures(&mut mail);
        assert_eq!(
            mail,
            json!({
                "Message": {"subject": "Best regards", "Body": {"contentType": "HTML", "content": "<p>Hi</p>"}},
                "comment": "Hi",
                "saveToSentItems": true,
            })
        );
    }
}
