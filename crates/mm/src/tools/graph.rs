//! The tool `graph_request`: a call of Microsoft Graph or Power Automate, or the connections.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use session_pool::domain::graph::Service;
use session_pool::domain::registry::Connection;
use session_pool::domain::trace::TraceParent;

use super::{ArgumentError, Arguments, Caller, Failure};
use crate::graph::{
    self, Answer, Bounds, CHARACTERS, Graph, GraphError, Heard, Hears, MOST_ITEMS, Request,
};
use crate::progress::Reporter;
use crate::text::Reader;

/// The arguments, in the order in which they are explained.
pub(crate) const ARGUMENTS: [&str; 15] = [
    "connection",
    "endpoint",
    "method",
    "body",
    "resource",
    "confirmation",
    "confirmed",
    "headers",
    "query",
    "all_pages",
    "max_items",
    "select_fields",
    "cursor",
    "save_to",
    "upload_from",
];

/// Many clients give up at 60 s, and none before 45.
const WITHIN: Duration = Duration::from_secs(44);

/// What `graph_request` was called with.
#[derive(Debug)]
pub(crate) enum GraphRequest {
    /// Nothing: which connections are there?
    Connections,
    /// A call.
    Call(Box<Request>),
}

/// What it answers.
#[derive(Debug)]
pub(crate) enum GraphOutcome {
    /// The connections there are.
    Connections(Vec<Arc<Connection>>),
    /// What came of a call.
    Answer(Box<Answer>),
}

impl GraphRequest {
    /// Reads the arguments.
    ///
    /// # Errors
    /// The first that cannot be used.
    pub(crate) fn parse(mut arguments: Arguments) -> Result<Self, Failure> {
        if arguments.is_empty() {
            return Ok(Self::Connections);
        }
        let connection = arguments.text("connection")?;
        let request = Request {
            endpoint: arguments.text("endpoint")?.unwrap_or_default(),
            method: match arguments.text("method")? {
                Some(name) => name
                    .parse()
                    .map_err(|error| GraphError::Request(format!("{error}")))?,
                None => session_pool::domain::graph::Method::Get,
            },
            body: arguments.value("body").map(body),
            service: service(arguments.text("resource")?)?,
            confirmation: arguments.text("confirmation")?,
            confirmed: arguments.flag("confirmed")?.unwrap_or_default(),
            headers: graph::headers(&arguments.object("headers")?)?,
            query: graph::query(&arguments.object("query")?)?,
            all_pages: arguments.flag("all_pages")?.unwrap_or_default(),
            max_items: max_items(&mut arguments)?,
            select: arguments.texts("select_fields")?,
            cursor: arguments.text("cursor")?,
            save_to: arguments.text("save_to")?,
            upload_from: arguments.text("upload_from")?,
            connection: connection.clone().unwrap_or_default(),
            ..Request::default()
        };
        arguments.finish(&ARGUMENTS)?;
        if connection.is_none() {
            return Err(ArgumentError::Missing {
                names: vec!["connection"],
                hint: "give connection and endpoint, or no arguments at all to list the connections",
            }
            .into());
        }
        Ok(Self::Call(Box::new(request)))
    }

    /// Does it. A call that is cancelled is given up.
    ///
    /// # Errors
    /// When the call is wrong in itself.
    pub(crate) async fn call(self, graph: &Graph, caller: Caller) -> Result<GraphOutcome, Failure> {
        let mut request = match self {
            Self::Connections => return Ok(GraphOutcome::Connections(graph.connections()?)),
            Self::Call(request) => *request,
        };
        request.asking = caller.asking;
        request.client = caller.name;
        request.trace_id = caller.trace.map(TraceParent::trace_id);
        let bounds = Bounds {
            characters: Some(CHARACTERS),
            within: Some(WITHIN),
        };
        let reads = request.method == session_pool::domain::graph::Method::Get;
        let mut listener = Listener(caller.reporter);
        let answer = tokio::select! {
            answer = graph.call(request, bounds, &mut listener, None) => answer?,
            () = caller.cancelled.cancelled() => return Err(GraphError::Cancelled(reads).into()),
        };
        Ok(GraphOutcome::Answer(Box::new(answer)))
    }
}

/// Tells the client how far a call is.
struct Listener(Reporter);

impl Hears for Listener {
    fn hear<'a>(&'a mut self, heard: Heard) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move { self.0.note(heard.to_string()).await })
    }
}

/// Some clients send objects as JSON text; a text that is no object or array is sent as it is.
fn body(value: Value) -> Value {
    match &value {
        Value::String(text) => match serde_json::from_str(text) {
            Ok(parsed @ (Value::Object(_) | Value::Array(_))) => parsed,
            _ => value,
        },
        _ => value,
    }
}

fn service(name: Option<String>) -> Result<Service, ArgumentError> {
    match name.as_deref() {
        None | Some("graph") => Ok(Service::Graph),
        Some("flow") => Ok(Service::Flow),
        Some(other) => Err(ArgumentError::Type {
            name: "resource",
            expected: "\"graph\" or \"flow\"",
            given: format!("{:?}", other.chars().take(50).collect::<String>()),
        }),
    }
}

fn max_items(arguments: &mut Arguments) -> Result<Option<usize>, ArgumentError> {
    match arguments.number("max_items")? {
        Some(number) if number == 0 || number > MOST_ITEMS => Err(ArgumentError::Type {
            name: "max_items",
            expected: "1 to 1000000",
            given: number.to_string(),
        }),
        Some(number) => Ok(usize::try_from(number).ok()),
        None => Ok(None),
    }
}

/// The connections, in words.
pub(crate) fn text(connections: &[Arc<Connection>], reader: Reader) -> String {
    if connections.is_empty() {
        return "There are no connections. Add one to the registry (~/.m365-connections.json), for \
                example {\"connections\": {\"NAME\": {\"tenant\": \"contoso.com\", \"appId\": \"…\"}}}.\n"
            .to_owned();
    }
    let mut text = format!("{} connections:\n", connections.len());
    for connection in connections {
        let tenant = connection
            .tenant
            .clone()
            .or_else(|| connection.tenant_for_sign_in());
        text.push_str(&format!(
            "\nConnection: {} | tenant: {} | {}",
            connection.name,
            tenant.as_deref().unwrap_or("not named in the registry"),
            how(connection)
        ));
        if let Some(description) = &connection.description {
            text.push_str(&format!("\n  {description}"));
        }
        text.push('\n');
    }
    text.push_str(match reader {
        Reader::Assistant => {
            "\nNext: call `graph_request` with connection and endpoint, such as /me or /users.\n"
        }
        Reader::Shell => "\nNext: mm graph NAME ENDPOINT, such as /me or /users.\n",
    });
    text
}

fn how(connection: &Connection) -> String {
    if connection.authentication.is_app_only() {
        return "signs in as the app itself".to_owned();
    }
    match &connection.expected_email {
        Some(account) => format!("signs in as {account}"),
        None => "signs in by device code".to_owned(),
    }
}

/// The connections, for programs.
pub(crate) fn structured(connections: &[Arc<Connection>]) -> Value {
    let list: Vec<Value> = connections
        .iter()
        .map(|connection| {
            let mut fields = Map::new();
            let mut put = |name: &str, value: Option<String>| {
                if let Some(value) = value {
                    fields.insert(name.to_owned(), value.into());
                }
            };
            put("name", Some(connection.name.to_string()));
            put("tenant", connection.tenant_for_sign_in());
            put("description", connection.description.clone());
            put("expected_account", connection.expected_email.clone());
            Value::Object(fields)
        })
        .collect();
    serde_json::json!({"status": "success", "connections": list})
}
