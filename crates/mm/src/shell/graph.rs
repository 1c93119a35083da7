//! `mm graph`.

use std::future::Future;
use std::io::{self, Read};
use std::pin::Pin;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{Exit, Output, OutputError, complain};
use crate::cli::GraphCall;
use crate::consent::{self, Way};
use crate::graph::{
    self, Answer, Bounds, Content, Form, Graph, GraphError, Heard, Hears, Places, Shown, Takes,
};
use crate::text::Reader;
use crate::tools::graph::{GraphOutcome, GraphRequest};
use crate::tools::{Arguments, Failure, Outcome, Place};

/// Does a call and prints what it reads as it comes, or lists the connections.
pub(crate) async fn graph(call: GraphCall, files_dir: Option<std::path::PathBuf>) -> Exit {
    let mut paper = Paper::new(call.json);
    let places = Places::from_environment(files_dir);
    let graph = places.map(Graph::new);
    let place = Place::of_graph(call.connection.clone(), graph.as_ref().ok());
    let outcome = match graph {
        Ok(graph) => outcome(call, &graph, &mut paper).await,
        Err(error) => Err(GraphError::Places(error).into()),
    };
    match outcome {
        Ok(GraphOutcome::Connections(list)) => {
            let outcome = Outcome::Graph(GraphOutcome::Connections(list));
            super::list(Ok(outcome), paper.json).await
        }
        Ok(GraphOutcome::Answer(answer)) => paper.finish(&answer).await,
        Err(failure) => paper.output.failure_of(&place, &failure).await,
    }
}

async fn outcome(
    call: GraphCall,
    graph: &Graph,
    paper: &mut Paper,
) -> Result<GraphOutcome, Failure> {
    let arguments = Arguments::new(Some(arguments(call)?));
    match GraphRequest::parse(arguments)? {
        GraphRequest::Connections => Ok(GraphOutcome::Connections(graph.connections()?)),
        GraphRequest::Call(mut request) => {
            request.client = Some("mm graph".to_owned());
            // Programs that want JSON are not asked, and neither is who gave a code.
            if !paper.json && request.confirmation.is_none() && consent::is_there() {
                request.asking.way = Way::Terminal;
            }
            // A shell has all the time and room that it takes.
            let bounds = Bounds::default();
            let answer = graph
                .call(*request, bounds, &mut Aside, Some(paper))
                .await?;
            Ok(GraphOutcome::Answer(Box::new(answer)))
        }
    }
}

/// The same arguments that the tool takes, so that there is one way of reading them.
fn arguments(call: GraphCall) -> Result<Map<String, Value>, GraphError> {
    let wrong = |words: String| GraphError::Request(words);
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
    text("confirmation", call.confirmation);
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
    let mut pairs = Map::new();
    for text in texts {
        let Some((name, value)) = text.split_once(separator) else {
            return Err(format!("{text:?} must be NAME{separator}VALUE"));
        };
        let name = name.trim().to_owned();
        if pairs.contains_key(&name) {
            return Err(format!("{name:?} is given twice: keep one of the two"));
        }
        pairs.insert(name, value.trim_start().into());
    }
    Ok(pairs)
}

/// The answer itself goes to standard output, as it comes; everything about it to standard error.
struct Paper {
    output: Output,
    json: bool,
    /// Whether a collection has been begun.
    begun: bool,
}

impl Paper {
    fn new(json: bool) -> Self {
        Self {
            output: Output::new(json),
            json,
            begun: false,
        }
    }

    /// Prints what has not been printed.
    async fn finish(mut self, answer: &Answer) -> Exit {
        let exit = match &answer.content {
            Content::Failed(GraphError::NotTaken(error)) => return OutputError::exit_of(error),
            Content::SignIn(_)
            | Content::BrokeOff {
                error: GraphError::SignInNeeded(_),
                ..
            } => Exit::SignInNeeded,
            Content::Failed(error) => match error.code() {
                "blocked" => Exit::Blocked,
                "declined" => Exit::NotConfirmed,
                _ => Exit::Failed,
            },
            Content::BrokeOff { .. } => Exit::Failed,
            Content::Confirm(_) | Content::Question(_) => Exit::NotConfirmed,
            Content::Shown(_)
            | Content::Nothing(_)
            | Content::Blob(..)
            | Content::Saved { .. }
            | Content::Ongoing { .. } => Exit::Succeeded,
        };
        if let Err(error) = self.rest(answer).await {
            return error.exit();
        }
        if !self.json {
            let _ = std::io::Write::write_all(&mut std::io::stderr(), about(answer).as_bytes());
        }
        exit
    }

    async fn rest(&mut self, answer: &Answer) -> Result<(), OutputError> {
        if self.json {
            let object = object(answer).to_string();
            // Standing behind its output, the object goes on.
            let rest = match object.strip_prefix('{') {
                Some(fields) if self.begun => format!("{},{fields}", self.unclosed(answer)),
                _ => object,
            };
            return self.output.finish_with(&rest).await;
        }
        match answer.content.parts().0 {
            Content::Shown(Shown {
                output: Some(text), ..
            }) => self.output.finish_with(text.trim_end()).await,
            Content::Shown(Shown { format: "json", .. }) => self.output.finish_with("").await,
            _ => self.output.flush().await,
        }
    }

    /// The end of an array that broke off: what stands in it is true, and `status` says the rest.
    fn unclosed(&self, answer: &Answer) -> &'static str {
        match answer.content {
            Content::Failed(_) => "]",
            _ => "",
        }
    }
}

impl Takes for Paper {
    fn form(&self) -> Form {
        if self.json {
            Form::Compact
        } else {
            Form::Indented
        }
    }

    fn take<'a>(
        &'a mut self,
        piece: Bytes,
    ) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'a>> {
        Box::pin(async move {
            if self.json && !self.begun {
                self.output.piece(b"{\"output\":").await?;
            }
            self.begun = true;
            self.output.piece(&piece).await
        })
    }
}

/// For scripts, the answer's JSON as JSON and not as a text.
fn object(answer: &Answer) -> Value {
    let mut value = graph::structured(answer);
    if let (Value::Object(fields), Content::Shown(shown)) = (&mut value, answer.content.parts().0)
        && shown.format == "json"
        && let Some(Ok(parsed)) = shown.output.as_deref().map(serde_json::from_str::<Value>)
    {
        fields.insert("output".to_owned(), parsed);
    }
    value
}

/// The text of the answer without the part that stands on standard output.
fn about(answer: &Answer) -> String {
    let text = graph::text(answer, Reader::Shell);
    let Content::Shown(shown) = answer.content.parts().0 else {
        return text;
    };
    let rest = match shown.output.as_deref() {
        Some(output) if !output.is_empty() => text.replacen(output, "", 1),
        _ => text,
    };
    rest.replace("\n\n\n", "\n")
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
