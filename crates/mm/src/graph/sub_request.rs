//! One request of a batch, under the same rules as a call of its own.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use session_pool::domain::graph::{
    Attempt, Endpoint, Failed, Header, Method, Service, retry_after,
};
use session_pool::domain::registry::Connection;

use super::accepted::{Accepted, ELSEWHERE};
use super::batch::ends_in_batch;
use super::error::GraphError;
use super::refusal;

/// What a sub-request may have.
const KEYS: [&str; 6] = ["id", "method", "url", "headers", "body", "dependsOn"];

/// One call inside.
#[derive(Clone, Debug)]
pub(crate) struct SubRequest {
    pub(super) id: String,
    pub(crate) method: Method,
    /// Path behind the base, with the version.
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    pub(super) depends_on: Vec<String>,
    raw: Map<String, Value>,
}

impl SubRequest {
    /// Changes what it sends.
    pub(super) fn set_body(&mut self, body: Value) {
        self.raw.insert("body".to_owned(), body.clone());
        self.body = Some(body);
    }

    /// All of it, as a yes is bound to it.
    pub(super) fn bound(&self) -> Value {
        let mut raw = self.raw.clone();
        raw.insert("dependsOn".to_owned(), json!(self.depends_on));
        Value::Object(raw)
    }

    pub(super) fn parse(
        object: &Map<String, Value>,
        base: &str,
        version: &str,
    ) -> Result<Self, GraphError> {
        let wrong = |words: &str| GraphError::Request(words.to_owned());
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let id = id_of(object.get("id"));
        if id.is_empty() {
            return Err(wrong("\"id\" is missing"));
        }
        let method: Method = text("method")
            .unwrap_or("GET")
            .parse()
            .map_err(|error| GraphError::Request(format!("{error}")))?;
        let url = text("url").ok_or_else(|| wrong("\"url\" is missing"))?;
        if Self::is_nested(url) {
            return Err(wrong("a batch cannot hold a batch"));
        }
        let endpoint = Endpoint::in_batch(url, version, base)?;
        let relative = endpoint
            .path_and_query()
            .strip_prefix(&format!("/{version}"))
            .unwrap_or_default()
            .to_owned();
        let mut headers = match object.get("headers") {
            Some(Value::Object(headers)) => super::request::headers(headers)?,
            None | Some(Value::Null) => Vec::new(),
            Some(_) => return Err(wrong("\"headers\" must be an object")),
        };
        // As for a call of its own.
        if method == Method::Get && super::request::counts_or_searches(&endpoint) {
            super::request::complete(&mut headers);
        }
        let depends_on = match object.get("dependsOn") {
            Some(Value::Array(ids)) => ids.iter().map(|id| id_of(Some(id))).collect(),
            None | Some(Value::Null) => Vec::new(),
            Some(_) => return Err(wrong("\"dependsOn\" must be a list of ids")),
        };
        if let Some(unknown) = object.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let unknown: String = unknown.chars().take(60).collect();
            return Err(GraphError::Request(format!(
                "there is no {unknown:?} in a batch's requests: use {}",
                KEYS.join(", ")
            )));
        }
        let body = object.get("body").cloned();
        Ok(Self {
            raw: raw(&id, method, &relative, &headers, body.as_ref()),
            path: endpoint.path().to_owned(),
            id,
            method,
            body,
            depends_on,
        })
    }

    fn is_nested(url: &str) -> bool {
        ends_in_batch(url.split('?').next().unwrap_or_default())
    }

    /// As it is sent, among these.
    pub(super) fn wire(&self, among: &HashSet<&str>) -> Value {
        let mut raw = self.raw.clone();
        let depends: Vec<&String> = self
            .depends_on
            .iter()
            .filter(|id| among.contains(id.as_str()))
            .collect();
        if !depends.is_empty() {
            raw.insert("dependsOn".to_owned(), json!(depends));
        }
        Value::Object(raw)
    }

    /// Its answer: a refusal without names, and with what to do.
    pub(super) fn explained(&self, mut answer: Value, connection: &Connection) -> Value {
        let status = status(&answer);
        self.lead_nowhere_else(status, &mut answer, connection.cloud.graph_url());
        if status < 400 || answer.get("headers").is_none() {
            return answer;
        }
        let written = self.body.as_ref().map(Value::to_string);
        let error = answer
            .pointer_mut("/body/error")
            .filter(|it| it.is_object());
        if let Some(error) = error {
            let written = written.unwrap_or_default();
            let advice = refusal::explained(status, error, &self.path, &written, connection);
            if let Some(fields) = answer.as_object_mut() {
                fields.insert("advice".to_owned(), advice.into());
            }
        }
        answer
    }

    /// A place on another host is not told: it may be good for itself, and names the tenant.
    fn lead_nowhere_else(&self, status: u16, answer: &mut Value, base: &str) {
        let advice = match status {
            202 => ELSEWHERE,
            300..400 => {
                "the service leads to another host, which a batch does not follow: make this call \
                 on its own"
            }
            _ => return,
        };
        let version = self.path.split('/').nth(1).unwrap_or("v1.0");
        let Some(fields) = answer.as_object_mut() else {
            return;
        };
        let Some(Value::Object(headers)) = fields.get_mut("headers") else {
            return;
        };
        let before = headers.len();
        headers.retain(|name, value| {
            let names = ["location", "operation-location"];
            let leads = names.iter().any(|own| own.eq_ignore_ascii_case(name));
            let to = value.as_str().unwrap_or_default();
            !leads || Accepted::named(to, version, Service::Graph, base) != Accepted::Elsewhere
        });
        if headers.len() < before {
            fields.insert("advice".to_owned(), advice.into());
        }
    }

    /// How long to wait before it is sent again, where it must be.
    pub(super) fn again(&self, answer: &Value, number: u32) -> Option<Duration> {
        let named = answer
            .get("headers")
            .and_then(Value::as_object)
            .and_then(|headers| {
                let (_, value) = headers
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
                match value {
                    Value::String(text) => retry_after(text, Timestamp::now()),
                    Value::Number(number) => Some(Duration::from_secs(number.as_u64()?)),
                    _ => None,
                }
            });
        Attempt {
            method: self.method,
            failed: Failed::Status(status(answer)),
            retry_after: named,
            number,
        }
        .wait()
    }
}

fn raw(
    id: &str,
    method: Method,
    url: &str,
    headers: &[Header],
    body: Option<&Value>,
) -> Map<String, Value> {
    let mut raw = Map::new();
    raw.insert("id".to_owned(), id.into());
    raw.insert("method".to_owned(), method.as_str().into());
    raw.insert("url".to_owned(), url.into());
    let mut own: Map<String, Value> = headers
        .iter()
        .map(|header| (header.name.to_owned(), header.value.clone().into()))
        .collect();
    if let Some(body) = body {
        // Graph refuses a body without its type.
        own.entry("Content-Type")
            .or_insert_with(|| "application/json".into());
        raw.insert("body".to_owned(), body.clone());
    }
    if !own.is_empty() {
        raw.insert("headers".to_owned(), Value::Object(own));
    }
    raw
}

pub(super) fn id_of(id: Option<&Value>) -> String {
    match id {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => String::new(),
    }
}

pub(super) fn status(answer: &Value) -> u16 {
    let status = answer.get("status").and_then(Value::as_u64).unwrap_or(0);
    u16::try_from(status).unwrap_or(0)
}
