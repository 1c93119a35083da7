//! A page of a collection as the service wrote it: read as far as paging needs it, its items left
//! as they stand.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::noise::{Clean, is_noise};

/// A page, borrowed from its text.
#[derive(Debug, Default)]
pub(crate) struct Collected<'a> {
    /// The items.
    pub(crate) items: Vec<&'a RawValue>,
    /// `@odata.nextLink`; Power Automate's has no prefix.
    pub(crate) next: Option<String>,
    /// `@odata.deltaLink`.
    pub(crate) delta: Option<String>,
    /// `@odata.count`.
    pub(crate) total: Option<u64>,
    /// What else is said beside the items, without noise.
    pub(crate) beside: Map<String, Value>,
}

impl<'a> Collected<'a> {
    /// Reads a first page; `None` where the text is no collection: no object with an array `value`.
    ///
    /// # Errors
    /// Where it is no JSON.
    pub(crate) fn first(text: &'a str) -> Result<Option<Self>, serde_json::Error> {
        if !text.trim_start().starts_with('{') {
            return Ok(None);
        }
        let object: Object<'a> = serde_json::from_str(text)?;
        match object.get("value") {
            Some(value) if value.get().starts_with('[') => Self::of(object).map(Some),
            _ => Ok(None),
        }
    }

    /// Reads a further page; one without `value` has no items.
    ///
    /// # Errors
    /// Where it is no JSON object.
    pub(crate) fn further(text: &'a str) -> Result<Self, serde_json::Error> {
        Self::of(serde_json::from_str(text)?)
    }

    fn of(mut object: Object<'a>) -> Result<Self, serde_json::Error> {
        let items = match object.remove("value") {
            Some(value) if value.get().starts_with('[') => serde_json::from_str(value.get())?,
            _ => Vec::new(),
        };
        let mut text = |key: &str| object.remove(key).and_then(text);
        let (prefixed, plain) = (text("@odata.nextLink"), text("nextLink"));
        let delta = text("@odata.deltaLink");
        let total = object.remove("@odata.count");
        Ok(Self {
            items,
            next: prefixed.or(plain),
            delta,
            total: total.and_then(|total| total.get().parse().ok()),
            beside: object
                .into_iter()
                .filter(|(key, _)| !is_noise(key, false))
                .map(|(key, value)| Ok((key, serde_json::to_value(Clean::item(value, &[]))?)))
                .collect::<Result<_, serde_json::Error>>()?,
        })
    }
}

type Object<'a> = BTreeMap<String, &'a RawValue>;

fn text(value: &RawValue) -> Option<String> {
    let text: Cow<'_, str> = serde_json::from_str(value.get()).ok()?;
    Some(text.into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn paging_is_read_and_items_stay_as_they_were_written() {
        let text = r#"{"@odata.context":"x","@odata.count":7,"@odata.nextLink":"https:\/\/h\/n",
            "value":[{"b":1.50, "a":2},{}],"summary":{"@odata.id":"x","n":1}}"#;
        let page = Collected::first(text).unwrap().unwrap();
        let items: Vec<&str> = page.items.iter().map(|item| item.get()).collect();
        assert_eq!(items, [r#"{"b":1.50, "a":2}"#, "{}"]);
        assert_eq!(page.next.as_deref(), Some("https://h/n"));
        assert_eq!((page.delta, page.total), (None, Some(7)));
        assert_eq!(Value::Object(page.beside), json!({"summary": {"n": 1}}));
    }

    #[test]
    fn power_automate_pages_too() {
        let page = Collected::further(r#"{"nextLink":"https://h/n"}"#).unwrap();
        assert_eq!(page.next.as_deref(), Some("https://h/n"));
        assert!(page.items.is_empty());
    }

    #[test]
    fn what_is_no_collection_is_told_apart() {
        for text in [
            r#"{"id":1}"#,
            r#"{"value":"x"}"#,
            "[1]",
            "null",
            "7",
            "\"x\"",
        ] {
            assert!(Collected::first(text).unwrap().is_none(), "{text}");
        }
        for text in ["{", r#"{"value":[}"#, r#"{"value":[1]} x"#] {
            assert!(Collected::first(text).is_err(), "{text}");
        }
        assert!(Collected::further("[]").is_err());
    }
}
