//! What goes over HTTP between the pool and its clients. The original's keys are a contract; later
//! ones are only added.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::format::FormatName;
use super::job::{JobId, JobState};
use super::module::Module;
use super::paging::Message;
use super::record::{ErrorRecord, Progress};

#[cfg(feature = "server")]
use utoipa::ToSchema;

/// Body of `POST /run`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// Name of the connection in the registry. May be left out where the pool serves only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// `exo`, `pnp`, `azure` or `teams`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// For `pnp`: `admin`, a site's URL, or nothing for the tenant's root site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The PowerShell to run: one command or a whole script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Who asks, as the caller names itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<String>,
    /// Form of the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<FormatName>,
    /// Columns of the text form, 20 to 4,096.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(minimum = 20, maximum = 4096))]
    pub width: Option<u16>,
    /// Levels of the JSON form, 1 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(minimum = 1, maximum = 100))]
    pub depth: Option<u8>,
    /// Seconds the command may run, 1 to 3,600; then it is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(minimum = 1, maximum = 3600))]
    pub timeout_seconds: Option<u32>,
    /// Seconds this request waits for the job, 0 to 3,600; until it is done where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(minimum = 0, maximum = 3600))]
    pub wait_seconds: Option<u32>,
    /// Most characters of one answer, 200 to 10,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(minimum = 200, maximum = 10_000_000))]
    pub max_characters: Option<u64>,
    /// Accepted and ignored until there are guardrails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<bool>,
}

/// How an answer is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AnswerStatus {
    /// The command ran to its end.
    Success,
    /// The job has not ended; ask for it by its id.
    Running,
    /// A person has to sign in; then send the same command again.
    AuthRequired,
    /// The command failed, was cancelled, ran out of time or was lost.
    Error,
}

/// Answer of `POST /run` and `GET /jobs/{id}`: what became of a job, and one page of its output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct JobAnswer {
    /// How to read this answer.
    pub status: AnswerStatus,
    /// The job's id.
    pub job: JobId,
    /// The job's state.
    pub state: JobState,
    /// The connection it ran on.
    pub connection: String,
    /// The tenant of that connection, as the registry names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The module it ran on.
    pub module: Module,
    /// The session it ran in.
    pub session_id: String,
    /// Form of `output`.
    pub format: FormatName,
    /// This page's output. Text pages go behind one another as they are; a JSON page is an array
    /// of its own.
    pub output: String,
    /// Errors on this page.
    pub errors: Vec<ErrorRecord>,
    /// Warnings on this page.
    pub warnings: Vec<String>,
    /// Other messages on this page (format `json`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Message>,
    /// Errors of the whole job so far.
    pub error_count: u64,
    /// Warnings of the whole job so far.
    pub warning_count: u64,
    /// Where to go on, where there is more or may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Characters behind this page, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_characters: Option<u64>,
    /// The page ends inside a line or element, and the next one goes on there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub partial: bool,
    /// The job ended in an earlier life of the pool, and its output is gone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub output_lost: bool,
    /// Why it failed and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// A stable word for that reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Who is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated_as: Option<String>,
    /// The code to enter (status `auth_required`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_code: Option<String>,
    /// Where to enter it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_url: Option<String>,
    /// What a person has to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Seconds until the code ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// The account that is expected to sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_account: Option<String>,
    /// How far a running command says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// When the job was made.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When its command began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub finished_at: Option<Timestamp>,
}

/// One line of `GET /jobs`: a job without its output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct JobSummary {
    /// The job's id.
    pub job: JobId,
    /// The job's state.
    pub state: JobState,
    /// The connection.
    pub connection: String,
    /// The module.
    pub module: Module,
    /// The session.
    pub session_id: String,
    /// Who asked, as the caller named itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<String>,
    /// When it was made.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub created_at: Timestamp,
    /// When its command began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub finished_at: Option<Timestamp>,
    /// Characters of output so far.
    pub characters: u64,
}

/// Answer of `GET /jobs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct JobList {
    /// The jobs that are still known, newest first.
    pub jobs: Vec<JobSummary>,
}

/// One session in `GET /status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct SessionStatus {
    /// `connection/module`, for pnp with `@site` where it is not the root.
    pub session_id: String,
    /// The connection.
    pub connection: String,
    /// The module.
    pub module: Module,
    /// initializing, ready, auth_pending, authenticated, error or stopped.
    pub state: String,
    /// Whether somebody is signed in.
    pub authenticated: bool,
    /// Whether a command runs.
    pub busy: bool,
    /// Jobs that wait.
    pub queued: usize,
    /// Who is signed in. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated_as: Option<String>,
    /// Tenant id of the sign-in. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub authenticated_since: Option<Timestamp>,
    /// The code that waits for a person. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_code: Option<String>,
    /// Where to enter it. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_url: Option<String>,
    /// Seconds until it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// Who asked for it. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// Process id of its PowerShell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The last command's text. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_command: Option<String>,
    /// When it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(value_type = Option<String>, format = DateTime))]
    pub last_command_at: Option<Timestamp>,
    /// The last failure. Only with the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// Answer of `GET /status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct StatusAnswer {
    /// Every session, by id.
    pub sessions: Vec<SessionStatus>,
}

/// One connection in `GET /connections`: nothing that is worth stealing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct ConnectionInfo {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The tenant's domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Modules it can be used with.
    pub modules: Vec<Module>,
}

/// Answer of `GET /connections`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct ConnectionList {
    /// By name.
    pub connections: BTreeMap<String, ConnectionInfo>,
}

/// Body of `POST /reset`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ResetRequest {
    /// The connection whose sessions end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Only this module's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
}

/// Answer of `POST /reset`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct ResetAnswer {
    /// Always success.
    pub status: AnswerStatus,
    /// Ids of the sessions that ended.
    pub reset: Vec<String>,
    /// How many.
    pub count: usize,
}

/// Answer of `GET /health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct Health {
    /// Always `healthy`: a pool that is not does not answer.
    pub status: String,
    /// Now.
    #[cfg_attr(feature = "server", schema(value_type = String, format = DateTime))]
    pub timestamp: Timestamp,
}

/// Body of every 4xx and 5xx answer: no job was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(ToSchema))]
pub struct Refusal {
    /// Always error.
    pub status: AnswerStatus,
    /// What happened and what to do.
    pub error: String,
    /// A stable word for it.
    pub code: String,
}

fn is_false(value: &bool) -> bool {
    !value
}
