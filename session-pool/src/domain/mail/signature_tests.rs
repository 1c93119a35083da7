//! Mails as people and programs write them, with what is left of them.
#![allow(clippy::unwrap_used)]

use super::{without_signature, without_signature_in_html};

const QUOTED: &str = "\n\nOn Mon, 2 Nov 2026 at 09:12, Ada Lovelace <ada@contoso.com> wrote:\n> \
Could you send the numbers?\n>\n> Best regards,\n> Ada\n";

const OUTLOOK: &str = "\n\n________________________________\nFrom: Ada Lovelace <ada@contoso.com>\n\
Sent: Monday, November 2, 2026 9:12 AM\nTo: Grace Hopper <grace@contoso.com>\nSubject: Numbers\n\n\
Could you send them?\n\nKind regards,\nAda\n";

#[test]
fn signatures_of_text_are_cut() {
    for signature in [
        "Best regards,\nGrace Hopper",
        "Best regards",
        "Kind regards, Grace",
        "Best,\nGrace",
        "Thanks,\nGrace Hopper",
        "Thanks & Regards,\nGrace\nHead of Computing\nContoso Ltd.\n+1 555 0100 | www.contoso.com",
        "Regards\n\nGrace Hopper | Contoso\n1 Main Street, Springfield\n\nThis e-mail is confidential and \
         intended only for the addressee. If you are not the intended recipient, delete it.",
        "Mit freundlichen Grüßen\nGrace Hopper\nContoso GmbH, Amtsgericht Berlin\nGeschäftsführer: A. Lovelace.",
        "Viele Grüße\nGrace",
        "Cordialement,\nGrace",
        "Saludos,\nGrace",
        "-- \nGrace Hopper\nContoso",
        "--\nGrace",
        "Best regards,\nGrace\n-- \nContoso Ltd\nwww.contoso.com",
        "Sent from my iPhone",
        "Get Outlook for iOS",
        "Best regards,\nGrace\n\nSent from my Galaxy",
        "Von meinem iPhone gesendet",
        "[Your Name]",
    ] {
        let body = "Hello Ada,\n\nhere are the numbers.";
        for quoted in ["", QUOTED, OUTLOOK] {
            let mail = format!("{body}\n\n{signature}{quoted}");
            let left = without_signature(&mail);
            if signature == "[Your Name]" {
                // A name alone is no signature that anybody could tell.
                assert_eq!(left, None, "{mail}");
                continue;
            }
            let expected = if quoted.is_empty() {
                body.to_owned()
            } else {
                format!("{body}\n\n{}", quoted.trim_start())
            };
            assert_eq!(left.as_deref(), Some(expected.as_str()), "{mail}");
        }
    }
}

#[test]
fn what_is_no_signature_stays() {
    for mail in [
        "",
        "Hello",
        "Best regards,\nGrace",
        "Thanks",
        "Hello,\n\nplease send it by Friday.\n\nThanks",
        "Give Ada my best regards and tell her that the numbers are in.",
        "The agenda:\n--------\n1. Numbers",
        "Regards are what he sends.\nSee you.",
        "Best regards,\nGrace\n\nCould you look at the second sheet?",
        "Hi,\nBest regards\nis how people close a letter in English, I am told.",
        "Sent from my desk this morning: the plan that we talked about, with all of its numbers.",
        "Hello,\n\nthe numbers are in.\n\nOn Monday, 2 Nov 2026, Ada wrote:\n> Hi\n> Best regards\n> Ada",
        "Hello\n\n-----Original Message-----\nFrom: Ada\nSent: today\n\nText\n\nBest regards,\nAda",
        "option -- value\nand so on",
    ] {
        assert_eq!(without_signature(mail), None, "{mail}");
    }
}

#[test]
fn an_answer_below_the_quotation_loses_its_own_signature_only() {
    let mail = "On Mon, 2 Nov 2026, Ada wrote:\n> Hi\n> Best regards\n> Ada\n\nHere they are.\n\nBest regards\nGrace";
    assert_eq!(
        without_signature(mail).as_deref(),
        Some("On Mon, 2 Nov 2026, Ada wrote:\n> Hi\n> Best regards\n> Ada\n\nHere they are.")
    );
}

#[test]
fn a_postscript_and_line_ends_stay() {
    assert_eq!(
        without_signature(
            "Hi Ada,\r\n\r\nhere.\r\n\r\nBest regards,\r\nGrace\r\n\r\nPS: The plan follows.\r\n"
        )
        .as_deref(),
        Some("Hi Ada,\r\n\r\nhere.\r\n\r\nPS: The plan follows.\r\n")
    );
}

#[test]
fn signatures_of_html_are_cut_and_the_tags_stay_in_balance() {
    for (html, left) in [
        (
            "<p>Hello Ada,</p><p>here are the numbers.</p><p>Best regards,<br>Grace Hopper</p>",
            "<p>Hello Ada,</p><p>here are the numbers.</p>",
        ),
        (
            "<html><body>Hello<br><br>Kind&nbsp;regards,<br>Grace<br><img src=\"cid:logo\"></body></html>",
            "<html><body>Hello</body></html>",
        ),
        // Gmail.
        (
            "<div dir=\"ltr\">Hi<div><br></div><div>Thanks,</div><div>Grace</div></div><br><div \
             class=\"gmail_quote\"><div class=\"gmail_attr\">On Mon, Nov 2, 2026 Ada wrote:<br></div>\
             <blockquote>Text<br>Best regards<br>Ada</blockquote></div>",
            "<div dir=\"ltr\">Hi</div><div class=\"gmail_quote\"><div class=\"gmail_attr\">On Mon, Nov \
             2, 2026 Ada wrote:<br></div><blockquote>Text<br>Best regards<br>Ada</blockquote></div>",
        ),
        (
            "<div>Hi</div><div class=\"gmail_signature\"><b>Grace Hopper</b><br>Contoso</div>",
            "<div>Hi</div>",
        ),
        // Outlook on the web.
        (
            "<div>Hi</div><div id=\"Signature\"><p>Grace</p><table><tr><td>Contoso</td></tr></table>\
             </div><div id=\"appendonsend\"></div><hr style=\"width:98%\"><div id=\"divRplyFwdMsg\">\
             <b>From:</b> Ada<br><b>Sent:</b> today<br></div><p>Regards<br>Ada</p>",
            "<div>Hi</div><div id=\"appendonsend\"></div><hr style=\"width:98%\"><div \
             id=\"divRplyFwdMsg\"><b>From:</b> Ada<br><b>Sent:</b> today<br></div><p>Regards<br>Ada</p>",
        ),
        // Outlook for Windows.
        (
            "<div class=WordSection1><p class=MsoNormal>Hi</p><p class=MsoNormal>Best \
             regards,<o:p></o:p></p><p class=MsoNormal>Grace</p><div style='border:none;border-top:solid \
             #E1E1E1 1.0pt'><p class=MsoNormal><b>From:</b> Ada &lt;ada@contoso.com&gt;<br><b>Sent:</b> \
             Monday<br><b>To:</b> Grace</p></div><p>Regards, Ada</p></div>",
            "<div class=WordSection1><p class=MsoNormal>Hi</p><div style='border:none;border-top:solid \
             #E1E1E1 1.0pt'><p class=MsoNormal><b>From:</b> Ada &lt;ada@contoso.com&gt;<br><b>Sent:</b> \
             Monday<br><b>To:</b> Grace</p></div><p>Regards, Ada</p></div>",
        ),
        (
            "<p>Hi</p><hr><p>From: Ada</p><p>Sent: today</p><p>Best regards, Ada</p>",
            "",
        ),
        (
            "<p>Hi</p><p>Mit freundlichen Gr&uuml;&szlig;en</p><p>Grace</p><p>PS: The plan \
             follows.</p>",
            "<p>Hi</p><p>PS: The plan follows.</p>",
        ),
        ("<p>Hi</p><p>Sent from my iPhone</p>", "<p>Hi</p>"),
        (
            "<p>Hi</p><p>Get <a href=\"https://aka.ms/o0ukef\">Outlook for iOS</a></p>",
            "<p>Hi</p>",
        ),
        ("<p>Best regards</p><p>Grace</p>", ""),
        (
            "<p>Thank you for the <b>best regards</b> that you sent.</p>",
            "",
        ),
        ("plain text without a tag", ""),
        ("<p>Hi</p><p>-- <br>Grace</p>", "<p>Hi</p>"),
    ] {
        let cut = without_signature_in_html(html);
        assert_eq!(cut.as_deref().unwrap_or_default(), left, "{html}");
        // What was cut once has nothing more to cut.
        assert_eq!(without_signature_in_html(left), None, "{left}");
    }
}
