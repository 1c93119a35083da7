//! Asking a person by way of an MCP client, in every era.

use rmcp::RoleServer;
use rmcp::model::{
    ElicitRequest, InputRequest, InputRequests, InputRequiredResult, InputResponses,
};
use rmcp::service::RequestContext;
use session_pool::domain::wire::JobAnswer;

use crate::consent::{self, Asking, FIELD, Way};
use crate::graph::{Content, Question};
use crate::server::is_modern;
use crate::tools::Outcome;
use crate::tools::graph::GraphOutcome;

/// What a call brings of a question that was asked before (2026-07-28).
#[derive(Debug, Default)]
pub(crate) struct Brought {
    pub(crate) state: Option<String>,
    pub(crate) responses: Option<InputResponses>,
}

/// Whether the client shows forms: `{}` means that it does.
pub(crate) fn elicits(context: &RequestContext<RoleServer>) -> bool {
    let capabilities = context.client_capabilities();
    capabilities
        .and_then(|capabilities| capabilities.elicitation)
        .is_some_and(|elicitation| elicitation.form.is_some() || elicitation.url.is_none())
        // Without a form nobody can be asked by one.
        && consent::params("").is_some()
}

/// Whom a call of this client can ask.
pub(crate) fn asking(context: &RequestContext<RoleServer>, brought: Brought) -> Asking {
    if !elicits(context) {
        return Asking::default();
    }
    if !is_modern(context) {
        return Asking {
            way: Way::Request(context.peer.clone()),
            ..Asking::default()
        };
    }
    let answer = brought.responses.as_ref().and_then(|all| all.get(FIELD));
    Asking {
        way: Way::Form,
        state: brought.state,
        reply: answer.map(consent::reply),
    }
}

/// The answer that asks, where this outcome is a question.
pub(crate) fn question(outcome: &Outcome) -> Option<InputRequiredResult> {
    let question: &Question = match outcome {
        Outcome::Question(question) => question,
        Outcome::Graph(GraphOutcome::Answer(answer)) => match &answer.content {
            Content::Question(question) => question,
            _ => return None,
        },
        _ => return None,
    };
    let params = consent::params(&question.message)?;
    let request = InputRequest::Elicitation(ElicitRequest::new(params));
    let requests: InputRequests = [(FIELD.to_owned(), request)].into();
    Some(InputRequiredResult::new(
        Some(requests),
        Some(question.state.clone()),
    ))
}

/// Takes the code out of a job's answer: who can be asked by a form does not get one.
pub(crate) fn without_code(answer: &mut JobAnswer) {
    if let Some(asked) = &mut answer.confirmation
        && asked.code.take().is_some()
    {
        // It tells the code, too.
        answer.message = None;
    }
}
