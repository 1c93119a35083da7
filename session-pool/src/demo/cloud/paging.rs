//! Collections: `$filter`, `$search`, `$select`, `$top`, `$count`, next links and deltas.

use std::collections::HashMap;

use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::reply;

/// Items of a page where the caller says nothing, and at most, as Graph has it for users.
const DEFAULT_TOP: usize = 100;
const LARGEST_TOP: usize = 999;

/// The query options of one request.
pub(super) type Query = HashMap<String, String>;

/// A collection as one request sees it.
pub(super) struct Listing<'a> {
    /// Where the request went, without query.
    pub(super) url: String,
    pub(super) query: &'a Query,
    pub(super) headers: &'a HeaderMap,
    /// Whether the last page has a delta link.
    pub(super) delta: bool,
}

impl Listing<'_> {
    /// One page of the items.
    pub(super) fn of(&self, items: &[Value]) -> Response {
        let eventual = self
            .headers
            .get("consistencylevel")
            .is_some_and(|level| level.as_bytes().eq_ignore_ascii_case(b"eventual"));
        let counted = self.option("count").is_some_and(|count| count == "true");
        let search = self.option("search");
        if (counted || search.is_some()) && !eventual {
            return reply::error(
                axum::http::StatusCode::BAD_REQUEST,
                "Request_UnsupportedQuery",
                "Request with $search or $count query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
            );
        }
        let wanted: Result<Vec<&Value>, &str> = match self.option("filter").map(Filter::parse) {
            Some(None) => Err("Invalid filter clause"),
            Some(Some(filter)) => Ok(items.iter().filter(|item| filter.takes(item)).collect()),
            None => Ok(items.iter().collect()),
        };
        let mut wanted = match wanted {
            Ok(wanted) => wanted,
            Err(message) => return reply::bad_request(message),
        };
        if let Some(search) = search {
            let words = search.trim_matches('"').to_lowercase();
            let word = words.rsplit(':').next().unwrap_or_default().to_owned();
            wanted.retain(|item| item.to_string().to_lowercase().contains(&word));
        }
        let skip = self
            .option("skiptoken")
            .and_then(|token| token.strip_prefix("demo-")?.parse().ok())
            .unwrap_or(0_usize);
        let top = self
            .option("top")
            .and_then(|top| top.parse().ok())
            .unwrap_or(DEFAULT_TOP)
            .clamp(1, LARGEST_TOP);
        let page: Vec<Value> = wanted
            .iter()
            .skip(skip)
            .take(top)
            .map(|item| self.selected(item))
            .collect();
        let mut answer = json!({"value": page});
        let next = skip.saturating_add(top);
        if let Some(object) = answer.as_object_mut() {
            if counted {
                object.insert("@odata.count".to_owned(), wanted.len().into());
            }
            if next < wanted.len() {
                let link = self.link("$skiptoken", &format!("demo-{next}"));
                object.insert("@odata.nextLink".to_owned(), link.into());
            } else if self.delta {
                let link = self.link("$deltatoken", "demo-latest");
                object.insert("@odata.deltaLink".to_owned(), link.into());
            }
        }
        reply::ok(answer, &format!("{}/$metadata#collection", self.url))
    }

    /// The same request with another token.
    fn link(&self, name: &str, token: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let mut pairs: Vec<_> = self.query.iter().collect();
        pairs.sort();
        for (key, value) in pairs {
            if !["$skiptoken", "$deltatoken"].contains(&key.as_str()) {
                query.append_pair(key, value);
            }
        }
        query.append_pair(name, token);
        format!("{}?{}", self.url, query.finish())
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.query
            .get(&format!("${name}"))
            .or_else(|| self.query.get(name))
            .map(String::as_str)
    }

    /// The item with the selected properties only.
    pub(super) fn selected(&self, item: &Value) -> Value {
        let (Some(select), Some(object)) = (self.option("select"), item.as_object()) else {
            return item.clone();
        };
        let names: Vec<&str> = select.split(',').map(str::trim).collect();
        let kept: Map<String, Value> = object
            .iter()
            .filter(|(key, _)| names.iter().any(|name| name.eq_ignore_ascii_case(key)))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        Value::Object(kept)
    }
}

/// `startswith(name,'x')`, `endswith`, `contains`, `name eq 'x'`: as much of OData as people try.
enum Filter {
    Function(String, String, String),
    Equals(String, String),
}

impl Filter {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some((name, rest)) = text.split_once('(') {
            let (field, value) = rest.strip_suffix(')')?.split_once(',')?;
            let name = name.trim().to_ascii_lowercase();
            if !["startswith", "endswith", "contains"].contains(&name.as_str()) {
                return None;
            }
            return Some(Self::Function(
                name,
                field.trim().to_owned(),
                literal(value)?,
            ));
        }
        let (field, value) = text.split_once(" eq ")?;
        Some(Self::Equals(field.trim().to_owned(), literal(value)?))
    }

    fn takes(&self, item: &Value) -> bool {
        let field = |name: &str| {
            let object = item.as_object()?;
            let (_, value) = object
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
            Some(match value {
                Value::String(text) => text.to_lowercase(),
                other => other.to_string(),
            })
        };
        match self {
            Self::Equals(name, value) => field(name).as_ref() == Some(value),
            Self::Function(function, name, value) => {
                field(name).is_some_and(|own| match function.as_str() {
                    "startswith" => own.starts_with(value),
                    "endswith" => own.ends_with(value),
                    _ => own.contains(value),
                })
            }
        }
    }
}

fn literal(text: &str) -> Option<String> {
    let text = text.trim();
    match text.strip_prefix('\'') {
        Some(rest) => Some(rest.strip_suffix('\'')?.replace("''", "'").to_lowercase()),
        None => Some(text.to_lowercase()),
    }
}
