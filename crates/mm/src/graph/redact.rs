//! Graph's error messages without what names tenants and people.

use uuid::Uuid;

/// The message without ids and addresses that the caller did not write.
pub(crate) fn redacted(message: &str, written: &str) -> String {
    let written = written.to_lowercase();
    let mut out = String::with_capacity(message.len());
    let mut word = String::new();
    for c in message.chars().take(2000) {
        if c.is_alphanumeric() || "@._-+%".contains(c) {
            word.push(c);
        } else {
            push(&mut word, &written, &mut out);
            out.push(if c.is_control() { ' ' } else { c });
        }
    }
    push(&mut word, &written, &mut out);
    out.trim().to_owned()
}

fn push(word: &mut String, written: &str, out: &mut String) {
    // A full stop at a word's end is the sentence's.
    let bare = word.trim_end_matches('.');
    let own = !bare.is_empty() && written.contains(&bare.to_lowercase());
    let shown = if own {
        bare
    } else if Uuid::try_parse(bare).is_ok() {
        "[id]"
    } else if bare.contains('@') && !bare.starts_with('@') {
        "[address]"
    } else if bare.to_ascii_lowercase().ends_with(".onmicrosoft.com") {
        "[tenant]"
    } else {
        bare
    };
    out.push_str(shown);
    for _ in bare.len()..word.len() {
        out.push('.');
    }
    word.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_caller_did_not_write_is_not_told() {
        for (message, written, expected) in [
            (
                "Resource 'ada@contoso.com' does not exist in tenant 72f988bf-86f1-41af-91ab-2d7cd011db47.",
                "/users/ada@contoso.com",
                "Resource 'ada@contoso.com' does not exist in tenant [id].",
            ),
            (
                "User bob@contoso.com of contoso.onmicrosoft.com lacks a license",
                "/users",
                "User [address] of [tenant] lacks a license",
            ),
            (
                "Invalid filter clause at position 3.",
                "",
                "Invalid filter clause at position 3.",
            ),
        ] {
            assert_eq!(redacted(message, written), expected);
        }
    }
}
