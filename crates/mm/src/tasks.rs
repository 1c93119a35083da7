//! Jobs as tasks of the extension `io.modelcontextprotocol/tasks`: the task's id is the job's, so
//! that any process of `mm`, and the tool `job`, see the same one.

use jiff::Timestamp;
use rmcp::ErrorData;
use rmcp::model::{
    CallToolResult, CreateTaskResult, DetailedTask, ErrorCode, GetTaskResult, JsonObject, Task,
    TaskPayload, TaskStatus,
};
use session_pool::domain::job::{JobId, JobState};
use session_pool::domain::wire::JobAnswer;

use crate::pool::{Pool, Wanted};
use crate::progress::describe;
use crate::text::{self, Reader};
use crate::tools::{Doing, Failure, Unread};

/// How long the pool keeps a job after its end, in milliseconds.
const KEPT_MS: u64 = 60 * 60 * 1000;

/// How often a client is to ask, in milliseconds.
const POLL_MS: u64 = 2_000;

/// What a client asks of a task.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked {
    Get,
    Update,
    Cancel,
}

impl Asked {
    /// The method of the protocol.
    pub(crate) const fn method(self) -> &'static str {
        match self {
            Self::Get => "tasks/get",
            Self::Update => "tasks/update",
            Self::Cancel => "tasks/cancel",
        }
    }

    /// Asks the pool for it.
    ///
    /// # Errors
    /// When the pool does not know the job, or cannot be asked.
    pub(crate) async fn of(self, pool: &Pool, id: JobId) -> Result<JobAnswer, Failure> {
        let (answer, doing) = match self {
            Self::Cancel => (pool.cancel(id).await, Doing::Cancelling(id)),
            Self::Get | Self::Update => {
                (pool.job(id, &Wanted::default()).await, Doing::Looking(id))
            }
        };
        answer.map_err(|error| Unread::failure(doing, error))
    }
}

/// The job's id in a task's.
///
/// # Errors
/// Invalid params, as for any unknown task.
pub(crate) fn job_id(task_id: &str) -> Result<JobId, ErrorData> {
    task_id
        .parse()
        .map_err(|error| ErrorData::invalid_params(format!("unknown task: {error}"), None))
}

/// A failure as a protocol error: these requests have no tool result to put it in.
pub(crate) fn protocol_error(failure: &Failure) -> ErrorData {
    let code = match failure {
        Failure::Pool(error) if error.is_missing_job() => ErrorCode::INVALID_PARAMS,
        _ => ErrorCode::INTERNAL_ERROR,
    };
    ErrorData::new(code, text::reason(failure, Reader::Assistant), None)
}

/// The handle of a job that goes on.
pub(crate) fn created(answer: &JobAnswer) -> CreateTaskResult {
    CreateTaskResult::new(task(answer, TaskStatus::Working))
}

/// The state of a job as a task; `result` is the tool's answer for it.
pub(crate) fn state(answer: &JobAnswer, result: CallToolResult) -> GetTaskResult {
    let payload = match answer.state {
        JobState::Queued | JobState::Running => TaskPayload::Working,
        JobState::Cancelled => TaskPayload::Cancelled,
        // A tool's error is a task that completed, with a result that says so.
        JobState::Succeeded
        | JobState::Failed
        | JobState::TimedOut
        | JobState::AuthRequired
        | JobState::Blocked
        | JobState::ConfirmationRequired
        | JobState::Lost => TaskPayload::Completed {
            result: fields(result),
        },
    };
    GetTaskResult::new(DetailedTask::new(task(answer, payload.status()), payload))
}

fn task(answer: &JobAnswer, status: TaskStatus) -> Task {
    let updated = answer
        .finished_at
        .or(answer.started_at)
        .unwrap_or(answer.created_at);
    let until = answer.finished_at.unwrap_or_else(Timestamp::now);
    let age = until.duration_since(answer.created_at).as_millis();
    let task = Task::new(
        answer.job.to_string(),
        status,
        answer.created_at.to_string(),
        updated.to_string(),
    )
    .with_ttl_ms(u64::try_from(age).unwrap_or(0).saturating_add(KEPT_MS))
    .with_poll_interval_ms(POLL_MS);
    let tenant = answer.tenant.as_deref().unwrap_or("not known");
    let state = match &answer.progress {
        Some(progress) => describe(progress),
        None => answer.state.to_string(),
    };
    task.with_status_message(format!(
        "Connection: {} | tenant: {tenant} | module: {} | {state}",
        answer.connection, answer.module
    ))
}

fn fields(result: CallToolResult) -> JsonObject {
    match serde_json::to_value(result) {
        Ok(serde_json::Value::Object(fields)) => fields,
        // A tool result is an object.
        _ => JsonObject::new(),
    }
}
