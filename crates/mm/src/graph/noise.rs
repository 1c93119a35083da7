//! Answers without what only OData's own libraries need.

use serde_json::{Map, Value};

/// What a collection's page said beside its items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Paging {
    /// `@odata.nextLink`.
    pub(crate) next: Option<String>,
    /// `@odata.deltaLink`.
    pub(crate) delta: Option<String>,
    /// `@odata.count`.
    pub(crate) total: Option<u64>,
}

/// Takes out what leads to further pages.
pub(crate) fn paging(object: &mut Map<String, Value>) -> Paging {
    let mut text = |keys: [&str; 2]| {
        keys.iter()
            .filter_map(|key| object.remove(*key))
            .find_map(|value| value.as_str().map(str::to_owned))
    };
    let next = text(["@odata.nextLink", "nextLink"]);
    let delta = text(["@odata.deltaLink", "@odata.deltaLink"]);
    let total = object
        .remove("@odata.count")
        .and_then(|count| count.as_u64());
    Paging { next, delta, total }
}

/// Removes noise from a value and everything in it. Kept are `@odata.type`, which tells a user from
/// a group among members, `@odata.etag` of a single entity, which `If-Match` wants, and next links
/// of expanded collections: nothing is to be dropped silently.
pub(crate) fn removed(value: &mut Value, single: bool) {
    match value {
        Value::Object(object) => {
            if object.keys().any(|key| is_noise(key, single)) {
                object.retain(|key, _| !is_noise(key, single));
            }
            for (_, inner) in object {
                removed(inner, false);
            }
        }
        Value::Array(items) => {
            for item in items {
                removed(item, false);
            }
        }
        _ => {}
    }
}

fn is_noise(key: &str, single: bool) -> bool {
    // Nearly every key, and there are many.
    if !key.as_bytes().contains(&b'@') {
        return false;
    }
    // An address that is good for itself: whoever has it, has the file.
    if key == "@microsoft.graph.downloadUrl" || key == "@content.downloadUrl" {
        return true;
    }
    match key.split_once("@odata.") {
        Some(("", "type")) => false,
        Some(("", "etag")) => !single,
        Some((_, "nextLink" | "count" | "deltaLink")) => false,
        Some(_) => true,
        None => false,
    }
}

/// Keeps the wanted properties of an item (of a path `a/b` the first part) where the service did
/// not do it itself. Ids and kinds stay.
pub(crate) fn selected(item: &mut Value, fields: &[String]) {
    if fields.is_empty() {
        return;
    }
    if let Value::Object(object) = item {
        object.retain(|key, _| {
            key.starts_with('@')
                || fields.iter().any(|field| {
                    let first = field.split('/').next().unwrap_or_default();
                    first.eq_ignore_ascii_case(key)
                })
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn noise_goes_and_what_leads_on_stays() {
        let mut value = json!({
            "@odata.context": "x", "@odata.etag": "W/1", "@odata.type": "#microsoft.graph.user",
            "id": 1, "members@odata.context": "x", "members@odata.nextLink": "https://…",
            "members": [{"@odata.etag": "W/2", "@odata.id": "x", "id": 2}],
            "@microsoft.graph.downloadUrl": "https://secret", "@removed": {"reason": "deleted"},
        });
        removed(&mut value, true);
        assert_eq!(
            value,
            json!({
                "@odata.etag": "W/1", "@odata.type": "#microsoft.graph.user", "id": 1,
                "members@odata.nextLink": "https://…", "members": [{"id": 2}],
                "@removed": {"reason": "deleted"},
            })
        );
    }

    #[test]
    fn only_what_was_asked_for_is_kept() {
        let mut item = json!({"id": 1, "displayName": "x", "start": {"a": 1}, "@odata.type": "t"});
        selected(&mut item, &["displayname".to_owned(), "start/a".to_owned()]);
        assert_eq!(
            item,
            json!({"displayName": "x", "start": {"a": 1}, "@odata.type": "t"})
        );
    }
}
