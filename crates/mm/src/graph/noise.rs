//! Answers without what only OData's own libraries need: written again while they are read, so that
//! an answer is never held as a tree of values.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

/// A JSON value (`&Value` or `&RawValue`) that is written without noise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clean<'a, T: ?Sized> {
    value: &'a T,
    single: bool,
    select: &'a [String],
}

impl<'a, T: ?Sized> Clean<'a, T> {
    /// An entity that stands alone: its `@odata.etag` stays, for `If-Match`.
    pub(crate) fn entity(value: &'a T, select: &'a [String]) -> Self {
        Self {
            value,
            single: true,
            select,
        }
    }

    /// One of many. Where `select` names properties (of a path `a/b` the first part), only they and
    /// what begins with `@` stay: not every service selects by itself.
    pub(crate) fn item(value: &'a T, select: &'a [String]) -> Self {
        Self {
            value,
            single: false,
            select,
        }
    }
}

impl<'a, T: ?Sized> Serialize for Clean<'a, T>
where
    &'a T: Deserializer<'a>,
{
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let keep = Keep {
            single: self.single,
            select: self.select,
        };
        self.value
            .deserialize_any(Copy { to, keep })
            .map_err(S::Error::custom)
    }
}

/// What stays of an object.
#[derive(Clone, Copy, Debug)]
struct Keep<'a> {
    single: bool,
    select: &'a [String],
}

impl Keep<'_> {
    /// Of everything inside.
    const INSIDE: Keep<'static> = Keep {
        single: false,
        select: &[],
    };

    fn keeps(self, key: &str) -> bool {
        !is_noise(key, self.single) && self.is_selected(key)
    }

    fn is_selected(self, key: &str) -> bool {
        self.select.is_empty()
            || key.starts_with('@')
            || self.select.iter().any(|field| {
                let first = field.split('/').next().unwrap_or_default();
                first.eq_ignore_ascii_case(key)
            })
    }
}

/// Whether a property is noise. Kept are `@odata.type`, which tells a user from a group among
/// members, `@odata.etag` of a single entity, and next links of expanded collections: nothing is to
/// be dropped silently.
pub(crate) fn is_noise(key: &str, single: bool) -> bool {
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

/// Writes what it visits.
struct Copy<'k, S> {
    to: S,
    keep: Keep<'k>,
}

impl<'de, S: Serializer> Visitor<'de> for Copy<'_, S> {
    type Value = S::Ok;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<S::Ok, E> {
        self.to.serialize_bool(value).map_err(E::custom)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<S::Ok, E> {
        self.to.serialize_i64(value).map_err(E::custom)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<S::Ok, E> {
        self.to.serialize_u64(value).map_err(E::custom)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<S::Ok, E> {
        self.to.serialize_f64(value).map_err(E::custom)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<S::Ok, E> {
        self.to.serialize_str(value).map_err(E::custom)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<S::Ok, E> {
        self.to.serialize_unit().map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<S::Ok, A::Error> {
        let mut to = self.to.serialize_seq(None).map_err(A::Error::custom)?;
        while from.next_element_seed(Element(&mut to))?.is_some() {}
        to.end().map_err(A::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<S::Ok, A::Error> {
        let mut to = self.to.serialize_map(None).map_err(A::Error::custom)?;
        while let Some(key) = from.next_key_seed(Key)? {
            if self.keep.keeps(&key) {
                to.serialize_key(&*key).map_err(A::Error::custom)?;
                from.next_value_seed(Member(&mut to))?;
            } else {
                from.next_value::<serde::de::IgnoredAny>()?;
            }
        }
        to.end().map_err(A::Error::custom)
    }
}

/// An object's key, borrowed where nothing in it is escaped.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// Where an array's element goes.
struct Element<'s, S>(&'s mut S);

impl<'de, S: SerializeSeq> DeserializeSeed<'de> for Element<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        let inner = Inner(RefCell::new(Some(from)));
        self.0.serialize_element(&inner).map_err(D::Error::custom)
    }
}

/// Where an object's member goes, whose key is written.
struct Member<'s, S>(&'s mut S);

impl<'de, S: SerializeMap> DeserializeSeed<'de> for Member<'_, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        let inner = Inner(RefCell::new(Some(from)));
        self.0.serialize_value(&inner).map_err(D::Error::custom)
    }
}

/// A value that can be read once, which is all that writing it needs.
struct Inner<D>(RefCell<Option<D>>);

impl<'de, D: Deserializer<'de>> Serialize for Inner<D> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let from = self.0.borrow_mut().take();
        let from = from.ok_or_else(|| S::Error::custom("read twice"))?;
        let keep = Keep::INSIDE;
        from.deserialize_any(Copy { to, keep })
            .map_err(S::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::value::RawValue;
    use serde_json::{Value, json};

    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn noise_goes_and_what_leads_on_stays() {
        let value = json!({
            "@odata.context": "x", "@odata.etag": "W/1", "@odata.type": "#microsoft.graph.user",
            "id": 1, "members@odata.context": "x", "members@odata.nextLink": "https://…",
            "members": [{"@odata.etag": "W/2", "@odata.id": "x", "id": 2}],
            "@microsoft.graph.downloadUrl": "https://secret", "@removed": {"reason": "deleted"},
        });
        let expected = json!({
            "@odata.etag": "W/1", "@odata.type": "#microsoft.graph.user", "id": 1,
            "members@odata.nextLink": "https://…", "members": [{"id": 2}],
            "@removed": {"reason": "deleted"},
        });
        let text = value.to_string();
        assert_eq!(
            serde_json::to_value(Clean::entity(&value, &[])).unwrap(),
            expected
        );
        assert_eq!(
            serde_json::to_value(Clean::entity(raw(&text), &[])).unwrap(),
            expected
        );
        let item = serde_json::to_value(Clean::item(raw(&text), &[])).unwrap();
        assert_eq!(item.get("@odata.etag"), None);
    }

    #[test]
    fn only_what_was_asked_for_is_kept() {
        let item =
            r#"{"id": 1, "displayName": "x", "start": {"a": 1, "b": 2}, "@odata.type": "t"}"#;
        let select = ["displayname".to_owned(), "start/a".to_owned()];
        assert_eq!(
            serde_json::to_string(&Clean::item(raw(item), &select)).unwrap(),
            r#"{"displayName":"x","start":{"a":1,"b":2},"@odata.type":"t"}"#
        );
    }

    #[test]
    fn the_services_own_order_and_escapes_are_kept_as_they_mean() {
        let text =
            r#"{"z":"\u00fc \"q\" \\ \n","a":[1,-2,3.5,null,true,{"\u0040odata.id":1}],"k\n":{}}"#;
        assert_eq!(
            serde_json::to_string(&Clean::entity(raw(text), &[])).unwrap(),
            r#"{"z":"ü \"q\" \\ \n","a":[1,-2,3.5,null,true,{}],"k\n":{}}"#
        );
    }

    #[test]
    fn what_is_no_text_is_an_error_and_no_panic() {
        let half = r#"{"a":"\ud800"}"#;
        assert!(serde_json::to_string(&Clean::entity(raw(half), &[])).is_err());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[a-z\"\\\\ü]{0,4}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_has_no_noise_stays_as_it_is(value in any_json()) {
            let text = value.to_string();
            let clean = serde_json::to_string(&Clean::item(raw(&text), &[])).unwrap();
            prop_assert_eq!(clean, text);
        }
    }
}
