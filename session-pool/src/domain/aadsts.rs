//! What to do about Entra's error codes. `docs/sign-in.md` has the table.

/// What Entra's error `AADSTS<code>` asks of a person, in a sentence without tenant details.
///
/// Source: learn.microsoft.com "Microsoft Entra authentication and authorization error codes".
pub fn advice(code: u32) -> Option<&'static str> {
    TABLE
        .binary_search_by_key(&code, |&(known, _)| known)
        .ok()
        .and_then(|position| TABLE.get(position))
        .map(|&(_, advice)| advice)
}

/// The first code `AADSTS<digits>` in a text.
pub fn code_in(text: &str) -> Option<u32> {
    text.split("AADSTS").skip(1).find_map(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit());
        rest.get(..digits.unwrap_or(rest.len()))?.parse().ok()
    })
}

/// What a text of Entra's means: its code and the advice, without the tenants and people that the
/// text names. `None` where it has no code.
pub fn explain(text: &str) -> Option<String> {
    let code = code_in(text)?;
    let advice = advice(code).unwrap_or(
        "Entra refused the sign-in; https://login.microsoftonline.com/error says more about the code",
    );
    Some(format!("AADSTS{code}: {advice}"))
}

/// A text of a module's, with what looks like an id of a tenant or a mail address left out.
pub fn without_names(text: &str) -> String {
    let word = |word: &str| {
        let guid = word
            .split(|c: char| !(c.is_ascii_hexdigit() || c == '-'))
            .any(|part| part.len() == 36 && part.bytes().filter(|&byte| byte == b'-').count() == 4);
        if guid || word.contains('@') {
            "…"
        } else {
            word
        }
        .to_owned()
    };
    let words: Vec<_> = text.split_whitespace().map(word).collect();
    words.join(" ")
}

/// Sorted by code.
static TABLE: [(u32, &str); 48] = [
    (
        50005,
        "the device's platform is not allowed by a Conditional Access policy; sign in from an allowed one, or use certificate sign-in",
    ),
    (
        50011,
        "the app registration lacks this reply URL; add the platform \"Mobile and desktop applications\" to it",
    ),
    (
        50020,
        "the account is not known in this tenant; sign in with an account of the tenant, or invite it as a guest",
    ),
    (
        50034,
        "the account does not exist in this tenant; check the spelling, and which tenant the connection names",
    ),
    (
        50053,
        "the account is locked after too many attempts; wait, or have an administrator unlock it",
    ),
    (
        50055,
        "the password has expired; change it in a browser, then sign in again",
    ),
    (
        50056,
        "the account has no valid password in the directory; have an administrator reset it",
    ),
    (
        50057,
        "the account is disabled; have an administrator enable it, or use another",
    ),
    (50058, "the sign-in was not kept; sign in again"),
    (
        50059,
        "no tenant was named; add \"tenantId\" or \"tenant\" to the connection in the registry",
    ),
    (
        50072,
        "the account must register for multi-factor authentication first; do that in a browser, then sign in again",
    ),
    (
        50074,
        "multi-factor authentication is needed; sign in again",
    ),
    (
        50076,
        "multi-factor authentication is needed now, after a change of policy or place; sign in again",
    ),
    (
        50078,
        "the multi-factor authentication has expired; sign in again",
    ),
    (
        50079,
        "the account must register for multi-factor authentication first; do that in a browser, then sign in again",
    ),
    (
        50097,
        "a managed device is needed by a Conditional Access policy, which a device code cannot prove; use certificate sign-in",
    ),
    (
        50105,
        "the account is not assigned to the app; have an administrator assign it under Enterprise applications",
    ),
    (50126, "user name or password are wrong; sign in again"),
    (
        50131,
        "a Conditional Access policy blocked the sign-in (device, place or risk); ask the tenant's administrator, or use certificate sign-in",
    ),
    (50132, "the sign-in has been revoked; sign in again"),
    (
        50133,
        "the sign-in has ended because the password was changed or reset; sign in again",
    ),
    (50140, "the sign-in was interrupted; sign in again"),
    (
        50158,
        "another provider's check is needed; sign in again and pass it",
    ),
    (
        50173,
        "the sign-in has been revoked, mostly by a changed password; sign in again",
    ),
    (
        50194,
        "the app registration is for one tenant only; name that tenant in the registry",
    ),
    (
        53000,
        "a compliant device is needed by a Conditional Access policy, which a device code cannot prove; use certificate sign-in",
    ),
    (
        53001,
        "a domain-joined device is needed by a Conditional Access policy, which a device code cannot prove; use certificate sign-in",
    ),
    (
        53003,
        "a Conditional Access policy blocked the sign-in; Microsoft's own policy \"Block device code flow\" does so by default: ask the tenant's administrator for an exception, or use certificate sign-in",
    ),
    (
        53004,
        "the account must pass a risk check first; sign in once in a browser",
    ),
    (
        65001,
        "consent is missing; an administrator must grant the app its permissions",
    ),
    (
        65004,
        "the consent was declined; sign in again and accept, or have an administrator grant it",
    ),
    (70000, "the sign-in is no longer valid; sign in again"),
    (
        70008,
        "the sign-in has expired by lack of use; sign in again",
    ),
    (
        70011,
        "a permission in \"scopes\" is not known; check its spelling in the registry",
    ),
    (70016, "nobody has entered the code yet"),
    (70019, "the code has expired; the next call makes a new one"),
    (70020, "the code has expired; the next call makes a new one"),
    (
        70043,
        "the sign-in has reached the tenant's sign-in frequency (a Conditional Access policy, often an hour); sign in again, or use certificate sign-in",
    ),
    (
        90002,
        "the tenant does not exist; check \"tenantId\" and \"tenant\" in the registry, and the cloud",
    ),
    (
        90094,
        "an administrator's consent is needed; have one grant the app its permissions",
    ),
    (
        500011,
        "the service is not known in this tenant, mostly for want of a license; check the license, or the cloud in the registry",
    ),
    (
        700016,
        "the app registration was not found in this tenant; check \"appId\" in the registry, or have an administrator consent to it",
    ),
    (
        700027,
        "the certificate is not the app registration's; upload its public part there, or name the right file",
    ),
    (
        700082,
        "the sign-in has expired by 90 days without use; sign in again",
    ),
    (
        700084,
        "the sign-in has reached its fixed life of 24 h; sign in again",
    ),
    (
        7000215,
        "the client secret is wrong; put its value (not its id) into the file that the registry names",
    ),
    (
        7000218,
        "the app registration wants a secret; turn on \"Allow public client flows\" in it, or use auth \"certificate\"",
    ),
    (
        7000222,
        "the client secret has expired; make a new one in the app registration",
    ),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_code_is_found() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (code, text) in TABLE {
            assert_eq!(advice(code).unwrap(), text);
        }
        assert_eq!(advice(1), None);
    }

    #[test]
    fn the_document_has_the_table_of_the_code() {
        let document = include_str!("../../../docs/sign-in.md");
        let mut table = String::from("| code | what to do | source |\n|---|---|---|\n");
        for (code, advice) in TABLE {
            table += &format!(
                "| {code} | {advice} | [Microsoft](https://login.microsoftonline.com/error?code={code}) |\n"
            );
        }
        assert!(
            document.contains(&table),
            "docs/sign-in.md must contain this table:\n{table}"
        );
    }

    #[test]
    fn a_text_is_explained_without_the_names_in_it() {
        let text = "AADSTS53003: Access for ada@contoso.com was blocked in c0000001-7e57-4000-8000-00000c047050.";
        let why = explain(text).unwrap();
        assert!(
            why.starts_with("AADSTS53003: a Conditional Access"),
            "{why}"
        );
        assert!(why.contains("certificate sign-in"), "{why}");
        assert_eq!(
            without_names(text),
            "AADSTS53003: Access for … was blocked in …"
        );
        assert!(
            explain("AADSTS9: x")
                .unwrap()
                .starts_with("AADSTS9: Entra refused")
        );
        assert_eq!(explain("AADSTS is the name of codes"), None);
        assert_eq!(
            code_in("AADSTS is AADSTS99999999999 or AADSTS70043"),
            Some(70043)
        );
    }
}
