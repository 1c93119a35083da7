//! What a call of Graph asks for.

use serde_json::{Map, Value};
use session_pool::domain::graph::{Endpoint, Header, Method, Query, Service};

use super::error::GraphError;
use super::upload::asks_for_session;
use crate::consent::Asking;

/// Items of an answer with `all_pages` where the caller says nothing.
pub(crate) const DEFAULT_ITEMS: usize = 1000;

/// Most items that can be asked for in one answer.
pub(crate) const MOST_ITEMS: u32 = 1_000_000;

/// A call, as far as it can be checked without knowing the connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// The connection's name.
    pub(crate) connection: String,
    /// Where; empty with a cursor.
    pub(crate) endpoint: String,
    /// How.
    pub(crate) method: Method,
    /// What is sent: a JSON value, or a text as it is.
    pub(crate) body: Option<Value>,
    /// Graph or Power Automate.
    pub(crate) service: Service,
    /// The code of an answer that asked for a confirmation.
    pub(crate) confirmation: Option<String>,
    /// The original's word for a yes, which counts under `MM_SEND_GUARDS=legacy` only.
    pub(crate) confirmed: bool,
    /// Whom the call can ask.
    pub(crate) asking: Asking,
    /// Who calls, as the client names itself.
    pub(crate) client: Option<String>,
    /// The caller's trace.
    pub(crate) trace_id: Option<String>,
    /// Headers of the allow-list.
    pub(crate) headers: Vec<Header>,
    /// Query options beside those of the endpoint.
    pub(crate) query: Query,
    /// Whether further pages are fetched without being asked for.
    pub(crate) all_pages: bool,
    /// How many items are wanted at most.
    pub(crate) max_items: Option<usize>,
    /// The properties that are wanted.
    pub(crate) select: Vec<String>,
    /// Where an earlier answer goes on.
    pub(crate) cursor: Option<String>,
    /// The file that the answer is written to.
    pub(crate) save_to: Option<String>,
    /// The file that is sent.
    pub(crate) upload_from: Option<String>,
}

impl Request {
    /// Checks what belongs together.
    ///
    /// # Errors
    /// [`GraphError::Request`] in a sentence.
    pub(crate) fn check(mut self) -> Result<Self, GraphError> {
        let wrong = |words: &str| Err(GraphError::Request(words.to_owned()));
        let reads = self.method == Method::Get;
        if self.cursor.is_some() {
            let others = !self.endpoint.is_empty() || !self.query.is_empty();
            if others || self.body.is_some() || !reads {
                return wrong(
                    "a cursor stands for the whole call: give it with the connection, without \
                     endpoint, query, method and body",
                );
            }
        } else if self.endpoint.trim().is_empty() {
            return wrong("\"endpoint\" is missing: give a path such as /users or /me/messages");
        }
        if reads && (self.body.is_some() || self.upload_from.is_some()) {
            return wrong("GET sends no body: use POST, PATCH or PUT");
        }
        if self.method == Method::Delete && self.upload_from.is_some() {
            return wrong("DELETE sends no file");
        }
        if self.upload_from.is_some() {
            match &self.body {
                Some(_) if !asks_for_session(path_of(&self.endpoint)) => {
                    return wrong(
                        "give either \"body\" or \"upload_from\": both go only with an endpoint \
                         that ends in /createUploadSession, whose session the body describes",
                    );
                }
                Some(Value::Object(_)) | None => {}
                Some(_) => {
                    return wrong("the description of an upload session must be a JSON object");
                }
            }
        }
        if !reads && (self.all_pages || self.max_items.is_some()) {
            return wrong("\"all_pages\" and \"max_items\" are for GET");
        }
        self.select.retain(|field| !field.trim().is_empty());
        if !self.select.is_empty() {
            if !reads {
                return wrong("\"select_fields\" is for GET");
            }
            if self.cursor.is_none() {
                self.query.add("$select", &self.select.join(","))?;
            }
        }
        // `confirmed` inside the body, as the original took it: no part of what is sent.
        if let Some(Value::Object(body)) = &mut self.body {
            self.confirmed |= body.remove("confirmed") == Some(Value::Bool(true));
        }
        Ok(self)
    }

    /// The body's bytes.
    pub(crate) fn body_bytes(&self) -> Option<bytes::Bytes> {
        match self.body.as_ref()? {
            Value::String(text) => Some(text.clone().into()),
            value => Some(value.to_string().into()),
        }
    }

    /// The headers, with what Graph needs beside them: counting and searching the directory wants
    /// a consistency level, and nobody gains by leaving it out.
    pub(crate) fn completed_headers(&self, counts_or_searches: bool) -> Vec<Header> {
        let mut headers = self.headers.clone();
        if counts_or_searches && self.method == Method::Get {
            complete(&mut headers);
        }
        headers
    }
}

/// Whether a call counts or searches.
pub(crate) fn counts_or_searches(endpoint: &Endpoint) -> bool {
    endpoint.has_option("count")
        || endpoint.has_option("search")
        || endpoint.path().ends_with("/$count")
}

/// Adds the consistency level, where there is none.
pub(crate) fn complete(headers: &mut Vec<Header>) {
    if !headers
        .iter()
        .any(|header| header.name == "ConsistencyLevel")
    {
        headers.extend(Header::new("ConsistencyLevel", "eventual"));
    }
}

fn path_of(endpoint: &str) -> &str {
    endpoint.split(['?', '#']).next().unwrap_or_default()
}

/// Reads an object of headers.
///
/// # Errors
/// The first that may not be set.
pub(crate) fn headers(object: &Map<String, Value>) -> Result<Vec<Header>, GraphError> {
    let headers = object
        .iter()
        .map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Ok(Header::new(name, &text)?)
        })
        .collect::<Result<Vec<_>, GraphError>>()?;
    let mut names: Vec<&str> = headers.iter().map(|header| header.name).collect();
    names.sort_unstable();
    match names.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(*one),
        _ => None,
    }) {
        Some(name) => Err(GraphError::Request(format!(
            "the header {name} is given twice: keep one of the two"
        ))),
        None => Ok(headers),
    }
}

/// Reads an object of query options.
///
/// # Errors
/// The first that cannot be sent.
pub(crate) fn query(object: &Map<String, Value>) -> Result<Query, GraphError> {
    Ok(Query::new(object)?)
}
