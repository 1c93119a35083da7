//! The MCP server, in every era: requests that carry their own context (2026-07-28), and sessions
//! that begin with `initialize` (before).

use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams,
    ContentBlock, CustomRequest, CustomResult, DiscoverResult, ErrorCode, GetTaskParams,
    GetTaskResult, InitializeRequestParams, InitializeResult, JsonObject, ListToolsResult,
    PaginatedRequestParams, ProtocolVersion, ServerConfig, UpdateTaskParams,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};
use session_pool::domain::job::JobState;
use session_pool::domain::module::Module;
use session_pool::domain::trace::TraceParent;
use session_pool::domain::wire::{AnswerStatus, JobAnswer};

use crate::activity_log::{ActivityLog, Call};
use crate::asking::{self, Brought, asking};
use crate::config::{Config, ConfigError};
use crate::graph::{self, Graph, Places, PlacesError};
use crate::pool::{Pool, PoolError};
use crate::progress::Reporter;
use crate::tasks::{self, Asked};
use crate::text::{self, Reader};
use crate::tools::graph::{GraphOutcome, GraphRequest};
use crate::tools::job::Job;
use crate::tools::run::Run;
use crate::tools::{ArgumentError, Arguments, Caller, Failure, Outcome, Place, Unread, definition};

/// How long a client may keep what the server says about itself, in milliseconds: it changes with
/// a new version only.
const FRESH_MS: u64 = 60 * 60 * 1000;

/// Characters of a client's name that the pool is told.
const LONGEST_NAME: usize = 64;

/// The server.
#[derive(Debug)]
pub(crate) struct Server {
    /// Without a valid configuration every call says what is wrong with it: a server that does not
    /// start says nothing to an assistant.
    pool: Result<Pool, ConfigError>,
    graph: Result<Graph, PlacesError>,
    log: ActivityLog,
}

/// The tools.
#[derive(Clone, Copy, Debug)]
enum Tool {
    Run,
    Job,
    Graph,
}

impl Tool {
    fn named(name: &str) -> Option<Self> {
        match name {
            "run" => Some(Self::Run),
            "job" => Some(Self::Job),
            "graph_request" => Some(Self::Graph),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Job => "job",
            Self::Graph => "graph_request",
        }
    }
}

impl Server {
    /// A server over the pool of this configuration, and over Graph by these files.
    pub(crate) fn new(
        config: Result<Config, ConfigError>,
        places: Result<Places, PlacesError>,
    ) -> Self {
        Self {
            graph: places.map(Graph::new),
            log: ActivityLog::new(
                config
                    .as_ref()
                    .ok()
                    .and_then(|config| config.activity_log.clone()),
            ),
            pool: config.map(|config| Pool::new(&config)),
        }
    }

    /// The pool, with every request in the caller's trace.
    fn pool(&self, context: &RequestContext<RoleServer>) -> Result<Pool, ConfigError> {
        let pool = self.pool.as_ref().map_err(ConfigError::clone)?;
        Ok(pool.in_trace(trace(context)))
    }

    /// The entry in the log for this call.
    fn log(&self, tool: &'static str, context: &RequestContext<RoleServer>) -> Call<'_> {
        let client = context.client_info().map(|client| client.name);
        let mut call = self.log.call(tool, client.as_deref());
        call.traced(trace(context).map(TraceParent::trace_id));
        call
    }

    async fn graph(&self, arguments: Arguments, caller: Caller) -> Result<Outcome, Failure> {
        let request = GraphRequest::parse(arguments)?;
        match &self.graph {
            Ok(graph) => request.call(graph, caller).await.map(Outcome::Graph),
            Err(error) => Err(graph::GraphError::Places(error.clone()).into()),
        }
    }

    async fn call(
        &self,
        tool: Tool,
        arguments: Option<JsonObject>,
        brought: Brought,
        context: RequestContext<RoleServer>,
    ) -> CallToolResponse {
        let takes_tasks = takes_tasks(&context);
        let mut call = self.log(tool.name(), &context);
        let pool = self.pool(&context);
        let caller = Caller {
            name: context
                .client_info()
                .map(|client| client.name.chars().take(LONGEST_NAME).collect()),
            trace: trace(&context),
            asking: asking(&context, brought),
            consents: self
                .graph
                .as_ref()
                .ok()
                .map(|graph| graph.consents().clone()),
            reporter: Reporter::new(context.peer.clone(), context.meta.get_progress_token()),
            cancelled: context.ct.clone(),
        };
        let arguments = Arguments::new(arguments);
        let mut place = Place::named(&arguments);
        call.concerns(
            place.connection.as_deref().filter(|name| is_name(name)),
            place
                .module
                .as_deref()
                .filter(|name| name.parse::<Module>().is_ok()),
        );
        let elicits = caller.asking.can_ask();
        let mut outcome = match tool {
            Tool::Run => run(arguments, &pool, caller).await,
            Tool::Job => job(arguments, &pool, caller).await,
            Tool::Graph => self.graph(arguments, caller).await,
        };
        if let Ok(Outcome::Job(answer) | Outcome::Cancelled(answer)) = &outcome {
            call.concerns(Some(&answer.connection), Some(answer.module.as_str()));
        }
        if elicits && let Ok(Outcome::Job(answer) | Outcome::Cancelled(answer)) = &mut outcome {
            asking::without_code(answer);
        }
        call.ended(logged(&outcome));
        match outcome {
            Ok(Outcome::Job(answer))
                if answer.status == AnswerStatus::Running
                    && matches!(tool, Tool::Run)
                    && takes_tasks =>
            {
                tasks::created(&answer).into()
            }
            Ok(outcome) => match asking::question(&outcome) {
                Some(question) => question.into(),
                None => answered(&outcome).into(),
            },
            Err(failure) => {
                if let (Tool::Run | Tool::Job, Ok(pool)) = (tool, &pool) {
                    place.complete(pool, &failure).await;
                }
                if let (Tool::Graph, Ok(graph)) = (tool, &self.graph) {
                    place.complete_from(graph);
                }
                failed(&place, &failure).into()
            }
        }
    }
}

async fn run(
    arguments: Arguments,
    pool: &Result<Pool, ConfigError>,
    caller: Caller,
) -> Result<Outcome, Failure> {
    let run = Run::parse(arguments)?;
    run.call(pool.as_ref().map_err(ConfigError::clone)?, caller)
        .await
}

async fn job(
    arguments: Arguments,
    pool: &Result<Pool, ConfigError>,
    caller: Caller,
) -> Result<Outcome, Failure> {
    let job = Job::parse(arguments)?;
    job.call(pool.as_ref().map_err(ConfigError::clone)?, caller)
        .await
}

/// The caller's trace.
fn trace(context: &RequestContext<RoleServer>) -> Option<TraceParent> {
    context.meta.get_traceparent()?.parse().ok()
}

/// Whether this can be a connection's name: what else stands in its place, a command say, is not
/// for the log.
fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// Whether the client can take a task for an answer: only in the era that has them.
fn takes_tasks(context: &RequestContext<RoleServer>) -> bool {
    is_modern(context)
        && context
            .client_capabilities()
            .is_some_and(|capabilities| capabilities.supports_tasks())
}

pub(crate) fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    context
        .protocol_version()
        .is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

/// How a call ended, in a word for the log.
fn logged(outcome: &Result<Outcome, Failure>) -> &str {
    match outcome {
        Ok(Outcome::Job(answer) | Outcome::Cancelled(answer)) => status(answer),
        Ok(Outcome::Graph(GraphOutcome::Answer(answer))) => graph::status(&answer.content),
        Ok(Outcome::Question(_)) => "input_required",
        Ok(_) => "success",
        Err(failure) => failed_as(failure),
    }
}

fn status(answer: &JobAnswer) -> &'static str {
    match answer.status {
        AnswerStatus::Error => answer.state.as_str(),
        AnswerStatus::Success => "success",
        AnswerStatus::Running => "running",
        AnswerStatus::AuthRequired => "auth_required",
        AnswerStatus::Blocked => "blocked",
        AnswerStatus::ConfirmationRequired => "confirmation_required",
    }
}

/// The failure's code; what the pool itself says stays out of the log.
fn failed_as(failure: &Failure) -> &str {
    match failure {
        Failure::Pool(PoolError::Refused { .. })
        | Failure::Unread(Unread {
            error: PoolError::Refused { .. },
            ..
        }) => "refused",
        failure => failure.code(),
    }
}

/// The tool result of an answer. A sign-in that is needed, a job that goes on, and a cancel that did
/// what it was asked for are no errors.
fn answered(outcome: &Outcome) -> CallToolResult {
    let failed = match outcome {
        Outcome::Job(answer) => {
            matches!(answer.status, AnswerStatus::Error | AnswerStatus::Blocked)
        }
        Outcome::Cancelled(answer) => {
            answer.status == AnswerStatus::Error && answer.state != JobState::Cancelled
        }
        Outcome::Graph(GraphOutcome::Answer(answer)) => {
            let error = answer.content.error();
            error.is_some_and(|error| !matches!(error, graph::GraphError::SignInNeeded(_)))
        }
        _ => false,
    };
    let words = text::outcome(outcome, Reader::Assistant);
    result(words, text::structured(outcome), failed)
}

fn failed(place: &Place, failure: &Failure) -> CallToolResult {
    let mut fields = json!({
        "status": "error",
        "error": text::reason(failure, Reader::Assistant),
        "code": failure.code(),
    });
    if let Value::Object(fields) = &mut fields {
        let known = [
            ("connection", &place.connection),
            ("tenant", &place.tenant),
            ("module", &place.module),
        ];
        for (name, value) in known {
            if let Some(value) = value {
                fields.insert(name.to_owned(), json!(value));
            }
        }
        if let Failure::Unread(unread) = failure
            && let Some(job) = unread.job()
        {
            fields.insert("job".to_owned(), json!(job));
        }
    }
    let words = text::failure(place, failure, Reader::Assistant);
    result(words, fields, true)
}

fn result(text: String, structured: Value, is_error: bool) -> CallToolResult {
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(structured);
    result.is_error = Some(is_error);
    result
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        definition::server()
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        context.peer.set_peer_info(request.clone());
        let mut result = self.negotiate_initialize(&request)?;
        // The extension exists since the handshake is gone.
        result.capabilities.extensions = None;
        Ok(result)
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        let mut result =
            DiscoverResult::from_server_info(versions, self.get_info()).with_ttl_ms(FRESH_MS);
        result.cache_scope = CacheScope::Public;
        Ok(result)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut result = ListToolsResult::with_all_items(definition::tools());
        if is_modern(&context) {
            result.ttl_ms = Some(FRESH_MS);
            result.cache_scope = Some(CacheScope::Public);
        }
        Ok(result)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = Tool::named(&request.name) else {
            return Err(unknown_tool(&request.name));
        };
        let brought = Brought {
            state: request.request_state,
            responses: request.input_responses,
        };
        Ok(self.call(tool, request.arguments, brought, context).await)
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        // Known, but not readable: to say that it does not exist would be a lie.
        if request.method.starts_with("tasks/") {
            let wrong = format!("the parameters of {} need a \"taskId\"", request.method);
            return Err(ErrorData::invalid_params(wrong, None));
        }
        if request.method != "tools/call" {
            return Err(ErrorData::new(
                ErrorCode::METHOD_NOT_FOUND,
                request.method,
                None,
            ));
        }
        // rmcp could not read it, so some part of it has the wrong type.
        let name = request
            .params
            .as_ref()
            .and_then(|params| params.get("name"))
            .and_then(Value::as_str);
        match name {
            None => Err(ErrorData::invalid_params(
                "tools/call needs a \"name\", a string",
                None,
            )),
            Some(name) => {
                let Some(tool) = Tool::named(name) else {
                    return Err(unknown_tool(name));
                };
                self.log(tool.name(), &context).ended("bad_arguments");
                let mut result = failed(&Place::default(), &ArgumentError::NoObject.into());
                if !is_modern(&context) {
                    result.result_type = None;
                }
                Ok(CustomResult::new(json!(result)))
            }
        }
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        let mut answer = self.task(Asked::Get, &request.task_id, &context).await?;
        if asking::elicits(&context) {
            asking::without_code(&mut answer);
        }
        let result = answered(&Outcome::Job(Box::new(answer.clone())));
        Ok(tasks::state(&answer, result))
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        // Nothing is ever asked in the middle of a command, so there is nothing to take.
        let answer = self.task(Asked::Update, &request.task_id, &context);
        answer.await.map(drop)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let answer = self.task(Asked::Cancel, &request.task_id, &context);
        answer.await.map(drop)
    }
}

impl Server {
    /// Asks the pool about a task's job, or for its end.
    async fn task(
        &self,
        asked: Asked,
        task_id: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<JobAnswer, ErrorData> {
        let mut call = self.log(asked.method(), context);
        let id = tasks::job_id(task_id).inspect_err(|_| call.ended("bad_arguments"))?;
        let answer = match self.pool(context) {
            Ok(pool) => asked.of(&pool, id).await,
            Err(error) => Err(error.into()),
        };
        if let Ok(answer) = &answer {
            call.concerns(Some(&answer.connection), Some(answer.module.as_str()));
        }
        call.ended(match &answer {
            Ok(answer) => status(answer),
            Err(failure) => failed_as(failure),
        });
        answer.map_err(|failure| tasks::protocol_error(&failure))
    }
}

fn unknown_tool(name: &str) -> ErrorData {
    let name: String = name.chars().take(100).collect();
    ErrorData::invalid_params(
        format!("there is no tool {name:?}: there are run, job and graph_request"),
        None,
    )
}
