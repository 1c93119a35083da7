//! `mm graph`.

use std::future::Future;
use std::io::Read;
use std::pin::Pin;

use serde_json::{Map, Value};

use super::{Exit, Output, complain};
use crate::cli::GraphCall;
use crate::graph::{self, Answer, Bounds, Content, Graph, Heard, Hears, Places};
use crate::tools::graph::{GraphOutcome, GraphRequest};
use crate::tools::{Arguments, Failure, Outcome};

/// Does a call, or lists the connections.
pub(crate) async fn graph(call: GraphCall, files_dir: Option<std::path::PathBuf>) -> Exit {
    let json = call.json;
    match outcome(call, files_dir).await {
        Ok(GraphOutcome::Connections(list)) => {
            let outcome = Outcome::Graph(GraphOutcome::Connections(list));
            super::list(Ok(outcome), json).await
        }
        Ok(GraphOutcome::Answer(answer)) => print(&answer, json).await,
        Err(failure) => Output::new(json).failure(&failure).await,
    }
}

async fn outcome(
    call: GraphCall,
    files_dir: Option<std::path::PathBuf>,
) -> Result<GraphOutcome, Failure> {
    let places = Places::from_environment(files_dir).map_err(graph::GraphError::Places)?;
    let graph = Graph::new(places);
    let arguments = Arguments::new(Some(arguments(call)?));
    match GraphRequest::parse(arguments)? {
        GraphRequest::Connections => Ok(GraphOutcome::Connections(graph.connections()?)),
        GraphRequest::Call(request) => {
            // A shell has all the time and room that it takes.
            let answer = graph.call(*request, Bounds::default(), &mut Aside).await?;
            Ok(GraphOutcome::Answer(Box::new(answer)))
        }
    }
}

/// The same arguments that the tool takes, so that there is one way of reading them.
fn arguments(call: GraphCall) -> Result<Map<String, Value>, graph::GraphError> {
    let wrong = |words: String| graph::GraphError::Request(words);
    let mut arguments = Map::new();
    let mut text = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            arguments.insert(name.to_owned(), value.into());
        }
    };
    text("connection", call.connection);
    text("endpoint", call.endpoint);
    text("method", call.method);
    text("resource", call.resource);
    text("select_fields", call.select);
    text("cursor", call.cursor);
    text("save_to", call.save_to);
    text("upload_from", call.upload_from);
    let body = match call.body.as_deref() {
        Some("-") => {
            let mut body = String::new();
            std::io::stdin()
                .read_to_string(&mut body)
                .map_err(|error| wrong(format!("standard input cannot be read: {error}")))?;
            Some(body)
        }
        _ => call.body,
    };
    text("body", body);
    let query = pairs(&call.query, '=').map_err(wrong)?;
    let headers = pairs(&call.header, ':').map_err(wrong)?;
    for (name, object) in [("query", query), ("headers", headers)] {
        if !object.is_empty() {
            arguments.insert(name.to_owned(), Value::Object(object));
        }
    }
    for (name, flag) in [("all_pages", call.all_pages), ("confirmed", call.confirmed)] {
        if flag {
            arguments.insert(name.to_owned(), true.into());
        }
    }
    if let Some(number) = call.max_items {
        arguments.insert("max_items".to_owned(), number.into());
    }
    Ok(arguments)
}

fn pairs(texts: &[String], separator: char) -> Result<Map<String, Value>, String> {
    texts
        .iter()
        .map(|text| match text.split_once(separator) {
            Some((name, value)) => Ok((name.trim().to_owned(), value.trim_start().into())),
            None => Err(format!("{text:?} must be NAME{separator}VALUE")),
        })
        .collect()
}

/// The answer itself goes to standard output, everything about it to standard error.
async fn print(answer: &Answer, json: bool) -> Exit {
    let mut output = Output::new(json);
    let (printed, exit) = match &answer.content {
        Content::Shown(shown) => (Some(shown.output.trim_end()), Exit::Succeeded),
        Content::Nothing(_) | Content::Blob(..) | Content::Saved { .. } => (None, Exit::Succeeded),
        Content::SignIn(_) => (None, Exit::SignInNeeded),
        Content::Preview(_) => (None, Exit::NotConfirmed),
        Content::Failed(_) => (None, Exit::Failed),
    };
    let written = if json {
        output.finish_with(&object(answer).to_string()).await
    } else {
        match printed {
            Some(text) => output.finish_with(text).await,
            None => Ok(()),
        }
    };
    if let Err(error) = written {
        return error.exit();
    }
    if !json {
        let _ = std::io::Write::write_all(&mut std::io::stderr(), about(answer).as_bytes());
    }
    exit
}

/// For scripts, the answer's JSON as JSON and not as a text.
fn object(answer: &Answer) -> Value {
    let mut value = graph::structured(answer);
    if let (Value::Object(fields), Content::Shown(shown)) = (&mut value, &answer.content)
        && shown.format == "json"
        && let Ok(parsed) = serde_json::from_str::<Value>(&shown.output)
    {
        fields.insert("output".to_owned(), parsed);
    }
    value
}

/// The text of the answer without the part that stands on standard output.
fn about(answer: &Answer) -> String {
    let text = graph::text(answer);
    match &answer.content {
        Content::Shown(shown) if !shown.output.is_empty() => text
            .replacen(shown.output.as_str(), "", 1)
            .replace("\n\n\n", "\n"),
        _ => text,
    }
}

/// Tells a person on standard error how far a call is.
struct Aside;

impl Hears for Aside {
    fn hear<'a>(&'a mut self, heard: Heard) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            if matches!(heard, Heard::Waiting { .. } | Heard::Uploaded { .. }) {
                let _: Exit = complain(&heard.to_string(), Exit::Succeeded);
            }
        })
    }
}
