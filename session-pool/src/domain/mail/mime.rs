//! Mail in MIME, which Graph takes in base64.

use mail_parser::{Address, MessageParser, MimeHeaders, PartType};

use super::letter::{Letter, short, text_of};

/// What a MIME mail says; none where these bytes are no mail.
pub fn letter(bytes: &[u8]) -> Option<Letter> {
    let mail = MessageParser::default().parse(bytes)?;
    let all = |addresses: Vec<&Address<'_>>| -> Vec<String> {
        addresses
            .into_iter()
            .flat_map(Address::iter)
            .map(|who| match (who.address(), who.name()) {
                (Some(address), Some(name)) => short(&format!("{address} ({name})")),
                (Some(address), None) => short(address),
                (None, name) => short(name.unwrap_or("nobody")),
            })
            .collect()
    };
    let mut letter = Letter {
        from: all(mail.from().into_iter().chain(mail.sender()).collect()),
        reply_to: all(mail.reply_to().into_iter().collect()),
        to: all(mail.all_to().collect()),
        cc: all(mail.all_cc().collect()),
        bcc: all(mail.all_bcc().collect()),
        subject: mail.subject().map(str::to_owned).into_iter().collect(),
        ..Letter::default()
    };
    letter.from.dedup();
    // Readers show one of several forms of the text; which one is not ours to say.
    for part in &mail.parts {
        let name = part.attachment_name();
        match &part.body {
            PartType::Text(text) if name.is_none() => letter.text.push(text.to_string()),
            PartType::Html(html) if name.is_none() => {
                letter.text.push(text_of(html, Some("html")));
            }
            PartType::Multipart(_) => {}
            _ => {
                let kind = part.content_type().map_or_else(String::new, |kind| {
                    format!("{}/{}, ", kind.ctype(), kind.subtype().unwrap_or("*"))
                });
                let size = part.contents().len().div_ceil(1024);
                let name = name.map_or_else(|| "without a name".to_owned(), short);
                letter.attachments.push(format!("{name} ({kind}{size} KB)"));
            }
        }
    }
    letter.text.dedup();
    (!letter.is_empty()).then_some(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mime_mail_is_shown_with_its_people_its_texts_and_its_files() {
        let mail = "From: Grace <grace@contoso.com>\r\nTo: \"Ada\" <ada@contoso.com>,\r\n bob@contoso.com\r\n\
            Bcc: x@y.z\r\nSubject: =?utf-8?B?R3LDvMOfZQ==?=\r\nMIME-Version: 1.0\r\nContent-Type: \
            multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/alternative; \
            boundary=c\r\n\r\n--c\r\nContent-Type: text/plain\r\n\r\nHello\r\n--c\r\nContent-Type: \
            text/html\r\n\r\n<p>Goodbye</p>\r\n--c--\r\n--b\r\nContent-Type: application/pdf; \
            name=plan.pdf\r\nContent-Disposition: attachment; filename=plan.pdf\r\nContent-Transfer-Encoding: \
            base64\r\n\r\nAAAA\r\n--b--\r\n";
        let shown = letter(mail.as_bytes())
            .map(|letter| letter.shown())
            .unwrap_or_default();
        for part in [
            "From: grace@contoso.com (Grace)",
            "To: ada@contoso.com (Ada), bob@contoso.com",
            "Bcc: x@y.z",
            "Subject: Grüße",
            "    Hello",
            "    Goodbye",
            "Attachment: plan.pdf (application/pdf, 1 KB)",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}
